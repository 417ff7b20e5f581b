#include "crypto/keys.hpp"

#include <gtest/gtest.h>

#include "crypto/errors.hpp"
#include "testkit/json.hpp"

namespace starling::crypto {
namespace {

using testkit::array_at;
using testkit::hex_at;
using testkit::text_at;

testkit::json::value vectors() { return testkit::read_json("tests/conformance/vectors/crypto/keys.json"); }

KeyType type_of(const testkit::json::value& item) {
  const std::string name = text_at(item, "type");
  for (const auto type : {KeyType::rsa, KeyType::ed25519, KeyType::secp256k1, KeyType::ecdsa})
    if (name == to_string(type)) return type;
  ADD_FAILURE() << "unknown key type " << name;
  return KeyType::rsa;
}

TEST(PublicKey, RsaAndEcdsaKeysOfEverySizeInUseVerify) {
  const auto file = vectors();
  for (const auto& item : array_at(file, "good")) {
    const auto key = PublicKey::from_data(type_of(item), hex_at(item, "data"));
    ASSERT_TRUE(key.has_value()) << text_at(item, "name");
    EXPECT_EQ(to_bytes(key->data()), hex_at(item, "data"));
    EXPECT_EQ(key->type(), type_of(item));
    EXPECT_TRUE(key->verify(hex_at(item, "message"), hex_at(item, "signature")).has_value())
        << text_at(item, "name");
    EXPECT_FALSE(key->verify(as_bytes("another"), hex_at(item, "signature")).has_value())
        << text_at(item, "name");
  }
}

// threats.md E.3 #40: lengths that are no DER, and every other second encoding of a key.
TEST(PublicKey, DataThatIsNotTheOneEncodingOfAKeyIsRefused) {
  const auto file = vectors();
  const auto& cases = array_at(file, "bad_keys");
  ASSERT_GE(cases.size(), 70u);
  for (const auto& item : cases) {
    const auto key = PublicKey::from_data(type_of(item), hex_at(item, "data"));
    ASSERT_FALSE(key.has_value()) << text_at(item, "name");
    const std::string expected = text_at(item, "error");
    const Errc code = expected == "bad_key"         ? Errc::bad_key
                      : expected == "key_too_large" ? Errc::key_too_large
                                                    : Errc::unsupported_key;
    EXPECT_EQ(key.error(), make_error(code)) << text_at(item, "name");
  }
}

// threats.md E.3 #17: CVE-2023-39533. The vectors hold keys of 8,193 to 16,384 bits and of 2,047 bits and
// less.
TEST(PublicKey, RsaKeysOutsideTheAcceptedSizesAreRefused) {
  const auto file = vectors();
  int count = 0;
  for (const auto& item : array_at(file, "bad_keys")) {
    if (text_at(item, "error") != "key_too_large") continue;
    const auto key = PublicKey::from_data(KeyType::rsa, hex_at(item, "data"));
    ASSERT_FALSE(key.has_value());
    EXPECT_TRUE(key.error().is(Errc::key_too_large)) << text_at(item, "name");
    EXPECT_EQ(key.error().kind(), Kind::limit);
    ++count;
  }
  EXPECT_EQ(count, 6);
}

TEST(PublicKey, DataAboveItsLimitIsRefusedUnparsed) {
  const Bytes garbage(kPublicKeyDataBytesMax + 1, 0x30);
  EXPECT_TRUE(PublicKey::from_data(KeyType::rsa, garbage).error().is(Errc::key_too_large));
  EXPECT_TRUE(PublicKey::from_data(KeyType::ecdsa, garbage).error().is(Errc::bad_key));
}

// threats.md E.3 #20: a verifier that accepts any signature.
TEST(PublicKey, WrongSignaturesAreRefusedForEveryKeyType) {
  const auto file = vectors();
  for (const auto& item : array_at(file, "bad_signatures")) {
    const auto key = PublicKey::from_data(type_of(item), hex_at(item, "data"));
    ASSERT_TRUE(key.has_value()) << text_at(item, "name");
    const auto verdict = key->verify(hex_at(item, "message"), hex_at(item, "signature"));
    ASSERT_FALSE(verdict.has_value()) << text_at(item, "name");
    EXPECT_TRUE(verdict.error().is(Errc::bad_signature));
  }
  SeededRng rng(testkit::seed(50));
  for (const auto type : {KeyType::ed25519, KeyType::secp256k1}) {
    const auto key = PrivateKey::generate(type, rng);
    const auto other = PrivateKey::generate(type, rng);
    const Bytes signature = key.sign(as_bytes("message"));
    EXPECT_TRUE(key.public_key().verify(as_bytes("message"), signature).has_value());
    EXPECT_FALSE(key.public_key().verify(as_bytes("massage"), signature).has_value());
    EXPECT_FALSE(other.public_key().verify(as_bytes("message"), signature).has_value());
    for (const std::size_t size : {0u, 1u, 63u, 64u, 65u, 70u, 1024u}) {
      Bytes noise(size);
      rng.fill(noise);
      EXPECT_FALSE(key.public_key().verify(as_bytes("message"), noise).has_value()) << size;
    }
  }
}

TEST(PublicKey, SignaturesAboveTheLimitAreRefused) {
  const auto file = vectors();
  for (const auto& item : array_at(file, "good")) {
    const auto key = PublicKey::from_data(type_of(item), hex_at(item, "data")).value();
    EXPECT_TRUE(key.verify({}, Bytes(kSignatureBytesMax + 1)).error().is(Errc::bad_signature));
    EXPECT_TRUE(key.verify({}, {}).error().is(Errc::bad_signature));
  }
}

// A byte more or less, or another one, is either another key or none: nothing else may come out.
TEST(PublicKey, EveryTruncatedKeyIsRefused) {
  const auto file = vectors();
  for (const auto& item : array_at(file, "good")) {
    const Bytes data = hex_at(item, "data");
    const std::size_t step = data.size() > 400 ? 13 : 1;
    for (std::size_t size = 0; size < data.size(); size += step) {
      ASSERT_FALSE(PublicKey::from_data(type_of(item), ByteView(data).first(size)).has_value())
          << text_at(item, "name") << ' ' << size;
    }
  }
}

TEST(PublicKey, ATypeThatDoesNotExistIsUnsupported) {
  EXPECT_TRUE(PublicKey::from_data(static_cast<KeyType>(4), Bytes(32)).error().is(Errc::unsupported_key));
}

TEST(PrivateKey, OnlyEd25519AndSecp256k1Sign) {
  EXPECT_TRUE(PrivateKey::from_data(KeyType::rsa, Bytes(32, 1)).error().is(Errc::unsupported_key));
  EXPECT_TRUE(PrivateKey::from_data(KeyType::ecdsa, Bytes(32, 1)).error().is(Errc::unsupported_key));
}

TEST(PrivateKeyDeathTest, GeneratingAnotherTypeIsOurMistake) {
  SeededRng rng(1);
  EXPECT_DEATH((void)PrivateKey::generate(KeyType::rsa, rng), "assertion failed");
}

TEST(PrivateKey, ComesFromTheGivenRandomnessAlone) {
  for (const auto type : {KeyType::ed25519, KeyType::secp256k1}) {
    SeededRng first(51);
    SeededRng second(51);
    SeededRng third(52);
    const auto key = PrivateKey::generate(type, first);
    const auto same = PrivateKey::generate(type, second);
    const auto other = PrivateKey::generate(type, third);
    EXPECT_EQ(key.public_key(), same.public_key());
    EXPECT_EQ(to_bytes(key.secret()), to_bytes(same.secret()));
    EXPECT_FALSE(key.public_key() == other.public_key());
    EXPECT_EQ(key.sign(as_bytes("m")), same.sign(as_bytes("m")));
    EXPECT_EQ(key.type(), type);
  }
}

// A source that first gives scalars which are no keys.
class StubbornRng final : public Rng {
 public:
  void fill(MutableByteView out) override {
    const std::uint8_t value = calls++ == 0 ? 0xff : calls == 2 ? 0x00 : 0x11;
    std::fill(out.begin(), out.end(), value);
  }
  int calls = 0;
};

TEST(PrivateKey, GenerateAsksAgainUntilTheScalarIsAKey) {
  StubbornRng rng;
  const auto key = PrivateKey::generate(KeyType::secp256k1, rng);
  EXPECT_EQ(rng.calls, 3);
  EXPECT_EQ(to_bytes(key.secret()), Bytes(32, 0x11));
}

TEST(KeyType, EveryTypeHasAName) {
  EXPECT_EQ(to_string(KeyType::rsa), "rsa");
  EXPECT_EQ(to_string(KeyType::ed25519), "ed25519");
  EXPECT_EQ(to_string(KeyType::secp256k1), "secp256k1");
  EXPECT_EQ(to_string(KeyType::ecdsa), "ecdsa");
}

}  // namespace
}  // namespace starling::crypto
