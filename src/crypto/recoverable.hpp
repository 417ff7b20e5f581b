#pragma once
// Ethereum's use of secp256k1: recoverable signatures over a 32-byte digest, addresses from keys.
#include "base/bytes.hpp"
#include "base/result.hpp"
#include "crypto/hash.hpp"
#include "crypto/keys.hpp"

namespace starling::crypto {

using RecoverableSignature = FixedBytes<65>;  // r ‖ s ‖ v, v ∈ {27, 28}, low s
using AddressBytes = FixedBytes<20>;

/// RFC 6979 nonce. The key must be secp256k1.
RecoverableSignature sign_recoverable(const PrivateKey& key, const Hash256& digest);
/// The signer's address. Errc::bad_signature: v not 27 or 28, r or s out of range, s high, or no such point.
Result<AddressBytes> recover_address(const Hash256& digest, ByteView signature65);
/// Last 20 bytes of Keccak-256 of the uncompressed point. Errc::unsupported_key unless secp256k1.
Result<AddressBytes> ethereum_address_of(const PublicKey& key);

}  // namespace starling::crypto
