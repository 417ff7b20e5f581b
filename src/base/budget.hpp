#pragma once
// Bytes held for peers, reserved before they are allocated.
#include <atomic>
#include <cstddef>

#include "base/assert.hpp"

namespace starling {

/// The bytes that all connections of a node may hold for their peers at the same time: received and not yet
/// consumed, written and not yet sent, half of a message.
///
/// Thread-safe; one per node, shared by its shards, outlives every account. Nobody's share is fixed: a
/// holder is granted as much as it leaves free for others (`held + more ≤ bytes_max − used`), so one hog gets
/// half, nine hogs get a tenth each, and a tenth stays free for whoever comes next. That is the dynamic
/// threshold of shared-buffer switches; a first-come budget would let the first hog starve all others. The
/// first `floor_bytes` of every holder are granted always: who holds little never suffers from those who hold
/// much. So the node holds at most bytes_max plus one floor per holder.
class ByteBudget {
 public:
  ByteBudget(std::size_t bytes_max, std::size_t floor_bytes) noexcept
      : bytes_max_(bytes_max), floor_bytes_(floor_bytes) {}
  ByteBudget(const ByteBudget&) = delete;
  ByteBudget& operator=(const ByteBudget&) = delete;

  std::size_t bytes_max() const noexcept { return bytes_max_; }
  std::size_t floor_bytes() const noexcept { return floor_bytes_; }
  std::size_t used() const noexcept { return used_.load(std::memory_order_relaxed); }
  /// Reservations that were refused since birth.
  std::uint64_t refused_count() const noexcept { return refused_.load(std::memory_order_relaxed); }

 private:
  friend class ByteAccount;
  bool allows(std::size_t held_then, std::size_t used_before) const noexcept {
    if (held_then <= floor_bytes_) return true;
    return used_before <= bytes_max_ && held_then <= bytes_max_ - used_before;
  }

  std::size_t bytes_max_;
  std::size_t floor_bytes_;
  std::atomic<std::size_t> used_{0};
  std::atomic<std::uint64_t> refused_{0};
};

/// What one holder, a connection, has reserved of a budget; gives all of it back when it goes. One thread at
/// a time.
class ByteAccount {
 public:
  explicit ByteAccount(ByteBudget& budget) noexcept : budget_(budget) {}
  ByteAccount(const ByteAccount&) = delete;
  ByteAccount& operator=(const ByteAccount&) = delete;
  ~ByteAccount() { release(held_); }

  /// False: nothing was reserved, and the bytes must not be taken.
  [[nodiscard]] bool reserve(std::size_t bytes) noexcept {
    const std::size_t before = budget_.used_.fetch_add(bytes, std::memory_order_relaxed);
    if (!budget_.allows(held_ + bytes, before)) {
      budget_.used_.fetch_sub(bytes, std::memory_order_relaxed);
      budget_.refused_.fetch_add(1, std::memory_order_relaxed);
      return false;
    }
    held_ += bytes;
    return true;
  }
  void release(std::size_t bytes) noexcept {
    STARLING_ASSERT(bytes <= held_);
    held_ -= bytes;
    budget_.used_.fetch_sub(bytes, std::memory_order_relaxed);
  }
  /// Whether reserve() would succeed now; reserves and counts nothing.
  bool would_grant(std::size_t bytes) const noexcept { return budget_.allows(held_ + bytes, budget_.used()); }
  std::size_t held() const noexcept { return held_; }

 private:
  ByteBudget& budget_;
  std::size_t held_ = 0;
};

}  // namespace starling
