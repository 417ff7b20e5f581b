// starling-interop: a participant of the official tests of libp2p (unified-testing transport and kad-dht,
// test-plans transport-interop and perf). The name it is called by, or its first argument, says which.
#include <csignal>
#include <cstdio>
#include <string>
#include <vector>

#include "participant.hpp"

namespace {

constexpr const char* kUsage =
    "usage: starling-interop transport | kad-dht          (the environment says the rest)\n"
    "       starling-interop perf --run-server --server-address IP:PORT\n"
    "       starling-interop perf --server-address IP:PORT --transport tcp --upload-bytes N --download-bytes "
    "N\n"
    "Called by the name `perf`, the first argument is left out.\n";

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  std::vector<std::string> arguments(argv + 1, argv + argc);
  std::string part(argv[0]);
  part.erase(0, part.rfind('/') + 1);
  if (part != "perf") {
    part = arguments.empty() ? "" : arguments.front();
    if (!arguments.empty()) arguments.erase(arguments.begin());
  }
  try {
    if (part == "transport") {
      interop::run_transport();
    } else if (part == "kad-dht") {
      interop::run_kad_dht();
    } else if (part == "perf") {
      interop::run_perf(arguments);
    } else {
      std::fputs(kUsage, stderr);
      return 2;
    }
  } catch (const interop::Failed& failed) {
    std::fprintf(stderr, "starling-interop: %s\n", failed.what.c_str());
    return 1;
  }
  return 0;
}
