#include "proto/kad/record_store.hpp"

#include "base/assert.hpp"

namespace starling::kad {
namespace {

/// What a record costs besides its bytes: tree node, vectors, the peer's id.
constexpr std::size_t kRecordOverheadBytes = 256;

}  // namespace

std::size_t MemoryRecordStore::cost(const Entry& entry) noexcept {
  return entry.key.size() + entry.record.value.size() + kRecordOverheadBytes;
}

std::optional<StoredRecord> MemoryRecordStore::find(ByteView key) {
  const auto it = records_.find(place(key));
  if (it == records_.end()) return std::nullopt;
  return it->second.record;
}

void MemoryRecordStore::remove(Records::iterator it) {
  if (const auto peer = per_peer_.find(it->second.record.from);
      peer != per_peer_.end() && --peer->second == 0)
    per_peer_.erase(peer);
  bytes_ -= cost(it->second);
  note(it->second.key);
  records_.erase(it);
}

/// Drops farther records until one of `bytes` fits at `at`; false, and nothing dropped, when that cannot be.
bool MemoryRecordStore::make_room(const Distance& at, std::size_t bytes) {
  std::size_t count = records_.size();
  std::size_t held = bytes_;
  auto last = records_.end();
  while (count + 1 > limits_.records_max || held + bytes > limits_.record_bytes_max) {
    if (last == records_.begin()) return false;
    --last;
    if (last->first <= at) return false;
    --count;
    held -= cost(last->second);
  }
  while (last != records_.end()) remove(last++);
  return true;
}

Result<void> MemoryRecordStore::put(ByteView key, StoredRecord record) {
  const Distance at = place(key);
  Entry entry{to_bytes(key), std::move(record)};
  if (const auto it = records_.find(at); it != records_.end()) {
    // The quota stays with whoever brought the key, so that a corrector is not charged for others' records.
    entry.record.from = it->second.record.from;
    const std::size_t before = cost(it->second);
    const std::size_t after = cost(entry);
    if (bytes_ - before + after > limits_.record_bytes_max) return fail(Errc::store_full);
    bytes_ = bytes_ - before + after;
    note(entry.key);
    it->second = std::move(entry);
    return {};
  }
  const PeerId from = entry.record.from;
  if (!from.empty()) {
    const auto peer = per_peer_.find(from);
    if (peer != per_peer_.end() && peer->second >= limits_.records_per_peer_max)
      return fail(Errc::store_full);
  }
  const std::size_t bytes = cost(entry);
  if (!make_room(at, bytes)) return fail(Errc::store_full);
  bytes_ += bytes;
  if (!from.empty()) ++per_peer_[from];
  note(entry.key);
  records_.emplace(at, std::move(entry));
  return {};
}

void MemoryRecordStore::erase(ByteView key) {
  if (const auto it = records_.find(place(key)); it != records_.end()) remove(it);
}

std::optional<RecordStore::Listed> MemoryRecordStore::next_after(ByteView key) {
  const auto it = key.empty() ? records_.begin() : records_.upper_bound(place(key));
  if (it == records_.end()) return std::nullopt;
  return Listed{it->second.key, it->second.record};
}

std::size_t MemoryRecordStore::expire(WallTime now) {
  std::size_t count = 0;
  for (auto it = records_.begin(); it != records_.end();) {
    const auto here = it++;
    if (here->second.record.expires > now) continue;
    remove(here);
    ++count;
  }
  return count;
}

}  // namespace starling::kad
