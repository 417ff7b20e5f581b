#include "proto/gossip/deliveries.hpp"

#include <algorithm>

#include "proto/gossip/limits.hpp"

namespace starling::gossip {

void Deliveries::add(std::uint64_t fingerprint, State state, TopicIndex topic, std::vector<PeerRef> peers,
                     Instant until) {
  Fifo<std::uint64_t>& order = state == State::valid ? valid_ : invalid_;
  if (!records_.try_emplace(fingerprint, Record{state, topic, until, std::move(peers)}).second) return;
  order.push(fingerprint);
  // Valid ones are worth less: their window is short. So a flood of invalid ones goes by its own age.
  if (records_.size() > kDeliveryRecordsMax) drop_front(valid_.empty() ? invalid_ : valid_);
}

std::optional<Deliveries::State> Deliveries::late_copy(std::uint64_t fingerprint, TopicIndex topic,
                                                       PeerRef peer, Instant now) {
  const auto it = records_.find(fingerprint);
  if (it == records_.end()) return std::nullopt;
  Record& record = it->second;
  if (record.topic != topic || now > record.until) return std::nullopt;
  if (record.peers.size() >= kDeliverersPerMessageMax ||
      std::ranges::find(record.peers, peer) != record.peers.end())
    return std::nullopt;
  record.peers.push_back(peer);
  return record.state;
}

void Deliveries::expire(Instant now) {
  for (auto* order : {&valid_, &invalid_})
    while (!order->empty() && records_.at(order->front()).until < now) drop_front(*order);
}

void Deliveries::drop_front(Fifo<std::uint64_t>& order) { records_.erase(order.pop()); }

std::size_t Deliveries::memory_bytes() const noexcept {
  std::size_t total =
      valid_.capacity_bytes() + invalid_.capacity_bytes() + records_.bucket_count() * sizeof(void*);
  for (const auto& [fingerprint, record] : records_)
    total += sizeof(Record) + 3 * sizeof(void*) + record.peers.capacity() * sizeof(PeerRef);
  return total;
}

}  // namespace starling::gossip
