#include "proto/gossip/mcache.hpp"

#include <iterator>

#include "proto/gossip/limits.hpp"

namespace starling::gossip {
namespace {

std::size_t cost(const MessageId& id, const Message& message) noexcept {
  return id.size() + message.cost_bytes();
}

}  // namespace

void MessageCache::put(MessageId id, MessagePtr message) {
  const std::size_t bytes = cost(id, *message);
  const auto [it, inserted] = entries_.try_emplace(std::move(id), Entry{std::move(message), tick_, {}});
  if (!inserted) return;
  bytes_ += bytes;
  order_.push(&*it);
  while (bytes_ > bytes_max_ && order_.size() > 1) drop_oldest();
}

const MessagePtr* MessageCache::find(const MessageId& id) const noexcept {
  const auto it = entries_.find(id);
  return it == entries_.end() ? nullptr : &it->second.message;
}

std::pair<MessagePtr, std::uint32_t> MessageCache::get_for(const MessageId& id, PeerRef peer) {
  const auto it = entries_.find(id);
  if (it == entries_.end()) return {nullptr, 0};
  for (auto& [who, count] : it->second.asked)
    if (who == peer) return {it->second.message, ++count};
  if (it->second.asked.size() >= kAskersPerMessageMax) return {nullptr, 0};
  it->second.asked.emplace_back(peer, 1);
  return {it->second.message, 1};
}

std::vector<MessageId> MessageCache::gossip_ids(std::string_view topic) const {
  std::vector<MessageId> ids;
  const auto begin = order_.begin();
  for (auto it = order_.end(); it != begin;) {
    --it;
    const auto& [id, entry] = **it;
    if (entry.tick + history_gossip_ <= tick_) break;
    if (entry.message->topic == topic) ids.push_back(id);
  }
  return ids;
}

void MessageCache::shift() {
  ++tick_;
  while (!order_.empty() && order_.front()->second.tick + history_length_ <= tick_) drop_oldest();
  if (entries_.empty()) Entries().swap(entries_);
}

void MessageCache::drop_oldest() {
  const auto* node = order_.pop();
  bytes_ -= cost(node->first, *node->second.message);
  entries_.erase(entries_.find(node->first));
}

std::size_t MessageCache::memory_bytes() const noexcept {
  return bytes_ + entries_.size() * (sizeof(Entries::value_type) + 3 * sizeof(void*)) +
         order_.capacity_bytes() + entries_.bucket_count() * sizeof(void*);
}

}  // namespace starling::gossip
