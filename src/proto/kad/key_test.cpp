#include <gtest/gtest.h>

#include "format/peer_id.hpp"
#include "proto/kad/kad_testing.hpp"
#include "proto/kad/timestamp.hpp"

namespace starling::kad {
namespace {

// ipfs/specs src/routing/kad-dht.md, "Kademlia Keyspace" (2025-03-24). Its hex line and its Kademlia
// identifier belong together; its two text forms are those of another peer, whose place js computes as in the
// second half.
TEST(KadKey, PlacesAPeerWhereTheSpecificationDoes) {
  const auto by_hex = PeerId::from_bytes(
      testkit::hex("0024080112209e3b433cbd31c2b8a6ebbdca998bd0f4c2141c9c9af5422e976051b1e63af14d"));
  ASSERT_TRUE(by_hex);
  EXPECT_EQ(to_hex(KadId::of(*by_hex).bytes),
            "e43d28f0996557c0d5571d75c62a57a59d7ac1d30a51ecedcdb9d5e4afa56100");

  for (const std::string_view text : {"12D3KooWKudojFn6pff7Kah2Mkem3jtFfcntpG9X3QBNiggsYxK2",
                                      "k51qzi5uqu5djx47o56x8r9lvy85co0sdf1yfbzxlukdq4irr8ssn3o7dpfasp"}) {
    const auto by_text = PeerId::parse(text);
    ASSERT_TRUE(by_text) << text;
    EXPECT_EQ(to_hex(KadId::of(*by_text).bytes),
              "cf17fd5b0687074824db75f3e2cf1e8391a7498f489acb3c4eddb312756d8b6c");
  }
}

// ipfs/specs src/routing/kad-dht.md, "Content Kademlia Identifier".
TEST(KadKey, PlacesContentByItsMultihash) {
  const Bytes multihash =
      testkit::hex("1220e536c7f88d731f374dccb568aff6f56e838a19382e488039b1ca8ad2599e82fe");
  EXPECT_EQ(to_hex(KadId::of(ByteView(multihash)).bytes),
            "d623250f3f660ab4c3a53d3c97b3f6a0194c548053488d093520206248253bcb");
}

TEST(KadKey, MeasuresByXor) {
  SeededRng rng(testkit::seed(1));
  for (int round = 0; round < 500; ++round) {
    const KadId target{rng.bytes<32>()};
    KadId a{rng.bytes<32>()};
    KadId b{rng.bytes<32>()};
    if (round % 3 == 0) {  // long shared prefixes too
      const std::size_t shared = rng.below(32);
      std::copy_n(target.bytes.begin(), shared, a.bytes.begin());
      std::copy_n(target.bytes.begin(), shared, b.bytes.begin());
    }
    EXPECT_EQ(nearer(target, a, b), distance(target, a) < distance(target, b));
    EXPECT_FALSE(nearer(target, a, a));
    EXPECT_EQ(distance(a, b), distance(b, a));
    EXPECT_TRUE(nearer(target, target, a));
  }
}

TEST(KadKey, CountsTheSharedBits) {
  KadId a;
  KadId b;
  EXPECT_EQ(common_prefix_bits(a, b), 256u);
  for (std::size_t bit = 0; bit < 256; ++bit) {
    b = a;
    b.bytes[bit / 8] = static_cast<std::uint8_t>(0x80u >> (bit % 8));
    EXPECT_EQ(common_prefix_bits(a, b), bit);
  }
}

TEST(KadTimestamp, WritesRfc3339) {
  EXPECT_EQ(rfc3339(WallTime::from_ms(0)), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(rfc3339(WallTime::from_ms(1'741'064'767'089)), "2025-03-04T05:06:07.089Z");
  EXPECT_EQ(rfc3339(WallTime::from_ms(951'782'400'000)), "2000-02-29T00:00:00.000Z");
  // Times at the ends of their type (threats E.2 #12).
  EXPECT_EQ(rfc3339(WallTime::from_ms(~std::uint64_t{0})), "9999-12-31T23:59:59.999Z");
  EXPECT_EQ(rfc3339(WallTime::from_ms(std::uint64_t{1} << 63)), "9999-12-31T23:59:59.999Z");
}

}  // namespace
}  // namespace starling::kad
