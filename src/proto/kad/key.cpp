#include "proto/kad/key.hpp"

#include <bit>

namespace starling::kad {

Distance distance(const KadId& a, const KadId& b) noexcept {
  Distance out;
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::uint8_t>(a.bytes[i] ^ b.bytes[i]);
  return out;
}

bool nearer(const KadId& target, const KadId& a, const KadId& b) noexcept {
  for (std::size_t i = 0; i < target.bytes.size(); ++i) {
    const auto to_a = static_cast<std::uint8_t>(target.bytes[i] ^ a.bytes[i]);
    const auto to_b = static_cast<std::uint8_t>(target.bytes[i] ^ b.bytes[i]);
    if (to_a != to_b) return to_a < to_b;
  }
  return false;
}

std::uint64_t distance_prefix(const KadId& a, const KadId& b) noexcept {
  std::uint64_t out = 0;
  for (std::size_t i = 0; i < 8; ++i) out = (out << 8) | static_cast<std::uint8_t>(a.bytes[i] ^ b.bytes[i]);
  return out;
}

std::size_t common_prefix_bits(const KadId& a, const KadId& b) noexcept {
  for (std::size_t i = 0; i < a.bytes.size(); ++i) {
    const auto difference = static_cast<std::uint8_t>(a.bytes[i] ^ b.bytes[i]);
    if (difference != 0) return i * 8 + static_cast<std::size_t>(std::countl_zero(difference));
  }
  return a.bytes.size() * 8;
}

}  // namespace starling::kad
