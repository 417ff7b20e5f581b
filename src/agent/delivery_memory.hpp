#pragma once
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

#include "agent/limits.hpp"
#include "agent/message_key.hpp"
#include "base/slice.hpp"
#include "base/time.hpp"

namespace starling::agent {

/// One line on disk.
struct DeliveryEntry {
  MessageKey key;
  WallTime until;
  Slice last_receipt;  ///< the whole SignedReceipt; empty when none was sent
};

/// Which (from, id) were RECEIVED (§5 Delivery): an application sees each once whatever the path, and a
/// repeat is answered with the last receipt again. Remembered until expires_at; the node keeps the same lines
/// on disk and restores them. When full, the one nearest its end goes; a sender with kDeliveredPerSenderMax
/// of its own loses its own first, so that one wallet cannot push out the others. Not thread-safe.
class DeliveryMemory {
 public:
  explicit DeliveryMemory(std::size_t capacity = kDeliveredMax,
                          std::size_t per_sender = kDeliveredPerSenderMax)
      : capacity_(capacity), per_sender_(per_sender) {}
  /// An entry whose end has come counts as forgotten.
  bool contains(const MessageKey& key, WallTime now) const;
  /// Call once the envelope is RECEIVED (verified and persisted). A known key keeps its entry.
  void remember(const MessageKey& key, WallTime until, WallTime now);
  /// For a known key; otherwise nothing happens.
  void set_last_receipt(const MessageKey& key, Slice signed_receipt);
  /// Empty when the key is unknown or nothing was sent.
  Slice last_receipt(const MessageKey& key) const;
  /// REJECTED with a code that is no state: the pair is not remembered.
  void forget(const MessageKey& key);
  void forget_ended(WallTime now);
  std::vector<DeliveryEntry> entries(WallTime now) const;
  void restore(std::vector<DeliveryEntry> entries, WallTime now);
  std::size_t size() const noexcept { return entries_.size(); }

 private:
  struct Entry {
    WallTime until;
    Slice last_receipt;
  };
  struct End {
    WallTime until;
    MessageKey key;
    friend auto operator<=>(const End&, const End&) noexcept = default;
  };
  std::size_t capacity_;
  std::size_t per_sender_;
  std::unordered_map<MessageKey, Entry> entries_;
  std::set<End> ends_;  // soonest first
  std::unordered_map<EthAddress, std::set<End>> ends_by_sender_;
};

}  // namespace starling::agent
