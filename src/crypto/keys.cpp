#include "crypto/keys.hpp"

#include "base/assert.hpp"
#include "crypto/ed25519.hpp"
#include "crypto/errors.hpp"
#include "crypto/hash.hpp"
#include "crypto/pkix.hpp"
#include "crypto/secp256k1.hpp"

namespace starling::crypto {

std::string_view to_string(KeyType type) noexcept {
  switch (type) {
    case KeyType::rsa: return "rsa";
    case KeyType::ed25519: return "ed25519";
    case KeyType::secp256k1: return "secp256k1";
    case KeyType::ecdsa: return "ecdsa";
  }
  return "unknown";
}

Result<PublicKey> PublicKey::from_data(KeyType type, ByteView data) {
  switch (type) {
    case KeyType::ed25519:
      if (!ed25519::is_acceptable_point(data)) return fail(Errc::bad_key);
      break;
    case KeyType::secp256k1:
      if (!secp256k1::is_public_key(data)) return fail(Errc::bad_key);
      break;
    case KeyType::rsa:
    case KeyType::ecdsa: STARLING_TRY(pkix::check(type, data)); break;
    default: return fail(Errc::unsupported_key);
  }
  return PublicKey(type, to_bytes(data));
}

Result<void> PublicKey::verify(ByteView message, ByteView signature) const {
  if (signature.empty() || signature.size() > kSignatureBytesMax) return fail(Errc::bad_signature);
  bool good = false;
  switch (type_) {
    case KeyType::ed25519: good = ed25519::verify(data_, message, signature); break;
    case KeyType::secp256k1: good = secp256k1::verify(data_, sha256(message), signature); break;
    case KeyType::rsa:
    case KeyType::ecdsa: good = pkix::verify(data_, message, signature); break;
  }
  if (!good) return fail(Errc::bad_signature);
  return {};
}

PrivateKey PrivateKey::generate(KeyType type, Rng& rng) {
  STARLING_ASSERT(type == KeyType::ed25519 || type == KeyType::secp256k1);
  for (;;) {
    auto secret = rng.bytes<32>();
    auto key = from_data(type, secret);
    wipe(secret);
    // A scalar of 0 or past the group order comes once in 2^128.
    if (key) return *std::move(key);
  }
}

Result<PrivateKey> PrivateKey::from_data(KeyType type, ByteView data) {
  if (type != KeyType::ed25519 && type != KeyType::secp256k1) return fail(Errc::unsupported_key);
  if (data.size() < 32) return fail(Errc::bad_key);
  auto secret = *to_fixed<32>(data.first(32));
  ByteView copies = data.subspan(32);
  Bytes public_data;
  if (type == KeyType::ed25519) {
    public_data = to_bytes(ed25519::public_of(secret));
    // libp2p writes seed ‖ public key, once even seed ‖ public ‖ public. A copy that disagrees makes the
    // signatures of some implementations leak the key, so it is refused and not ignored.
    bool good = copies.size() <= 64 && copies.size() % 32 == 0;
    for (; good && !copies.empty(); copies = copies.subspan(32)) good = equal(copies.first(32), public_data);
    if (!good) public_data.clear();
  } else if (copies.empty()) {
    if (const auto point = secp256k1::public_of(secret)) public_data = to_bytes(*point);
  }
  auto key = PublicKey::from_data(type, public_data).map([&](PublicKey&& point) {
    return PrivateKey(secret, std::move(point));
  });
  wipe(secret);
  return key;
}

PrivateKey::~PrivateKey() { wipe(secret_); }

Bytes PrivateKey::sign(ByteView message) const {
  if (type() == KeyType::ed25519) return ed25519::sign(secret_, public_key_.data(), message);
  return secp256k1::sign(secret_, sha256(message));
}

}  // namespace starling::crypto
