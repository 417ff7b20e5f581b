#pragma once
// Immutable shared bytes. Gossip forwards one payload to many peers: a Slice is the payload, copied never.
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "base/fifo.hpp"

namespace starling {

/// A reference-counted, immutable run of bytes, or a part of one. Copying costs one atomic increment; slices
/// may be handed between threads. An empty slice owns nothing.
class Slice {
 public:
  Slice() noexcept = default;
  /// Allocates and copies.
  static Slice copy(ByteView bytes);
  /// Joins parts in one allocation.
  static Slice concat(std::initializer_list<ByteView> parts);
  Slice(const Slice& other) noexcept : block_(other.block_), data_(other.data_), size_(other.size_) {
    acquire();
  }
  Slice(Slice&& other) noexcept
      : block_(std::exchange(other.block_, nullptr)),
        data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)) {}
  Slice& operator=(Slice other) noexcept {
    std::swap(block_, other.block_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~Slice() { release(); }

  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  const std::uint8_t* data() const noexcept { return data_; }
  ByteView view() const noexcept { return {data_, size_}; }
  // NOLINTNEXTLINE(google-explicit-constructor): a slice is its bytes
  operator ByteView() const noexcept { return view(); }
  /// The part [offset, offset + count), sharing the same memory. Both must lie inside.
  Slice sub(std::size_t offset, std::size_t count) const noexcept;

 private:
  struct Block {
    std::atomic<std::uint32_t> references;
  };
  void acquire() const noexcept {
    if (block_ != nullptr) block_->references.fetch_add(1, std::memory_order_relaxed);
  }
  void release() noexcept;
  static Slice allocate(std::size_t size, std::uint8_t*& out);

  Block* block_ = nullptr;
  const std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

/// A queue of slices that is read from the front, whatever its cuts.
class Chain {
 public:
  void push(Slice slice) {
    if (slice.empty()) return;
    size_ += slice.size();
    slices_.push(std::move(slice));
  }
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  /// The first contiguous run; empty when the chain is.
  ByteView front() const noexcept { return slices_.empty() ? ByteView{} : slices_.front().view(); }
  /// All runs in order, for gather writes.
  const Fifo<Slice>& slices() const noexcept { return slices_; }
  /// Drops `count` bytes from the front; no more than size().
  void consume(std::size_t count) noexcept;
  /// Removes up to `count` bytes of the first run and returns them, sharing memory.
  Slice take_front(std::size_t count) noexcept;
  void clear() noexcept {
    slices_.clear();
    size_ = 0;
  }

 private:
  Fifo<Slice> slices_;
  std::size_t size_ = 0;
};

}  // namespace starling
