#include "crypto/aead.hpp"

#include <gtest/gtest.h>

#include "base/rng.hpp"
#include "crypto/errors.hpp"
#include "testkit/json.hpp"

namespace starling::crypto {
namespace {

using testkit::array_at;
using testkit::at;
using testkit::hex_at;

Bytes seal(ChaChaPoly& aead, const AeadNonce& nonce, ByteView aad, std::span<const ByteView> parts) {
  std::size_t size = kAeadTagBytes;
  for (const auto part : parts) size += part.size();
  Bytes out(size);
  aead.seal(nonce, aad, parts, out);
  return out;
}

struct Case {
  AeadKey key;
  AeadNonce nonce;
  Bytes aad;
  Bytes plaintext;
  Bytes sealed;
};

std::vector<Case> rfc_cases() {
  std::vector<Case> out;
  const auto file = testkit::read_json("tests/conformance/vectors/crypto/symmetric.json");
  for (const auto& item : array_at(at(file, "chacha20_poly1305"), "cases")) {
    out.push_back({*to_fixed<32>(hex_at(item, "key")), *to_fixed<12>(hex_at(item, "nonce")),
                   hex_at(item, "aad"), hex_at(item, "plaintext"), hex_at(item, "sealed")});
  }
  return out;
}

TEST(ChaChaPoly, SealsAndOpensTheMessagesOfRfc8439) {
  for (const auto& item : rfc_cases()) {
    ChaChaPoly aead(item.key);
    const ByteView whole(item.plaintext);
    EXPECT_EQ(seal(aead, item.nonce, item.aad, std::span(&whole, 1)), item.sealed);
    Bytes buffer = item.sealed;
    const auto opened = aead.open_in_place(item.nonce, item.aad, buffer);
    ASSERT_TRUE(opened.has_value());
    EXPECT_EQ(to_bytes(*opened), item.plaintext);
    EXPECT_EQ(opened->data(), buffer.data());
  }
}

TEST(ChaChaPoly, TheCutsBetweenPartsDoNotMatter) {
  SeededRng rng(testkit::seed(10));
  const AeadKey key = rng.bytes<32>();
  ChaChaPoly aead(key);
  for (int round = 0; round < 200; ++round) {
    Bytes plaintext(rng.below(1'000));
    rng.fill(plaintext);
    const auto nonce = rng.bytes<12>();
    const ByteView whole(plaintext);
    const Bytes expected = seal(aead, nonce, {}, std::span(&whole, 1));
    std::vector<ByteView> parts;
    testkit::in_random_pieces(rng, plaintext, 130, [&](ByteView piece) {
      parts.push_back(piece);
      if (rng.below(4) == 0) parts.emplace_back();
    });
    ASSERT_EQ(seal(aead, nonce, {}, parts), expected);
  }
}

TEST(ChaChaPoly, OneObjectServesBothDirectionsInAnyOrder) {
  SeededRng rng(testkit::seed(11));
  const AeadKey key = rng.bytes<32>();
  ChaChaPoly mixed(key);
  for (int round = 0; round < 300; ++round) {
    ChaChaPoly fresh(key);
    Bytes plaintext(rng.below(300));
    rng.fill(plaintext);
    Bytes aad(rng.below(40));
    rng.fill(aad);
    const auto nonce = rng.bytes<12>();
    const ByteView whole(plaintext);
    Bytes sealed = seal(fresh, nonce, aad, std::span(&whole, 1));
    if (rng.below(2) == 0) {
      ASSERT_EQ(seal(mixed, nonce, aad, std::span(&whole, 1)), sealed);
    }
    if (rng.below(3) == 0) {
      Bytes broken = sealed;
      broken[rng.below(broken.size())] ^= 1;
      ASSERT_TRUE(mixed.open_in_place(nonce, aad, broken).error().is(Errc::open_failed));
    }
    const auto opened = mixed.open_in_place(nonce, aad, sealed);
    ASSERT_TRUE(opened.has_value());
    ASSERT_EQ(to_bytes(*opened), plaintext);
  }
}

TEST(ChaChaPoly, EveryFlippedBitOfTheMessageIsNoticed) {
  const Case item = rfc_cases().front();
  ChaChaPoly aead(item.key);
  for (std::size_t bit = 0; bit < item.sealed.size() * 8; ++bit) {
    Bytes broken = item.sealed;
    broken[bit / 8] ^= static_cast<std::uint8_t>(1 << (bit % 8));
    ASSERT_TRUE(aead.open_in_place(item.nonce, item.aad, broken).error().is(Errc::open_failed)) << bit;
  }
}

TEST(ChaChaPoly, AnotherKeyNonceOrAdditionalDataOpensNothing) {
  const Case item = rfc_cases().front();
  ChaChaPoly aead(item.key);
  Bytes buffer = item.sealed;
  AeadNonce nonce = item.nonce;
  nonce[11] ^= 1;
  EXPECT_TRUE(aead.open_in_place(nonce, item.aad, buffer).error().is(Errc::open_failed));
  buffer = item.sealed;
  Bytes aad = item.aad;
  aad.push_back(0);
  EXPECT_TRUE(aead.open_in_place(item.nonce, aad, buffer).error().is(Errc::open_failed));
  buffer = item.sealed;
  EXPECT_TRUE(aead.open_in_place(item.nonce, {}, buffer).error().is(Errc::open_failed));
  AeadKey key = item.key;
  key[0] ^= 1;
  buffer = item.sealed;
  EXPECT_TRUE(ChaChaPoly(key).open_in_place(item.nonce, item.aad, buffer).error().is(Errc::open_failed));
}

TEST(ChaChaPoly, EveryTruncationIsRefused) {
  const Case item = rfc_cases().front();
  ChaChaPoly aead(item.key);
  for (std::size_t size = 0; size < item.sealed.size(); ++size) {
    Bytes cut(item.sealed.begin(), item.sealed.begin() + static_cast<std::ptrdiff_t>(size));
    ASSERT_TRUE(aead.open_in_place(item.nonce, item.aad, cut).error().is(Errc::open_failed)) << size;
  }
}

TEST(ChaChaPoly, AnEmptyMessageIsItsTag) {
  ChaChaPoly aead(AeadKey{});
  Bytes sealed = seal(aead, {}, as_bytes("aad"), {});
  ASSERT_EQ(sealed.size(), kAeadTagBytes);
  const auto opened = aead.open_in_place({}, as_bytes("aad"), sealed);
  ASSERT_TRUE(opened.has_value());
  EXPECT_TRUE(opened->empty());
}

TEST(ChaChaPoly, KeepsItsKeyWhenItIsMoved) {
  const Case item = rfc_cases().front();
  ChaChaPoly first(item.key);
  ChaChaPoly second = std::move(first);
  const ByteView whole(item.plaintext);
  EXPECT_EQ(seal(second, item.nonce, item.aad, std::span(&whole, 1)), item.sealed);
}

TEST(ChaChaPolyDeathTest, AnOutputOfAnotherSizeIsOurMistake) {
  ChaChaPoly aead(AeadKey{});
  const Bytes plaintext(10);
  const ByteView whole(plaintext);
  Bytes small(25);
  Bytes large(27);
  EXPECT_DEATH(aead.seal({}, {}, std::span(&whole, 1), small), "assertion failed");
  EXPECT_DEATH(aead.seal({}, {}, std::span(&whole, 1), large), "assertion failed");
}

}  // namespace
}  // namespace starling::crypto
