#pragma once
#include <optional>
#include <string>

#include "daemon/drops.hpp"

namespace starling::cli {

/// What `now` has more than `before`, in one line that names the topic which lost most; nothing when that is
/// nothing.
std::optional<std::string> drop_report(const daemon::Drops& now, const daemon::Drops& before);

}  // namespace starling::cli
