#include "base/bytes.hpp"

namespace starling {
namespace {

int digit_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

template <class Integer>
void put_be(Bytes& out, Integer value) {
  for (int shift = static_cast<int>(sizeof(Integer)) * 8 - 8; shift >= 0; shift -= 8)
    out.push_back(static_cast<std::uint8_t>(value >> shift));
}

template <class Integer>
Integer get_be(ByteView bytes) noexcept {
  Integer value = 0;
  for (const auto byte : bytes) value = static_cast<Integer>((value << 8) | byte);
  return value;
}

}  // namespace

std::string to_hex(ByteView bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const auto byte : bytes) {
    out.push_back(kDigits[byte >> 4]);
    out.push_back(kDigits[byte & 15]);
  }
  return out;
}

std::optional<Bytes> from_hex(std::string_view text) {
  if (text.starts_with("0x") || text.starts_with("0X")) text.remove_prefix(2);
  if (text.size() % 2 != 0) return std::nullopt;
  Bytes out;
  out.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = digit_value(text[i]);
    const int low = digit_value(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    out.push_back(static_cast<std::uint8_t>(high * 16 + low));
  }
  return out;
}

void put_u16_be(Bytes& out, std::uint16_t value) { put_be(out, value); }
void put_u32_be(Bytes& out, std::uint32_t value) { put_be(out, value); }
void put_u64_be(Bytes& out, std::uint64_t value) { put_be(out, value); }
std::uint16_t get_u16_be(std::span<const std::uint8_t, 2> bytes) noexcept {
  return get_be<std::uint16_t>(bytes);
}
std::uint32_t get_u32_be(std::span<const std::uint8_t, 4> bytes) noexcept {
  return get_be<std::uint32_t>(bytes);
}
std::uint64_t get_u64_be(std::span<const std::uint8_t, 8> bytes) noexcept {
  return get_be<std::uint64_t>(bytes);
}

std::size_t hash_bytes(ByteView bytes) noexcept {
  std::uint64_t h = 14695981039346656037ULL;
  while (bytes.size() >= 8) {
    std::uint64_t word;
    std::memcpy(&word, bytes.data(), 8);
    h = (h ^ word) * 0x9e3779b97f4a7c15ULL;
    h ^= h >> 29;
    bytes = bytes.subspan(8);
  }
  if (!bytes.empty()) {
    std::uint64_t word = bytes.size();  // in the topmost byte in effect: a tail of zeros is not nothing
    word <<= 56;
    std::memcpy(&word, bytes.data(), bytes.size());
    h = (h ^ word) * 0x9e3779b97f4a7c15ULL;
  }
  h ^= h >> 32;
  h *= 0xd6e8feb86659fd93ULL;
  h ^= h >> 32;
  return static_cast<std::size_t>(h);
}

}  // namespace starling
