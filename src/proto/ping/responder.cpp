#include "ping/responder.hpp"

#include "base/assert.hpp"

namespace starling::ping {

std::size_t Responder::receive(ByteView bytes, Instant now) noexcept {
  const std::size_t offered = bytes.size();
  while (!bytes.empty() && answer_bytes_ + kPingBytes <= answers_.size()) {
    const std::size_t taken = std::min(kPingBytes - partial_bytes_, bytes.size());
    std::copy_n(bytes.begin(), taken, partial_.begin() + static_cast<std::ptrdiff_t>(partial_bytes_));
    bytes = bytes.subspan(taken);
    partial_bytes_ += taken;
    if (partial_bytes_ < kPingBytes) break;
    std::copy(partial_.begin(), partial_.end(),
              answers_.begin() + static_cast<std::ptrdiff_t>(answer_bytes_));
    answer_bytes_ += kPingBytes;
    partial_bytes_ = 0;
    deadline_ =
        now + kIdleTimeMax;  // only whole pings count: a byte now and then does not keep a stream open
  }
  return offered - bytes.size();
}

void Responder::sent(std::size_t count) noexcept {
  STARLING_ASSERT(count <= answer_bytes_);
  std::copy(answers_.begin() + static_cast<std::ptrdiff_t>(count),
            answers_.begin() + static_cast<std::ptrdiff_t>(answer_bytes_), answers_.begin());
  answer_bytes_ -= count;
}

Result<void> Responder::on_deadline(Instant now) noexcept {
  if (now < deadline_) return {};
  return fail(Errc::timed_out);
}

}  // namespace starling::ping
