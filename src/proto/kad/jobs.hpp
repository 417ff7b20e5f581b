#pragma once
// What a node does by itself from time to time.
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "base/rng.hpp"
#include "base/time.hpp"
#include "proto/kad/config.hpp"
#include "proto/kad/key.hpp"
#include "proto/kad/routing_table.hpp"

namespace starling::kad {

/// The timetable: refresh of the routing table, publishing again what we provide and have put, sweeping the
/// stores, saving the table. Refresh times are jittered by a tenth, so that nodes started together do not ask
/// together. Limits: kOwnProvidedKeysMax keys, kOwnRecordsMax records.
class Jobs {
 public:
  Jobs(const Config& config, Rng& rng, Instant now);

  /// The table has got its first peer: refresh now rather than at the next turn, at most once in 30 s.
  void refresh_soon(Instant now);
  bool refresh_due(Instant now);
  /// A refresh has ended. One that left a table with fewer than k servers, because they were not there or had
  /// no room for us, is followed by another after kThinRefreshFirst, then twice that, up to the usual.
  void note_refreshed(std::size_t table_size, Instant now);
  /// A refresh has been started by hand.
  void note_refresh(Instant now);
  bool sweep_due(Instant now);
  /// False when kOwnProvidedKeysMax are taken.
  [[nodiscard]] bool keep_providing(Bytes key, Instant now);
  void stop_providing(ByteView key);
  /// Keeps the latest value of each key. False when kOwnRecordsMax are taken.
  [[nodiscard]] bool keep_publishing(Bytes key, Bytes value, Instant now);
  void stop_publishing(ByteView key);
  struct OwnRecord {
    Bytes key;
    Bytes value;
  };
  /// The next of our records that must be put again.
  std::optional<OwnRecord> put_due(Instant now);
  std::size_t published_count() const noexcept { return published_.size(); }
  /// Some key or record of ours must be published again, and is not held.
  bool publishing_due(Instant now) const noexcept { return republish_at_ <= now; }
  /// The next of our keys that must be published again.
  std::optional<Bytes> republish_due(Instant now);
  /// No key and no record is due before `until`: the queries of those before are still waiting.
  void hold_republish(Instant until);
  std::size_t provided_count() const noexcept { return provided_.size(); }
  /// Puts back a key that was provided before a restart. False when kOwnProvidedKeysMax are taken.
  [[nodiscard]] bool restore_providing(Bytes key, Instant due);
  /// When our key is to be published again; nothing for one that we do not provide.
  std::optional<Instant> provided_due(const Bytes& key) const;
  /// From now on changes of our keys are noted; take_changes() gives them, repeats included.
  void track_changes() noexcept { tracked_ = true; }
  std::vector<Bytes> take_changes() { return std::exchange(changes_, {}); }

  /// The table has changed in a way worth saving: once in kTableSavePause, a little later.
  void save_soon(Instant now);
  bool save_due(Instant now);

  /// Call after the lookup of our own id. Keys whose hashes fall into the buckets that need a lookup, one per
  /// bucket: such as are not full, that no lookup has touched for a refresh interval, and that the lookup of
  /// our own id cannot have emptied of news, which it has where fewer than k peers are known from there
  /// inwards. A hash cannot be chosen, so random keys are tried, kRefreshHashesMax at most: that reaches
  /// about eleven bits.
  std::vector<Bytes> refresh_keys(const RoutingTable& table, const KadId& self, Instant now);

  Instant deadline() const;

 private:
  void find_next_republish();
  void note(const Bytes& key) {
    if (tracked_) changes_.push_back(key);
  }

  const Config& config_;
  Rng& rng_;
  Instant refresh_at_;
  Instant refreshed_;
  Duration thin_pause_ = kThinRefreshFirst;
  Instant sweep_at_;
  Instant republish_at_ = Instant::never();  ///< the earliest of provided_ and published_
  std::map<Bytes, Instant> provided_;
  struct Published {
    Bytes value;
    Instant due;
  };
  std::map<Bytes, Published> published_;
  Instant save_at_ = Instant::never();
  Instant save_not_before_;
  std::vector<Bytes> changes_;
  bool tracked_ = false;
};

}  // namespace starling::kad
