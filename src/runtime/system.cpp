#include "runtime/system.hpp"

#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>

namespace starling::runtime {

Now read_clock() noexcept {
  Now now;
  now.mono = Instant::from_ns(
      std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch()).count());
  const auto wall = std::chrono::system_clock::now().time_since_epoch();
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(wall).count();
  now.wall = WallTime::from_ms(ms < 0 ? 0 : static_cast<std::uint64_t>(ms));
  return now;
}

void SystemRng::fill(MutableByteView out) {
  while (!out.empty()) {
    // A signal or a long request ends a call early.
    const ssize_t count = ::getrandom(out.data(), out.size(), 0);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      std::fputs("starling: the system has no randomness\n", stderr);
      std::abort();
    }
    out = out.subspan(static_cast<std::size_t>(count));
  }
}

ProcessUse process_use() {
  ProcessUse use;
  if (std::FILE* file = std::fopen("/proc/self/statm", "r")) {
    unsigned long total = 0;
    unsigned long resident = 0;
    if (std::fscanf(file, "%lu %lu", &total, &resident) == 2)
      use.rss_bytes =
          static_cast<std::uint64_t>(resident) * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
    std::fclose(file);
  }
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) == 0) {
    const auto of = [](const timeval& t) {
      return std::chrono::seconds(t.tv_sec) + std::chrono::microseconds(t.tv_usec);
    };
    use.cpu = of(usage.ru_utime) + of(usage.ru_stime);
  }
  return use;
}

}  // namespace starling::runtime
