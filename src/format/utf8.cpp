#include "format/utf8.hpp"

namespace starling::format {

std::optional<CodePoint> read_utf8(ByteView text) noexcept {
  if (text.empty()) return std::nullopt;
  const std::uint8_t first = text[0];
  if (first < 0x80) return CodePoint{first, 1};
  std::size_t size = 0;
  char32_t smallest = 0;
  if (first >= 0xc0 && first < 0xe0) {
    size = 2;
    smallest = 0x80;
  } else if (first >= 0xe0 && first < 0xf0) {
    size = 3;
    smallest = 0x800;
  } else if (first >= 0xf0 && first < 0xf8) {
    size = 4;
    smallest = 0x10000;
  }
  if (size == 0 || text.size() < size) return std::nullopt;
  char32_t value = first & (0x7fu >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((text[i] & 0xc0) != 0x80) return std::nullopt;
    value = (value << 6) | (text[i] & 0x3fu);
  }
  if (value < smallest || value > 0x10ffff || (value >= 0xd800 && value < 0xe000)) return std::nullopt;
  return CodePoint{value, size};
}

}  // namespace starling::format
