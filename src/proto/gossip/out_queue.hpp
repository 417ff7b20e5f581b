#pragma once
// What waits to be written to one peer. Used by the node layer, one per outbound gossip stream.
#include <cstdint>
#include <optional>

#include "base/fifo.hpp"
#include "proto/gossip/rpc.hpp"
#include "proto/gossip/rpc_codec.hpp"

namespace starling::gossip {

struct OutQueueLimits {
  std::size_t relay_bytes_max = 1024 * 1024;  ///< messages of others waiting
  std::size_t relay_count_max = 1024;
  std::size_t own_bytes_max = 4 * 1024 * 1024;  ///< own publications waiting
  std::size_t own_count_max = 4096;
  std::size_t gossip_ids_max = 10000;      ///< ids of IHAVE and IWANT waiting
  std::size_t control_entries_max = 4096;  ///< subscriptions, GRAFTs, PRUNEs waiting
};

/// What became of a pushed RPC.
enum class Pushed : std::uint8_t {
  queued,    ///< all of it waits
  trimmed,   ///< relayed messages (the oldest first) or gossip ids had to go; counted
  refused,   ///< at least one own publication found no room: tell whoever published
  overflow,  ///< control that must not be lost found no room: the peer does not read, close the stream
};

/// A bounded priority queue in front of one stream. Order of leaving: control, own publications, relayed
/// messages; inside a lane first in, first out. Values wait decoded, so GRAFTs and IHAVEs of many heartbeats
/// leave in one frame and a shared payload costs a pointer; frames are made when the stream takes them. stock
/// go keeps 32 RPCs and drops silently; here nothing that changes the peer's view of us (subscriptions,
/// GRAFT, PRUNE) is ever lost without the stream itself.
///
/// Lifetime: that of the stream, on the connection's shard. Calls: push() as the router's SendRpc come;
/// next_frame() whenever the stream can take more. Memory: at most the limits; an idle queue owns no heap.
class OutQueue {
 public:
  struct Counters {
    std::uint64_t relay_dropped = 0;   ///< messages of others
    std::uint64_t gossip_dropped = 0;  ///< ids of IHAVE and IWANT
    std::uint64_t own_refused = 0;     ///< own publications
  };

  explicit OutQueue(OutQueueLimits limits = {}, EncodeLimits encode_limits = {}) noexcept
      : limits_(limits), encode_limits_(encode_limits) {}

  Pushed push(Rpc rpc, Lane lane);
  /// The next frame with its length prefix; nothing when empty.
  std::optional<Frame> next_frame();

  bool empty() const noexcept;
  /// Bytes of messages that wait, both lanes.
  std::size_t waiting_bytes() const noexcept { return own_.bytes + relay_.bytes; }
  std::size_t waiting_messages() const noexcept { return own_.items.size() + relay_.items.size(); }
  const Counters& counters() const noexcept { return counters_; }

 private:
  struct MessageLane {
    Fifo<MessagePtr> items;
    std::size_t bytes = 0;
  };
  Pushed push_control(Rpc rpc);
  Pushed push_own(std::vector<MessagePtr>& messages);
  Pushed push_relay(std::vector<MessagePtr>& messages);
  void take_messages(MessageLane& lane, Rpc& out, std::size_t& room_bytes);

  OutQueueLimits limits_;
  EncodeLimits encode_limits_;
  Fifo<Frame> ready_;  ///< further frames of a control part that did not fit into one
  Fifo<Rpc> control_;  ///< without messages; merged into the last one where the order allows it
  std::size_t control_entries_ = 0;
  std::size_t gossip_ids_ = 0;
  MessageLane own_;
  MessageLane relay_;
  Counters counters_;
};

}  // namespace starling::gossip
