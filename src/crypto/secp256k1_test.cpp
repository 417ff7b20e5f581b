#include "crypto/secp256k1.hpp"

#include <gtest/gtest.h>

#include "crypto/errors.hpp"
#include "crypto/keys.hpp"
#include "crypto/limits.hpp"
#include "crypto/recoverable.hpp"
#include "testkit/json.hpp"

namespace starling::crypto {
namespace {

using testkit::array_at;
using testkit::at;
using testkit::hex_at;

testkit::json::value vectors() {
  return testkit::read_json("tests/conformance/vectors/crypto/secp256k1.json");
}

Bytes order() { return hex_at(vectors(), "order"); }

// a + b and a − b of big-endian numbers of 32 bytes, one byte more for the carry.
Bytes plus(ByteView a, ByteView b) {
  Bytes out(33);
  unsigned carry = 0;
  for (std::size_t i = 32; i-- > 0;) {
    carry += a[i] + b[i];
    out[i + 1] = static_cast<std::uint8_t>(carry);
    carry >>= 8;
  }
  out[0] = static_cast<std::uint8_t>(carry);
  return out;
}
Bytes minus(ByteView a, ByteView b) {
  Bytes out(32);
  int borrow = 0;
  for (std::size_t i = 32; i-- > 0;) {
    const int digit = a[i] - b[i] - borrow;
    borrow = digit < 0 ? 1 : 0;
    out[i] = static_cast<std::uint8_t>(digit + 256 * borrow);
  }
  return out;
}

// The one DER encoding of a positive integer's content.
Bytes minimal(ByteView number) {
  while (number.size() > 1 && number[0] == 0) number = number.subspan(1);
  Bytes out;
  if (number[0] >= 0x80) out.push_back(0);
  append(out, number);
  return out;
}
Bytes integer(ByteView content) {
  Bytes out{0x02, static_cast<std::uint8_t>(content.size())};
  append(out, content);
  return out;
}
Bytes sequence(ByteView content) {
  Bytes out{0x30, static_cast<std::uint8_t>(content.size())};
  append(out, content);
  return out;
}
Bytes der(ByteView r, ByteView s) {
  Bytes content = integer(minimal(r));
  append(content, integer(minimal(s)));
  return sequence(content);
}

struct Split {
  Bytes r;
  Bytes s;
};
Split split(ByteView signature) {
  const std::size_t r_size = signature[3];
  const auto pad = [](ByteView content) {
    Bytes out(content.size() < 32 ? 32 - content.size() : 0);
    append(out, content.size() > 32 ? content.last(32) : content);
    return out;
  };
  return {pad(signature.subspan(4, r_size)), pad(signature.subspan(4 + r_size + 2))};
}

struct Signed {
  PrivateKey key;
  Bytes message;
  Bytes signature;
  Split parts;
};
Signed signed_message(std::uint64_t seed) {
  SeededRng rng(seed);
  auto key = PrivateKey::generate(KeyType::secp256k1, rng);
  Bytes message = to_bytes("who goes there");
  Bytes signature = key.sign(message);
  auto parts = split(signature);
  return {std::move(key), std::move(message), std::move(signature), std::move(parts)};
}

TEST(Secp256k1, SignsWithTheNoncesOfRfc6979) {
  const auto file = vectors();
  for (const auto& item : array_at(file, "signatures")) {
    const auto key = PrivateKey::from_data(KeyType::secp256k1, hex_at(item, "secret"));
    ASSERT_TRUE(key.has_value());
    const Bytes message = hex_at(item, "message");
    const Bytes expected = der(hex_at(item, "r"), hex_at(item, "s"));
    EXPECT_EQ(key->sign(message), expected);
    EXPECT_TRUE(key->public_key().verify(message, expected).has_value());
  }
}

// threats.md E.2 #3: the handshake with a high-s signature.
TEST(Secp256k1, HighSIsRefused) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto item = signed_message(testkit::seed(40) + seed);
    ASSERT_TRUE(item.key.public_key().verify(item.message, item.signature).has_value());
    ASSERT_EQ(der(item.parts.r, item.parts.s), item.signature);
    const Bytes high = der(item.parts.r, minus(order(), item.parts.s));
    const auto verdict = item.key.public_key().verify(item.message, high);
    ASSERT_FALSE(verdict.has_value());
    EXPECT_TRUE(verdict.error().is(Errc::bad_signature));
  }
}

// threats.md E.3 #40: lengths and paddings that BER allows and DER does not.
TEST(Secp256k1, SignaturesThatAreNotDerAreRefused) {
  const auto item = signed_message(testkit::seed(41));
  const Bytes r = integer(minimal(item.parts.r));
  const Bytes s = integer(minimal(item.parts.s));
  Bytes content = r;
  append(content, s);
  const auto with_prefix = [&](Bytes prefix, ByteView body) {
    append(prefix, body);
    return prefix;
  };
  const auto size = static_cast<std::uint8_t>(content.size());
  const auto joined = [](Bytes first, ByteView second) {
    append(first, second);
    return first;
  };
  Bytes padded_r{0};
  append(padded_r, minimal(item.parts.r));
  Bytes stripped_content = joined(integer(minimal(Bytes(1, 0x80))), s);
  std::vector<std::pair<const char*, Bytes>> cases = {
      {"long length", with_prefix({0x30, 0x81, size}, content)},
      {"length in two bytes", with_prefix({0x30, 0x82, 0, size}, content)},
      {"indefinite length", joined(with_prefix({0x30, 0x80}, content), Bytes{0, 0})},
      {"length one too large", with_prefix({0x30, static_cast<std::uint8_t>(size + 1)}, content)},
      {"length one too small", with_prefix({0x30, static_cast<std::uint8_t>(size - 1)}, content)},
      {"length of 2^32 − 1", with_prefix({0x30, 0x84, 0xff, 0xff, 0xff, 0xff}, content)},
      {"length of 2^64 − 1",
       with_prefix({0x30, 0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, content)},
      {"a byte behind the sequence", joined(item.signature, Bytes{0})},
      {"a byte inside behind s", sequence(joined(content, Bytes{0}))},
      {"a third integer", sequence(joined(content, integer(Bytes{1})))},
      {"s missing", sequence(r)},
      {"r with a needless zero", sequence(joined(integer(padded_r), s))},
      {"r negative", sequence(joined(integer(Bytes{0xff}), s))},
      {"r empty", sequence(joined(Bytes{0x02, 0x00}, s))},
      {"s empty", sequence(joined(r, Bytes{0x02, 0x00}))},
      {"r a bit string", sequence(joined(joined(Bytes{0x03}, ByteView(r).subspan(1)), s))},
      {"a set", joined(Bytes{0x31}, ByteView(item.signature).subspan(1))},
      {"integer with a long length",
       sequence(joined(with_prefix({0x02, 0x81, r[1]}, ByteView(r).subspan(2)), s))},
      {"r = 0", sequence(joined(integer(Bytes{0}), s))},
      {"s = 0", sequence(joined(r, integer(Bytes{0})))},
      {"r = n", der(order(), item.parts.s)},
      {"s = n", der(item.parts.r, order())},
      {"r + n", sequence(joined(integer(minimal(plus(item.parts.r, order()))), s))},
      {"s + n", sequence(joined(r, integer(minimal(plus(item.parts.s, order())))))},
      {"r and s of 64 raw bytes", joined(item.parts.r, item.parts.s)},
      {"nothing", {}},
  };
  for (const auto& [name, signature] : cases) {
    const auto verdict = item.key.public_key().verify(item.message, signature);
    ASSERT_FALSE(verdict.has_value()) << name;
    EXPECT_TRUE(verdict.error().is(Errc::bad_signature)) << name;
  }
}

TEST(Secp256k1, EveryTruncationAndEveryFlippedBitIsRefused) {
  const auto item = signed_message(testkit::seed(42));
  for (std::size_t size = 0; size < item.signature.size(); ++size)
    ASSERT_FALSE(
        item.key.public_key().verify(item.message, ByteView(item.signature).first(size)).has_value());
  for (std::size_t bit = 0; bit < item.signature.size() * 8; ++bit) {
    Bytes altered = item.signature;
    altered[bit / 8] ^= static_cast<std::uint8_t>(1 << (bit % 8));
    ASSERT_FALSE(item.key.public_key().verify(item.message, altered).has_value()) << bit;
  }
}

TEST(Secp256k1, SignaturesAreLowSAndFitTheirLimit) {
  const Bytes half = testkit::hex("7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0");
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const auto item = signed_message(testkit::seed(43) + seed);
    EXPECT_TRUE(compare(item.parts.s, half) <= 0);
    EXPECT_LE(item.signature.size(), kSecp256k1DerBytesMax);
  }
}

TEST(Secp256k1, ScalarsOutsideTheGroupAreNoKeys) {
  Bytes largest = order();
  largest.back() -= 1;
  EXPECT_TRUE(PrivateKey::from_data(KeyType::secp256k1, largest).has_value());
  Bytes above = order();
  above.back() += 1;
  for (const Bytes& scalar :
       {Bytes(32), order(), above, Bytes(32, 0xff), Bytes(31, 1), Bytes(33, 1), Bytes()})
    EXPECT_TRUE(PrivateKey::from_data(KeyType::secp256k1, scalar).error().is(Errc::bad_key))
        << to_hex(scalar);
}

TEST(Ethereum, AddressOfTheGeneratorIsTheKnownOne) {
  const auto file = vectors();
  for (const auto& item : array_at(file, "addresses")) {
    const auto key = PublicKey::from_data(KeyType::secp256k1, hex_at(item, "public"));
    ASSERT_TRUE(key.has_value());
    EXPECT_EQ(to_bytes(ethereum_address_of(*key).value()), hex_at(item, "address"));
  }
}

TEST(Ethereum, OnlySecp256k1KeysHaveAnAddress) {
  SeededRng rng(testkit::seed(44));
  const auto key = PrivateKey::generate(KeyType::ed25519, rng);
  EXPECT_TRUE(ethereum_address_of(key.public_key()).error().is(Errc::unsupported_key));
}

// The wallets of the agent vectors; their signatures were made with ethers.
TEST(Ethereum, WalletsOfTheAgentVectorsSignAndAreRecovered) {
  const auto keys = testkit::read_json("tests/conformance/vectors/agent/keys.json");
  std::map<std::string, PrivateKey> wallets;
  for (const auto& item : array_at(keys, "wallets")) {
    auto key = PrivateKey::from_data(KeyType::secp256k1, hex_at(item, "private")).value();
    EXPECT_EQ(to_bytes(ethereum_address_of(key.public_key()).value()), hex_at(item, "address"));
    wallets.emplace(testkit::text_at(item, "address"), std::move(key));
  }
  const auto file = testkit::read_json("tests/conformance/vectors/agent/delegation.json");
  int count = 0;
  for (const auto& item : array_at(file, "delegations")) {
    const auto digest = to_fixed<32>(hex_at(item, "digest")).value();
    const Bytes signature = hex_at(item, "signature");
    const std::string wallet = testkit::text_at(at(item, "fields"), "wallet");
    EXPECT_EQ(to_hex(recover_address(digest, signature).value()), wallet);
    ASSERT_TRUE(wallets.contains(wallet));
    EXPECT_EQ(to_bytes(sign_recoverable(wallets.at(wallet), digest)), signature);
    ++count;
  }
  EXPECT_GE(count, 2);
}

TEST(Ethereum, RecoverRefusesHighSAndEveryVButTwo) {
  SeededRng rng(testkit::seed(45));
  const auto key = PrivateKey::generate(KeyType::secp256k1, rng);
  const auto address = ethereum_address_of(key.public_key()).value();
  const Bytes n = order();
  for (int round = 0; round < 20; ++round) {
    const Hash256 digest = rng.bytes<32>();
    const auto signature = sign_recoverable(key, digest);
    ASSERT_EQ(recover_address(digest, signature), address);
    for (int v = 0; v < 256; ++v) {
      auto altered = signature;
      altered[64] = static_cast<std::uint8_t>(v);
      const auto recovered = recover_address(digest, altered);
      if (v == signature[64]) continue;
      if (v == 27 || v == 28) {
        EXPECT_NE(recovered, address);
      } else {
        ASSERT_TRUE(recovered.error().is(Errc::bad_signature)) << v;
      }
    }
    auto high = signature;
    const Bytes s = minus(n, ByteView(signature).subspan(32, 32));
    std::copy(s.begin(), s.end(), high.begin() + 32);
    high[64] = static_cast<std::uint8_t>(
        55 - signature[64]);  // the other of 27 and 28: the same signer, were it taken
    EXPECT_TRUE(recover_address(digest, high).error().is(Errc::bad_signature));
  }
}

TEST(Ethereum, RecoverRefusesValuesOutOfRange) {
  SeededRng rng(testkit::seed(46));
  const auto key = PrivateKey::generate(KeyType::secp256k1, rng);
  const Hash256 digest = rng.bytes<32>();
  const auto signature = sign_recoverable(key, digest);
  const Bytes zero(32);
  const Bytes ones(32, 0xff);
  for (const Bytes& value : {zero, order(), ones}) {
    for (const std::size_t offset : {0u, 32u}) {
      auto altered = signature;
      std::copy(value.begin(), value.end(), altered.begin() + static_cast<std::ptrdiff_t>(offset));
      EXPECT_TRUE(recover_address(digest, altered).error().is(Errc::bad_signature));
    }
  }
  for (const std::size_t size : {0u, 64u})
    EXPECT_TRUE(recover_address(digest, ByteView(signature).first(size)).error().is(Errc::bad_signature));
  Bytes longer = to_bytes(ByteView(signature));
  longer.push_back(0);
  EXPECT_TRUE(recover_address(digest, longer).error().is(Errc::bad_signature));
}

TEST(EthereumDeathTest, SigningRecoverablyWithAnotherKeyTypeIsOurMistake) {
  SeededRng rng(1);
  const auto key = PrivateKey::generate(KeyType::ed25519, rng);
  EXPECT_DEATH((void)sign_recoverable(key, Hash256{}), "assertion failed");
}

}  // namespace
}  // namespace starling::crypto
