#pragma once
// The bytes of a fuzz run as a program of operations.
#include <algorithm>
#include <cstdint>

#include "base/bytes.hpp"

namespace starling {

/// Reads the program; gives zeros past its end.
class Input {
 public:
  explicit Input(ByteView bytes) : rest_(bytes) {}
  bool empty() const { return rest_.empty(); }
  std::uint8_t u8() {
    if (rest_.empty()) return 0;
    const std::uint8_t out = rest_[0];
    rest_ = rest_.subspan(1);
    return out;
  }
  std::uint32_t u16() { return static_cast<std::uint32_t>(u8() << 8 | u8()); }
  std::uint32_t u32() { return u16() << 16 | u16(); }
  std::uint64_t u64() { return std::uint64_t{u32()} << 32 | u32(); }
  ByteView take(std::size_t count) {
    const ByteView out = rest_.first(std::min(count, rest_.size()));
    rest_ = rest_.subspan(out.size());
    return out;
  }

 private:
  ByteView rest_;
};

}  // namespace starling
