#pragma once
// Who said to provide what.
#include <map>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/rng.hpp"
#include "base/time.hpp"
#include "proto/kad/config.hpp"
#include "proto/kad/errors.hpp"
#include "proto/kad/message.hpp"

namespace starling::kad {

/// Provider entries in memory.
/// Limits: StoreLimits providers_max in all, providers_per_key_max, provided_keys_per_peer_max,
/// providers_per_group_max. A full list refuses newcomers and never displaces an entry that is alive: where
/// nearer or newer ids could push others out, sybils would own the list (rust-libp2p PR 5536). More providers
/// than fit an answer are sampled at random, so that early ones do not hide late ones either.
class ProviderStore {
 public:
  explicit ProviderStore(const StoreLimits& limits) : limits_(limits) {}
  /// Inserts, or renews address and time. `expires` is in monotonic time. Errc::store_full.
  Result<void> add(ByteView key, PeerInfo provider, Instant now, Instant expires);
  void remove(ByteView key, const PeerId& provider);
  /// At most `count` providers alive at `now`.
  std::vector<PeerInfo> find(ByteView key, std::size_t count, Instant now, Rng& rng) const;
  std::size_t expire(Instant now);
  std::size_t size() const noexcept { return count_; }
  std::size_t key_count() const noexcept { return keys_.size(); }

  struct Entry {
    PeerInfo provider;
    Instant expires;
  };
  /// nullptr when the provider is not known for this key. Valid until the next change.
  const Entry* find_entry(ByteView key, const PeerId& provider) const;
  /// From now on changes are noted; take_changes() gives what was added, renewed or dropped since its last
  /// call, repeats included.
  using Change = std::pair<Bytes, PeerId>;
  void track_changes() noexcept { tracked_ = true; }
  std::vector<Change> take_changes() { return std::exchange(changes_, {}); }

 private:
  using Entries = std::vector<Entry>;
  void forget(const PeerId& provider);
  std::size_t drop_expired(const Bytes& key, Entries& entries, Instant now);
  void note(const Bytes& key, const PeerId& provider) {
    if (tracked_) changes_.emplace_back(key, provider);
  }

  StoreLimits limits_;
  std::map<Bytes, Entries> keys_;
  std::map<PeerId, std::size_t> per_peer_;
  std::size_t count_ = 0;
  std::vector<Change> changes_;
  bool tracked_ = false;
};

}  // namespace starling::kad
