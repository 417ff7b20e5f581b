#pragma once
// ECDSA over secp256k1 as libp2p uses it: compressed keys, DER, SHA-256. Internal to crypto; others use
// PublicKey, PrivateKey and recoverable.hpp.
#include <optional>

#include "base/bytes.hpp"
#include "crypto/hash.hpp"
#include "crypto/recoverable.hpp"

namespace starling::crypto::secp256k1 {

inline constexpr std::size_t kPublicKeyBytes = 33;

/// 33 bytes, 02 or 03 in front, on the curve.
bool is_public_key(ByteView compressed) noexcept;
/// Nothing when the scalar is 0 or not below the group order.
std::optional<FixedBytes<33>> public_of(const FixedBytes<32>& scalar) noexcept;
/// DER, low s, RFC 6979 nonce.
Bytes sign(const FixedBytes<32>& scalar, const Hash256& digest);
/// Strict DER and low s only.
bool verify(ByteView compressed, const Hash256& digest, ByteView der_signature) noexcept;
RecoverableSignature sign_recoverable(const FixedBytes<32>& scalar, const Hash256& digest) noexcept;
/// The signer's uncompressed point without its 04; nothing when r, s or v is out of range or s is high.
std::optional<FixedBytes<64>> recover(const Hash256& digest, ByteView signature65) noexcept;
/// x ‖ y of a valid key.
std::optional<FixedBytes<64>> uncompressed(ByteView compressed) noexcept;

}  // namespace starling::crypto::secp256k1
