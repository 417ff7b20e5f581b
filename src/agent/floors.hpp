#pragma once
#include <cstdint>
#include <vector>

#include "agent/limits.hpp"
#include "base/bounded.hpp"
#include "base/time.hpp"
#include "format/eth_address.hpp"

namespace starling::agent {

/// One line of the table on disk.
struct FloorEntry {
  EthAddress wallet;
  std::uint64_t epoch = 0;
  WallTime last_seen;
  friend bool operator==(const FloorEntry&, const FloorEntry&) = default;
};

/// The floor of each wallet: the highest epoch in a delegation whose wallet signature was verified and whose
/// start is good (§2). Below the floor = revoked, everywhere.
///
/// Wallets *met* (that we sent to, had an envelope from delivered, or whose records we store) have a table of
/// their own, so that strangers, who are free to make, evict strangers only; and that table is what goes on
/// disk. Not thread-safe. Both tables are bounded LRU. Write `met_entries()` to disk when `revision()` has
/// moved.
class Floors {
 public:
  Floors(std::size_t strangers_max, std::size_t met_max) : strangers_(strangers_max), met_(met_max) {}

  /// Call for every delegation whose wallet signature holds and whose start is good, whatever becomes of its
  /// message.
  void saw(const EthAddress& wallet, std::uint64_t epoch, WallTime now);
  /// From now on the wallet is met: its floor is kept on disk for 90 days after last sight.
  void meet(const EthAddress& wallet, WallTime now);
  bool is_met(const EthAddress& wallet) const { return met_.contains(wallet); }
  /// 0 for a wallet never seen.
  std::uint64_t floor_of(const EthAddress& wallet) const;
  bool is_revoked(const EthAddress& wallet, std::uint64_t epoch) const { return epoch < floor_of(wallet); }

  /// The met wallets seen within 90 days, most recent first.
  std::vector<FloorEntry> met_entries(WallTime now) const;
  /// Puts back what met_entries() gave, at start. Too old ones are left out; nothing lowers a floor.
  void restore(const std::vector<FloorEntry>& entries, WallTime now);
  /// Moves when met_entries() changed in a way worth writing: a new wallet, a higher floor, or a day since
  /// the last sight that was written.
  std::uint64_t revision() const noexcept { return revision_; }
  std::size_t met_count() const noexcept { return met_.size(); }
  std::size_t stranger_count() const noexcept { return strangers_.size(); }

 private:
  struct Met {
    std::uint64_t epoch;
    WallTime last_seen;
    WallTime noted;  ///< last_seen when revision() last moved for it
  };
  LruMap<EthAddress, std::uint64_t> strangers_;
  LruMap<EthAddress, Met> met_;
  std::uint64_t revision_ = 0;
};

}  // namespace starling::agent
