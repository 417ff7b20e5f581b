#include "base/slice.hpp"

#include <new>

namespace starling {

Slice Slice::allocate(std::size_t size, std::uint8_t*& out) {
  Slice slice;
  if (size == 0) return slice;
  void* memory = ::operator new(sizeof(Block) + size);
  slice.block_ = new (memory) Block{1};
  out = reinterpret_cast<std::uint8_t*>(slice.block_ + 1);
  slice.data_ = out;
  slice.size_ = size;
  return slice;
}

Slice Slice::copy(ByteView bytes) { return concat({bytes}); }

Slice Slice::concat(std::initializer_list<ByteView> parts) {
  std::size_t total = 0;
  for (const auto part : parts) total += part.size();
  std::uint8_t* out = nullptr;
  Slice slice = allocate(total, out);
  for (const auto part : parts) {
    if (part.empty()) continue;
    std::memcpy(out, part.data(), part.size());
    out += part.size();
  }
  return slice;
}

void Slice::release() noexcept {
  if (block_ == nullptr) return;
  if (block_->references.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    block_->~Block();
    ::operator delete(block_);
  }
  block_ = nullptr;
}

Slice Slice::sub(std::size_t offset, std::size_t count) const noexcept {
  STARLING_ASSERT(offset <= size_ && count <= size_ - offset);
  if (count == 0) return {};
  Slice part(*this);
  part.data_ += offset;
  part.size_ = count;
  return part;
}

void Chain::consume(std::size_t count) noexcept {
  STARLING_ASSERT(count <= size_);
  size_ -= count;
  while (count > 0) {
    Slice& first = slices_.front();
    if (count < first.size()) {
      first = first.sub(count, first.size() - count);
      return;
    }
    count -= first.size();
    slices_.pop();
  }
}

Slice Chain::take_front(std::size_t count) noexcept {
  if (slices_.empty()) return {};
  const std::size_t n = std::min(count, slices_.front().size());
  Slice part = slices_.front().sub(0, n);
  consume(n);
  return part;
}

}  // namespace starling
