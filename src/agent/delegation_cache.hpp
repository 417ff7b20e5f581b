#pragma once
#include "base/bounded.hpp"
#include "crypto/hash.hpp"

namespace starling::agent {

/// Remembers SHA-256(delegation ‖ signature) of what was verified, so that recover is paid once and not per
/// message (§2). It holds only "this signature is by this wallet": window, epoch and network are checked at
/// every use. Failures are not cached: an attacker makes as many different ones as it likes, and they would
/// push out what is worth keeping. Not thread-safe. Bounded LRU.
class DelegationCache {
 public:
  explicit DelegationCache(std::size_t capacity) : verified_(capacity) {}
  bool contains(const crypto::Hash256& key) { return verified_.find(key) != nullptr; }
  void insert(const crypto::Hash256& key) { verified_.put(key, {}); }
  std::size_t size() const noexcept { return verified_.size(); }

 private:
  struct Nothing {};
  LruMap<crypto::Hash256, Nothing, BytesHash, BytesEqual> verified_;
};

}  // namespace starling::agent
