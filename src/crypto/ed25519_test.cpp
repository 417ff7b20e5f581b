#include "crypto/ed25519.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include "crypto/errors.hpp"
#include "crypto/evp.hpp"
#include "crypto/keys.hpp"
#include "testkit/json.hpp"

namespace starling::crypto {
namespace {

using testkit::array_at;
using testkit::hex_at;
using testkit::text_at;

testkit::json::value vectors() { return testkit::read_json("tests/conformance/vectors/crypto/ed25519.json"); }

TEST(Ed25519, SignsAndVerifiesAsInRfc8032) {
  const auto file = vectors();
  for (const auto& item : array_at(file, "good")) {
    const auto key = PrivateKey::from_data(KeyType::ed25519, hex_at(item, "seed"));
    ASSERT_TRUE(key.has_value());
    EXPECT_EQ(to_bytes(key->public_key().data()), hex_at(item, "public"));
    EXPECT_EQ(key->sign(hex_at(item, "message")), hex_at(item, "signature"));
    EXPECT_TRUE(key->public_key().verify(hex_at(item, "message"), hex_at(item, "signature")).has_value());
  }
}

// Signatures that a laxer verifier takes: S of L and more, R of small order or not canonical, cofactor.
TEST(Ed25519, RefusesEverySignatureThatIsNotStrict) {
  const auto file = vectors();
  const auto& cases = array_at(file, "bad_signatures");
  ASSERT_GE(cases.size(), 15u);
  for (const auto& item : cases) {
    const auto key = PublicKey::from_data(KeyType::ed25519, hex_at(item, "public"));
    ASSERT_TRUE(key.has_value()) << text_at(item, "name");
    const auto verdict = key->verify(hex_at(item, "message"), hex_at(item, "signature"));
    ASSERT_FALSE(verdict.has_value()) << text_at(item, "name");
    EXPECT_TRUE(verdict.error().is(Errc::bad_signature));
  }
}

TEST(Ed25519, RefusesKeysOfSmallOrderAndKeysThatAreNotCanonical) {
  const auto file = vectors();
  const auto& cases = array_at(file, "bad_keys");
  ASSERT_GE(cases.size(), 17u);
  for (const auto& item : cases) {
    const auto key = PublicKey::from_data(KeyType::ed25519, hex_at(item, "public"));
    ASSERT_FALSE(key.has_value()) << text_at(item, "name");
    EXPECT_TRUE(key.error().is(Errc::bad_key));
  }
}

// With the identity as key, (S·B, S) satisfies the equation for every message and every S: anybody can sign.
TEST(Ed25519, VerifyItselfRefusesASmallOrderKeyForWhichAnybodySigns) {
  const auto file = vectors();
  const auto& forgery = testkit::at(file, "forgery");
  EXPECT_FALSE(
      ed25519::verify(hex_at(forgery, "public"), hex_at(forgery, "message"), hex_at(forgery, "signature")));
}

TEST(Ed25519, EveryFlippedBitOfASignatureIsNoticed) {
  SeededRng rng(testkit::seed(31));
  const auto key = PrivateKey::generate(KeyType::ed25519, rng);
  const auto signature = key.sign(as_bytes("message"));
  ASSERT_EQ(signature.size(), ed25519::kSignatureBytes);
  for (std::size_t bit = 0; bit < signature.size() * 8; ++bit) {
    Bytes altered = signature;
    altered[bit / 8] ^= static_cast<std::uint8_t>(1 << (bit % 8));
    ASSERT_FALSE(key.public_key().verify(as_bytes("message"), altered).has_value()) << bit;
  }
}

// Two libraries that know nothing of each other: messages of every length around the hash's block.
TEST(Ed25519, OpenSslSignsTheSameAndVerifiesOurs) {
  SeededRng rng(testkit::seed(34));
  for (std::size_t size = 0; size < 300; size += 1 + size / 40) {
    const auto seed = rng.bytes<32>();
    Bytes message(size);
    rng.fill(message);
    const auto public_key = ed25519::public_of(seed);
    const evp::Pkey theirs(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.data(), seed.size()));
    Bytes signature(ed25519::kSignatureBytes);
    std::size_t length = signature.size();
    const auto signer = evp::new_md_context();
    ASSERT_EQ(EVP_DigestSignInit(signer.get(), nullptr, nullptr, nullptr, theirs.get()), 1);
    ASSERT_EQ(EVP_DigestSign(signer.get(), signature.data(), &length, message.data(), message.size()), 1);
    EXPECT_EQ(ed25519::sign(seed, public_key, message), signature) << size;
    EXPECT_TRUE(ed25519::verify(public_key, message, signature)) << size;
  }
}

TEST(Ed25519, PrivateKeysAreReadInAllThreeFormsOfLibp2p) {
  SeededRng rng(testkit::seed(32));
  const auto key = PrivateKey::generate(KeyType::ed25519, rng);
  Bytes data = to_bytes(key.secret());
  for (int copies = 0; copies <= 2; ++copies) {
    const auto again = PrivateKey::from_data(KeyType::ed25519, data);
    ASSERT_TRUE(again.has_value()) << copies;
    EXPECT_EQ(again->public_key(), key.public_key());
    EXPECT_EQ(to_bytes(again->secret()), to_bytes(key.secret()));
    append(data, key.public_key().data());
  }
  EXPECT_TRUE(PrivateKey::from_data(KeyType::ed25519, data).error().is(Errc::bad_key)) << "three copies";
}

TEST(Ed25519, APrivateKeyWithAnotherPublicKeyIsRefused) {
  SeededRng rng(testkit::seed(33));
  const auto key = PrivateKey::generate(KeyType::ed25519, rng);
  Bytes data = to_bytes(key.secret());
  append(data, key.public_key().data());
  append(data, key.public_key().data());
  for (const std::size_t i : {32u, 63u, 64u, 95u}) {
    Bytes altered = data;
    altered[i] ^= 1;
    EXPECT_TRUE(PrivateKey::from_data(KeyType::ed25519, altered).error().is(Errc::bad_key)) << i;
  }
  for (const std::size_t size : {0u, 31u, 33u, 48u, 63u, 65u, 95u})
    EXPECT_TRUE(PrivateKey::from_data(KeyType::ed25519, ByteView(data).first(size)).error().is(Errc::bad_key))
        << size;
}

}  // namespace
}  // namespace starling::crypto
