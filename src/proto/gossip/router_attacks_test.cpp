// What hostile peers try, by the rows of the threat table, against one router.
#include <gmock/gmock.h>

#include <limits>

#include "proto/gossip/router_fixtures.hpp"

namespace starling::gossip {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

MessageId made_up(std::uint64_t number) {
  MessageId id(39, 0xee);
  put_u64_be(id, number);
  return id;
}

std::vector<MessageId> made_up(std::uint64_t first, std::size_t count) {
  std::vector<MessageId> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(made_up(first + i));
  return out;
}

// E.3 #1 to #3: CVE-2026-33040, CVE-2026-34219, cpp-libp2p 9b98a1d. The value itself, and the heartbeats
// after it, when slack is added to what was stored.
TEST(GossipAttack, APruneBackoffOfAnySizeNeitherWrapsNorLastsLongerThanAnHour) {
  const auto max = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  const std::uint64_t uptime_s = 5;
  for (const std::uint64_t backoff :
       {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1} << 31, max - uptime_s, max - uptime_s - 1,
        max - uptime_s + 1, max / 1'000'000'000, max / 1'000'000'000 - uptime_s, max - 1, max, max + 1,
        ~std::uint64_t{0} - uptime_s, ~std::uint64_t{0}}) {
    Bench bench;
    bench.subscribe("t");
    const PeerId peer = bench.join(1, "t");
    bench.pass(4s);
    ASSERT_TRUE(bench.in_mesh(peer, "t"));
    bench.forget();
    bench.rpc(peer, rpc_prune("t", backoff));
    EXPECT_FALSE(bench.in_mesh(peer, "t"));
    bench.pass(3s);  // three heartbeats
    bench.rpc(peer, rpc_prune("t", backoff));
    EXPECT_THAT(bench.prunes_to(peer), IsEmpty());
    bench.pass(1h + 10s);
    EXPECT_TRUE(bench.in_mesh(peer, "t")) << backoff;
  }
}

TEST(GossipAttack, TimesAtTheEndOfTheClockSaturate) {
  Bench bench;
  bench.now = Instant::from_ns(std::numeric_limits<std::int64_t>::max() - 2'000'000'000);
  bench.subscribe("t");
  const PeerId peer = bench.join(1, "t");
  bench.rpc(peer, rpc_prune("t", ~std::uint64_t{0}));
  bench.rpc(peer, rpc_graft("t"));
  bench.rpc(peer, rpc_ihave("t", {made_up(1)}));
  for (int i = 0; i < 3; ++i) {
    bench.router.on_deadline(bench.now);
    bench.settle();
    bench.now = bench.now + 500ms;
  }
  EXPECT_FALSE(bench.in_mesh(peer, "t"));
}

// E.3 #5 and #6: CVE-2026-46679, go-pubsub #705, cpp #349, py #1349, nim PR 2667, js PR 3593.
TEST(GossipAttack, ASubscriptionFloodIsCappedAndItsMemoryComesBack) {
  Bench bench;
  bench.subscribe("t");
  bench.join(1, "t");
  bench.pass(2s);
  const std::size_t before = bench.router.memory_bytes();
  const PeerId flooder = bench.join(2, "t");
  for (int round = 0; round < 100; ++round) {
    std::vector<std::string> topics;
    for (int i = 0; i < 200; ++i) topics.push_back(std::string(200, 'f') + std::to_string(round * 200 + i));
    bench.rpc(flooder, rpc_subscribe(topics));
  }
  EXPECT_EQ(bench.router.counters().skipped_entries, 20000 - (kTopicsPerPeerMax - 1));
  EXPECT_LE(bench.router.memory_bytes(), before + kTopicsPerPeerMax * 600 + 4096);
  EXPECT_GT(bench.router.memory_bytes(), before + kTopicsPerPeerMax * 200);
  EXPECT_THAT(bench.router.topic_peers(std::string(200, 'f') + "0"), ElementsAre(flooder));
  bench.gone(flooder);
  bench.pass(2s);
  EXPECT_THAT(bench.router.topic_peers(std::string(200, 'f') + "0"), IsEmpty());
  EXPECT_LE(bench.router.memory_bytes(), before + 4096);
}

TEST(GossipAttack, SubscribingAndUnsubscribingForEverLeavesNothing) {
  Bench bench;
  const PeerId peer = bench.join(1, "t");
  const std::size_t before = bench.router.memory_bytes();
  for (int i = 0; i < 20000; ++i) {
    const std::string topic = "topic" + std::to_string(i);
    bench.rpc(peer, rpc_subscribe({topic}));
    bench.rpc(peer, rpc_unsubscribe(topic));
  }
  EXPECT_LE(bench.router.memory_bytes(), before + 1024);
}

TEST(GossipAttack, TopicsOutsideTheFilterAreNotRemembered) {
  Config config;
  config.topic_filter = {"t"};
  Bench bench(config);
  bench.join(1, "t");
  bench.join(2, "u");
  EXPECT_THAT(bench.router.topic_peers("t"), SizeIs(1));
  EXPECT_THAT(bench.router.topic_peers("u"), IsEmpty());
}

TEST(GossipAttack, MorePeersThanTheTableHoldsAreNotHeard) {
  Config config;
  config.peers_max = 10;
  Bench bench(config);
  for (std::uint64_t i = 1; i <= 20; ++i) bench.rpc(test_peer(i), rpc_subscribe({"t"}));
  for (std::uint64_t i = 100; i <= 120; ++i) bench.connect(test_peer(i));
  EXPECT_EQ(bench.router.peer_count(), 10U);
  EXPECT_EQ(bench.router.counters().unknown_peer_rpcs, 31U);
  bench.gone(test_peer(3));
  bench.connect(test_peer(200));
  EXPECT_EQ(bench.router.peer_count(), 10U);
}

TEST(GossipAttack, IHaveSpamIsAnsweredUpToItsLimitPerHeartbeat) {
  Config config;
  config.mesh.ihave_length_max = 100;
  config.mesh.ihave_ids_sent_max = 100;
  config.mesh.ihave_messages_max = 4;
  Bench bench(config);
  bench.subscribe("t");
  const PeerId peer = bench.join(1, "t");
  bench.pass(2s);
  bench.forget();
  // More ids than allowed in one message.
  bench.rpc(peer, rpc_ihave("t", made_up(0, 300)));
  EXPECT_THAT(bench.iwant_to(peer), SizeIs(100));
  bench.rpc(peer, rpc_ihave("t", made_up(1000, 10)));
  EXPECT_THAT(bench.iwant_to(peer), SizeIs(100));
  bench.pass(1s);
  bench.forget();
  // More messages than allowed.
  for (std::uint64_t i = 0; i < 20; ++i) bench.rpc(peer, rpc_ihave("t", made_up(2000 + 10 * i, 2)));
  EXPECT_THAT(bench.iwant_to(peer), SizeIs(8));
}

TEST(GossipAttack, BrokenPromisesCostTheLiar) {
  Config config;
  config.score.behaviour_weight = -1;
  config.score.behaviour_threshold = 0;
  Bench bench(config);
  bench.subscribe("t");
  const PeerId liar = bench.join(1, "t");
  const PeerId honest = bench.join(2, "t");
  bench.pass(2s);
  for (std::uint64_t i = 0; i < 3; ++i) bench.rpc(liar, rpc_ihave("t", made_up(10 * i, 5)));
  const MessagePtr real = test_message(test_peer(9), 1, "t");
  bench.rpc(honest, rpc_ihave("t", {id_from_seqno(*real)}));
  bench.rpc(honest, rpc_message(real));
  bench.answer_all(Outcome::accept());
  bench.pass(5s);
  EXPECT_EQ(bench.router.counters().promises_broken, 3U);
  EXPECT_LT(bench.router.score(liar), -1);
  EXPECT_GE(bench.router.score(honest), 0);
}

TEST(GossipAttack, APromiseIsKeptByWhoeverDelivers) {
  Bench bench;
  bench.subscribe("t");
  const PeerId promised = bench.join(1, "t");
  const PeerId faster = bench.join(2, "t");
  const MessagePtr real = test_message(test_peer(9), 1, "t");
  bench.rpc(promised, rpc_ihave("t", {id_from_seqno(*real)}));
  bench.rpc(faster, rpc_message(real));
  bench.pass(6s);
  EXPECT_EQ(bench.router.counters().promises_broken, 0U);
}

TEST(GossipAttack, IWantSpamIsServedUpToItsLimitPerHeartbeat) {
  Config config;
  config.mesh.iwant_ids_max = 20;
  Bench bench(config);
  bench.subscribe("t");
  const PeerId source = bench.join(1, "t");
  const PeerId greedy = bench.join(2, "t");
  std::vector<MessageId> ids;
  for (std::uint64_t i = 0; i < 50; ++i) {
    const MessagePtr message = test_message(test_peer(9), i, "t");
    ids.push_back(id_from_seqno(*message));
    bench.rpc(source, rpc_message(message));
  }
  bench.answer_all(Outcome::accept());
  bench.forget();
  for (int i = 0; i < 10; ++i) bench.rpc(greedy, rpc_iwant(ids));
  EXPECT_THAT(bench.messages_to(greedy), SizeIs(20));
  for (int i = 0; i < 10; ++i) bench.rpc(greedy, rpc_iwant(made_up(0, 5000)));
  EXPECT_THAT(bench.messages_to(greedy), SizeIs(20));
}

TEST(GossipAttack, AGraftFloodIsAnsweredByOnePrunePerTopicAndRpc) {
  Bench bench;
  bench.subscribe("t");
  const PeerId peer = bench.join(1, "t");
  bench.pass(2s);
  bench.rpc(peer, rpc_prune("t", 60));
  bench.forget();
  Rpc flood;
  for (int i = 0; i < 256; ++i) flood.control.graft.push_back({"t"});
  bench.rpc(peer, std::move(flood));
  EXPECT_THAT(bench.prunes_to(peer), SizeIs(1));
  EXPECT_EQ(bench.router.counters().grafts_in_backoff, 1U);
}

TEST(GossipAttack, GraftingDuringBackoffAgainAndAgainEndsInTheGraylist) {
  Bench bench;
  bench.subscribe("t");
  const PeerId peer = bench.join(1, "t");
  bench.pass(2s);
  bench.rpc(peer, rpc_prune("t", 60));
  std::size_t answered = 0;
  for (int i = 0; i < 50; ++i) {
    bench.forget();
    bench.rpc(peer, rpc_graft("t"));
    answered += bench.prunes_to(peer).size();
  }
  EXPECT_LT(answered, 10U);
  EXPECT_LT(bench.router.score(peer), ScoreThresholds{}.graylist);
  EXPECT_GT(bench.router.counters().graylisted_rpcs, 40U);
  bench.pass(1s);
  const auto said = bench.others_of<Graylisted>();
  ASSERT_THAT(said, SizeIs(1));
  EXPECT_EQ(said[0].peer, peer);
  bench.pass(5s);
  EXPECT_THAT(bench.others_of<Graylisted>(), SizeIs(1));  // said once
}

TEST(GossipAttack, AGraylistedPeerIsNotHeardEvenAfterAReconnect) {
  Bench bench;
  bench.subscribe("t");
  const PeerId peer = bench.join(1, "t");
  for (std::uint64_t i = 0; i < 5; ++i) {
    bench.rpc(peer, rpc_message(test_message(test_peer(9), i, "t", "x", "forged")));
    bench.answer_all(Outcome::forged());
  }
  EXPECT_LT(bench.router.score(peer), ScoreThresholds{}.graylist);
  bench.gone(peer);
  EXPECT_LT(bench.router.score(peer), ScoreThresholds{}.graylist);
  bench.join(1, "t");
  bench.forget();
  bench.rpc(peer, rpc_message(test_message(test_peer(9), 100, "t")));
  bench.rpc(peer, rpc_graft("t"));
  EXPECT_THAT(bench.validations, IsEmpty());
  EXPECT_THAT(bench.sent, IsEmpty());
  // It decays: after some minutes of silence it is heard again.
  bench.pass(5min);
  bench.rpc(peer, rpc_message(test_message(test_peer(9), 101, "t")));
  EXPECT_THAT(bench.validations, SizeIs(1));
}

TEST(GossipAttack, ManyForgedCopiesOfOneIdCostTheForgersAndNotTheMessage) {
  Bench bench;
  bench.subscribe("t");
  std::vector<PeerId> forgers;
  for (std::uint64_t i = 1; i <= 40; ++i) forgers.push_back(bench.join(i, "t"));
  const PeerId honest = bench.join(100, "t");
  bench.rpc(honest, rpc_message(test_message(test_peer(9), 1, "t")));  // it has delivered before
  bench.answer_all(Outcome::accept());
  bench.forget();
  const MessagePtr real = test_message(test_peer(9), 2, "t");
  for (std::size_t i = 0; i < forgers.size(); ++i)
    bench.rpc(forgers[i], rpc_message(test_message(test_peer(9), 2, "t", "x", "forged" + std::to_string(i))));
  bench.rpc(honest, rpc_message(real));
  std::size_t checks = 0;
  while (!bench.validations.empty()) {
    const Validate next = bench.validations.front();
    bench.validations.clear();
    ++checks;
    bench.answer(next, as_text(next.message->signature) == "good" ? Outcome::accept() : Outcome::forged());
  }
  EXPECT_LE(checks, kWaitingCopiesMax + 1);
  ASSERT_THAT(bench.delivered, SizeIs(1));
  EXPECT_EQ(bench.delivered[0].message, real);
}

TEST(GossipAttack, PxListsOfOneRpcAreNotAddedUp) {
  Config config;
  config.thresholds.accept_px = 0;
  Bench bench(config);
  bench.subscribe("t");
  const PeerId peer = bench.join(1, "t");
  Rpc rpc;
  for (std::uint64_t i = 0; i < 200; ++i) {
    Prune prune{"t", {}, 60};
    for (std::uint64_t k = 0; k < 16; ++k)
      prune.peers.push_back({to_bytes(test_peer(1000 + 16 * i + k).bytes()), {}});
    rpc.control.prune.push_back(std::move(prune));
  }
  bench.rpc(peer, std::move(rpc));
  EXPECT_THAT(bench.others_of<ConnectPx>(), SizeIs(16));
}

TEST(GossipAttack, AHostilePeersStateIsGoneWithIt) {
  Bench bench;
  bench.subscribe("t");
  bench.join(1, "t");
  bench.pass(2s);
  const std::size_t before = bench.router.memory_bytes();
  for (std::uint64_t round = 0; round < 50; ++round) {
    const PeerId peer = bench.join(100 + round, "t");
    for (std::uint64_t i = 0; i < 20; ++i) {
      bench.rpc(peer, rpc_ihave("t", made_up(1000 * round + i, 50)));
      bench.rpc(peer, rpc_message(test_message(test_peer(9), 1000 * round + i, "t", std::string(1000, 'x'))));
    }
    bench.gone(peer);
  }
  bench.answer_all(Outcome::throttled());
  bench.forget();
  bench.pass(10s);
  EXPECT_LE(bench.router.memory_bytes(), before + 8192);
}

TEST(GossipAttack, EverythingIsBoundedUnderRandomAbuse) {
  Config config;
  config.validations_max = 64;
  config.mcache_bytes_max = 1 << 20;
  config.seen_max = 1000;
  config.peers_max = 64;
  Bench bench(config, testkit::seed(9));
  SeededRng rng(testkit::seed(10));
  bench.subscribe("a");
  bench.subscribe("b");
  const std::vector<std::string> topics = {"a", "b", "c", std::string(256, 'l')};
  for (int i = 0; i < 6000; ++i) {
    const PeerId peer = test_peer(1 + rng.below(100));
    const std::string& topic = topics[rng.below(topics.size())];
    switch (rng.below(12)) {
      case 0: bench.connect(peer, rng.below(2) == 0 ? Direction::inbound : Direction::outbound); break;
      case 1: bench.gone(peer); break;
      case 2: bench.rpc(peer, rpc_subscribe({topic})); break;
      case 3: bench.rpc(peer, rpc_unsubscribe(topic)); break;
      case 4: bench.rpc(peer, rpc_graft(topic)); break;
      case 5: bench.rpc(peer, rpc_prune(topic, rng.u64() >> rng.below(64))); break;
      case 6: bench.rpc(peer, rpc_ihave(topic, made_up(rng.below(1000), rng.below(50)))); break;
      case 7: bench.rpc(peer, rpc_iwant(made_up(rng.below(1000), rng.below(50)))); break;
      case 8:
      case 9:
        bench.rpc(peer,
                  rpc_message(test_message(test_peer(500), rng.below(5000), topic, std::string(500, 'x'))));
        break;
      case 10:
        if (!bench.validations.empty()) {
          const Validate next = bench.validations.front();
          bench.validations.erase(bench.validations.begin());
          const Outcome outcomes[] = {Outcome::accept(), Outcome::reject(), Outcome::ignore(),
                                      Outcome::forged(), Outcome::throttled()};
          bench.answer(next, outcomes[rng.below(5)]);
        }
        break;
      default: bench.pass(Duration(static_cast<std::int64_t>(rng.below(2'000'000'000))));
    }
    bench.forget();
    if (bench.validations.size() > 200) bench.validations.clear();
    ASSERT_LE(bench.router.peer_count(), 64U);
    ASSERT_LE(bench.router.memory_bytes(), std::size_t{4} << 20);
    for (const auto& own : {"a", "b"})
      for (const PeerId& member : bench.router.mesh_peers(own)) {
        const auto known = bench.router.topic_peers(own);
        ASSERT_TRUE(std::ranges::find(known, member) != known.end());
      }
  }
}

}  // namespace
}  // namespace starling::gossip
