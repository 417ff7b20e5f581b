#pragma once
// The key space of Kademlia: SHA-256 of a key's bytes, measured by XOR.
#include <compare>
#include <cstdint>

#include "crypto/hash.hpp"
#include "format/peer_id.hpp"

namespace starling::kad {

/// A place in the key space. Keys are hashed exactly once: a peer's place is SHA-256 of its id's bytes.
struct KadId {
  crypto::Hash256 bytes{};
  static KadId of(ByteView key) noexcept { return {crypto::sha256(key)}; }
  static KadId of(const PeerId& peer) noexcept { return of(peer.bytes()); }
  friend auto operator<=>(const KadId&, const KadId&) noexcept = default;
};

/// XOR distance, comparable as a big-endian number.
using Distance = FixedBytes<32>;
Distance distance(const KadId& a, const KadId& b) noexcept;
/// True when `a` is strictly nearer to `target` than `b`. No allocation, no full distance.
bool nearer(const KadId& target, const KadId& a, const KadId& b) noexcept;
/// The first 64 bits of the distance: enough to tell how densely servers stand around a place.
std::uint64_t distance_prefix(const KadId& a, const KadId& b) noexcept;
/// Leading bits that both share, 0 to 256.
std::size_t common_prefix_bits(const KadId& a, const KadId& b) noexcept;

}  // namespace starling::kad
