#include <gtest/gtest.h>

#include "format/multihash.hpp"
#include "testkit/json.hpp"

namespace starling::format {
namespace {

using testkit::array_at;
using testkit::hex_at;
using testkit::text_at;

constexpr Base kBases[] = {Base::base16,    Base::base32, Base::base36,
                           Base::base58btc, Base::base64, Base::base64url};

testkit::json::value vectors() {
  return testkit::read_json("tests/conformance/vectors/format/multibase.json");
}

TEST(Multibase, ConvertsTheVectorsBothWays) {
  const auto file = vectors();
  for (const auto& item : array_at(file, "cases")) {
    const auto base = static_cast<Base>(text_at(item, "base").at(0));
    EXPECT_EQ(encode_base(base, hex_at(item, "bytes")), text_at(item, "text"));
    EXPECT_EQ(decode_base(base, text_at(item, "text")), hex_at(item, "bytes"));
    const std::string prefixed = text_at(item, "base") + text_at(item, "text");
    EXPECT_EQ(encode_multibase(base, hex_at(item, "bytes")), prefixed);
    EXPECT_EQ(decode_multibase(prefixed), hex_at(item, "bytes"));
  }
}

TEST(Multibase, TextsOutsideTheAlphabetOrWithPaddingBitsAreRefused) {
  const auto file = vectors();
  for (const auto& item : array_at(file, "bad")) {
    const std::string text = item.as_string().c_str();
    const auto bytes = decode_multibase(text);
    ASSERT_FALSE(bytes.has_value()) << text;
    EXPECT_TRUE(bytes.error().is(Errc::bad_multibase));
  }
}

TEST(Multibase, RandomBytesGoThereAndBackInEveryBase) {
  SeededRng rng(testkit::seed(80));
  for (int round = 0; round < 300; ++round) {
    Bytes bytes(rng.below(80));
    rng.fill(bytes);
    for (std::size_t i = 0, zeros = rng.below(4); i < std::min(zeros, bytes.size()); ++i) bytes[i] = 0;
    for (const auto base : kBases) ASSERT_EQ(decode_multibase(encode_multibase(base, bytes)), bytes);
  }
}

// Strictness: no two texts mean the same bytes.
TEST(Multibase, WhatIsAcceptedIsWhatWouldBeWritten) {
  SeededRng rng(testkit::seed(81));
  for (int round = 0; round < 20'000; ++round) {
    std::string text(1 + rng.below(6), ' ');
    for (auto& c : text) c = static_cast<char>(0x21 + rng.below(94));
    for (const auto base : kBases) {
      const auto bytes = decode_base(base, text);
      if (bytes) {
        ASSERT_EQ(encode_base(base, *bytes), text);
      }
    }
  }
}

TEST(Multibase, QuadraticBasesAreBounded) {
  for (const auto base : {Base::base58btc, Base::base36}) {
    EXPECT_TRUE(decode_base(base, std::string(kRadixTextMax, '2')).has_value());
    EXPECT_TRUE(decode_base(base, std::string(kRadixTextMax + 1, '2')).error().is(Errc::bad_multibase));
    EXPECT_TRUE(decode_base(base, std::string(kRadixTextMax + 1, '1')).error().is(Errc::bad_multibase));
    const Bytes longest = make_multihash(kHashSha256, Bytes(kMultihashDigestBytesMax, 0xff));
    EXPECT_EQ(decode_base(base, encode_base(base, longest)), longest);
  }
}

TEST(Multihash, IsReadExactly) {
  const Bytes digest(32, 7);
  const Bytes bytes = make_multihash(kHashSha256, digest);
  EXPECT_EQ(bytes.size(), 34u);
  const auto hash = parse_multihash(bytes);
  ASSERT_TRUE(hash.has_value());
  EXPECT_EQ(hash->code, kHashSha256);
  EXPECT_TRUE(equal(hash->digest, digest));
}

TEST(Multihash, CutsExtrasAndPaddedVarintsAreRefused) {
  const Bytes bytes = make_multihash(0xb220, Bytes(32, 7));
  ASSERT_EQ(bytes.size(), 36u);
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_TRUE(parse_multihash(ByteView(bytes).first(size)).error().is(Errc::truncated)) << size;
  Bytes longer = bytes;
  longer.push_back(0);
  EXPECT_TRUE(parse_multihash(longer).error().is(Errc::bad_multihash));
  EXPECT_TRUE(parse_multihash(testkit::hex("92000101")).error().is(Errc::bad_multihash));
  EXPECT_TRUE(parse_multihash(testkit::hex("12810001")).error().is(Errc::bad_multihash));
  EXPECT_TRUE(parse_multihash(testkit::hex("ffffffffffffffffffff0100")).error().is(Errc::bad_multihash));
}

TEST(Multihash, DigestsAreBounded) {
  EXPECT_TRUE(parse_multihash(make_multihash(1, Bytes(kMultihashDigestBytesMax))).has_value());
  Bytes larger = testkit::hex("018101");
  larger.resize(3 + kMultihashDigestBytesMax + 1);
  EXPECT_TRUE(parse_multihash(larger).error().is(Errc::bad_multihash));
  EXPECT_TRUE(parse_multihash(testkit::hex("00ffffffffffffffffff01")).error().is(Errc::bad_multihash));
}

// printf abc | sha256sum
TEST(Multihash, OfACidIsWhatStandsBehindVersionAndCodec) {
  const Bytes multihash = sha256_multihash(as_bytes("abc"));
  Bytes cid{0x01, 0x72};
  append(cid, multihash);
  EXPECT_TRUE(equal(*multihash_of_cid(cid), multihash));
  EXPECT_TRUE(equal(*multihash_of_cid(multihash), multihash)) << "version 0";
  EXPECT_FALSE(multihash_of_cid({}).has_value());
  cid[0] = 2;
  EXPECT_FALSE(multihash_of_cid(cid).has_value()) << "no such version";
  cid[0] = 1;
  cid.pop_back();
  EXPECT_FALSE(multihash_of_cid(cid).has_value()) << "cut";
}

TEST(Multihash, OfContentIsItsSha256) {
  EXPECT_EQ(to_hex(sha256_multihash(as_bytes("abc"))),
            "1220ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace starling::format
