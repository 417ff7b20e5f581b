#include "crypto/kdf.hpp"

#include <gtest/gtest.h>

#include "crypto/errors.hpp"
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

bool is_refused(ScryptCost cost, std::size_t length = 32) {
  const auto key = scrypt(as_bytes("password"), as_bytes("salt"), cost, length);
  return !key && key.error().is(Errc::bad_parameter);
}

TEST(Scrypt, GivesTheKeysOfRfc7914) {
  const auto file = vectors();
  for (const auto& item : array_at(at(file, "scrypt"), "cases")) {
    const ScryptCost cost{number_at(item, "n"), static_cast<std::uint32_t>(number_at(item, "r")),
                          static_cast<std::uint32_t>(number_at(item, "p"))};
    const auto key = scrypt(hex_at(item, "password"), hex_at(item, "salt"), cost, number_at(item, "length"));
    ASSERT_TRUE(key.has_value());
    EXPECT_EQ(*key, hex_at(item, "key"));
  }
}

TEST(Scrypt, ACostThatIsNoneIsRefused) {
  for (const std::uint64_t n : {0u, 1u, 3u, 1000u, 16385u}) EXPECT_TRUE(is_refused({n, 8, 1})) << n;
  EXPECT_TRUE(is_refused({16, 0, 1}));
  EXPECT_TRUE(is_refused({16, 8, 0}));
  EXPECT_TRUE(is_refused({std::uint64_t{1} << 16, 1, 1}));  // N must be below 2^(128·r/8)
  EXPECT_FALSE(is_refused({std::uint64_t{1} << 15, 1, 1}));
}

TEST(Scrypt, MemoryAboveTheLimitIsRefusedWithoutBeingTaken) {
  const std::uint64_t most = kScryptMemoryBytesMax / 128 / 8;
  EXPECT_TRUE(is_refused({2 * most, 8, 1}));
  EXPECT_TRUE(is_refused({most, 16, 1}));
  EXPECT_TRUE(is_refused({std::uint64_t{1} << 63, 8, 1}));
  EXPECT_TRUE(is_refused({std::uint64_t{1} << 63, 0xffffffff, 0xffffffff}));
  EXPECT_TRUE(is_refused({2, 0xffffffff, 1}));
}

TEST(Scrypt, WorkAboveTheLimitIsRefused) {
  const auto too_many = static_cast<std::uint32_t>(kScryptWorkMax / 16 / 8 + 1);
  EXPECT_TRUE(is_refused({16, 8, too_many}));
  EXPECT_TRUE(is_refused({2, 1, 0xffffffff}));
}

TEST(Scrypt, AnEmptyOrHugeResultIsRefused) {
  EXPECT_TRUE(is_refused({16, 1, 1}, 0));
  EXPECT_TRUE(is_refused({16, 1, 1}, kDerivedBytesMax + 1));
  EXPECT_FALSE(is_refused({16, 1, 1}, kDerivedBytesMax));
}

TEST(Pbkdf2, GivesTheKeysOfRfc7914) {
  const auto file = vectors();
  for (const auto& item : array_at(at(file, "pbkdf2_sha256"), "cases")) {
    const auto key =
        pbkdf2_sha256(hex_at(item, "password"), hex_at(item, "salt"),
                      static_cast<std::uint32_t>(number_at(item, "rounds")), number_at(item, "length"));
    ASSERT_TRUE(key.has_value());
    EXPECT_EQ(*key, hex_at(item, "key"));
  }
}

TEST(Pbkdf2, RoundsAndLengthsOutsideTheLimitsAreRefused) {
  const auto refused = [](std::uint32_t rounds, std::size_t length) {
    const auto key = pbkdf2_sha256(as_bytes("p"), as_bytes("s"), rounds, length);
    return !key && key.error().is(Errc::bad_parameter);
  };
  EXPECT_TRUE(refused(0, 32));
  EXPECT_TRUE(refused(kPbkdf2RoundsMax + 1, 32));
  EXPECT_TRUE(refused(0xffffffff, 32));
  EXPECT_TRUE(refused(1, 0));
  EXPECT_TRUE(refused(1, kDerivedBytesMax + 1));
  EXPECT_FALSE(refused(1, kDerivedBytesMax));
}

// With Python's hashlib.pbkdf2_hmac("sha256", b"", b"", 1, 16).
TEST(Pbkdf2, TakesAnEmptyPasswordAndAnEmptySalt) {
  EXPECT_EQ(to_hex(pbkdf2_sha256({}, {}, 1, 16).value()), "f7ce0b653d2d72a4108cf5abe912ffdd");
}

TEST(Aes128Ctr, GivesTheCiphertextOfSp80038a) {
  const auto file = vectors();
  for (const auto& item : array_at(at(file, "aes128_ctr"), "cases")) {
    const Bytes key = hex_at(item, "key");
    const Bytes iv = hex_at(item, "iv");
    const Bytes plaintext = hex_at(item, "plaintext");
    const Bytes ciphertext = hex_at(item, "ciphertext");
    EXPECT_EQ(aes128_ctr(key, iv, plaintext), ciphertext);
    EXPECT_EQ(aes128_ctr(key, iv, ciphertext), plaintext);
    for (std::size_t size = 0; size < plaintext.size(); ++size) {
      EXPECT_EQ(aes128_ctr(key, iv, ByteView(plaintext).first(size)),
                to_bytes(ByteView(ciphertext).first(size)));
    }
  }
}

TEST(Aes128Ctr, AKeyOrIvOfAnotherSizeIsRefused) {
  const Bytes sixteen(16);
  for (const std::size_t size : {0u, 15u, 17u, 32u}) {
    EXPECT_TRUE(aes128_ctr(Bytes(size), sixteen, {}).error().is(Errc::bad_parameter));
    EXPECT_TRUE(aes128_ctr(sixteen, Bytes(size), {}).error().is(Errc::bad_parameter));
  }
}

}  // namespace
}  // namespace starling::crypto
