#include "proto/gossip/strict_sign.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "proto/gossip/rpc_codec.hpp"
#include "testkit/json.hpp"

namespace starling::gossip {
namespace {

using strict_sign::check;
using strict_sign::make_signed;
using strict_sign::signed_bytes;
using testkit::array_at;
using testkit::bool_at;
using testkit::hex_at;
using testkit::text_at;

constexpr auto kFrames = "tests/conformance/vectors/agent/frames.json";
constexpr auto kCases = "tests/conformance/vectors/agent/cases.json";

Message message_of(const Bytes& bytes) {
  auto message = decode_message(bytes);
  EXPECT_TRUE(message.has_value());
  return *std::move(message);
}

crypto::PrivateKey test_key(crypto::KeyType type, std::uint8_t fill = 7) {
  return crypto::PrivateKey::from_data(type, Bytes(32, fill)).value();
}

TEST(GossipStrictSign, TheVectorOfAWholeMessageHolds) {
  const auto vector = testkit::read_json(kFrames);
  const Bytes encoded = hex_at(vector, "pubsub_message");
  const Message message = message_of(encoded);
  EXPECT_EQ(to_hex(signed_bytes(message)), to_hex(hex_at(vector, "pubsub_signed_bytes")));
  EXPECT_EQ(to_hex(id_from_seqno(message)), to_hex(hex_at(vector, "pubsub_message_id")));
  EXPECT_EQ(to_hex(encode_message(message)), to_hex(encoded));
  EXPECT_TRUE(equal(message.raw, encoded));
  const auto author = check(message);
  ASSERT_TRUE(author.has_value());
  EXPECT_TRUE(equal(author->bytes(), message.from));
}

TEST(GossipStrictSign, RowTwoDecidesTheCasesAsTheVectorsSay) {
  const auto vectors = testkit::read_json(kCases);
  std::size_t failed_here = 0;
  std::size_t passed_here = 0;
  for (const auto& one : array_at(vectors, "cases")) {
    if (text_at(one, "kind") != "pubsub") continue;
    Bytes input;
    if (testkit::at(one, "input").is_string()) {
      input = hex_at(one, "input");
    } else {
      continue;  // parts to join belong to checks behind this one
    }
    const auto message = decode_message(input);
    ASSERT_TRUE(message.has_value()) << text_at(one, "name");
    const std::uint64_t row = testkit::number_at(one, "check");
    if (row == 1) continue;
    EXPECT_EQ(check(*message).has_value(), row != 2) << text_at(one, "name");
    EXPECT_EQ(bool_at(one, "seen_after"), row != 2) << text_at(one, "name");
    (row == 2 ? failed_here : passed_here) += 1;
  }
  EXPECT_GE(failed_here, 5U);
  EXPECT_GE(passed_here, 5U);
}

TEST(GossipStrictSign, BothKeyTypesSignAndVerify) {
  for (const auto type : {crypto::KeyType::ed25519, crypto::KeyType::secp256k1}) {
    const auto key = test_key(type);
    const Message message = make_signed(key, "topic", Slice::copy(as_bytes("data")), 0x0102030405060708ULL);
    EXPECT_EQ(to_hex(message.seqno), "0102030405060708");
    EXPECT_TRUE(message.key.empty());
    const auto author = check(message);
    ASSERT_TRUE(author.has_value());
    EXPECT_EQ(*author, PeerId::of(key.public_key()));
    // It is whole on the wire, and its data lies inside what is forwarded.
    EXPECT_TRUE(check(message_of(to_bytes(message.raw.view()))).has_value());
    EXPECT_GE(message.data.data(), message.raw.data());
    EXPECT_LE(message.data.data() + message.data.size(), message.raw.data() + message.raw.size());
  }
}

TEST(GossipStrictSign, EveryAlteredFieldBreaksTheSignature) {
  const Message good =
      make_signed(test_key(crypto::KeyType::secp256k1), "topic", Slice::copy(as_bytes("data")), 1);
  const Message other =
      make_signed(test_key(crypto::KeyType::secp256k1, 9), "topic", Slice::copy(as_bytes("data")), 1);
  const std::vector<std::function<void(Message&)>> changes = {
      [&](Message& m) { m.from = other.from; },
      [](Message& m) { m.data = Slice::copy(as_bytes("date")); },
      [](Message& m) { m.data = {}; },
      [](Message& m) { m.seqno[7] ^= 1; },
      [](Message& m) { m.topic += "x"; },
      [](Message& m) { m.topic.clear(); },
      [&](Message& m) { m.signature = other.signature; },
      [](Message& m) { m.signature.clear(); },
      [](Message& m) { m.signature.back() ^= 1; },
      [](Message& m) { m.signature.push_back(0); },
  };
  for (std::size_t i = 0; i < changes.size(); ++i) {
    Message altered = good;
    changes[i](altered);
    const auto checked = check(altered);
    ASSERT_FALSE(checked.has_value()) << i;
    EXPECT_TRUE(checked.error().is(Errc::bad_signature)) << i;
  }
}

TEST(GossipStrictSign, TheAuthorMustBeAnInlinedKey) {
  const auto key = test_key(crypto::KeyType::ed25519);
  const Message good = make_signed(key, "topic", Slice::copy(as_bytes("data")), 1);
  const std::vector<Bytes> authors = {
      {},
      Bytes(39, 0),
      Bytes{0x12, 0x20},
      [] {  // a sha2-256 id, as RSA and ECDSA keys have it
        Bytes id{0x12, 0x20};
        id.resize(34, 0x55);
        return id;
      }(),
      [&good] {  // trailing bytes
        Bytes id = good.from;
        id.push_back(0);
        return id;
      }(),
      [&good] {  // a non-minimal length in front of the same key
        Bytes id{0x00, static_cast<std::uint8_t>(0x80 | good.from[1]), 0x00};
        append(id, ByteView(good.from).subspan(2));
        return id;
      }(),
  };
  for (std::size_t i = 0; i < authors.size(); ++i) {
    Message altered = good;
    altered.from = authors[i];
    const auto checked = check(altered);
    ASSERT_FALSE(checked.has_value()) << i;
    EXPECT_TRUE(checked.error().is(Errc::bad_author)) << i;
  }
}

TEST(GossipStrictSign, TheSequenceNumberHasEightBytes) {
  const auto key = test_key(crypto::KeyType::ed25519);
  for (const std::size_t size : {0U, 1U, 7U, 9U, 64U}) {
    Message message = make_signed(key, "topic", Slice::copy(as_bytes("data")), 1);
    message.seqno = Bytes(size, 1);
    message.signature = key.sign(signed_bytes(message));  // signed as it is: only the form is wrong
    const auto checked = check(message);
    ASSERT_FALSE(checked.has_value()) << size;
    EXPECT_TRUE(checked.error().is(Errc::bad_seqno)) << size;
  }
}

// E.3 #8 (js PR 3569, 3575, 3578): a key field that is not bound to `from` lets anybody speak for anybody.
TEST(GossipStrictSign, TheKeyFieldIsTheAuthorsOrAbsent) {
  const auto ed = test_key(crypto::KeyType::ed25519);
  const auto secp = test_key(crypto::KeyType::secp256k1);
  const auto liar = test_key(crypto::KeyType::ed25519, 66);
  for (const auto* key : {&ed, &secp}) {
    Message message = make_signed(*key, "topic", Slice::copy(as_bytes("data")), 1);
    message.key = format::encode_public_key(key->public_key());
    EXPECT_TRUE(check(message).has_value());
    // The liar signs with its own key, names the victim as author and adds the key that verifies.
    Message forged = message;
    forged.key = format::encode_public_key(liar.public_key());
    forged.signature = liar.sign(signed_bytes(forged));
    EXPECT_TRUE(check(forged).error().is(Errc::key_mismatch));
    forged.key.clear();
    EXPECT_TRUE(check(forged).error().is(Errc::bad_signature));
    for (const Bytes& junk : {Bytes{0}, Bytes(37, 0xff), Bytes(kKeyBytesMax, 1)}) {
      forged.key = junk;
      EXPECT_TRUE(check(forged).error().is(Errc::key_mismatch));
    }
  }
  // An RSA author cannot be inlined: the id is a hash, and a key field does not help it.
  Message rsa = make_signed(liar, "topic", Slice::copy(as_bytes("data")), 1);
  rsa.from = Bytes{0x12, 0x20};
  rsa.from.resize(34, 0x42);
  rsa.key = format::encode_public_key(liar.public_key());
  rsa.signature = liar.sign(signed_bytes(rsa));
  EXPECT_TRUE(check(rsa).error().is(Errc::bad_author));
}

TEST(GossipStrictSign, HighSIsRefusedAndNotNormalised) {
  const auto vectors = testkit::read_json(kCases);
  bool found = false;
  for (const auto& one : array_at(vectors, "cases")) {
    if (text_at(one, "kind") != "pubsub" || text_at(one, "name") != "high s") continue;
    found = true;
    EXPECT_TRUE(check(message_of(hex_at(one, "input"))).error().is(Errc::bad_signature));
  }
  EXPECT_TRUE(found);
}

}  // namespace
}  // namespace starling::gossip
