#include "crypto/ed25519.hpp"

#include <openssl/evp.h>

#include "base/assert.hpp"
#include "crypto/evp.hpp"

namespace starling::crypto::ed25519 {
namespace {

// p = 2^255 − 19, little-endian as everything in Ed25519.
constexpr FixedBytes<32> kPrime = {0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                   0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                   0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f};
// The y coordinates of the eight points of small order: order 4 (0), 1 (1), 2 (p − 1) and 8 (the last two).
constexpr FixedBytes<32> kSmallOrderY[] = {
    {},
    {1},
    {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
    {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
     0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},
    {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
     0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a}};

}  // namespace

bool is_acceptable_point(ByteView encoded32) noexcept {
  auto y = to_fixed<32>(encoded32);
  if (!y) return false;
  (*y)[31] &= 0x7f;
  // y ≥ p, compared from the most significant byte.
  if (!std::lexicographical_compare(y->rbegin(), y->rend(), kPrime.rbegin(), kPrime.rend())) return false;
  // x = 0 exists for y = ±1 only, so its case of RFC 8032 is among the points of small order.
  return std::find(std::begin(kSmallOrderY), std::end(kSmallOrderY), *y) == std::end(kSmallOrderY);
}

FixedBytes<32> public_of(const FixedBytes<32>& seed) {
  const evp::Pkey key(EVP_PKEY_new_raw_private_key_ex(nullptr, "ED25519", nullptr, seed.data(), seed.size()));
  STARLING_ASSERT(key != nullptr);  // every 32 bytes are a seed
  FixedBytes<32> out;
  std::size_t size = out.size();
  const bool good = EVP_PKEY_get_raw_public_key(key.get(), out.data(), &size) == 1 && size == out.size();
  STARLING_ASSERT(good);
  return out;
}

Bytes sign(const FixedBytes<32>& seed, ByteView public_key, ByteView message) {
  const auto key = evp::new_key_pair("ED25519", seed, public_key);
  const auto context = evp::new_md_context();
  Bytes out(kSignatureBytes);
  std::size_t size = out.size();
  const bool good =
      EVP_DigestSignInit_ex(context.get(), nullptr, nullptr, nullptr, nullptr, key.get(), nullptr) == 1 &&
      EVP_DigestSign(context.get(), out.data(), &size, message.data(), message.size()) == 1 &&
      size == out.size();
  STARLING_ASSERT(good);
  return out;
}

// Who checks what: here, that A and R are canonical and not of small order. OpenSSL, that A is on the curve,
// that S < L, and the equation without cofactor, by computing R again and comparing bytes: so a non-canonical
// R could not pass there either. Together that is what other libraries call strict verification; it leaves no
// second signature that somebody without the key could make of a first one.
bool verify(ByteView public_key, ByteView message, ByteView signature) {
  if (signature.size() != kSignatureBytes || !is_acceptable_point(public_key) ||
      !is_acceptable_point(signature.first(32))) {
    return false;
  }
  const evp::ErrorQueueGuard guard;
  const evp::Pkey key(
      EVP_PKEY_new_raw_public_key_ex(nullptr, "ED25519", nullptr, public_key.data(), public_key.size()));
  if (key == nullptr) return false;
  const auto context = evp::new_md_context();
  return EVP_DigestVerifyInit_ex(context.get(), nullptr, nullptr, nullptr, nullptr, key.get(), nullptr) ==
             1 &&
         EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(),
                          message.size()) == 1;
}

}  // namespace starling::crypto::ed25519
