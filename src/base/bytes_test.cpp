#include "base/bytes.hpp"

#include <gtest/gtest.h>

#include <set>

#include "base/rng.hpp"
#include "base/strong_id.hpp"
#include "testkit/testkit.hpp"

namespace starling {
namespace {

TEST(Bytes, HexGoesThereAndBackForEveryByte) {
  Bytes all;
  for (int i = 0; i < 256; ++i) all.push_back(static_cast<std::uint8_t>(i));
  const std::string text = to_hex(all);
  EXPECT_EQ(text.substr(0, 8), "00010203");
  EXPECT_EQ(text.substr(504), "fcfdfeff");
  EXPECT_EQ(from_hex(text), all);
}

TEST(Bytes, HexIsReadInEitherCaseWithOrWithoutPrefix) {
  const Bytes expected{0xab, 0xcd, 0xef};
  for (const char* text : {"abcdef", "ABCDEF", "aBcDeF", "0xabcdef", "0XABCDEF"})
    EXPECT_EQ(from_hex(text), expected);
  EXPECT_EQ(from_hex(""), Bytes{});
  EXPECT_EQ(from_hex("0x"), Bytes{});
}

TEST(Bytes, HexWithAWrongDigitOrAnOddCountIsRefused) {
  for (const char* text :
       {"a", "abc", "0xa", "0g", "g0", " ab", "ab ", "a b", "/0", ":0", "@0", "`0", "0x0x00"})
    EXPECT_EQ(from_hex(text), std::nullopt) << text;
}

TEST(Bytes, CompareIsTheOrderOfMemcmpWithTheShorterFirst) {
  const Bytes sorted[] = {{}, {0}, {0, 0}, {0, 1}, {1}, {0x7f}, {0x80}, {0xff}, {0xff, 0}};
  for (std::size_t i = 0; i < std::size(sorted); ++i) {
    for (std::size_t j = 0; j < std::size(sorted); ++j) {
      EXPECT_EQ(compare(sorted[i], sorted[j]), i <=> j);
      EXPECT_EQ(equal(sorted[i], sorted[j]), i == j);
    }
  }
}

TEST(Bytes, ToFixedTakesExactlyItsSize) {
  const Bytes three{1, 2, 3};
  EXPECT_EQ(to_fixed<3>(three), (FixedBytes<3>{1, 2, 3}));
  EXPECT_EQ(to_fixed<2>(three), std::nullopt);
  EXPECT_EQ(to_fixed<4>(three), std::nullopt);
  EXPECT_TRUE(to_fixed<0>(Bytes{}).has_value());
}

TEST(Bytes, IntegersAreBigEndian) {
  Bytes out;
  put_u16_be(out, 0x0102);
  put_u32_be(out, 0x03040506);
  put_u64_be(out, 0x0708090a0b0c0d0e);
  EXPECT_EQ(to_hex(out), "0102030405060708090a0b0c0d0e");
  const std::span view(out);
  EXPECT_EQ(get_u16_be(view.first<2>()), 0x0102);
  EXPECT_EQ(get_u32_be(view.subspan<2, 4>()), 0x03040506u);
  EXPECT_EQ(get_u64_be(view.subspan<6, 8>()), 0x0708090a0b0c0d0eu);
}

TEST(Bytes, IntegersKeepTheirHighestBit) {
  Bytes out;
  put_u64_be(out, ~std::uint64_t{0});
  put_u32_be(out, 0x80000001);
  EXPECT_EQ(to_hex(out), "ffffffffffffffff80000001");
  EXPECT_EQ(get_u64_be(std::span(out).first<8>()), ~std::uint64_t{0});
  EXPECT_EQ(get_u32_be(std::span(out).last<4>()), 0x80000001u);
}

TEST(Bytes, HashTellsLengthsAndSingleBitsApart) {
  std::set<std::size_t> seen;
  std::size_t count = 0;
  for (std::size_t size = 0; size < 40; ++size) {
    seen.insert(hash_bytes(Bytes(size)));
    ++count;
    for (std::size_t bit = 0; bit < size * 8; ++bit) {
      Bytes one(size);
      one[bit / 8] = static_cast<std::uint8_t>(1 << (bit % 8));
      seen.insert(hash_bytes(one));
      ++count;
    }
  }
  EXPECT_EQ(seen.size(), count);
}

TEST(Bytes, HashDoesNotDependOnAlignment) {
  const Bytes padded(3, 0);
  const Bytes text = to_bytes("sixteen bytes...");
  for (std::size_t shift = 0; shift < 8; ++shift) {
    Bytes moved(shift);
    append(moved, text);
    EXPECT_EQ(hash_bytes(ByteView(moved).subspan(shift)), hash_bytes(text));
  }
}

TEST(StrongId, ZeroIsNoneAndOrderIsThatOfTheValue) {
  struct Tag;
  using Id = StrongId<Tag>;
  EXPECT_FALSE(Id());
  EXPECT_TRUE(Id(1));
  EXPECT_LT(Id(1), Id(2));
  EXPECT_EQ(Id(7).value(), 7u);
  EXPECT_NE(std::hash<Id>()(Id(1)), std::hash<Id>()(Id(2)));
}

}  // namespace
}  // namespace starling
