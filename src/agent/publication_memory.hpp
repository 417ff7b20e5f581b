#pragma once
#include <deque>
#include <unordered_set>

#include "agent/message_key.hpp"
#include "base/assert.hpp"
#include "base/time.hpp"

namespace starling::agent {

/// The memory of check 6 (§5): (from, id, published_at) of what was Accepted, for 10 minutes, twice as long
/// as a publication stays fresh. It stops a copy that comes again under another pubsub message id. When full,
/// the oldest goes: an envelope that was accepted long ago is no longer fresh soon. Not thread-safe.
class PublicationMemory {
 public:
  explicit PublicationMemory(std::size_t capacity) : capacity_(capacity) { STARLING_ASSERT(capacity > 0); }
  bool contains(const MessageKey& key, WallTime published_at, Instant now);
  void remember(const MessageKey& key, WallTime published_at, Instant now);
  std::size_t size() const noexcept { return seen_.size(); }

 private:
  struct Publication {
    MessageKey key;
    WallTime published_at;
    friend bool operator==(const Publication&, const Publication&) = default;
  };
  struct Hash {
    std::size_t operator()(const Publication& p) const noexcept {
      return std::hash<MessageKey>{}(p.key) ^
             static_cast<std::size_t>(p.published_at.ms() * 0x9e3779b97f4a7c15ULL);
    }
  };
  void forget_old(Instant now);
  std::size_t capacity_;
  std::unordered_set<Publication, Hash> seen_;
  std::deque<std::pair<Instant, Publication>> order_;  // when each is forgotten, oldest first
};

}  // namespace starling::agent
