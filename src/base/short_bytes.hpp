#pragma once
// Immutable bytes that are usually few.
#include <cstring>
#include <utility>

#include "base/assert.hpp"
#include "base/bytes.hpp"

namespace starling {

/// Up to `Inline` bytes in place, more in one allocation. For values of which a node keeps thousands, for
/// which a vector would cost an allocation and twice the memory.
template <std::size_t Inline>
class BasicShortBytes {
 public:
  static constexpr std::size_t kInline = Inline;

  BasicShortBytes() noexcept = default;
  explicit BasicShortBytes(ByteView bytes) { assign(bytes); }
  BasicShortBytes(const BasicShortBytes& other) { assign(other.view()); }
  BasicShortBytes(BasicShortBytes&& other) noexcept { take(other); }
  BasicShortBytes& operator=(const BasicShortBytes& other) {
    if (this != &other) *this = BasicShortBytes(other);
    return *this;
  }
  BasicShortBytes& operator=(BasicShortBytes&& other) noexcept {
    if (this != &other) {
      release();
      take(other);
    }
    return *this;
  }
  ~BasicShortBytes() { release(); }

  ByteView view() const noexcept { return {in_place() ? inline_ : heap(), size_}; }
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }

 private:
  bool in_place() const noexcept { return size_ <= kInline; }
  std::uint8_t* heap() const noexcept {
    std::uint8_t* out = nullptr;
    std::memcpy(&out, inline_, sizeof out);
    return out;
  }
  void assign(ByteView bytes) {
    STARLING_ASSERT(bytes.size() <= 0xffff);
    std::uint8_t* target = inline_;
    if (bytes.size() > kInline) {
      target = new std::uint8_t[bytes.size()];
      std::memcpy(inline_, &target, sizeof target);
    }
    size_ = static_cast<std::uint16_t>(bytes.size());
    if (!bytes.empty()) std::memcpy(target, bytes.data(), bytes.size());
  }
  void take(BasicShortBytes& other) noexcept {
    std::memcpy(inline_, other.inline_, sizeof inline_);
    size_ = std::exchange(other.size_, std::uint16_t{0});
  }
  void release() noexcept {
    if (!in_place()) delete[] heap();
  }

  std::uint16_t size_ = 0;
  std::uint8_t inline_[kInline] = {};
};

/// For addresses: most take 8 to 20 bytes.
using ShortBytes = BasicShortBytes<22>;

}  // namespace starling
