#pragma once
// Waiting for many callbacks.
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <optional>

#include "contract.hpp"

namespace peer {

/// Counts down as parts of a job end, and keeps the first failure. Any thread.
class Together {
 public:
  explicit Together(std::size_t parts) : parts_(parts) {}
  void end(const starling::Outcome<void>& outcome) {
    const std::lock_guard lock(mutex_);
    if (!outcome && !failure_) failure_ = outcome.failure();
    --parts_;
    changed_.notify_all();
  }
  bool failed() {
    const std::lock_guard lock(mutex_);
    return failure_.has_value();
  }
  /// Throws CommandError with the first failure.
  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return parts_ == 0; });
    if (failure_) throw CommandError(failure_->message);
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t parts_;
  std::optional<starling::Failure> failure_;
};

}  // namespace peer
