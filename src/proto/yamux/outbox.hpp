#pragma once
// Frames that were gathered and not yet sent.
#include <array>
#include <memory>
#include <vector>

#include "proto/yamux/byte_queue.hpp"
#include "proto/yamux/frame.hpp"

namespace starling::yamux {

/// Keeps alive what the views handed out by gather() point to: headers, in blocks that never move, and the
/// payload runs that left their stream, so that even a reset between gather() and sent() cannot pull memory
/// away from an encryptor.
class Outbox {
 public:
  bool empty() const noexcept { return header_count_ == 0; }
  /// Adds a header's view to `parts`.
  void add_header(FrameType type, std::uint16_t flags, std::uint32_t stream, std::uint32_t length,
                  std::vector<ByteView>& parts) {
    const std::size_t block = header_count_ / kBlockHeaders;
    if (block == blocks_.size()) blocks_.push_back(std::make_unique_for_overwrite<Block>());
    HeaderBytes& bytes = (*blocks_[block])[header_count_ % kBlockHeaders];
    ++header_count_;
    encode_header(type, flags, stream, length, bytes);
    parts.emplace_back(bytes);
  }
  /// Where payload runs go that left their stream.
  std::vector<ByteQueue::Run>& retired() noexcept { return retired_; }
  /// What clear() of a stream's queue must be given: null when nothing gathered can point into it.
  std::vector<ByteQueue::Run>* retired_if_needed() noexcept { return empty() ? nullptr : &retired_; }
  /// Everything gathered was sent. `idle`: nothing more is waiting, so capacity is returned as well.
  void release(bool idle) {
    header_count_ = 0;
    if (idle) {
      std::vector<std::unique_ptr<Block>>().swap(blocks_);
      std::vector<ByteQueue::Run>().swap(retired_);
    } else {
      retired_.clear();
    }
  }

 private:
  static constexpr std::size_t kBlockHeaders = 64;
  using Block = std::array<HeaderBytes, kBlockHeaders>;

  std::vector<std::unique_ptr<Block>> blocks_;
  std::vector<ByteQueue::Run> retired_;
  std::size_t header_count_ = 0;
};

}  // namespace starling::yamux
