#include "proto/gossip/promises.hpp"

#include <algorithm>

#include "proto/gossip/limits.hpp"

namespace starling::gossip {

void Promises::add(std::uint64_t fingerprint, PeerRef peer, Instant now, Duration followup) {
  if (due_.size() >= kPromisesMax) return;
  auto& made = open_[fingerprint];
  if (std::ranges::find(made, peer, &Made::peer) != made.end()) return;
  made.push_back({peer, now + followup});
  due_.push({now + followup, fingerprint, peer});
  ++count_;
}

void Promises::fulfilled(std::uint64_t fingerprint) {
  const auto it = open_.find(fingerprint);
  if (it == open_.end()) return;
  count_ -= it->second.size();
  open_.erase(it);
}

std::vector<PeerRef> Promises::take_broken(Instant now) {
  std::vector<PeerRef> broken;
  while (!due_.empty() && due_.front().expires <= now) {
    const Due due = due_.pop();
    const auto it = open_.find(due.fingerprint);
    if (it == open_.end()) continue;
    // The same id may have been fulfilled and promised anew: only the very promise counts.
    const auto made = std::ranges::find_if(
        it->second, [&due](const Made& m) { return m.peer == due.peer && m.expires == due.expires; });
    if (made == it->second.end()) continue;
    broken.push_back(due.peer);
    it->second.erase(made);
    --count_;
    if (it->second.empty()) open_.erase(it);
  }
  return broken;
}

std::size_t Promises::memory_bytes() const noexcept {
  return due_.capacity_bytes() + open_.bucket_count() * sizeof(void*) +
         open_.size() * (sizeof(void*) * 2 + 40) + count_ * sizeof(Made);
}

}  // namespace starling::gossip
