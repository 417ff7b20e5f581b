#include "crypto/pkix.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "crypto/errors.hpp"
#include "crypto/evp.hpp"

namespace starling::crypto::pkix {
namespace {

// A SubjectPublicKeyInfo of a named curve with an uncompressed point is these bytes and then x ‖ y: comparing
// them refuses explicit curve parameters, compressed and hybrid points, and every other second encoding of a
// key.
struct Curve {
  ByteView prefix;
  std::size_t coordinate_bytes;
};
constexpr std::uint8_t kP256Prefix[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                        0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                        0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04};
constexpr std::uint8_t kP384Prefix[] = {0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86,
                                        0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b,
                                        0x81, 0x04, 0x00, 0x22, 0x03, 0x62, 0x00, 0x04};
constexpr std::uint8_t kP521Prefix[] = {0x30, 0x81, 0x9b, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86,
                                        0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b, 0x81,
                                        0x04, 0x00, 0x23, 0x03, 0x81, 0x86, 0x00, 0x04};
constexpr Curve kCurves[] = {{kP256Prefix, 32}, {kP384Prefix, 48}, {kP521Prefix, 66}};

bool starts_with(ByteView bytes, ByteView prefix) noexcept {
  return bytes.size() >= prefix.size() && equal(bytes.first(prefix.size()), prefix);
}

// d2i_PUBKEY checks that a point is on its curve. Bytes behind the key are refused here.
evp::Pkey decode(ByteView der) {
  const std::uint8_t* cursor = der.data();
  evp::Pkey key(d2i_PUBKEY(nullptr, &cursor, static_cast<long>(der.size())));
  if (key != nullptr && cursor != der.data() + der.size()) key.reset();
  return key;
}

Result<void> check_ecdsa(ByteView der) {
  for (const auto& curve : kCurves) {
    if (!starts_with(der, curve.prefix)) continue;
    if (der.size() != curve.prefix.size() + 2 * curve.coordinate_bytes || decode(der) == nullptr)
      return fail(Errc::bad_key);
    return {};
  }
  const auto key = decode(der);
  const bool is_ec = key != nullptr && EVP_PKEY_get_base_id(key.get()) == EVP_PKEY_EC;
  if (!is_ec) return fail(Errc::bad_key);
  char group[64] = {};
  std::size_t size = 0;
  const bool named = EVP_PKEY_get_group_name(key.get(), group, sizeof group, &size) == 1;
  const std::string_view name(group, named ? size : 0);
  const bool ours = name == "prime256v1" || name == "secp384r1" || name == "secp521r1";
  // One of our curves in another encoding is a bad key; another curve is one that we do not use.
  return ours ? fail(Errc::bad_key) : fail(Errc::unsupported_key);
}

bool has_good_exponent(const EVP_PKEY* key) {
  BIGNUM* raw = nullptr;
  if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &raw) != 1) return false;
  const bool good = BN_num_bits(raw) <= kRsaExponentBitsMax && BN_is_odd(raw) && !BN_is_one(raw);
  BN_free(raw);
  return good;
}

bool encodes_to(const EVP_PKEY* key, ByteView der) {
  std::uint8_t* raw = nullptr;
  const int size = i2d_PUBKEY(key, &raw);
  const bool same = size > 0 && equal(der, ByteView(raw, static_cast<std::size_t>(size)));
  OPENSSL_free(raw);
  return same;
}

Result<void> check_rsa(ByteView der) {
  const auto key = decode(der);
  if (key == nullptr || EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_RSA) return fail(Errc::bad_key);
  const int bits = EVP_PKEY_get_bits(key.get());
  if (bits < static_cast<int>(kRsaBitsMin) || bits > static_cast<int>(kRsaBitsMax))
    return fail(Errc::key_too_large);
  if (!has_good_exponent(key.get()) || !encodes_to(key.get(), der)) return fail(Errc::bad_key);
  return {};
}

}  // namespace

Result<void> check(KeyType type, ByteView der) {
  // Before anything is parsed: no key that we accept is larger, and a huge one is a weapon (CVE-2023-39533).
  if (der.size() > kPublicKeyDataBytesMax)
    return fail(type == KeyType::rsa ? Errc::key_too_large : Errc::bad_key);
  const evp::ErrorQueueGuard guard;
  return type == KeyType::rsa ? check_rsa(der) : check_ecdsa(der);
}

bool verify(ByteView der, ByteView message, ByteView signature) {
  const evp::ErrorQueueGuard guard;
  const auto key = decode(der);
  if (key == nullptr) return false;
  const auto context = evp::new_md_context();
  return EVP_DigestVerifyInit_ex(context.get(), nullptr, "SHA256", nullptr, nullptr, key.get(), nullptr) ==
             1 &&
         EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(),
                          message.size()) == 1;
}

}  // namespace starling::crypto::pkix
