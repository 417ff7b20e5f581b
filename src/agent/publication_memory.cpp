#include "agent/publication_memory.hpp"

#include "agent/limits.hpp"

namespace starling::agent {

void PublicationMemory::forget_old(Instant now) {
  while (!order_.empty() && order_.front().first <= now) {
    seen_.erase(order_.front().second);
    order_.pop_front();
  }
}

bool PublicationMemory::contains(const MessageKey& key, WallTime published_at, Instant now) {
  forget_old(now);
  return seen_.contains({key, published_at});
}

void PublicationMemory::remember(const MessageKey& key, WallTime published_at, Instant now) {
  forget_old(now);
  const Publication publication{key, published_at};
  if (seen_.contains(publication)) return;
  if (seen_.size() >= capacity_) {
    seen_.erase(order_.front().second);
    order_.pop_front();
  }
  seen_.insert(publication);
  order_.emplace_back(now + kPublicationMemory, publication);
}

}  // namespace starling::agent
