#include "crypto/hash.hpp"

#include <gtest/gtest.h>

#include "crypto/limits.hpp"
#include "testkit/json.hpp"

namespace starling::crypto {
namespace {

using testkit::array_at;
using testkit::at;
using testkit::hex_at;
using testkit::number_at;

testkit::json::value vectors() {
  return testkit::read_json("tests/conformance/vectors/crypto/symmetric.json");
}

// Calls `hash` with the message whole and in every cut of two parts.
template <class Hash>
void expect_for_every_cut(const Bytes& message, const Bytes& expected, Hash hash) {
  const ByteView view(message);
  for (std::size_t cut = 0; cut <= message.size(); ++cut)
    ASSERT_EQ(to_bytes(hash(view.first(cut), view.subspan(cut))), expected) << "cut at " << cut;
}

TEST(Sha256, GivesTheDigestsOfFips180) {
  const auto file = vectors();
  for (const auto& item : array_at(at(file, "sha256"), "cases")) {
    const Bytes message = hex_at(item, "message");
    EXPECT_EQ(to_bytes(sha256(message)), hex_at(item, "digest"));
    expect_for_every_cut(message, hex_at(item, "digest"), [](ByteView a, ByteView b) {
      return sha256({a, b});
    });
  }
}

TEST(Keccak256, IsThatOfEthereumAndNotSha3) {
  const auto file = vectors();
  for (const auto& item : array_at(at(file, "keccak256"), "cases")) {
    const Bytes message = hex_at(item, "message");
    EXPECT_EQ(to_bytes(keccak256(message)), hex_at(item, "digest"));
    expect_for_every_cut(message, hex_at(item, "digest"), [](ByteView a, ByteView b) {
      return keccak256({a, b});
    });
  }
}

TEST(HmacSha256, GivesTheCodesOfRfc4231) {
  const auto file = vectors();
  for (const auto& item : array_at(at(file, "hmac_sha256"), "cases")) {
    const Bytes key = hex_at(item, "key");
    expect_for_every_cut(hex_at(item, "message"), hex_at(item, "mac"), [&](ByteView a, ByteView b) {
      return hmac_sha256(key, {a, b});
    });
  }
}

// With Python's hmac module: hmac.new(b"", b"", "sha256").
TEST(HmacSha256, TakesAnEmptyKeyAndAnEmptyMessage) {
  EXPECT_EQ(to_hex(hmac_sha256({}, {})), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(Hkdf, GivesTheKeysOfRfc5869) {
  const auto file = vectors();
  for (const auto& item : array_at(at(file, "hkdf_sha256"), "cases")) {
    const auto prk = hkdf_extract(hex_at(item, "salt"), hex_at(item, "ikm"));
    EXPECT_EQ(to_bytes(prk), hex_at(item, "prk"));
    const Bytes info = hex_at(item, "info");
    const std::size_t length = number_at(item, "length");
    EXPECT_EQ(hkdf_expand(prk, {info}, length), hex_at(item, "okm"));
    const ByteView view(info);
    EXPECT_EQ(hkdf_expand(prk, {view.first(info.size() / 2), view.subspan(info.size() / 2)}, length),
              hex_at(item, "okm"));
  }
}

TEST(Hkdf, GivesEveryLengthUpToItsLimit) {
  const Hash256 prk = sha256(as_bytes("key"));
  const Bytes longest = hkdf_expand(prk, {}, kHkdfOutputBytesMax);
  ASSERT_EQ(longest.size(), kHkdfOutputBytesMax);
  for (const std::size_t length : {0u, 1u, 31u, 32u, 33u, 64u, 8159u})
    EXPECT_EQ(hkdf_expand(prk, {}, length), to_bytes(ByteView(longest).first(length)));
}

TEST(HkdfDeathTest, PastTheLimitIsOurMistake) {
  EXPECT_DEATH((void)hkdf_expand({}, {}, kHkdfOutputBytesMax + 1), "assertion failed");
}

TEST(ConstantTimeEqual, ComparesLikeEqual) {
  const Bytes a{1, 2, 3};
  EXPECT_TRUE(constant_time_equal(a, Bytes{1, 2, 3}));
  EXPECT_FALSE(constant_time_equal(a, Bytes{1, 2, 4}));
  EXPECT_FALSE(constant_time_equal(a, Bytes{1, 2}));
  EXPECT_TRUE(constant_time_equal({}, {}));
}

TEST(Wipe, LeavesZeros) {
  Bytes secret{1, 2, 3};
  wipe(secret);
  EXPECT_EQ(secret, Bytes(3, 0));
  wipe({});
}

}  // namespace
}  // namespace starling::crypto
