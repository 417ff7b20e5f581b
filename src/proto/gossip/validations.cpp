#include "proto/gossip/validations.hpp"

#include <algorithm>

#include "proto/gossip/limits.hpp"

namespace starling::gossip {
namespace {

/// The same publication, byte for byte. Early exit makes this cheap where it matters: forgeries differ in
/// their signature, and honest copies are compared once per copy, not per byte forwarded.
bool same_bytes(const Message& a, const Message& b) noexcept {
  if (&a == &b) return true;
  if (!a.raw.empty() && !b.raw.empty()) return equal(a.raw, b.raw);
  return a.signature == b.signature && a.from == b.from && a.seqno == b.seqno && a.topic == b.topic &&
         a.key == b.key && equal(a.data, b.data);
}

std::size_t cost(const Validation& validation) noexcept {
  std::size_t total = validation.current.message->cost_bytes();
  for (const Copy& copy : validation.waiting) total += copy.message->cost_bytes();
  return total;
}

Held join(Copy& copy, PeerRef peer) {
  if (copy.brought_by(peer)) return Held::dropped;
  if (copy.others.size() >= kDeliverersPerMessageMax) return Held::dropped;
  copy.others.push_back(peer);
  return Held::same;
}

}  // namespace

bool Copy::brought_by(PeerRef peer) const noexcept {
  return from == peer || std::ranges::find(others, peer) != others.end();
}

std::optional<ValidationId> Validations::begin(MessageId id, Copy copy, Instant deadline) {
  if (open_.size() >= count_max_) return std::nullopt;
  if (bytes_ + copy.message->cost_bytes() > bytes_max_) return std::nullopt;
  return open(Validation{std::move(id), std::move(copy), {}, deadline});
}

ValidationId Validations::open(Validation validation) {
  bytes_ += cost(validation);
  const std::uint64_t id = ++last_id_;
  const bool inserted = by_message_.emplace(validation.message_id, id).second;
  STARLING_ASSERT(inserted);
  open_.emplace(id, std::move(validation));
  return ValidationId(id);
}

const Validation* Validations::find(const MessageId& id) const {
  const auto it = by_message_.find(id);
  return it == by_message_.end() ? nullptr : &open_.at(it->second);
}

Held Validations::hold(const MessageId& id, Copy copy, std::optional<PeerRef>& evicted) {
  Validation& validation = open_.at(by_message_.at(id));
  if (same_bytes(*validation.current.message, *copy.message)) return join(validation.current, copy.from);
  for (Copy& other : validation.waiting)
    if (same_bytes(*other.message, *copy.message)) return join(other, copy.from);
  // An honest peer forwards one copy of an id. Two different ones from the same peer are its own trouble.
  const auto by_same = [&copy](const Copy& other) { return other.brought_by(copy.from); };
  if (by_same(validation.current) || std::ranges::any_of(validation.waiting, by_same)) return Held::dropped;
  const std::size_t bytes = copy.message->cost_bytes();
  if (bytes_ + bytes > bytes_max_) return Held::dropped;
  if (validation.waiting.size() >= kWaitingCopiesMax) {
    const auto worst = std::ranges::min_element(validation.waiting, {}, &Copy::score);
    if (worst->score >= copy.score) return Held::dropped;
    bytes_ -= worst->message->cost_bytes();
    evicted = worst->from;
    validation.waiting.erase(worst);
  }
  bytes_ += bytes;
  validation.waiting.push_back(std::move(copy));
  return Held::waits;
}

std::optional<Validation> Validations::take(ValidationId id) {
  const auto it = open_.find(id.value());
  if (it == open_.end()) return std::nullopt;
  Validation validation = std::move(it->second);
  open_.erase(it);
  by_message_.erase(by_message_.find(validation.message_id));
  bytes_ -= cost(validation);
  if (by_message_.empty()) decltype(by_message_)().swap(by_message_);
  return validation;
}

ValidationId Validations::resume(Validation validation, Instant deadline) {
  STARLING_ASSERT(!validation.waiting.empty());
  validation.current = std::move(validation.waiting.front());
  validation.waiting.erase(validation.waiting.begin());
  validation.deadline = deadline;
  return open(std::move(validation));
}

std::optional<ValidationId> Validations::overdue(Instant now) const {
  if (open_.empty() || now < open_.begin()->second.deadline) return std::nullopt;
  return ValidationId(open_.begin()->first);
}

std::size_t Validations::memory_bytes() const noexcept {
  return bytes_ + open_.size() * (sizeof(Validation) + 10 * sizeof(void*)) +
         by_message_.bucket_count() * sizeof(void*);
}

}  // namespace starling::gossip
