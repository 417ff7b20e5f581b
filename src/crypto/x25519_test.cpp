#include "crypto/x25519.hpp"

#include <gtest/gtest.h>

#include "crypto/errors.hpp"
#include "testkit/json.hpp"

namespace starling::crypto {
namespace {

using testkit::array_at;
using testkit::at;
using testkit::hex_at;

X25519Key key_at(const testkit::json::value& object, std::string_view name) {
  return to_fixed<32>(hex_at(object, name)).value();
}
testkit::json::value rfc7748() { return testkit::read_json("tests/conformance/vectors/crypto/x25519.json"); }
testkit::json::value hpke() { return testkit::read_json("tests/conformance/vectors/agent/hpke.json"); }

TEST(X25519, MultipliesAsInRfc7748) {
  const auto file = rfc7748();
  for (const auto& item : array_at(file, "cases"))
    EXPECT_EQ(x25519(key_at(item, "scalar"), key_at(item, "u")), key_at(item, "out"));
}

TEST(X25519, ReachesTheKeyOfRfc7748AfterAThousandRounds) {
  const auto file = rfc7748();
  const auto& steps = at(file, "iterated");
  X25519Key k = key_at(steps, "start");
  X25519Key u = k;
  for (int round = 1; round <= 1'000; ++round) {
    const auto product = x25519(k, u);
    ASSERT_TRUE(product.has_value());
    u = k;
    k = *product;
    if (round == 1) {
      EXPECT_EQ(k, key_at(steps, "after_1"));
    }
  }
  EXPECT_EQ(k, key_at(steps, "after_1000"));
}

TEST(X25519, AliceAndBobOfRfc7748Agree) {
  const auto file = rfc7748();
  const auto& exchange = at(file, "exchange");
  const auto alice = key_at(exchange, "alice_secret");
  const auto bob = key_at(exchange, "bob_secret");
  EXPECT_EQ(x25519_public(alice), key_at(exchange, "alice_public"));
  EXPECT_EQ(x25519_public(bob), key_at(exchange, "bob_public"));
  EXPECT_EQ(x25519(alice, x25519_public(bob)), key_at(exchange, "shared"));
  EXPECT_EQ(x25519(bob, x25519_public(alice)), key_at(exchange, "shared"));
}

TEST(X25519, GeneratedPairsAgree) {
  SeededRng rng(testkit::seed(20));
  const auto a = x25519_generate(rng);
  const auto b = x25519_generate(rng);
  EXPECT_NE(a.secret, b.secret);
  EXPECT_EQ(a.public_key, x25519_public(a.secret));
  EXPECT_EQ(x25519(a.secret, b.public_key), x25519(b.secret, a.public_key));
}

// The list of the agent vectors was found with OpenSSL, by looking for points that give an all-zero secret.
TEST(X25519, LowOrderPointsAreRefusedWhateverTheTopBit) {
  SeededRng rng(testkit::seed(21));
  const auto own = x25519_generate(rng);
  const auto file = hpke();
  const auto& points = array_at(file, "low_order_public_keys");
  ASSERT_GE(points.size(), 7u);
  for (const auto& item : points) {
    auto point = to_fixed<32>(testkit::hex(item.as_string().c_str())).value();
    for (const int top : {0x00, 0x80}) {
      point[31] = static_cast<std::uint8_t>((point[31] & 0x7f) | top);
      EXPECT_TRUE(x25519_is_low_order(point));
      EXPECT_TRUE(x25519(own.secret, point).error().is(Errc::zero_shared_secret));
    }
  }
}

TEST(X25519, PointsNextToThoseOfLowOrderAreFine) {
  SeededRng rng(testkit::seed(22));
  const auto own = x25519_generate(rng);
  for (const int low : {0x02, 0x03, 0x09, 0xe1, 0xeb, 0xef, 0xff}) {
    X25519Key point{};
    point[0] = static_cast<std::uint8_t>(low);
    if (low >= 0xeb) {
      std::fill(point.begin() + 1, point.end() - 1, 0xff);
      point[31] = 0x7f;
    }
    EXPECT_FALSE(x25519_is_low_order(point));
    EXPECT_TRUE(x25519(own.secret, point).has_value());
  }
}

TEST(Hpke, SealsAsInRfc9180A21) {
  const auto file = hpke();
  const auto& rfc = at(file, "rfc9180_a_2_1");
  const X25519KeyPair ephemeral{key_at(rfc, "skE"), x25519_public(key_at(rfc, "skE"))};
  const X25519KeyPair recipient{key_at(rfc, "skR"), x25519_public(key_at(rfc, "skR"))};
  const auto sealed = hpke_seal(recipient.public_key, hex_at(rfc, "info"), hex_at(rfc, "aad"),
                                hex_at(rfc, "plaintext"), ephemeral);
  ASSERT_TRUE(sealed.has_value());
  EXPECT_EQ(sealed->enc, key_at(rfc, "enc"));
  EXPECT_EQ(sealed->ciphertext, hex_at(rfc, "ciphertext"));
  EXPECT_EQ(hpke_open(recipient, sealed->enc, hex_at(rfc, "info"), hex_at(rfc, "aad"), sealed->ciphertext),
            hex_at(rfc, "plaintext"));
}

TEST(Hpke, SealsTheAgentVectors) {
  const auto file = hpke();
  for (const auto& item : array_at(file, "cases")) {
    const auto secret = key_at(item, "ephemeral_private");
    const X25519KeyPair recipient{key_at(item, "recipient_private"), key_at(item, "recipient_public")};
    EXPECT_EQ(x25519_public(recipient.secret), recipient.public_key);
    const auto sealed = hpke_seal(recipient.public_key, hex_at(item, "info"), hex_at(item, "aad"),
                                  hex_at(item, "plaintext"), {secret, x25519_public(secret)});
    ASSERT_TRUE(sealed.has_value());
    EXPECT_EQ(sealed->enc, key_at(item, "enc")) << testkit::text_at(item, "name");
    EXPECT_EQ(sealed->ciphertext, hex_at(item, "ciphertext")) << testkit::text_at(item, "name");
    EXPECT_EQ(
        hpke_open(recipient, sealed->enc, hex_at(item, "info"), hex_at(item, "aad"), sealed->ciphertext),
        hex_at(item, "plaintext"));
  }
}

TEST(Hpke, AnythingAlteredDoesNotOpen) {
  SeededRng rng(testkit::seed(23));
  const auto recipient = x25519_generate(rng);
  const auto other = x25519_generate(rng);
  const auto sealed = hpke_seal(recipient.public_key, as_bytes("info"), as_bytes("aad"), as_bytes("text"),
                                x25519_generate(rng))
                          .value();
  const auto failed = [&](const X25519KeyPair& keys, const X25519Key& enc, std::string_view info,
                          std::string_view aad, ByteView ciphertext) {
    const auto opened = hpke_open(keys, enc, as_bytes(info), as_bytes(aad), ciphertext);
    return !opened && opened.error().is(Errc::open_failed);
  };
  EXPECT_FALSE(failed(recipient, sealed.enc, "info", "aad", sealed.ciphertext));
  EXPECT_TRUE(failed(other, sealed.enc, "info", "aad", sealed.ciphertext));
  EXPECT_TRUE(failed({recipient.secret, other.public_key}, sealed.enc, "info", "aad", sealed.ciphertext));
  EXPECT_TRUE(failed(recipient, other.public_key, "info", "aad", sealed.ciphertext));
  EXPECT_TRUE(failed(recipient, sealed.enc, "inf", "aad", sealed.ciphertext));
  EXPECT_TRUE(failed(recipient, sealed.enc, "info", "aae", sealed.ciphertext));
  for (std::size_t size = 0; size < sealed.ciphertext.size(); ++size)
    EXPECT_TRUE(failed(recipient, sealed.enc, "info", "aad", ByteView(sealed.ciphertext).first(size)));
  for (std::size_t i = 0; i < sealed.ciphertext.size(); ++i) {
    Bytes altered = sealed.ciphertext;
    altered[i] ^= 0x10;
    EXPECT_TRUE(failed(recipient, sealed.enc, "info", "aad", altered));
  }
}

TEST(Hpke, LowOrderKeysFailOnBothSides) {
  SeededRng rng(testkit::seed(24));
  const auto pair = x25519_generate(rng);
  const X25519Key zero{};
  EXPECT_TRUE(hpke_seal(zero, {}, {}, {}, pair).error().is(Errc::zero_shared_secret));
  EXPECT_TRUE(hpke_open(pair, zero, {}, {}, Bytes(16)).error().is(Errc::zero_shared_secret));
}

}  // namespace
}  // namespace starling::crypto
