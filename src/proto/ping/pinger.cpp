#include "ping/pinger.hpp"

#include "base/assert.hpp"

namespace starling::ping {

void Pinger::start(Rng& rng, Instant now) {
  STARLING_ASSERT(!waiting_);
  rng.fill(ping_);
  sent_ = 0;
  answered_ = 0;
  started_ = now;
  waiting_ = true;
}

void Pinger::sent(std::size_t count) noexcept {
  STARLING_ASSERT(count <= to_send().size());
  sent_ += count;
}

Result<std::optional<Duration>> Pinger::receive(ByteView bytes, Instant now) {
  if (bytes.empty()) return std::optional<Duration>();
  // An answer cannot be ahead of what has left us, so such bytes are surplus even when they happen to match.
  if (!waiting_ || bytes.size() > sent_ - answered_) return fail(Errc::unasked_answer);
  if (!equal(bytes, ByteView(ping_).subspan(answered_, bytes.size()))) return fail(Errc::wrong_answer);
  answered_ += bytes.size();
  if (answered_ < kPingBytes) return std::optional<Duration>();
  waiting_ = false;
  return std::optional<Duration>(now - started_);
}

Result<void> Pinger::on_deadline(Instant now) {
  if (!waiting_ || now < deadline()) return {};
  return fail(Errc::timed_out);
}

}  // namespace starling::ping
