#pragma once
#include <csignal>
#include <initializer_list>
#include <optional>

namespace starling::cli {

/// Signals that a verb waits for instead of being ended by. Make one before any thread starts, so that all
/// threads inherit that they are blocked and only wait() sees them.
class Signals {
 public:
  Signals(std::initializer_list<int> signals) {
    sigemptyset(&set_);
    for (const int signal : signals) sigaddset(&set_, signal);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
  }
  /// The signal that came; nothing after `seconds`.
  std::optional<int> wait(long seconds) const {
    const timespec patience{seconds, 0};
    const int signal = sigtimedwait(&set_, nullptr, &patience);
    if (signal <= 0) return std::nullopt;
    return signal;
  }

 private:
  sigset_t set_{};
};

}  // namespace starling::cli
