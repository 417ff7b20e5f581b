#include "proto/yamux/liveness.hpp"

#include <algorithm>
#include <utility>

#include "proto/yamux/limits.hpp"

namespace starling::yamux {

void Liveness::want_ping(Instant now) noexcept {
  if (state_ != State::quiet) return;
  state_ = State::wanted;
  pinged_ = now;
}

std::uint32_t Liveness::send_ping(Instant now) noexcept {
  state_ = State::under_way;
  pinged_ = now;
  return next_value_;
}

std::optional<Duration> Liveness::on_pong(std::uint32_t value, Instant now) noexcept {
  if (state_ != State::under_way || value != next_value_) return std::nullopt;
  state_ = State::quiet;
  ++next_value_;
  const Duration sample = std::max(now - pinged_, Duration::zero());
  if (now - remembered_ >= kRttMemory) {
    smallest_before_ = std::exchange(smallest_, Duration::max());
    remembered_ = now;
  }
  smallest_ = std::min(smallest_, sample);
  ++samples_;
  return sample;
}

Instant Liveness::deadline(const Times& times) const noexcept {
  if (times.interval == Duration::max()) return Instant::never();
  if (state_ == State::quiet) return last_receive_ + times.interval;
  return std::max(last_receive_, pinged_) + times.timeout;
}

bool Liveness::on_deadline(const Times& times, Instant now) noexcept {
  if (now < deadline(times)) return true;
  if (state_ != State::quiet) return false;
  want_ping(now);
  return true;
}

std::optional<Duration> Liveness::rtt() const noexcept {
  if (samples_ == 0) return std::nullopt;
  return std::min(smallest_, smallest_before_);
}

}  // namespace starling::yamux
