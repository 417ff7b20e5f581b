#pragma once
// Recent messages, for IHAVE and IWANT. Spec: gossipsub-v1.0.md "Message Cache".
#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/fifo.hpp"
#include "proto/gossip/message.hpp"
#include "proto/gossip/peer_ref.hpp"

namespace starling::gossip {

/// Holds a message for `history_length` shifts (one per heartbeat) and announces it for `history_gossip` of
/// them. One queue in order of arrival with the tick of each, instead of a list per window: shifting costs
/// only what expires. Bounded by bytes: the oldest goes early.
class MessageCache {
 public:
  MessageCache(std::size_t history_length, std::size_t history_gossip, std::size_t bytes_max) noexcept
      : history_length_(history_length), history_gossip_(history_gossip), bytes_max_(bytes_max) {}

  /// No-op when the id is there.
  void put(MessageId id, MessagePtr message);
  const MessagePtr* find(const MessageId& id) const noexcept;
  /// The message for a peer that asks, and how often it has asked, this time included. Null when unknown, or
  /// when kAskersPerMessageMax others have asked.
  std::pair<MessagePtr, std::uint32_t> get_for(const MessageId& id, PeerRef peer);
  /// Ids of a topic in the gossip windows, newest first.
  std::vector<MessageId> gossip_ids(std::string_view topic) const;
  void shift();
  bool empty() const noexcept { return entries_.empty(); }
  std::size_t size() const noexcept { return entries_.size(); }
  std::size_t memory_bytes() const noexcept;

 private:
  struct Entry {
    MessagePtr message;
    std::uint64_t tick = 0;
    std::vector<std::pair<PeerRef, std::uint32_t>> asked;
  };
  using Entries = std::unordered_map<MessageId, Entry, BytesHash, BytesEqual>;
  void drop_oldest();

  std::size_t history_length_;
  std::size_t history_gossip_;
  std::size_t bytes_max_;
  std::size_t bytes_ = 0;
  std::uint64_t tick_ = 0;
  Entries entries_;
  Fifo<Entries::value_type*> order_;  // nodes of an unordered_map do not move
};

}  // namespace starling::gossip
