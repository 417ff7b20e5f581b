// What a router holds: budgets that a simulation of 100,000 of them depends on.
#include <gtest/gtest.h>

#include "proto/gossip/router_fixtures.hpp"

namespace starling::gossip {
namespace {

const std::vector<std::string> kTopics = {"agent-announcements", "agent-messages", "node-status"};

TEST(GossipMemory, ARouterWithoutPeersTakesLessThanTwoAndAHalfKilobytes) {
  Bench bench;
  for (const std::string& topic : kTopics) bench.subscribe(topic);
  EXPECT_LE(bench.router.memory_bytes(), 2560U);
}

TEST(GossipMemory, TwentyPeersOnThreeTopicsTakeLessThanSixteenKilobytes) {
  Bench bench;
  for (const std::string& topic : kTopics) bench.subscribe(topic);
  for (std::uint64_t i = 1; i <= 20; ++i) {
    bench.connect(test_peer(i), i % 2 == 0 ? Direction::inbound : Direction::outbound);
    bench.rpc(test_peer(i), rpc_subscribe(kTopics));
  }
  bench.pass(70s);
  EXPECT_EQ(bench.router.topic_stats().size(), 3U);
  EXPECT_LE(bench.router.memory_bytes(), 16384U);
}

TEST(GossipMemory, MessagesAreHeldOnceAndForFiveHeartbeats) {
  Bench bench;
  bench.subscribe("t");
  const PeerId peer = bench.join(1, "t");
  bench.pass(2s);
  const std::size_t before = bench.router.memory_bytes();
  const std::string payload(20000, 'x');
  for (std::uint64_t i = 0; i < 50; ++i)
    bench.rpc(peer, rpc_message(test_message(test_peer(9), i, "t", payload)));
  EXPECT_GE(bench.router.memory_bytes(), before + 50 * payload.size());
  bench.answer_all(Outcome::accept());
  bench.forget();
  EXPECT_GE(bench.router.memory_bytes(), before + 50 * payload.size());
  EXPECT_LE(bench.router.memory_bytes(), before + 50 * (payload.size() + 1000));
  bench.pass(6s);
  EXPECT_LE(bench.router.memory_bytes(), before + 4096);
}

TEST(GossipMemory, AConfigurationIsSharedNotCopied) {
  const auto config = must({});
  testkit::TestEnv env(1);
  const Router a(config, test_peer(1), env.env);
  const Router b(config, test_peer(2), env.env);
  EXPECT_EQ(config.use_count(), 3);
}

}  // namespace
}  // namespace starling::gossip
