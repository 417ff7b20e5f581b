#pragma once
// The vocabulary of byte sequences: owned, viewed, fixed-size.
#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace starling {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;
using MutableByteView = std::span<std::uint8_t>;
template <std::size_t N>
using FixedBytes = std::array<std::uint8_t, N>;

/// The bytes of a text, without a copy. The view lives as long as the text.
inline ByteView as_bytes(std::string_view text) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
/// The text made of these bytes, without a copy and without a check of its encoding.
inline std::string_view as_text(ByteView bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline Bytes to_bytes(ByteView bytes) { return {bytes.begin(), bytes.end()}; }
inline Bytes to_bytes(std::string_view text) { return to_bytes(as_bytes(text)); }
inline std::string to_text(ByteView bytes) { return std::string(as_text(bytes)); }

inline void append(Bytes& out, ByteView more) { out.insert(out.end(), more.begin(), more.end()); }
inline bool equal(ByteView a, ByteView b) noexcept {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
}
/// Lexicographic comparison, the order of memcmp with the shorter first.
inline std::strong_ordering compare(ByteView a, ByteView b) noexcept {
  const auto n = std::min(a.size(), b.size());
  const int c = n == 0 ? 0 : std::memcmp(a.data(), b.data(), n);
  if (c != 0) return c < 0 ? std::strong_ordering::less : std::strong_ordering::greater;
  return a.size() <=> b.size();
}

/// Lowercase hex without a prefix.
std::string to_hex(ByteView bytes);
/// Bytes of hex digits of either case, with or without `0x`; nothing when a digit is wrong or the count is
/// odd.
std::optional<Bytes> from_hex(std::string_view text);

/// Copies exactly N bytes; nothing when the size differs.
template <std::size_t N>
std::optional<FixedBytes<N>> to_fixed(ByteView bytes) noexcept {
  if (bytes.size() != N) return std::nullopt;
  FixedBytes<N> out;
  std::copy(bytes.begin(), bytes.end(), out.begin());
  return out;
}

/// Big-endian integers, as every libp2p framing uses them.
void put_u16_be(Bytes& out, std::uint16_t value);
void put_u32_be(Bytes& out, std::uint32_t value);
void put_u64_be(Bytes& out, std::uint64_t value);
std::uint16_t get_u16_be(std::span<const std::uint8_t, 2> bytes) noexcept;
std::uint32_t get_u32_be(std::span<const std::uint8_t, 4> bytes) noexcept;
std::uint64_t get_u64_be(std::span<const std::uint8_t, 8> bytes) noexcept;

/// A hash of bytes for unordered containers: FNV-1a finished with a mixer. Not keyed: a container fed by a
/// peer is bounded in size, so that a chosen collision costs at most its bound.
std::size_t hash_bytes(ByteView bytes) noexcept;

struct BytesHash {
  using is_transparent = void;
  std::size_t operator()(ByteView bytes) const noexcept { return hash_bytes(bytes); }
};
struct BytesEqual {
  using is_transparent = void;
  bool operator()(ByteView a, ByteView b) const noexcept { return equal(a, b); }
};

}  // namespace starling
