#include "api/dht_keys.hpp"

#include <gtest/gtest.h>

#include "agent/names.hpp"
#include "format/multihash.hpp"
#include "format/peer_id.hpp"
#include "testkit/testkit.hpp"

namespace starling::api {
namespace {

constexpr std::string_view kWallet = "0x2c7536E3605D9C16a7a3D7b1898e529396a65c23";
constexpr std::string_view kPeer = "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA";
// The CIDs of the empty file as IPFS shows them, version 0 and 1 with the same SHA-256.
constexpr std::string_view kCid0 = "QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH";
constexpr std::string_view kCid1 = "bafybeif7ztnhq65lumvvtr4ekcwd2ifwgm3awq4zfr3srh462rwyinlb4y";

std::string key(std::string_view text, KeyUse use) {
  const auto parsed = parse_dht_key(text, use);
  return parsed ? to_text(*parsed) : "error " + parsed.error().to_string();
}

TEST(DhtKeys, AnAgentsAddressStandsForItsRecordOrItsProviderKey) {
  const auto wallet = *EthAddress::parse(kWallet);
  EXPECT_EQ(key(kWallet, KeyUse::value), to_text(agent::presence_key(wallet)));
  EXPECT_EQ(key("/eth/" + std::string(kWallet), KeyUse::value), to_text(agent::presence_key(wallet)));
  EXPECT_EQ(key(kWallet, KeyUse::provider), to_text(agent::provider_key(wallet)));
}

TEST(DhtKeys, PeerIdsStandForTheirPublicKeyOrForThemselves) {
  const auto peer = *PeerId::parse(kPeer);
  EXPECT_EQ(key(kPeer, KeyUse::value), "/pk/" + to_text(peer.bytes()));
  EXPECT_EQ(key("/pk/" + std::string(kPeer), KeyUse::value), "/pk/" + to_text(peer.bytes()));
  EXPECT_EQ(key(kPeer, KeyUse::provider), to_text(peer.bytes()));
}

TEST(DhtKeys, BothFormsOfACidAreTheSameMultihash) {
  const auto hash = *format::decode_base(format::Base::base58btc, kCid0);
  EXPECT_EQ(key(kCid0, KeyUse::provider), to_text(hash));
  EXPECT_EQ(key(kCid1, KeyUse::provider), to_text(hash));
}

TEST(DhtKeys, PlainBytesAreTakenAsTheyAre) {
  EXPECT_EQ(key("hex:00ff41", KeyUse::provider), std::string("\0\xff"
                                                             "A",
                                                             3));
  EXPECT_EQ(key("text:0x no address", KeyUse::provider), "0x no address");
  EXPECT_EQ(key("/other/thing", KeyUse::value), "/other/thing");
}

TEST(DhtKeys, WhatIsNoKeyIsRefused) {
  for (const std::string_view text :
       {"", "0x1234", "/eth/0x1234", "/pk/nobody", "hex:0", "hex:", "text:", "nonsense", "b", "bafy"})
    for (const auto use : {KeyUse::value, KeyUse::provider}) {
      const auto parsed = parse_dht_key(text, use);
      ASSERT_FALSE(parsed.has_value()) << text;
      EXPECT_TRUE(parsed.error().is(Errc::bad_key)) << text;
    }
  EXPECT_FALSE(parse_dht_key(kCid1, KeyUse::value).has_value());
  EXPECT_FALSE(parse_dht_key("text:" + std::string(81, 'x'), KeyUse::provider).has_value());
  EXPECT_TRUE(parse_dht_key("text:" + std::string(80, 'x'), KeyUse::provider).has_value());
  EXPECT_FALSE(parse_dht_key("text:" + std::string(257, 'x'), KeyUse::value).has_value());
}

TEST(DhtKeys, WhateverTheBytesTheTextLeadsBackToThem) {
  SeededRng rng(testkit::seed(3));
  std::vector<Bytes> keys{to_bytes("/other/thing"), to_bytes("/eth/0xABC"), to_bytes("/eth/"),
                          to_bytes("/pk/x"),        to_bytes("plain"),      to_bytes("/with space/x")};
  for (const auto text : {kWallet, kPeer}) {
    keys.push_back(*parse_dht_key(text, KeyUse::value));
    keys.push_back(*parse_dht_key(text, KeyUse::provider));
  }
  for (int i = 0; i < 500; ++i) {
    Bytes random(1 + rng.below(80));
    rng.fill(random);
    keys.push_back(std::move(random));
  }
  for (const Bytes& bytes : keys) {
    const std::string text = dht_key_text(bytes);
    const auto use = PeerId::from_bytes(bytes) ? KeyUse::provider : KeyUse::value;
    const auto again = parse_dht_key(text, use);
    ASSERT_TRUE(again.has_value()) << text;
    EXPECT_EQ(*again, bytes) << text;
  }
}

}  // namespace
}  // namespace starling::api
