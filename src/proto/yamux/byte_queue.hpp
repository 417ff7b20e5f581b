#pragma once
// The bytes a stream holds, in or out.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/bytes.hpp"
#include "base/slice.hpp"

namespace starling::yamux {

/// A FIFO of bytes that never moves what it holds: views into it stay valid until their bytes leave, even
/// while more is appended, and a run that leaves whole can be kept alive by whoever still reads it. Empty, it
/// owns no memory: an idle stream costs nothing but this object.
///
/// Copied bytes are gathered in buffers that grow with the amount held (kBufferBytesMin to kBufferBytesMax),
/// so a peer that sends single bytes makes us hold less than twice what it sent plus one smallest buffer.
class ByteQueue {
 public:
  /// A contiguous run: a buffer of our own with room at its end, a shared slice, or bytes that somebody lent.
  struct Run {
    std::unique_ptr<std::uint8_t[]> owned;
    Slice shared;
    const std::uint8_t* lent = nullptr;
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
    std::uint32_t capacity = 0;  ///< of `owned`; else 0

    ByteView view() const noexcept {
      const std::uint8_t* const bytes = owned ? owned.get() : lent != nullptr ? lent : shared.data();
      return {bytes + begin, static_cast<std::size_t>(end - begin)};
    }
  };

  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  /// The first contiguous run; empty when the queue is.
  ByteView front() const noexcept { return size_ == 0 ? ByteView{} : runs_[head_].view(); }

  /// Copies; at most 2^31 bytes at a time.
  void append(ByteView bytes);
  /// Shares.
  void append(Slice slice);
  /// Neither: the caller keeps the bytes where they are until they were taken or keep() was called.
  void append_lent(ByteView bytes);
  /// Copies what was lent and not taken yet.
  void keep();

  /// Drops `count` bytes, at most size(), from the front. Amortised O(1) per run.
  void consume(std::size_t count) { take(count, nullptr, nullptr); }
  /// Takes `count` bytes, at most size(), from the front: their views go to `parts`, runs that were taken to
  /// their end to `retired`, where they live on.
  void take(std::size_t count, std::vector<ByteView>* parts, std::vector<Run>* retired);
  /// Empties the queue; its runs go to `retired` unless that is null.
  void clear(std::vector<Run>* retired);

 private:
  void pop_front_run(std::vector<Run>* retired);

  std::vector<Run> runs_;
  std::uint32_t head_ = 0;
  std::uint32_t size_ = 0;
};

}  // namespace starling::yamux
