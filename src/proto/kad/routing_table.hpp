#pragma once
// Which servers we know, by distance.
#include <array>
#include <optional>
#include <span>
#include <vector>

#include "base/short_bytes.hpp"
#include "base/time.hpp"
#include "proto/kad/config.hpp"
#include "proto/kad/key.hpp"
#include "proto/kad/message.hpp"

namespace starling::kad {

/// k-buckets by the length of the prefix shared with our own id, kept unfolded: bucket i holds servers that
/// share exactly i leading bits. Deep buckets exist only once somebody is in them.
///
/// Who gets in has answered us (the caller sees to that), speaks our protocol as a server and has an address.
/// An entry that answers is never displaced, however many newcomers knock: that is Kademlia's defence against
/// eclipse by freshly made ids. A newcomer for a full bucket waits among kReplacementsPerBucketMax
/// candidates, and the entry that has been silent longest is named to the caller for a check. Address groups
/// (Diversity) are counted per bucket and table, so that one hosting contract cannot fill the region around a
/// target.
///
/// Memory: about 150 bytes an entry; id and addresses are one packed allocation. Spec: libp2p/specs kad-dht
/// "Kademlia routing table", ipfs/specs kad-dht "Routing table". One thread; no clock; iteration order is by
/// bucket and age.
class RoutingTable {
 public:
  enum class Outcome : std::uint8_t { added, updated, bucket_full, too_similar, no_address, self };
  struct AddResult {
    Outcome outcome;
    /// With bucket_full: the entry that should prove to be alive, when it has been silent for
    /// `liveness_after`.
    std::optional<PeerId> check;
  };
  /// What on_failure() or remove() did.
  struct Removal {
    bool removed = false;
    /// The candidate that took the place. It has not proven itself yet: its first failure removes it.
    std::optional<PeerId> promoted;
  };

  RoutingTable(const KadId& self, std::size_t k, const Diversity& diversity)
      : self_(self), k_(k), diversity_(diversity) {}

  /// `peer.addrs` are usable ones; for diversity the connection's `remote` address counts first, for it is
  /// not hearsay. Without a remote, a peer that claims addresses of more than two groups is too_similar: one
  /// of them would go uncounted.
  AddResult add(const PeerInfo& peer, const std::optional<Multiaddr>& remote, Instant now,
                Duration liveness_after);
  /// Would add() take it now, as far as bucket and addresses go? For newcomers that are to be probed first.
  Outcome would_add(const PeerInfo& peer, const std::optional<Multiaddr>& remote) const;
  bool contains(const PeerId& peer) const { return find(peer).entry != nullptr; }
  /// The peer answered: its failures are forgotten.
  /// False for strangers.
  bool on_answer(const PeerId& peer, Instant now);
  /// No answer: leaves after kFailuresMax in a row, or at once when a candidate waits.
  Removal on_failure(const PeerId& peer);
  /// Leaves at once, e.g. because it stopped being a server.
  Removal remove(const PeerId& peer);
  /// Replaces what is known of its addresses; no-op for strangers and for an empty list.
  void update_addrs(const PeerId& peer, std::span<const Multiaddr> addrs);
  void set_connection(const PeerId& peer, ConnectionType connection);

  std::optional<PeerInfo> info(const PeerId& peer) const;
  /// The `count` nearest to `target`, nearest first, without `excluded`.
  std::vector<PeerInfo> nearest(const KadId& target, std::size_t count,
                                const PeerId* excluded = nullptr) const;
  /// How many entries are strictly nearer to `target` than `place`. No allocation.
  std::size_t count_nearer(const KadId& target, const KadId& place) const noexcept;
  /// At most `count` entries that have been silent for `liveness_after` or failed last time, longest silent
  /// first.
  std::vector<PeerInfo> silent(Instant now, Duration liveness_after, std::size_t count) const;

  /// An entry as it stands.
  struct Member {
    PeerInfo peer;
    std::size_t bucket;
    Instant seen;
    std::uint8_t failures;
  };
  /// Everybody, by bucket and age.
  std::vector<Member> members() const;
  /// At most `count`: the oldest of each bucket, then the second oldest of each, and so on.
  std::vector<PeerInfo> sample(std::size_t count) const;
  std::size_t size() const noexcept { return size_; }
  /// One past the deepest bucket that holds anybody.
  std::size_t depth() const noexcept { return buckets_.size(); }
  std::size_t bucket_size(std::size_t index) const noexcept;
  /// A lookup towards this bucket has run.
  void note_lookup(const KadId& target, Instant now);
  /// When a lookup towards this bucket last ran.
  Instant looked_up(std::size_t index) const noexcept;
  /// Aborts when a count, an order or a place is wrong. For tests.
  void check_invariants() const;

 private:
  using Groups = std::array<std::uint32_t, 2>;
  /// Id and addresses as u8 size ‖ id ‖ u8 count ‖ (u16 size ‖ address)…, in place when there is one IPv4
  /// address: an answer names twenty, and each would be another place in memory to wait for.
  class Packed {
   public:
    Packed(const PeerId& peer, std::span<const Multiaddr> addrs);
    PeerId peer() const noexcept;
    std::vector<Multiaddr> addrs() const;
    bool is(const PeerId& peer) const noexcept;

   private:
    BasicShortBytes<54> data_;
  };
  struct Entry {
    KadId place;
    Packed contact;
    Instant seen;
    Groups groups{};
    std::uint8_t failures = 0;
    ConnectionType connection = ConnectionType::not_connected;
  };
  struct Bucket {
    std::vector<Entry> entries;
    std::vector<Entry> waiting;  ///< newest last
    Instant looked_up;
  };
  struct Place {
    std::size_t bucket;
    Entry* entry;
  };
  struct ConstPlace {
    std::size_t bucket;
    const Entry* entry;
  };

  Place find(const PeerId& peer);
  ConstPlace find(const PeerId& peer) const;
  /// Nothing when more groups are claimed than can be counted.
  std::optional<Groups> groups_of(std::span<const Multiaddr> addrs,
                                  const std::optional<Multiaddr>& remote) const;
  bool diverse(const Groups& groups, std::size_t bucket) const;
  Outcome judge(const KadId& place, const std::optional<Groups>& groups, bool has_address) const;
  static void append_entry(std::vector<Entry>& entries, Entry entry);
  void wait(Bucket& bucket, Entry entry, Instant now, Duration liveness_after);
  std::optional<PeerId> oldest_silent(const Bucket& bucket, Instant now, Duration liveness_after) const;
  Removal drop(std::size_t bucket, const Entry* entry);
  void trim();
  static PeerInfo to_info(const Entry& entry);
  /// An entry and the first bits of its distance to a target.
  struct Near {
    std::uint64_t distance;
    const Entry* entry;
  };
  static void collect(const Bucket& bucket, const KadId& target, std::vector<Near>& out);

  KadId self_;
  std::size_t k_;
  Diversity diversity_;
  std::vector<Bucket> buckets_;
  std::size_t size_ = 0;
};

}  // namespace starling::kad
