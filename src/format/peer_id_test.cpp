#include "format/peer_id.hpp"

#include <gtest/gtest.h>

#include "crypto/errors.hpp"
#include "format/multihash.hpp"
#include "format/protobuf.hpp"
#include "format/varint.hpp"
#include "testkit/json.hpp"

namespace starling {
namespace {

using format::Errc;
using testkit::array_at;
using testkit::hex_at;
using testkit::text_at;

testkit::json::value vectors() {
  return testkit::read_json("tests/conformance/vectors/format/peer_ids.json");
}

TEST(PeerId, OfTheFourKeysOfTheSpecification) {
  const auto file = vectors();
  for (const auto& item : array_at(file, "keys")) {
    const auto key = format::decode_public_key(hex_at(item, "public"));
    ASSERT_TRUE(key.has_value()) << text_at(item, "type");
    EXPECT_EQ(crypto::to_string(key->type()), text_at(item, "type"));
    EXPECT_EQ(format::encode_public_key(*key), hex_at(item, "public"));
    const auto id = PeerId::of(*key);
    EXPECT_EQ(to_bytes(id.bytes()), hex_at(item, "peer_id"));
    EXPECT_EQ(id.to_string(), text_at(item, "base58"));
  }
}

TEST(PeerId, IsReadFromEveryTextForm) {
  const auto file = vectors();
  for (const auto& item : array_at(file, "keys")) {
    const auto id = PeerId::from_bytes(hex_at(item, "peer_id")).value();
    for (const char* form : {"base58", "base32", "base36", "base16", "base58cid", "base64url"})
      EXPECT_EQ(PeerId::parse(text_at(item, form)), id) << form;
  }
  for (const auto& item : array_at(file, "texts")) {
    const auto id = PeerId::parse(text_at(item, "base58"));
    ASSERT_TRUE(id.has_value());
    EXPECT_EQ(id->to_string(), text_at(item, "base58"));
    if (!text_at(item, "cid").empty()) {
      EXPECT_EQ(PeerId::parse(text_at(item, "cid")), id);
    }
  }
}

TEST(PeerId, PrivateKeysOfTheSpecificationGiveTheirPublicKeys) {
  const auto file = vectors();
  for (const auto& item : array_at(file, "keys")) {
    const auto key = format::decode_private_key(hex_at(item, "private"));
    const std::string type = text_at(item, "type");
    if (type == "rsa" || type == "ecdsa") {
      EXPECT_TRUE(key.error().is(crypto::Errc::unsupported_key)) << "they only verify";
      continue;
    }
    ASSERT_TRUE(key.has_value()) << type;
    EXPECT_EQ(format::encode_public_key(key->public_key()), hex_at(item, "public"));
    EXPECT_EQ(format::encode_private_key(*key), hex_at(item, "private"));
  }
}

TEST(PeerId, NodesOfTheAgentVectorsAgreeWithJsLibp2p) {
  const auto file = testkit::read_json("tests/conformance/vectors/agent/keys.json");
  for (const auto& item : array_at(file, "nodes")) {
    const auto type =
        text_at(item, "type") == "ed25519" ? crypto::KeyType::ed25519 : crypto::KeyType::secp256k1;
    const auto key = crypto::PrivateKey::from_data(type, hex_at(item, "private"));
    ASSERT_TRUE(key.has_value());
    EXPECT_EQ(to_bytes(key->public_key().data()), hex_at(item, "public"));
    EXPECT_EQ(format::encode_public_key(key->public_key()), hex_at(item, "public_key_protobuf"));
    EXPECT_EQ(to_bytes(PeerId::of(key->public_key()).bytes()), hex_at(item, "peer_id"));
    EXPECT_EQ(PeerId::of(key->public_key()).to_string(), text_at(item, "peer_id_text"));
  }
}

TEST(PeerId, InlineKeysComeBackAndHashedOnesDoNot) {
  const auto file = vectors();
  for (const auto& item : array_at(file, "keys")) {
    const auto id = PeerId::from_bytes(hex_at(item, "peer_id")).value();
    const auto key = id.inline_key();
    const std::string type = text_at(item, "type");
    if (type == "ed25519" || type == "secp256k1") {
      ASSERT_TRUE(key.has_value());
      EXPECT_EQ(format::encode_public_key(*key), hex_at(item, "public"));
    } else {
      EXPECT_TRUE(key.error().is(Errc::bad_public_key));
    }
  }
  EXPECT_TRUE(PeerId().inline_key().error().is(Errc::bad_public_key));
  const auto no_key = PeerId::from_bytes(testkit::hex("00030801ff")).value();
  EXPECT_TRUE(no_key.inline_key().error().is(Errc::bad_public_key));
}

TEST(PeerId, BytesThatAreNoneAreRefused) {
  const Bytes sha(32, 1);
  const std::pair<const char*, Bytes> cases[] = {
      {"nothing", {}},
      {"empty identity", testkit::hex("0000")},
      {"identity of 43 bytes", format::make_multihash(format::kHashIdentity, Bytes(43))},
      {"sha2-256 of 31 bytes", format::make_multihash(format::kHashSha256, Bytes(31))},
      {"sha2-256 of 33 bytes", format::make_multihash(format::kHashSha256, Bytes(33))},
      {"sha2-512", format::make_multihash(0x13, Bytes(64))},
      {"blake2b-256", format::make_multihash(0xb220, sha)},
      {"too long", Bytes(kPeerIdBytesMax + 1)},
  };
  for (const auto& [name, bytes] : cases)
    EXPECT_TRUE(PeerId::from_bytes(bytes).error().is(Errc::bad_peer_id)) << name;
  EXPECT_TRUE(PeerId::from_bytes(format::make_multihash(format::kHashIdentity, Bytes(42))).has_value());
  Bytes extra = format::make_multihash(format::kHashSha256, sha);
  extra.push_back(0);
  EXPECT_TRUE(PeerId::from_bytes(extra).error().is(Errc::bad_peer_id));
}

TEST(PeerId, TextsThatAreNoneAreRefused) {
  const Bytes multihash = format::make_multihash(format::kHashSha256, Bytes(32, 1));
  const auto cid = [&](Bytes prefix) {
    append(prefix, multihash);
    return format::encode_multibase(format::Base::base32, prefix);
  };
  ASSERT_TRUE(PeerId::parse(cid({0x01, 0x72})).has_value());
  for (const std::string& text :
       {std::string(), std::string("1"), std::string("Qm"),
        std::string("QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5"),
        std::string("QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx50"), cid({0x01, 0x55}), cid({0x00, 0x72}),
        cid({0x02, 0x72}), cid({0x01}), cid({}), std::string("b"), std::string("bafz"),
        std::string("0xabcdef"), std::string(kPeerIdTextMax + 1, '1'), std::string(100'000, 'Q'),
        std::string("12D3 KooW"), std::string("hello")}) {
    EXPECT_TRUE(PeerId::parse(text).error().is(Errc::bad_peer_id)) << text.substr(0, 80);
  }
}

TEST(PeerId, TheLongestTextFormFitsItsLimit) {
  Bytes cid{0x01, 0x72};
  append(cid, format::make_multihash(format::kHashIdentity, Bytes(42, 0xff)));
  for (const auto base : {format::Base::base16, format::Base::base36, format::Base::base58btc})
    EXPECT_TRUE(PeerId::parse(format::encode_multibase(base, cid)).has_value());
}

TEST(PeerId, OrderAndHashFollowTheBytes) {
  const auto a = PeerId::from_bytes(format::make_multihash(format::kHashIdentity, Bytes(42, 1))).value();
  const auto b = PeerId::from_bytes(format::make_multihash(format::kHashSha256, Bytes(32, 0))).value();
  EXPECT_LT(a, b);
  EXPECT_NE(a, b);
  EXPECT_NE(std::hash<PeerId>()(a), std::hash<PeerId>()(b));
  EXPECT_TRUE(PeerId().empty());
  EXPECT_FALSE(a.empty());
}

TEST(PeerId, ShortStringIsForLogs) {
  EXPECT_EQ(PeerId::parse("QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N")->short_string(), "QmYy..Wjhx5N");
  EXPECT_EQ(PeerId().short_string(), "");
}

// A peer id hashes these bytes, so a second encoding would be a second identity.
TEST(PublicKeyCodec, OnlyTheCanonicalEncodingIsRead) {
  const Bytes key = hex_at(array_at(vectors(), "keys")[1], "public");
  ASSERT_EQ(to_hex(ByteView(key).first(4)), "08011220");
  const ByteView data = ByteView(key).subspan(4);
  const auto with = [&](std::string_view prefix, std::string_view suffix = "") {
    Bytes out = testkit::hex(prefix);
    append(out, data);
    append(out, testkit::hex(suffix));
    return format::decode_public_key(out);
  };
  ASSERT_TRUE(with("08011220").has_value());
  const std::pair<const char*, Result<crypto::PublicKey>> cases[] = {
      {"type padded", with("0881001220")},
      {"length padded", with("080112a000")},
      {"tag padded", with("8800011220")},
      {"type missing", with("1220")},
      {"type twice", with("080108011220")},
      {"data first", with("1220", "0801")},
      {"unknown field behind", with("08011220", "1801")},
      {"unknown field in front", with("180108011220")},
      {"length too large", with("08011221")},
      {"length too small", with("0801121f")},
      {"a byte behind", with("08011220", "00")},
      {"length of 2^63", with("080112ffffffffffffffff7f")},
      {"type as fixed32", with("0d010000001220")},
      {"nothing", format::decode_public_key({})},
      {"type alone", format::decode_public_key(testkit::hex("0801"))},
  };
  for (const auto& [name, result] : cases) {
    ASSERT_FALSE(result.has_value()) << name;
    EXPECT_TRUE(result.error().is(Errc::bad_public_key)) << name;
  }
}

TEST(PublicKeyCodec, TypesAndDataThatAreNoKeyAreErrorsOfCryptography) {
  EXPECT_TRUE(format::decode_public_key(testkit::hex("08041200")).error().is(crypto::Errc::unsupported_key));
  EXPECT_TRUE(
      format::decode_public_key(testkit::hex("08e7011200")).error().is(crypto::Errc::unsupported_key));
  EXPECT_TRUE(format::decode_public_key(testkit::hex("08ffffffffffffffffff011200"))
                  .error()
                  .is(crypto::Errc::unsupported_key));
  EXPECT_TRUE(format::decode_public_key(testkit::hex("08011200")).error().is(crypto::Errc::bad_key));
  EXPECT_TRUE(format::decode_public_key(testkit::hex("08021200")).error().is(crypto::Errc::bad_key));
}

TEST(PublicKeyCodec, EveryTruncationIsRefused) {
  const auto file = vectors();
  for (const auto& item : array_at(file, "keys")) {
    const Bytes key = hex_at(item, "public");
    for (std::size_t size = 0; size < key.size(); ++size)
      ASSERT_FALSE(format::decode_public_key(ByteView(key).first(size)).has_value());
  }
}

TEST(PrivateKeyCodec, LegacyEd25519KeysOf96BytesAreRead) {
  const Bytes modern = hex_at(array_at(vectors(), "keys")[1], "private");
  Bytes data = to_bytes(ByteView(modern).last(64));
  append(data, ByteView(modern).last(32));
  Bytes legacy;
  pb::Writer writer(legacy);
  writer.varint(1, 1);
  writer.bytes(2, data);
  const auto key = format::decode_private_key(legacy);
  ASSERT_TRUE(key.has_value());
  EXPECT_EQ(format::encode_private_key(*key), modern);
}

TEST(PrivateKeyCodec, MalformedMessagesAreRefused) {
  const std::string data(64, '1');
  EXPECT_TRUE(format::decode_private_key({}).error().is(crypto::Errc::bad_key));
  EXPECT_TRUE(format::decode_private_key(testkit::hex("0802")).error().is(crypto::Errc::bad_key));
  EXPECT_TRUE(format::decode_private_key(testkit::hex("1220" + data)).error().is(crypto::Errc::bad_key));
  EXPECT_TRUE(
      format::decode_private_key(testkit::hex("080208021220" + data)).error().is(Errc::duplicate_field));
  EXPECT_TRUE(
      format::decode_private_key(testkit::hex("08021220" + data + "1200")).error().is(Errc::duplicate_field));
  EXPECT_TRUE(format::decode_private_key(testkit::hex("0a011201")).error().is(Errc::wrong_wire_type));
  EXPECT_TRUE(format::decode_private_key(testkit::hex("08021220")).error().is(Errc::length_out_of_bounds));
  EXPECT_TRUE(format::decode_private_key(testkit::hex("08051200")).error().is(crypto::Errc::unsupported_key));
  EXPECT_TRUE(format::decode_private_key(testkit::hex("08021220" + data)).has_value());
}

}  // namespace
}  // namespace starling
