#pragma once
#include <string>
#include <vector>

namespace starling::cli {

/// The libp2p daemon, with the flags of go-libp2p-daemon's p2pd (docs/p2pd.md); the exit code. Blocks until a
/// signal ends it.
int run_p2pd(const std::vector<std::string>& arguments);

}  // namespace starling::cli
