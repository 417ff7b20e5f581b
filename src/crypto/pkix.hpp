#pragma once
// RSA and ECDSA public keys in PKIX DER, for peers with old or foreign identities: verification only.
// Internal to crypto; others use PublicKey.
#include "base/bytes.hpp"
#include "base/result.hpp"
#include "crypto/keys.hpp"

namespace starling::crypto::pkix {

/// Errc::bad_key unless `der` is the one DER encoding of an RSA key (with an odd public exponent below 2^31,
/// because a larger one only makes verification slow) or of a point on P-256, P-384 or P-521.
/// Errc::key_too_large for RSA outside kRsaBitsMin … kRsaBitsMax, Errc::unsupported_key for another curve.
Result<void> check(KeyType type, ByteView der);
/// RSA: PKCS#1 v1.5 over SHA-256; ECDSA: DER over SHA-256. The key must have passed check().
bool verify(ByteView der, ByteView message, ByteView signature);

}  // namespace starling::crypto::pkix
