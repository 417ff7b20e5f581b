#include "crypto/secp256k1.hpp"

#include <secp256k1.h>
#include <secp256k1_recovery.h>

#include "base/assert.hpp"
#include "crypto/limits.hpp"

namespace starling::crypto::secp256k1 {
namespace {

constexpr std::uint8_t kRecoveryBase = 27;

// Never changed after it is made, so every thread may use it. Signing does not work with the library's static
// one.
const secp256k1_context* context() noexcept {
  static const secp256k1_context* const kContext = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
  return kContext;
}

std::optional<secp256k1_pubkey> parse(ByteView compressed) noexcept {
  secp256k1_pubkey key;
  if (compressed.size() != kPublicKeyBytes ||
      secp256k1_ec_pubkey_parse(context(), &key, compressed.data(), compressed.size()) != 1) {
    return std::nullopt;
  }
  return key;
}

FixedBytes<64> point_of(const secp256k1_pubkey& key) noexcept {
  FixedBytes<65> raw;
  std::size_t size = raw.size();
  secp256k1_ec_pubkey_serialize(context(), raw.data(), &size, &key, SECP256K1_EC_UNCOMPRESSED);
  FixedBytes<64> out;
  std::copy(raw.begin() + 1, raw.end(), out.begin());
  return out;
}

Bytes to_der(const secp256k1_ecdsa_signature& signature) {
  Bytes out(kSecp256k1DerBytesMax);
  std::size_t size = out.size();
  const int good = secp256k1_ecdsa_signature_serialize_der(context(), out.data(), &size, &signature);
  STARLING_ASSERT(good == 1);
  out.resize(size);
  return out;
}

}  // namespace

bool is_public_key(ByteView compressed) noexcept { return parse(compressed).has_value(); }

std::optional<FixedBytes<33>> public_of(const FixedBytes<32>& scalar) noexcept {
  secp256k1_pubkey key;
  if (secp256k1_ec_pubkey_create(context(), &key, scalar.data()) != 1) return std::nullopt;
  FixedBytes<33> out;
  std::size_t size = out.size();
  secp256k1_ec_pubkey_serialize(context(), out.data(), &size, &key, SECP256K1_EC_COMPRESSED);
  return out;
}

Bytes sign(const FixedBytes<32>& scalar, const Hash256& digest) {
  secp256k1_ecdsa_signature signature;
  const int good =
      secp256k1_ecdsa_sign(context(), &signature, digest.data(), scalar.data(), nullptr, nullptr);
  STARLING_ASSERT(good == 1);  // the scalar was checked when the key was made
  return to_der(signature);
}

bool verify(ByteView compressed, const Hash256& digest, ByteView der_signature) noexcept {
  const auto key = parse(compressed);
  if (!key || der_signature.size() > kSecp256k1DerBytesMax) return false;
  secp256k1_ecdsa_signature signature;
  if (secp256k1_ecdsa_signature_parse_der(context(), &signature, der_signature.data(),
                                          der_signature.size()) != 1)
    return false;
  // The library's parser is already strict; comparing what it would write leaves no doubt about lengths and
  // padding.
  std::uint8_t again[kSecp256k1DerBytesMax];
  std::size_t size = sizeof again;
  if (secp256k1_ecdsa_signature_serialize_der(context(), again, &size, &signature) != 1 ||
      !equal(der_signature, ByteView(again, size))) {
    return false;
  }
  // secp256k1_ecdsa_verify refuses a high s by itself. Never normalise in front of it: high s is
  // malleability.
  return secp256k1_ecdsa_verify(context(), &signature, digest.data(), &*key) == 1;
}

RecoverableSignature sign_recoverable(const FixedBytes<32>& scalar, const Hash256& digest) noexcept {
  secp256k1_ecdsa_recoverable_signature signature;
  const int good =
      secp256k1_ecdsa_sign_recoverable(context(), &signature, digest.data(), scalar.data(), nullptr, nullptr);
  RecoverableSignature out;
  int recovery_id = 0;
  secp256k1_ecdsa_recoverable_signature_serialize_compact(context(), out.data(), &recovery_id, &signature);
  // Ids 2 and 3 need an x coordinate between group order and field prime: one in 2^127.
  STARLING_ASSERT(good == 1 && recovery_id < 2);
  out[64] = static_cast<std::uint8_t>(kRecoveryBase + recovery_id);
  return out;
}

std::optional<FixedBytes<64>> recover(const Hash256& digest, ByteView signature65) noexcept {
  if (signature65.size() != 65) return std::nullopt;
  const int recovery_id = signature65[64] - kRecoveryBase;
  if (recovery_id != 0 && recovery_id != 1) return std::nullopt;
  secp256k1_ecdsa_recoverable_signature signature;
  if (secp256k1_ecdsa_recoverable_signature_parse_compact(context(), &signature, signature65.data(),
                                                          recovery_id) != 1)
    return std::nullopt;
  secp256k1_ecdsa_signature plain;
  secp256k1_ecdsa_recoverable_signature_convert(context(), &plain, &signature);
  const bool high = secp256k1_ecdsa_signature_normalize(context(), nullptr, &plain) == 1;
  secp256k1_pubkey key;
  if (high || secp256k1_ecdsa_recover(context(), &key, &signature, digest.data()) != 1) return std::nullopt;
  return point_of(key);
}

std::optional<FixedBytes<64>> uncompressed(ByteView compressed) noexcept {
  const auto key = parse(compressed);
  if (!key) return std::nullopt;
  return point_of(*key);
}

}  // namespace starling::crypto::secp256k1
