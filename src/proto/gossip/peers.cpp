#include "proto/gossip/peers.hpp"

#include <algorithm>

namespace starling::gossip {
namespace {

template <class Refs>
auto position(Refs& refs, PeerRef ref) noexcept {
  return std::lower_bound(refs.begin(), refs.end(), ref,
                          [](PeerRef a, PeerRef b) { return a.serial < b.serial; });
}

}  // namespace

bool insert_ref(std::vector<PeerRef>& refs, PeerRef ref) {
  const auto it = position(refs, ref);
  if (it != refs.end() && *it == ref) return false;
  refs.insert(it, ref);
  return true;
}

bool erase_ref(std::vector<PeerRef>& refs, PeerRef ref) noexcept {
  const auto it = position(refs, ref);
  if (it == refs.end() || *it != ref) return false;
  refs.erase(it);
  return true;
}

bool contains_ref(const std::vector<PeerRef>& refs, PeerRef ref) noexcept {
  const auto it = position(refs, ref);
  return it != refs.end() && *it == ref;
}

Peer* PeerTable::find(const PeerId& id) noexcept {
  const auto it = by_id_.find(id);
  return it == by_id_.end() ? nullptr : slots_[it->second].get();
}

const Peer* PeerTable::find(const PeerId& id) const noexcept {
  const auto it = by_id_.find(id);
  return it == by_id_.end() ? nullptr : slots_[it->second].get();
}

Peer* PeerTable::alive(PeerRef ref) noexcept {
  if (ref.slot >= slots_.size()) return nullptr;
  Peer* peer = slots_[ref.slot].get();
  return peer != nullptr && peer->ref == ref ? peer : nullptr;
}

Peer& PeerTable::add(const PeerId& id, TokenBucket bucket) {
  PeerSlot slot = 0;
  if (free_.empty()) {
    slot = static_cast<PeerSlot>(slots_.size());
    slots_.emplace_back();
  } else {
    slot = free_.back();
    free_.pop_back();
  }
  const PeerRef ref{slot, ++last_serial_};
  slots_[slot] = std::make_unique<Peer>(ref, id, bucket);
  const bool inserted = by_id_.emplace(id, slot).second;
  STARLING_ASSERT(inserted);
  order_.push_back(ref);  // serials grow, so the end is its place
  return *slots_[slot];
}

void PeerTable::remove(PeerSlot slot) {
  STARLING_ASSERT(slot < slots_.size() && slots_[slot] != nullptr);
  erase_ref(order_, slots_[slot]->ref);
  by_id_.erase(slots_[slot]->id);
  slots_[slot].reset();
  free_.push_back(slot);
  if (!order_.empty()) return;
  // The last one gave the room back: a crowd that left must not leave its tables behind.
  std::vector<std::unique_ptr<Peer>>().swap(slots_);
  std::vector<PeerSlot>().swap(free_);
  std::vector<PeerRef>().swap(order_);
  std::unordered_map<PeerId, PeerSlot>().swap(by_id_);
}

std::size_t PeerTable::memory_bytes() const noexcept {
  std::size_t total = slots_.capacity() * sizeof(void*) + free_.capacity() * sizeof(PeerSlot) +
                      order_.capacity() * sizeof(PeerRef) + by_id_.bucket_count() * sizeof(void*);
  for (const PeerRef ref : order_) {
    const Peer& peer = *slots_[ref.slot];
    total += sizeof(Peer) + sizeof(PeerId) + 4 * sizeof(void*) + peer.topics.capacity() * sizeof(TopicIndex) +
             peer.early_grafts.capacity() * sizeof(TopicIndex) + peer.signed_record.size();
  }
  return total;
}

}  // namespace starling::gossip
