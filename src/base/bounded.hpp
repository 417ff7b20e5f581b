#pragma once
// Containers with a cap. Everything that a peer can make grow lives in one of these or counts by hand.
#include <boost/unordered/unordered_flat_set.hpp>
#include <cstddef>
#include <deque>
#include <functional>
#include <list>
#include <optional>
#include <utility>

#include "base/assert.hpp"
#include "base/time.hpp"

namespace starling {

/// A FIFO that refuses past its capacity. The caller counts what was refused.
template <class T>
class BoundedQueue {
 public:
  explicit BoundedQueue(std::size_t capacity) : capacity_(capacity) {}
  /// False, and `item` untouched, when full.
  [[nodiscard]] bool push(T&& item) {
    if (items_.size() >= capacity_) return false;
    items_.push_back(std::move(item));
    return true;
  }
  std::optional<T> pop() {
    if (items_.empty()) return std::nullopt;
    std::optional<T> out(std::move(items_.front()));
    items_.pop_front();
    return out;
  }
  std::size_t size() const noexcept { return items_.size(); }
  bool empty() const noexcept { return items_.empty(); }
  std::size_t capacity() const noexcept { return capacity_; }

 private:
  std::size_t capacity_;
  std::deque<T> items_;
};

/// A map that forgets the least recently used entry past its capacity. Iteration is from most to least
/// recent, so it is deterministic whatever the hash. O(1) per operation. Each key is stored once: the index
/// holds iterators.
template <class Key, class Value, class Hash = std::hash<Key>, class Equal = std::equal_to<Key>>
class LruMap {
 public:
  explicit LruMap(std::size_t capacity) : capacity_(capacity) { STARLING_ASSERT(capacity > 0); }
  // The index points into the list: a copy's would point into the other's. Moving a list keeps its nodes.
  LruMap(const LruMap&) = delete;
  LruMap& operator=(const LruMap&) = delete;
  LruMap(LruMap&&) noexcept = default;
  LruMap& operator=(LruMap&&) noexcept = default;
  ~LruMap() = default;
  /// Nothing found: nullptr. Marks the entry as used.
  Value* find(const Key& key) {
    const auto it = index_.find(key);
    if (it == index_.end()) return nullptr;
    order_.splice(order_.begin(), order_, *it);
    return &(*it)->second;
  }
  /// Does not mark the entry as used.
  const Value* peek(const Key& key) const {
    const auto it = index_.find(key);
    return it == index_.end() ? nullptr : &(*it)->second;
  }
  bool contains(const Key& key) const { return index_.contains(key); }
  /// Inserts or overwrites; the entry becomes the most recent. Returns what had to go, if anything.
  std::optional<std::pair<Key, Value>> put(Key key, Value value) {
    if (Value* present = find(key)) {
      *present = std::move(value);
      return std::nullopt;
    }
    std::optional<std::pair<Key, Value>> evicted;
    if (index_.size() >= capacity_) {
      index_.erase(std::prev(order_.end()));
      evicted.emplace(std::move(order_.back()));
      order_.pop_back();
    }
    order_.emplace_front(std::move(key), std::move(value));
    index_.insert(order_.begin());
    return evicted;
  }
  bool erase(const Key& key) {
    const auto it = index_.find(key);
    if (it == index_.end()) return false;
    const Item item = *it;
    index_.erase(it);
    order_.erase(item);
    return true;
  }
  /// The entry that would go next; nullptr when empty.
  const std::pair<Key, Value>* oldest() const { return order_.empty() ? nullptr : &order_.back(); }
  void clear() {
    index_.clear();
    order_.clear();
  }
  std::size_t size() const noexcept { return index_.size(); }
  bool empty() const noexcept { return index_.empty(); }
  std::size_t capacity() const noexcept { return capacity_; }
  auto begin() const { return order_.begin(); }
  auto end() const { return order_.end(); }

 private:
  using Item = typename std::list<std::pair<Key, Value>>::iterator;
  struct ItemHash {
    using is_transparent = void;
    std::size_t operator()(const Key& key) const { return Hash{}(key); }
    std::size_t operator()(const Item& item) const { return Hash{}(item->first); }
  };
  struct ItemEqual {
    using is_transparent = void;
    bool operator()(const Item& a, const Item& b) const { return a == b; }
    bool operator()(const Key& key, const Item& item) const { return Equal{}(key, item->first); }
    bool operator()(const Item& item, const Key& key) const { return Equal{}(key, item->first); }
  };
  std::size_t capacity_;
  std::list<std::pair<Key, Value>> order_;
  boost::unordered_flat_set<Item, ItemHash, ItemEqual> index_;
};

/// Tokens that refill with time, for rates. Starts full.
class TokenBucket {
 public:
  /// `rate_per_s` tokens a second, at most `burst` at once.
  TokenBucket(double rate_per_s, double burst) noexcept
      : rate_per_s_(rate_per_s), burst_(burst), tokens_(burst) {}
  /// True and `cost` taken when there is enough; otherwise nothing changes but the refill.
  [[nodiscard]] bool take(Instant now, double cost = 1.0) noexcept {
    refill(now);
    if (tokens_ < cost) return false;
    tokens_ -= cost;
    return true;
  }
  bool has(Instant now, double cost = 1.0) noexcept {
    refill(now);
    return tokens_ >= cost;
  }
  /// Empties the bucket, as if everything had been spent now.
  void drain(Instant now) noexcept {
    refill(now);
    tokens_ = 0;
  }

 private:
  void refill(Instant now) noexcept {
    if (started_ && now > last_) {
      const double elapsed_s = std::chrono::duration<double>(now - last_).count();
      tokens_ = std::min(burst_, tokens_ + elapsed_s * rate_per_s_);
    }
    if (!started_ || now > last_) last_ = now;
    started_ = true;
  }
  double rate_per_s_;
  double burst_;
  double tokens_;
  Instant last_;
  bool started_ = false;
};

}  // namespace starling
