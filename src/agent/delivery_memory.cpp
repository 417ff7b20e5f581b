#include "agent/delivery_memory.hpp"

#include "agent/times.hpp"

namespace starling::agent {

bool DeliveryMemory::contains(const MessageKey& key, WallTime now) const {
  const auto found = entries_.find(key);
  return found != entries_.end() && end_is_good(found->second.until, now);
}

void DeliveryMemory::remember(const MessageKey& key, WallTime until, WallTime now) {
  forget_ended(now);
  if (entries_.contains(key) || !end_is_good(until, now)) return;
  if (const auto own = ends_by_sender_.find(key.from);
      own != ends_by_sender_.end() && own->second.size() >= per_sender_)
    forget(MessageKey(own->second.begin()->key));
  if (entries_.size() >= capacity_) forget(MessageKey(ends_.begin()->key));
  entries_.emplace(key, Entry{until, {}});
  ends_.insert({until, key});
  ends_by_sender_[key.from].insert({until, key});
}

void DeliveryMemory::set_last_receipt(const MessageKey& key, Slice signed_receipt) {
  if (const auto found = entries_.find(key); found != entries_.end())
    found->second.last_receipt = std::move(signed_receipt);
}

Slice DeliveryMemory::last_receipt(const MessageKey& key) const {
  const auto found = entries_.find(key);
  return found == entries_.end() ? Slice{} : found->second.last_receipt;
}

void DeliveryMemory::forget(const MessageKey& key) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return;
  const End end{found->second.until, key};
  ends_.erase(end);
  const auto own = ends_by_sender_.find(key.from);
  own->second.erase(end);
  if (own->second.empty()) ends_by_sender_.erase(own);
  entries_.erase(found);
}

void DeliveryMemory::forget_ended(WallTime now) {
  while (!ends_.empty() && !end_is_good(ends_.begin()->until, now)) forget(MessageKey(ends_.begin()->key));
}

std::vector<DeliveryEntry> DeliveryMemory::entries(WallTime now) const {
  std::vector<DeliveryEntry> out;
  out.reserve(entries_.size());
  for (const End& end : ends_)
    if (end_is_good(end.until, now)) out.push_back({end.key, end.until, last_receipt(end.key)});
  return out;
}

void DeliveryMemory::restore(std::vector<DeliveryEntry> entries, WallTime now) {
  for (DeliveryEntry& entry : entries) {
    remember(entry.key, entry.until, now);
    set_last_receipt(entry.key, std::move(entry.last_receipt));
  }
}

}  // namespace starling::agent
