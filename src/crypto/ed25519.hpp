#pragma once
// Ed25519 (RFC 8032, pure). Internal to crypto; others use PublicKey and PrivateKey.
#include "base/bytes.hpp"

namespace starling::crypto::ed25519 {

inline constexpr std::size_t kKeyBytes = 32;
inline constexpr std::size_t kSignatureBytes = 64;

/// False for encodings of points that RFC 8032 §5.1.3 refuses (y ≥ p, x = 0 with the sign bit) and for the
/// points of small order, for which anybody can make signatures. Whether the point is on the curve is found
/// out by verify().
bool is_acceptable_point(ByteView encoded32) noexcept;
FixedBytes<32> public_of(const FixedBytes<32>& seed);
/// `public_key` must be that of the seed: signing with another one gives the seed away.
Bytes sign(const FixedBytes<32>& seed, ByteView public_key, ByteView message);
bool verify(ByteView public_key, ByteView message, ByteView signature);

}  // namespace starling::crypto::ed25519
