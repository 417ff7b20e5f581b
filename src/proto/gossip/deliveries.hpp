#pragma once
// What became of recent messages, for copies that come after the verdict: P3 within its window, P4 for
// invalid ones.
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/fifo.hpp"
#include "base/time.hpp"
#include "proto/gossip/peer_ref.hpp"
#include "proto/gossip/topics.hpp"

namespace starling::gossip {

/// A valid message is remembered for the P3 window of its topic, and not at all when the topic has no P3; an
/// invalid one as long as the seen cache remembers its id. Each peer counts once per message. Bounded by
/// kDeliveryRecordsMax (the oldest goes) and kDeliverersPerMessageMax.
class Deliveries {
 public:
  enum class State : std::uint8_t { valid, invalid };

  /// `peers` have been accounted for already.
  void add(std::uint64_t fingerprint, State state, TopicIndex topic, std::vector<PeerRef> peers,
           Instant until);
  /// What a late copy of the message from this peer means: nothing when unknown, past its time or counted
  /// before.
  std::optional<State> late_copy(std::uint64_t fingerprint, TopicIndex topic, PeerRef peer, Instant now);
  void expire(Instant now);
  std::size_t size() const noexcept { return records_.size(); }
  std::size_t memory_bytes() const noexcept;

 private:
  struct Record {
    State state;
    TopicIndex topic;
    Instant until;
    std::vector<PeerRef> peers;
  };
  void drop_front(Fifo<std::uint64_t>& order);

  std::unordered_map<std::uint64_t, Record> records_;
  // Two lifetimes, each in order of its end.
  Fifo<std::uint64_t> valid_;
  Fifo<std::uint64_t> invalid_;
};

}  // namespace starling::gossip
