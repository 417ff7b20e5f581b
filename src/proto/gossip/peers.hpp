#pragma once
// The router's own table of peers: dense slots, so that everything else names a peer by eight bytes.
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "base/bounded.hpp"
#include "base/slice.hpp"
#include "format/peer_id.hpp"
#include "proto/gossip/peer_ref.hpp"
#include "proto/gossip/router.hpp"
#include "proto/gossip/topics.hpp"

namespace starling::gossip {

enum class Presence : std::uint8_t {
  heard,  ///< it spoke, our own stream to it does not stand yet: nothing can be sent
  live,   ///< on_peer() was called
};

struct Peer {
  PeerId id;
  Presence presence = Presence::heard;
  Direction direction = Direction::inbound;
  Protocol protocol = Protocol::meshsub_1_1;
  bool direct = false;
  bool graylisted = false;  ///< Graylisted was said
  PeerRef ref;
  std::vector<TopicIndex> topics;        ///< subscriptions, sorted
  std::vector<TopicIndex> early_grafts;  ///< GRAFTs that came before on_peer()
  TokenBucket messages;
  Slice signed_record;
  // Of this heartbeat
  std::uint32_t ihave_rpcs = 0;
  std::uint32_t ids_offered = 0;  ///< by IHAVE
  std::uint32_t ids_asked = 0;    ///< of it by us
  std::uint32_t ids_wanted = 0;   ///< by IWANT
  /// Messages under validation or waiting that it brought first.
  std::uint32_t validating = 0;
  /// Index + 1 into the router's pending control RPCs; 0 = none.
  std::uint32_t pending = 0;

  Peer(PeerRef reference, const PeerId& peer_id, TokenBucket bucket) noexcept
      : id(peer_id), ref(reference), messages(bucket) {}
  bool speaks_gossip() const noexcept { return protocol != Protocol::floodsub_1_0; }
};

/// Owned by the router. A reference to a Peer is valid until that peer is removed.
class PeerTable {
 public:
  Peer* find(const PeerId& id) noexcept;
  const Peer* find(const PeerId& id) const noexcept;
  /// Nobody when the peer has left.
  Peer* alive(PeerRef ref) noexcept;
  Peer& at(PeerSlot slot) noexcept { return *slots_[slot]; }
  const Peer& at(PeerSlot slot) const noexcept { return *slots_[slot]; }
  /// `id` must be unknown.
  Peer& add(const PeerId& id, TokenBucket bucket);
  void remove(PeerSlot slot);
  /// In the order of arrival.
  const std::vector<PeerRef>& all() const noexcept { return order_; }
  std::size_t size() const noexcept { return order_.size(); }
  std::size_t memory_bytes() const noexcept;

 private:
  std::vector<std::unique_ptr<Peer>> slots_;
  std::vector<PeerSlot> free_;
  std::vector<PeerRef> order_;  // sorted by serial
  std::unordered_map<PeerId, PeerSlot> by_id_;
  std::uint32_t last_serial_ = 0;
};

}  // namespace starling::gossip
