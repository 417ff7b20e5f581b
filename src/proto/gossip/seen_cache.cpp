#include "proto/gossip/seen_cache.hpp"

#include <algorithm>

namespace starling::gossip {

SeenCache::SeenCache(Duration ttl, std::size_t capacity) noexcept
    : span_(std::max<Duration>(ttl / static_cast<int>(kGenerations - 1), 1ms)),
      per_generation_max_(std::max<std::size_t>(capacity / kGenerations, 1)) {}

bool SeenCache::contains(std::uint64_t fingerprint) const noexcept {
  for (const Set& set : generations_)
    if (!set.empty() && set.contains(fingerprint)) return true;
  return false;
}

bool SeenCache::insert(std::uint64_t fingerprint, Instant now) {
  expire(now);
  if (contains(fingerprint)) return false;
  if (generations_[current_].size() >= per_generation_max_) {
    rotate();
    current_since_ = now;
  }
  generations_[current_].insert(fingerprint);
  return true;
}

void SeenCache::expire(Instant now) {
  if (!started_) {
    started_ = true;
    current_since_ = now;
    return;
  }
  for (std::size_t i = 0; i < kGenerations && now - current_since_ >= span_; ++i) {
    rotate();
    current_since_ = current_since_ + span_;
  }
  // A long sleep: everything has gone in the loop above, the clock restarts here.
  if (now - current_since_ >= span_) current_since_ = now;
}

void SeenCache::rotate() noexcept {
  current_ = (current_ + 1) % kGenerations;
  generations_[current_] = Set{};
}

std::size_t SeenCache::size() const noexcept {
  std::size_t total = 0;
  for (const Set& set : generations_) total += set.size();
  return total;
}

std::size_t SeenCache::memory_bytes() const noexcept {
  std::size_t total = 0;
  for (const Set& set : generations_) total += set.bucket_count() * (sizeof(std::uint64_t) + 1);
  return total;
}

}  // namespace starling::gossip
