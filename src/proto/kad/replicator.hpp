#pragma once
// What a server does so that records outlive the servers that hold them.
#include <deque>
#include <optional>
#include <vector>

#include "base/env.hpp"
#include "base/time.hpp"
#include "proto/kad/config.hpp"
#include "proto/kad/record_store.hpp"
#include "proto/kad/routing_table.hpp"
#include "proto/kad/validator.hpp"

namespace starling::kad {

/// Says which of our records are to be passed on now.
///
/// *Again*: every record that nobody has put here for Config::replicate_interval is put at the k nearest
/// anew. Each server waits between three quarters and five quarters of the interval, drawn anew for each
/// record and round; the first to wake puts it everywhere, and whoever receives it so starts to wait again.
/// So about one of the k holders works in each round, and a record survives any loss that leaves one honest
/// holder alive until its turn: at most five quarters of the interval after the last. *To newcomers*: a
/// server that enters our table gets the records it is one of the k nearest to, from the two servers nearest
/// to each, as far as their tables show.
///
/// Only records whose namespace says when they end: others would never end, being put anew for ever. Whoever
/// published those puts them again himself (Kad::put_value). The end is the validator's, so passing on cannot
/// prolong a life, and what no longer validates is not passed on. A server that is not among the k nearest of
/// a record, by its own table, leaves it alone.
///
/// Cost: one walk and k messages per record and interval over the whole network; kReplicationSlice records
/// are looked at in a second, and no more than kReplicationsRunningMax are under way. Lifetime: one per Kad,
/// one thread. Call next() until nothing when deadline() has passed.
class Replicator {
 public:
  struct Task {
    Bytes key;
    Bytes value;
    std::optional<PeerInfo> newcomer;  ///< nothing: for the k nearest
  };
  Replicator(const Config& config, const PeerId& self, const Validators& validators);

  /// A record has been stored.
  void note_stored(Instant now);
  /// A record has been put back after a restart. Its turn may have come while we were away, so the round
  /// starts as soon as the table can be expected to be what it was.
  void note_restored(Instant now);
  /// The table has gained a server. Past kNewcomersMax waiting ones it is left to the next round.
  void note_newcomer(const PeerId& peer, Instant now);
  /// Nothing when no record is due, or this second's share has been looked at.
  std::optional<Task> next(RecordStore& records, const RoutingTable& table, Now now);
  Instant deadline() const noexcept { return std::min(round_at_, handover_at_); }

 private:
  struct Newcomer {
    PeerId peer;
    Bytes cursor;
  };
  std::optional<Task> next_due(RecordStore& records, const RoutingTable& table, Now now);
  std::optional<Task> next_handover(RecordStore& records, const RoutingTable& table, Now now);
  WallTime due(ByteView key, const StoredRecord& record) const;
  bool ends_by_itself(ByteView key, const StoredRecord& record, WallTime now) const;

  const Config& config_;
  PeerId self_;
  KadId place_;
  const Validators& validators_;
  Instant round_at_ = Instant::never();
  Instant handover_at_ = Instant::never();
  Bytes cursor_;           ///< the last record of the round that has been looked at; empty between rounds
  Duration until_next_{};  ///< from the round's end to the next record that falls due, as seen so far
  std::size_t looked_at_ = 0;
  std::deque<Newcomer> newcomers_;
};

}  // namespace starling::kad
