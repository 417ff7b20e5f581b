#include "proto/kad/key.hpp"

#include <bit>
#include <cstring>

namespace starling::kad {
namespace {

constexpr std::size_t kWords = 4;  // of eight bytes

std::uint64_t word(const KadId& id, std::size_t index) noexcept {
  std::uint64_t out = 0;
  std::memcpy(&out, id.bytes.data() + 8 * index, sizeof out);
  return std::endian::native == std::endian::big ? out : __builtin_bswap64(out);
}

}  // namespace

Distance distance(const KadId& a, const KadId& b) noexcept {
  Distance out;
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::uint8_t>(a.bytes[i] ^ b.bytes[i]);
  return out;
}

bool nearer(const KadId& target, const KadId& a, const KadId& b) noexcept {
  for (std::size_t i = 0; i < kWords; ++i) {
    const std::uint64_t from = word(target, i);
    const std::uint64_t to_a = from ^ word(a, i);
    const std::uint64_t to_b = from ^ word(b, i);
    if (to_a != to_b) return to_a < to_b;
  }
  return false;
}

std::uint64_t distance_prefix(const KadId& a, const KadId& b) noexcept { return word(a, 0) ^ word(b, 0); }

std::size_t common_prefix_bits(const KadId& a, const KadId& b) noexcept {
  for (std::size_t i = 0; i < kWords; ++i) {
    const std::uint64_t difference = word(a, i) ^ word(b, i);
    if (difference != 0) return i * 64 + static_cast<std::size_t>(std::countl_zero(difference));
  }
  return a.bytes.size() * 8;
}

}  // namespace starling::kad
