#pragma once
// The outside world as machines see it: clock, randomness, log.
#include <memory>

#include "base/env.hpp"
#include "runtime/options.hpp"

namespace starling::runtime {

/// Both clocks, read now. Instants count from the machine's start.
Now read_clock() noexcept;

/// The operating system's randomness, from the kernel: 32 bytes cost a system call of half a microsecond,
/// less than half of what OpenSSL's generator takes for them, and there is nothing to seed when a program
/// starts. Ends the process when the system has none: nothing here may go on with guessable keys.
class SystemRng final : public Rng {
 public:
  void fill(MutableByteView out) override;
};

/// Lines for `sink`, or for standard error when it is empty. Any thread may write.
std::unique_ptr<Log> make_log(LogLevel level, LogFunction sink);

struct ProcessUse {
  std::uint64_t rss_bytes = 0;
  Duration cpu{};  ///< user and system, since the process's start
};
ProcessUse process_use();

}  // namespace starling::runtime
