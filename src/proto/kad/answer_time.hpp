#pragma once
// How long servers take to answer us, as far as we have seen.
#include <optional>

#include "base/time.hpp"
#include "proto/kad/limits.hpp"

namespace starling::kad {

/// A smoothed mean and deviation of the time from a request to its answer, dialling included, as TCP keeps
/// them for its retransmission timer (RFC 6298 §2). What takes longer than the mean and four deviations is
/// taken for lost: whoever waits the same time for everybody waits it for each of the dead ones among the
/// nearest, one round after the other.
class AnswerTime {
 public:
  void note(Duration took) noexcept;
  /// When an unanswered request has stalled: between kStallAfterMin and `longest`, and `longest` before the
  /// first kAnswerSamplesMin answers.
  Duration stall_after(Duration longest) const noexcept;

 private:
  std::size_t count_ = 0;
  Duration mean_{};
  Duration deviation_{};
};

}  // namespace starling::kad
