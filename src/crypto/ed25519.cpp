#include "crypto/ed25519.hpp"

#include <cryptopp/donna.h>

#include "base/assert.hpp"

// Crypto++ here and not OpenSSL 3.0, whose Ed25519 takes more than twice as long to sign and to verify.
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

// An empty message has no address, and the library wants one.
const std::uint8_t* address_of(ByteView message) noexcept {
  static constexpr std::uint8_t kNothing = 0;
  return message.empty() ? &kNothing : message.data();
}

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
  FixedBytes<32> out;
  const bool good = CryptoPP::Donna::ed25519_publickey(out.data(), seed.data()) == 0;
  STARLING_ASSERT(good);  // every 32 bytes are a seed
  return out;
}

Bytes sign(const FixedBytes<32>& seed, ByteView public_key, ByteView message) {
  STARLING_ASSERT(public_key.size() == kKeyBytes);
  Bytes out(kSignatureBytes);
  const bool good = CryptoPP::Donna::ed25519_sign(address_of(message), message.size(), seed.data(),
                                                  public_key.data(), out.data()) == 0;
  STARLING_ASSERT(good);
  return out;
}

// Who checks what: here, that A and R are canonical and not of small order, and that S < L. The library, that
// A is on the curve, and the equation without cofactor, by computing R again and comparing bytes: so a
// non-canonical R could not pass there either. Together that is what other libraries call strict
// verification; it leaves no second signature that somebody without the key could make of a first one.
bool verify(ByteView public_key, ByteView message, ByteView signature) {
  if (signature.size() != kSignatureBytes || !is_acceptable_point(public_key) ||
      !is_acceptable_point(signature.first(32)) || !is_below(signature.last(32), kOrder)) {
    return false;
  }
  return CryptoPP::Donna::ed25519_sign_open(address_of(message), message.size(), public_key.data(),
                                            signature.data()) == 0;
}

}  // namespace starling::crypto::ed25519
