#include "proto/kad/answer_time.hpp"

#include <algorithm>

namespace starling::kad {

void AnswerTime::note(Duration took) noexcept {
  took = std::clamp(took, Duration::zero(), kResponseTimeout);
  if (count_ == 0) {
    mean_ = took;
    deviation_ = took / 2;
  } else {
    const Duration off = took > mean_ ? took - mean_ : mean_ - took;
    deviation_ += (off - deviation_) / 4;
    mean_ += (took - mean_) / 8;
  }
  if (count_ < kAnswerSamplesMin) ++count_;
}

Duration AnswerTime::stall_after(Duration longest) const noexcept {
  if (count_ < kAnswerSamplesMin) return longest;
  return std::min(longest, std::max(kStallAfterMin, mean_ + 4 * deviation_));
}

}  // namespace starling::kad
