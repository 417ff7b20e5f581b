#include "proto/kad/address.hpp"

#include <gtest/gtest.h>

#include "proto/kad/kad_testing.hpp"

namespace starling::kad {
namespace {

Multiaddr addr(std::string_view text) {
  const auto parsed = Multiaddr::parse(text);
  EXPECT_TRUE(parsed) << text;
  return parsed.value_or(Multiaddr{});
}

// E.2 #9: answers with private and loopback addresses.
TEST(KadAddress, PublicScopeDropsWhatNobodyElseCanDial) {
  const std::string id = testing::peer(1).to_string();
  const std::vector<Multiaddr> offered{
      addr("/ip4/127.0.0.1/tcp/1"),
      addr("/ip4/10.1.2.3/tcp/1"),
      addr("/ip4/192.168.1.1/tcp/1"),
      addr("/ip4/169.254.1.1/tcp/1"),
      addr("/ip4/100.64.0.1/tcp/1"),
      addr("/ip4/0.0.0.0/tcp/1"),
      addr("/ip6/::1/tcp/1"),
      addr("/ip6/fe80::1/tcp/1"),
      addr("/ip6/fc00::1/tcp/1"),
      addr("/ip6/::ffff:10.0.0.1/tcp/1"),
      addr("/ip4/10.0.0.1"),
      addr("/ip4/8.8.8.8/tcp/1"),
      addr("/dns4/a.example/tcp/1"),
      addr("/ip6/2600::1/udp/1/quic-v1"),
      addr("/ip4/8.8.4.4/tcp/1/p2p/" + id + "/p2p-circuit"),
  };
  EXPECT_EQ(usable_addrs(offered, AddressScope::public_only, 20),
            (std::vector<Multiaddr>{addr("/ip4/8.8.8.8/tcp/1"), addr("/dns4/a.example/tcp/1"),
                                    addr("/ip6/2600::1/udp/1/quic-v1")}));
  EXPECT_EQ(usable_addrs(offered, AddressScope::any, 20).size(), offered.size());
  EXPECT_EQ(usable_addrs(offered, AddressScope::any, 3).size(), 3u);
}

TEST(KadAddress, DropsOwnIdDuplicatesAndOverlongOnes) {
  const Multiaddr plain = addr("/ip4/8.8.8.8/tcp/1");
  const std::vector<Multiaddr> offered{plain.with_peer_id(testing::peer(1)), plain, Multiaddr{},
                                       addr("/dns4/" + std::string(250, 'n') + "/tcp/1/tls/ws"), plain};
  EXPECT_EQ(usable_addrs(offered, AddressScope::any, 20), std::vector<Multiaddr>{plain});
}

TEST(KadAddress, GroupsByWhatOneOperatorOwns) {
  const Diversity strict;
  const auto group = [&](std::string_view text) { return address_group(addr(text), strict); };
  EXPECT_NE(group("/ip4/8.8.8.8/tcp/1"), 0u);
  EXPECT_EQ(group("/ip4/8.8.8.8/tcp/1"), group("/ip4/8.8.255.1/udp/7/quic-v1"));
  EXPECT_NE(group("/ip4/8.8.8.8/tcp/1"), group("/ip4/8.9.8.8/tcp/1"));
  EXPECT_EQ(group("/ip6/2600:1:2::1/tcp/1"), group("/ip6/2600:1:3::1/tcp/1"));
  EXPECT_NE(group("/ip6/2600:1::1/tcp/1"), group("/ip6/2600:2::1/tcp/1"));
  // An IPv4 in IPv6 clothes is the same host.
  EXPECT_EQ(group("/ip4/8.8.8.8/tcp/1"), group("/ip6/::ffff:8.8.8.8/tcp/1"));
  EXPECT_EQ(group("/ip4/127.0.0.1/tcp/1"), 0u);
  EXPECT_EQ(group("/ip4/192.168.0.1/tcp/1"), 0u);
  EXPECT_EQ(group("/dns4/a.example/tcp/1"), 0u);
  Diversity everything;
  everything.private_too = true;
  EXPECT_NE(address_group(addr("/ip4/192.168.0.1/tcp/1"), everything), 0u);
}

}  // namespace
}  // namespace starling::kad
