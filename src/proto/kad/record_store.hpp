#pragma once
// Where a server keeps the records it was given.
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/time.hpp"
#include "proto/kad/config.hpp"
#include "proto/kad/errors.hpp"
#include "proto/kad/key.hpp"

namespace starling::kad {

struct StoredRecord {
  Bytes value;
  WallTime received;
  WallTime expires;  ///< the end of its life here
  PeerId from;       ///< who put it, for the quota; empty = ourselves
};

/// The port of record storage. A durable store can take the place of the one in memory; it must keep the same
/// bounds.
class RecordStore {
 public:
  virtual ~RecordStore() = default;
  virtual std::optional<StoredRecord> find(ByteView key) = 0;
  /// Inserts or overwrites. Errc::store_full when there is no room and no record farther from us to give way,
  /// or when the peer has used its share.
  virtual Result<void> put(ByteView key, StoredRecord record) = 0;
  virtual void erase(ByteView key) = 0;
  struct Listed {
    Bytes key;
    StoredRecord record;
  };
  /// The record that follows the one of `key` in some fixed order, whether that one still exists or not; the
  /// first when `key` is empty.
  virtual std::optional<Listed> next_after(ByteView key) = 0;
  /// Drops what has ended; returns how many.
  virtual std::size_t expire(WallTime now) = 0;
  virtual std::size_t size() const noexcept = 0;
  virtual std::size_t size_bytes() const noexcept = 0;
  /// From now on changes are noted. A store that is durable by itself has nothing to note.
  virtual void track_changes() {}
  /// The keys put, erased or displaced since the last call, repeats included.
  virtual std::vector<Bytes> take_changes() { return {}; }
};

/// Records in memory, ordered by their distance from us.
/// Limits: StoreLimits records_max, record_bytes_max (keys, values and a fixed share of bookkeeping),
/// records_per_peer_max. When full, the record farthest from us makes room for a nearer one: whoever floods
/// us with random keys displaces only what others are nearer to, and what is ours to keep stays. Lookups
/// O(log n).
class MemoryRecordStore final : public RecordStore {
 public:
  MemoryRecordStore(const KadId& self, const StoreLimits& limits) : self_(self), limits_(limits) {}
  std::optional<StoredRecord> find(ByteView key) override;
  Result<void> put(ByteView key, StoredRecord record) override;
  void erase(ByteView key) override;
  std::optional<Listed> next_after(ByteView key) override;
  std::size_t expire(WallTime now) override;
  std::size_t size() const noexcept override { return records_.size(); }
  std::size_t size_bytes() const noexcept override { return bytes_; }
  void track_changes() override { tracked_ = true; }
  std::vector<Bytes> take_changes() override { return std::exchange(changes_, {}); }

 private:
  struct Entry {
    Bytes key;
    StoredRecord record;
  };
  using Records = std::map<Distance, Entry>;
  Distance place(ByteView key) const noexcept { return distance(self_, KadId::of(key)); }
  static std::size_t cost(const Entry& entry) noexcept;
  bool make_room(const Distance& at, std::size_t bytes);
  void remove(Records::iterator it);
  void note(const Bytes& key) {
    if (tracked_) changes_.push_back(key);
  }

  KadId self_;
  StoreLimits limits_;
  Records records_;
  std::map<PeerId, std::size_t> per_peer_;
  std::size_t bytes_ = 0;
  std::vector<Bytes> changes_;
  bool tracked_ = false;
};

}  // namespace starling::kad
