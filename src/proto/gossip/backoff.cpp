#include "proto/gossip/backoff.hpp"

#include <algorithm>

#include "proto/gossip/limits.hpp"

namespace starling::gossip {

Duration Backoffs::clamp(std::uint64_t seconds, Duration fallback) noexcept {
  if (seconds == 0) return std::min(fallback, kBackoffMax);
  const auto max =
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(kBackoffMax).count());
  return std::chrono::seconds(std::min(seconds, max));
}

void Backoffs::add(std::string_view topic, const PeerId& peer, Duration length, Instant now) {
  const Instant end = now + std::clamp(length, Duration{0}, kBackoffMax);
  const auto it = ends_.find(View{topic, &peer});
  if (it != ends_.end()) {
    if (end <= it->second) return;
    order_.erase(it);
    it->second = end;
    order_.insert(it);
    return;
  }
  if (ends_.size() >= kBackoffsMax) {
    const auto first = *order_.begin();
    order_.erase(order_.begin());
    ends_.erase(first);
  }
  order_.insert(ends_.emplace(Key{std::string(topic), peer}, end).first);
}

std::optional<Instant> Backoffs::end_of(std::string_view topic, const PeerId& peer) const {
  const auto it = ends_.find(View{topic, &peer});
  if (it == ends_.end()) return std::nullopt;
  return it->second;
}

void Backoffs::expire(Instant now, Duration slack) {
  while (!order_.empty()) {
    const auto first = *order_.begin();
    if (now < first->second + slack) return;
    order_.erase(order_.begin());
    ends_.erase(first);
  }
}

std::size_t Backoffs::memory_bytes() const noexcept {
  return ends_.size() * (sizeof(Ends::value_type) + 9 * sizeof(void*) + 16);
}

}  // namespace starling::gossip
