#pragma once
// X25519 (RFC 7748) and HPKE base mode (RFC 9180) over it.
#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/rng.hpp"

namespace starling::crypto {

using X25519Key = FixedBytes<32>;
struct X25519KeyPair {
  X25519Key secret;
  X25519Key public_key;
};

X25519KeyPair x25519_generate(Rng& rng);
/// The public key of a secret.
X25519Key x25519_public(const X25519Key& secret);
/// Errc::zero_shared_secret when `peer` is a point of low order.
Result<X25519Key> x25519(const X25519Key& secret, const X25519Key& peer);
/// True for the points that force an all-zero shared secret; the top bit is ignored, as X25519 does.
bool x25519_is_low_order(const X25519Key& point) noexcept;

/// HPKE base mode: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305; one message per context,
/// sequence 0.
struct HpkeSealed {
  X25519Key enc;
  Bytes ciphertext;
};
Result<HpkeSealed> hpke_seal(const X25519Key& recipient, ByteView info, ByteView aad, ByteView plaintext,
                             const X25519KeyPair& ephemeral);
/// Errc::open_failed or Errc::zero_shared_secret.
Result<Bytes> hpke_open(const X25519KeyPair& recipient, const X25519Key& enc, ByteView info, ByteView aad,
                        ByteView ciphertext);

}  // namespace starling::crypto
