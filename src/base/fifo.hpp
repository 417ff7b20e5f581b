#pragma once
// A queue that costs nothing while it is empty: std::deque allocates 576 bytes at birth, times every peer and
// node.
#include <cstddef>
#include <utility>
#include <vector>

#include "base/assert.hpp"

namespace starling {

/// First in, first out, in one vector with a moving head. Amortised O(1). The caller bounds it. Empty, it
/// keeps a small buffer for the next burst, of KeptBytesMax at most; a larger one is given back.
template <class T, std::size_t KeptBytesMax = 512>
class Fifo {
 public:
  Fifo() noexcept = default;
  Fifo(const Fifo&) = default;
  Fifo& operator=(const Fifo&) = default;
  Fifo(Fifo&& other) noexcept : items_(std::move(other.items_)), head_(std::exchange(other.head_, 0)) {
    other.items_.clear();
  }
  Fifo& operator=(Fifo&& other) noexcept {
    std::swap(items_, other.items_);
    std::swap(head_, other.head_);
    other.clear();
    return *this;
  }
  ~Fifo() = default;

  bool empty() const noexcept { return head_ == items_.size(); }
  std::size_t size() const noexcept { return items_.size() - head_; }
  void push(T item) {
    if (head_ > 0 && items_.size() == items_.capacity()) compact();
    items_.push_back(std::move(item));
  }
  T& front() noexcept {
    STARLING_ASSERT(!empty());
    return items_[head_];
  }
  const T& front() const noexcept {
    STARLING_ASSERT(!empty());
    return items_[head_];
  }
  T& back() noexcept {
    STARLING_ASSERT(!empty());
    return items_.back();
  }
  T pop() {
    STARLING_ASSERT(!empty());
    T out = std::move(items_[head_++]);
    if (empty()) release();
    return out;
  }
  void clear() noexcept {
    head_ = items_.size();
    release();
  }
  std::size_t capacity_bytes() const noexcept { return items_.capacity() * kItemBytes; }
  auto begin() const noexcept { return items_.begin() + static_cast<std::ptrdiff_t>(head_); }
  auto end() const noexcept { return items_.end(); }

 private:
  static constexpr std::size_t kItemBytes =
      sizeof(T);  // NOLINT(bugprone-sizeof-expression): of a pointer, too
  void release() noexcept {
    head_ = 0;
    if (capacity_bytes() > KeptBytesMax) {
      std::vector<T>().swap(items_);
    } else {
      items_.clear();
    }
  }
  void compact() {
    // Only when at least half is dead, so that every element is moved O(1) times on average.
    if (head_ * 2 < items_.size()) return;
    items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(head_));
    head_ = 0;
  }

  std::vector<T> items_;
  std::size_t head_ = 0;
};

}  // namespace starling
