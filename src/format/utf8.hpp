#pragma once
// One code point of UTF-8 (RFC 3629). Internal to format; others use pb::is_utf8.
#include <optional>

#include "base/bytes.hpp"

namespace starling::format {

struct CodePoint {
  char32_t value;
  std::size_t size;  ///< bytes it took, 1 to 4
};
/// The code point at the front; nothing for an overlong form, a surrogate, a value past U+10FFFF or a cut
/// sequence.
std::optional<CodePoint> read_utf8(ByteView text) noexcept;

}  // namespace starling::format
