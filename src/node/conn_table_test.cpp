#include "node/conn_table.hpp"

#include <gmock/gmock.h>

#include "format/multihash.hpp"
#include "node/own_addresses.hpp"
#include "testkit/testkit.hpp"

namespace starling::node {
namespace {

PeerId peer(std::uint8_t number) {
  return *PeerId::from_bytes(format::make_multihash(format::kHashSha256, FixedBytes<32>{number}));
}
Multiaddr addr(const std::string& ip, int port = 4001) {
  return *Multiaddr::parse((ip.find(':') == std::string::npos ? "/ip4/" : "/ip6/") + ip + "/tcp/" +
                           std::to_string(port));
}
IpPort ip(const std::string& text) { return *addr(text).as_tcp(); }
Instant at(Duration since_start) { return Instant::from_ns(0) + since_start; }

class ConnTableTest : public ::testing::Test {
 protected:
  ConnTable::Conn conn(std::uint64_t id, std::uint8_t who, Duration since = 0s) {
    return {ConnId(id), peer(who), Direction::inbound, addr("9.9.9." + std::to_string(id % 250)), at(since)};
  }
  testkit::TestEnv env{1};
};

TEST_F(ConnTableTest, OneIpGetsNoMoreThanItsShare) {
  ConnTable table({10, 20, 100, 3, false}, env.env);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(table.admit_inbound(ip("8.8.8.8")).has_value());
  EXPECT_TRUE(table.admit_inbound(ip("8.8.8.8")).error().is(Errc::ip_limit));
  EXPECT_TRUE(table.admit_inbound(ip("8.8.8.9")).has_value());
  table.on_upgrade_ended(ip("8.8.8.8"));
  EXPECT_TRUE(table.admit_inbound(ip("8.8.8.8")).has_value());
}

TEST_F(ConnTableTest, AnIpv6CustomerCountsAsOneWhateverItsAddress) {
  ConnTable table({10, 20, 100, 1, false}, env.env);
  EXPECT_TRUE(table.admit_inbound(ip("2001:db8:1:100::1")).has_value());
  EXPECT_FALSE(table.admit_inbound(ip("2001:db8:1:1ff::2")).has_value());
  EXPECT_TRUE(table.admit_inbound(ip("2001:db8:1:200::1")).has_value());
}

TEST_F(ConnTableTest, LoopbackIsCountedOnlyWhenConfigured) {
  ConnTable lenient({10, 20, 100, 1, false}, env.env);
  ConnTable strict({10, 20, 100, 1, true}, env.env);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(lenient.admit_inbound(ip("127.0.0.1")).has_value());
  EXPECT_TRUE(strict.admit_inbound(ip("127.0.0.1")).has_value());
  EXPECT_FALSE(strict.admit_inbound(ip("127.0.0.1")).has_value());
}

TEST_F(ConnTableTest, TagsOfTheApplicationDecideWhoGoesAndEndWithTheConnection) {
  ConnLimits limits;
  limits.low = 1;
  limits.high = 10;
  limits.grace = 5s;
  ConnTable table(limits, env.env);
  for (std::uint8_t i = 1; i <= 3; ++i) ASSERT_TRUE(table.add(conn(i, i)));
  EXPECT_TRUE(table.set_tag(peer(1), "a", 5));
  EXPECT_TRUE(table.set_tag(peer(1), "b", -3));
  EXPECT_TRUE(table.set_tag(peer(2), "a", 1));
  EXPECT_TRUE(table.set_tag(peer(3), "a", 9));
  EXPECT_TRUE(table.set_tag(peer(3), "a", 0)) << "the tag goes";
  EXPECT_TRUE(table.set_tag(peer(9), "a", 9)) << "nobody we are connected to";
  EXPECT_TRUE(table.to_trim(at(1h)).empty()) << "below the high water";
  EXPECT_TRUE(table.to_trim_to_low(at(4s)).empty()) << "in their grace time";
  EXPECT_THAT(table.to_trim_to_low(at(5s)), ::testing::ElementsAre(ConnId(3), ConnId(2)));
  table.remove(ConnId(1));
  ASSERT_TRUE(table.add(conn(4, 1)));
  EXPECT_THAT(table.to_trim_to_low(at(5s)), ::testing::ElementsAre(ConnId(3), ConnId(4)));
}

TEST_F(ConnTableTest, TagsOfAPeerAreBounded) {
  ConnTable table({10, 20, 100, 1, false}, env.env);
  ASSERT_TRUE(table.add(conn(1, 1)));
  EXPECT_TRUE(table.set_tag(peer(1), "", 1).error().is(Errc::bad_tag));
  EXPECT_TRUE(table.set_tag(peer(1), std::string(kTagBytesMax + 1, 'x'), 1).error().is(Errc::bad_tag));
  for (std::size_t i = 0; i < kTagsPerPeerMax; ++i) ASSERT_TRUE(table.set_tag(peer(1), std::to_string(i), 1));
  EXPECT_TRUE(table.set_tag(peer(1), "one more", 1).error().is(Errc::too_many_tags));
  EXPECT_TRUE(table.set_tag(peer(1), "0", 7)) << "a known one may change";
}

TEST_F(ConnTableTest, UnsecuredConnectionsCountTowardsTheTotal) {
  ConnTable table({1, 1, 2, 8, false}, env.env);
  EXPECT_TRUE(table.admit_inbound(ip("127.0.0.1")).has_value());
  EXPECT_TRUE(table.admit_inbound(ip("127.0.0.1")).has_value());
  EXPECT_TRUE(table.admit_inbound(ip("127.0.0.1")).error().is(Errc::connection_limit));
}

TEST_F(ConnTableTest, OnePeerHasAtMostItsCapOfConnections) {
  ConnTable table({}, env.env);
  for (std::uint64_t i = 1; i <= kConnectionsPerPeerMax; ++i) EXPECT_TRUE(table.add(conn(i, 1)).has_value());
  EXPECT_TRUE(table.add(conn(99, 1)).error().is(Errc::connection_limit));
  EXPECT_EQ(table.of(peer(1)).size(), kConnectionsPerPeerMax);
  for (std::uint64_t i = 1; i <= kConnectionsPerPeerMax; ++i)
    EXPECT_TRUE(table.remove(ConnId(i)).has_value());
  EXPECT_FALSE(table.connected(peer(1)));
  EXPECT_FALSE(table.remove(ConnId(1)).has_value());
}

TEST_F(ConnTableTest, TrimsTheLeastUsefulYoungestFirstAndNeverTheProtected) {
  ConnTable table({2, 4, 100, 8, false}, env.env);
  for (std::uint8_t i = 1; i <= 6; ++i)
    ASSERT_TRUE(table.add(conn(i, i, std::chrono::seconds(i))).has_value());
  table.protect(peer(6));
  table.set_value(peer(5), 'm', 100);
  EXPECT_TRUE(table.to_trim(at(10s)).empty()) << "all are in their grace time";
  const auto gone = table.to_trim(at(kTrimGrace + 10s));
  EXPECT_THAT(gone, testing::ElementsAre(ConnId(4), ConnId(3), ConnId(2), ConnId(1)));
  table.set_value(peer(5), 'm', 0);
  table.unprotect(peer(6));
  EXPECT_THAT(table.to_trim(at(kTrimGrace + 10s)),
              testing::ElementsAre(ConnId(6), ConnId(5), ConnId(4), ConnId(3)));
}

TEST_F(ConnTableTest, UnderPressureNewcomersMakeRoomForThoseBehindThem) {
  ConnTable table({2, 4, 10, 8, false}, env.env);
  for (std::uint8_t i = 1; i <= 7; ++i) ASSERT_TRUE(table.add(conn(i, i)).has_value());
  EXPECT_FALSE(table.pressed()) << "halfway from 4 to 10";
  EXPECT_TRUE(table.to_trim(at(kPressedTrimGrace)).empty());
  ASSERT_TRUE(table.add(conn(8, 8, 1s)).has_value());
  EXPECT_TRUE(table.pressed());
  EXPECT_TRUE(table.to_trim(at(kPressedTrimGrace - 1ms)).empty());
  // Only down to the high water: the old ones stay, and who came last is still within its grace time.
  EXPECT_THAT(table.to_trim(at(kPressedTrimGrace)),
              testing::ElementsAre(ConnId(1), ConnId(2), ConnId(3), ConnId(4)));
}

TEST_F(ConnTableTest, NothingIsTrimmedUpToTheHighWaterMark) {
  ConnTable table({1, 3, 100, 8, false}, env.env);
  for (std::uint8_t i = 1; i <= 3; ++i) ASSERT_TRUE(table.add(conn(i, i)).has_value());
  EXPECT_TRUE(table.to_trim(at(1h)).empty());
}

TEST(OwnAddresses, AnObservedAddressNeedsEnoughObserversOnDifferentHosts) {
  OwnAddresses own;
  EXPECT_TRUE(own.set_listening({addr("192.168.1.5")}));
  const auto outside = addr("5.6.7.8");
  for (std::uint8_t i = 1; i < kObserversNeeded; ++i)
    EXPECT_FALSE(own.on_observed(peer(i), addr("20.0.0." + std::to_string(i)), outside));
  EXPECT_FALSE(own.on_observed(peer(50), addr("20.0.0.1"), outside)) << "the same host twice";
  EXPECT_TRUE(own.on_observed(peer(51), addr("20.0.0.99"), outside));
  EXPECT_THAT(own.advertised(), testing::ElementsAre(addr("192.168.1.5"), outside));
  EXPECT_TRUE(own.on_observer_gone(peer(51)));
  EXPECT_THAT(own.advertised(), testing::ElementsAre(addr("192.168.1.5")));
}

TEST(OwnAddresses, AnEphemeralPortTeachesNothing) {
  OwnAddresses own;
  own.set_listening({addr("192.168.1.5")});
  for (std::uint8_t i = 1; i <= 10; ++i)
    EXPECT_FALSE(own.on_observed(peer(i), addr("20.0.0." + std::to_string(i)), addr("5.6.7.8", 50000)));
  EXPECT_EQ(own.advertised().size(), 1u);
}

}  // namespace
}  // namespace starling::node
