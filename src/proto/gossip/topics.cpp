#include "proto/gossip/topics.hpp"

#include "base/assert.hpp"
#include "proto/gossip/limits.hpp"

namespace starling::gossip {

std::optional<TopicIndex> TopicTable::find(std::string_view topic) const noexcept {
  const auto it = by_name_.find(topic);
  if (it == by_name_.end()) return std::nullopt;
  return it->second;
}

TopicIndex TopicTable::intern(std::string_view topic) {
  if (const auto known = find(topic)) return *known;
  TopicIndex index = 0;
  if (free_.empty()) {
    index = static_cast<TopicIndex>(entries_.size());
    entries_.emplace_back();
  } else {
    index = free_.back();
    free_.pop_back();
  }
  const auto it = by_name_.emplace(std::string(topic), index).first;
  entries_[index].name = &it->first;
  return index;
}

TopicIndex TopicTable::hold(std::string_view topic) {
  const TopicIndex index = intern(topic);
  ++entries_[index].holds;
  return index;
}

void TopicTable::release(TopicIndex topic) {
  STARLING_ASSERT(entries_[topic].holds > 0);
  --entries_[topic].holds;
  drop_if_unused(topic);
}

std::optional<TopicIndex> TopicTable::subscribe(std::string_view topic, PeerRef peer) {
  const auto known = find(topic);
  if (!known && by_name_.size() >= kTopicsMax) return std::nullopt;
  const TopicIndex index = known ? *known : intern(topic);
  insert_ref(entries_[index].peers, peer);
  return index;
}

void TopicTable::unsubscribe(TopicIndex topic, PeerRef peer) {
  if (erase_ref(entries_[topic].peers, peer)) drop_if_unused(topic);
}

void TopicTable::drop_if_unused(TopicIndex topic) {
  Entry& entry = entries_[topic];
  if (entry.holds > 0 || !entry.peers.empty()) return;
  by_name_.erase(by_name_.find(*entry.name));
  entry = Entry{};
  if (topic + 1 < entries_.size()) {
    free_.push_back(topic);
    return;
  }
  // The tail is free: give it back, so that a flood of names leaves no high-water mark behind.
  while (!entries_.empty() && entries_.back().name == nullptr) entries_.pop_back();
  std::erase_if(free_, [this](TopicIndex index) { return index >= entries_.size(); });
  if (entries_.capacity() > 2 * entries_.size() + kSpareEntriesMax) {
    entries_.shrink_to_fit();
    free_.shrink_to_fit();
  }
}

std::size_t TopicTable::memory_bytes() const noexcept {
  std::size_t total = entries_.capacity() * sizeof(Entry) + free_.capacity() * sizeof(TopicIndex);
  for (const auto& [name, index] : by_name_)
    total += sizeof(std::string) + name.capacity() + 6 * sizeof(void*) +
             entries_[index].peers.capacity() * sizeof(PeerRef);
  return total;
}

}  // namespace starling::gossip
