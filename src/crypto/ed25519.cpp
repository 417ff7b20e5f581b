#include "crypto/ed25519.hpp"

#include <sodium.h>

#include "base/assert.hpp"
#include "crypto/hash.hpp"
#include "crypto/sodium.hpp"

namespace starling::crypto::ed25519 {
namespace {

// p = 2^255 − 19, little-endian as everything in Ed25519.
constexpr FixedBytes<32> kPrime = {0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                   0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                   0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f};
// L, the order of the base point: 2^252 + 27742317777372353535851937790883648493.
constexpr FixedBytes<32> kOrder = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7,
                                   0xa2, 0xde, 0xf9, 0xde, 0x14, 0,    0,    0,    0,    0,    0,
                                   0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10};
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

// Both numbers little-endian, compared from the most significant byte.
bool is_below(ByteView number, const FixedBytes<32>& bound) noexcept {
  return std::lexicographical_compare(number.rbegin(), number.rend(), bound.rbegin(), bound.rend());
}

// The form of a private key that the library wants: seed, then public key.
struct SecretKey {
  SecretKey() = default;
  SecretKey(const SecretKey&) = delete;
  SecretKey& operator=(const SecretKey&) = delete;
  ~SecretKey() { wipe(bytes); }
  FixedBytes<2 * kKeyBytes> bytes;
};

}  // namespace

bool is_acceptable_point(ByteView encoded32) noexcept {
  auto y = to_fixed<32>(encoded32);
  if (!y) return false;
  (*y)[31] &= 0x7f;
  if (!is_below(*y, kPrime)) return false;
  // x = 0 exists for y = ±1 only, so its case of RFC 8032 is among the points of small order.
  return std::find(std::begin(kSmallOrderY), std::end(kSmallOrderY), *y) == std::end(kSmallOrderY);
}

FixedBytes<32> public_of(const FixedBytes<32>& seed) {
  sodium::prepare();
  FixedBytes<32> out;
  SecretKey pair;
  const bool good = crypto_sign_seed_keypair(out.data(), pair.bytes.data(), seed.data()) == 0;
  STARLING_ASSERT(good);  // every 32 bytes are a seed
  return out;
}

Bytes sign(const FixedBytes<32>& seed, ByteView public_key, ByteView message) {
  STARLING_ASSERT(public_key.size() == kKeyBytes);
  sodium::prepare();
  SecretKey pair;
  std::copy(seed.begin(), seed.end(), pair.bytes.begin());
  std::copy(public_key.begin(), public_key.end(), pair.bytes.begin() + kKeyBytes);
  Bytes out(kSignatureBytes);
  const bool good =
      crypto_sign_detached(out.data(), nullptr, message.data(), message.size(), pair.bytes.data()) == 0;
  STARLING_ASSERT(good);
  return out;
}

// The library is strict itself since its version 1.0.16, by settings of its build. We look at A, R and S too,
// so that what a node accepts is no matter of how somebody built it: A and R canonical and not of small
// order, S < L. Then the library: A is on the curve, and the equation without cofactor, by computing R again
// and comparing bytes. It leaves no second signature that somebody without the key could make of a first one.
bool verify(ByteView public_key, ByteView message, ByteView signature) {
  if (signature.size() != kSignatureBytes || !is_acceptable_point(public_key) ||
      !is_acceptable_point(signature.first(32)) || !is_below(signature.last(32), kOrder)) {
    return false;
  }
  sodium::prepare();
  return crypto_sign_verify_detached(signature.data(), message.data(), message.size(), public_key.data()) ==
         0;
}

}  // namespace starling::crypto::ed25519
