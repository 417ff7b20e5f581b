#include "agent/outgoing.hpp"

#include <algorithm>

#include "agent/times.hpp"

namespace starling::agent {

Outgoing::Outgoing(WallTime expires_at, Now now)
    : next_(now.mono), end_(now.mono + time_until(expires_at, now.wall)) {
  on_deadline(now.mono);
}

std::optional<Outgoing::Action> Outgoing::poll() {
  std::optional<Action> out;
  std::swap(out, action_);
  if (out == Action::publish) ++publications_;
  return out;
}

Instant Outgoing::deadline() const noexcept { return ended_ ? Instant::never() : std::min(next_, end_); }

void Outgoing::on_deadline(Instant now) {
  if (ended_) return;
  if (now >= end_) {
    ended_ = true;
    action_ = Action::end;
    return;
  }
  if (now < next_) return;
  action_ = Action::publish;
  // Counted from now, not from when it was due: a node that slept does not catch up with a burst.
  next_ = now + pause_;
  pause_ = std::min(2 * pause_, Duration(kRetryMax));
}

void Outgoing::stop() noexcept {
  ended_ = true;
  action_.reset();
}

}  // namespace starling::agent
