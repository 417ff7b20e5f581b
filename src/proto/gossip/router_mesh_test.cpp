// Peers, subscriptions, GRAFT and PRUNE, as one router sees them.
#include <gmock/gmock.h>

#include "proto/gossip/router_fixtures.hpp"

namespace starling::gossip {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

std::vector<std::string> names(const Rpc& rpc, Subscription change) {
  std::vector<std::string> out;
  for (const SubOpts& sub : rpc.subscriptions)
    if (sub.change == change) out.push_back(sub.topic);
  return out;
}

TEST(GossipRouter, TheFirstRpcToAPeerHoldsAllSubscriptions) {
  Bench bench;
  bench.subscribe("b");
  bench.subscribe("a");
  const PeerId peer = test_peer(1);
  bench.connect(peer);
  ASSERT_THAT(bench.sent, SizeIs(1));
  EXPECT_EQ(bench.sent[0].to, peer);
  EXPECT_EQ(bench.sent[0].lane, Lane::control);
  EXPECT_THAT(names(bench.sent[0].rpc, Subscription::subscribe), ElementsAre("a", "b"));
  bench.forget();
  bench.connect(peer);  // again: no-op
  EXPECT_THAT(bench.sent, IsEmpty());
  EXPECT_EQ(bench.router.peer_count(), 1U);
}

TEST(GossipRouter, SubscribingTellsEveryPeerAndGraftsThoseThatAreSubscribed) {
  Bench bench;
  const PeerId in_topic = bench.join(1, "t");
  const PeerId other = bench.join(2, "u");
  bench.subscribe("t");
  EXPECT_THAT(bench.sent, SizeIs(2));
  for (const SendRpc& send : bench.sent)
    EXPECT_THAT(names(send.rpc, Subscription::subscribe), ElementsAre("t"));
  EXPECT_THAT(bench.grafts_to(in_topic), ElementsAre("t"));
  EXPECT_THAT(bench.grafts_to(other), IsEmpty());
  EXPECT_THAT(bench.router.mesh_peers("t"), ElementsAre(in_topic));
  EXPECT_THAT(bench.router.topic_peers("t"), ElementsAre(in_topic));
  bench.forget();
  bench.subscribe("t");  // again: no-op
  EXPECT_THAT(bench.sent, IsEmpty());
}

TEST(GossipRouter, ASubscriptionGraftsNoMoreThanD) {
  Bench bench;
  for (std::uint64_t i = 1; i <= 20; ++i) bench.join(i, "t");
  bench.subscribe("t");
  EXPECT_THAT(bench.router.mesh_peers("t"), SizeIs(MeshParams{}.d));
  EXPECT_EQ(bench.router.topic_stats().at(0).peers, 20U);
  EXPECT_EQ(bench.router.topic_stats().at(0).mesh, MeshParams{}.d);
}

TEST(GossipRouter, UnsubscribingPrunesWithItsOwnBackoff) {
  Bench bench;
  const PeerId peer = bench.join(1, "t");
  bench.subscribe("t");
  bench.forget();
  bench.router.unsubscribe("t", bench.now);
  bench.settle();
  ASSERT_THAT(bench.sent, SizeIs(1));
  EXPECT_THAT(names(bench.sent[0].rpc, Subscription::unsubscribe), ElementsAre("t"));
  ASSERT_THAT(bench.prunes_to(peer), SizeIs(1));
  EXPECT_EQ(bench.prunes_to(peer)[0].backoff_s, 10U);
  EXPECT_FALSE(bench.router.subscribed("t"));
  EXPECT_THAT(bench.router.mesh_peers("t"), IsEmpty());
  // Coming back before those 10 s does not graft the peer that was told to wait; 12 s later it does.
  bench.forget();
  bench.subscribe("t");
  EXPECT_THAT(bench.grafts_to(peer), IsEmpty());
  bench.pass(9s);
  EXPECT_THAT(bench.grafts_to(peer), IsEmpty());
  bench.pass(5s);
  EXPECT_THAT(bench.grafts_to(peer), ElementsAre("t"));
}

TEST(GossipRouter, BadTopicsAreRefused) {
  Bench bench;
  for (const std::string& topic :
       {std::string(), std::string(kTopicBytesMax + 1, 't'), std::string("\xff\xfe")}) {
    EXPECT_TRUE(bench.router.subscribe(topic, bench.now).error().is(Errc::bad_topic));
    EXPECT_TRUE(
        bench.router.publish(test_message(bench.self, 1, topic), bench.now).error().is(Errc::bad_topic));
  }
  EXPECT_TRUE(bench.router.subscribe(std::string(kTopicBytesMax, 't'), bench.now).has_value());
}

TEST(GossipRouter, OwnTopicsAreCapped) {
  Bench bench;
  for (std::size_t i = 0; i < kOwnTopicsMax; ++i) bench.subscribe("t" + std::to_string(i));
  EXPECT_TRUE(bench.router.subscribe("more", bench.now).error().is(Errc::too_many_topics));
  bench.router.unsubscribe("t0", bench.now);
  EXPECT_TRUE(bench.router.subscribe("more", bench.now).has_value());
}

TEST(GossipRouter, APeerThatUnsubscribesOrLeavesIsOutOfTheMesh) {
  Bench bench;
  bench.subscribe("t");
  const PeerId a = bench.join(1, "t");
  const PeerId b = bench.join(2, "t");
  bench.pass(2s);
  EXPECT_THAT(bench.router.mesh_peers("t"), UnorderedElementsAre(a, b));
  bench.rpc(a, rpc_unsubscribe("t"));
  EXPECT_THAT(bench.router.mesh_peers("t"), ElementsAre(b));
  EXPECT_THAT(bench.router.topic_peers("t"), ElementsAre(b));
  bench.gone(b);
  EXPECT_THAT(bench.router.mesh_peers("t"), IsEmpty());
  EXPECT_EQ(bench.router.peer_count(), 1U);
  bench.gone(b);  // again: no-op
}

TEST(GossipRouter, AGraftOfASubscribedTopicMakesALink) {
  Bench bench;
  bench.subscribe("t");
  const PeerId peer = test_peer(1);
  bench.connect(peer);
  bench.forget();
  bench.rpc(peer, rpc_graft("t"));  // it says the subscription too
  EXPECT_THAT(bench.router.mesh_peers("t"), ElementsAre(peer));
  EXPECT_THAT(bench.router.topic_peers("t"), ElementsAre(peer));
  EXPECT_THAT(bench.sent, IsEmpty());
}

// §3.10 trap 7.
TEST(GossipRouter, AGraftOfAnUnknownTopicIsNotAnswered) {
  Bench bench;
  bench.subscribe("t");
  const PeerId peer = bench.join(1, "t");
  bench.forget();
  Rpc rpc;
  for (int i = 0; i < 200; ++i) rpc.control.graft.push_back({"unknown" + std::to_string(i)});
  bench.rpc(peer, std::move(rpc));
  EXPECT_THAT(bench.sent, IsEmpty());
  EXPECT_GE(bench.router.score(peer), 0.0);
}

TEST(GossipRouter, APruneEndsTheLinkAndItsBackoffIsKept) {
  Bench bench;
  bench.subscribe("t");
  const PeerId peer = bench.join(1, "t");
  bench.pass(2s);
  EXPECT_TRUE(bench.in_mesh(peer, "t"));
  bench.forget();
  bench.rpc(peer, rpc_prune("t", 30));
  EXPECT_FALSE(bench.in_mesh(peer, "t"));
  bench.pass(29s);
  EXPECT_THAT(bench.grafts_to(peer), IsEmpty());
  // The slack of two heartbeats, then it is a candidate again.
  bench.pass(5s);
  EXPECT_THAT(bench.grafts_to(peer), ElementsAre("t"));
}

TEST(GossipRouter, WithoutATimeAPruneMeansTheDefaultBackoff) {
  Bench bench;
  bench.subscribe("t");
  const PeerId peer = bench.join(1, "t");
  bench.pass(2s);
  bench.forget();
  bench.rpc(peer, rpc_prune("t"));
  bench.pass(59s);
  EXPECT_THAT(bench.grafts_to(peer), IsEmpty());
  bench.pass(5s);
  EXPECT_THAT(bench.grafts_to(peer), ElementsAre("t"));
}

TEST(GossipRouter, ABackoffSurvivesAReconnect) {
  Bench bench;
  bench.subscribe("t");
  const PeerId peer = bench.join(1, "t");
  bench.pass(2s);
  bench.rpc(peer, rpc_prune("t", 60));
  bench.gone(peer);
  bench.forget();
  bench.join(1, "t");
  bench.pass(50s);
  EXPECT_THAT(bench.grafts_to(peer), IsEmpty());
  bench.rpc(peer, rpc_graft("t"));
  EXPECT_THAT(bench.prunes_to(peer), SizeIs(1));
}

TEST(GossipRouter, AGraftDuringBackoffIsPrunedAndPunishedTwiceWhenItIsAFlood) {
  Config config;
  config.score.behaviour_threshold = 0;
  config.score.behaviour_weight = -1;
  Bench bench(config);
  bench.subscribe("t");
  const PeerId hasty = bench.join(1, "t");
  const PeerId early = bench.join(2, "t");
  bench.pass(2s);
  bench.rpc(hasty, rpc_prune("t", 60));
  bench.rpc(early, rpc_prune("t", 60));
  bench.forget();
  bench.rpc(hasty, rpc_graft("t"));  // at once: within the flood threshold
  EXPECT_FALSE(bench.in_mesh(hasty, "t"));
  ASSERT_THAT(bench.prunes_to(hasty), SizeIs(1));
  EXPECT_THAT(bench.prunes_to(hasty)[0].peers, IsEmpty());
  EXPECT_DOUBLE_EQ(bench.router.score(hasty), -4);
  bench.pass(20s);
  bench.forget();
  bench.rpc(early, rpc_graft("t"));  // later, but still within the backoff
  EXPECT_THAT(bench.prunes_to(early), SizeIs(1));
  EXPECT_NEAR(bench.router.score(early), -1, 0.25);
  EXPECT_EQ(bench.router.counters().grafts_in_backoff, 2U);
  EXPECT_FALSE(bench.in_mesh(early, "t"));
}

TEST(GossipRouter, AShortMeshTakesWhoSubscribesAtOnceAndAFullOneWaitsForTheHeartbeat) {
  Bench bench;
  bench.subscribe("t");
  const std::size_t low = Config{}.mesh.d_lo;
  for (std::uint64_t i = 1; i <= low; ++i) {
    const PeerId peer = bench.join(i, "t");
    EXPECT_TRUE(bench.in_mesh(peer, "t"));
    EXPECT_THAT(bench.grafts_to(peer), ElementsAre("t"));
  }
  const PeerId late = bench.join(low + 1, "t");
  EXPECT_FALSE(bench.in_mesh(late, "t"));
  EXPECT_THAT(bench.grafts_to(late), IsEmpty());
}

TEST(GossipRouter, AShortMeshTakesWhoSubscribedBeforeOurStreamStood) {
  Bench bench;
  bench.subscribe("t");
  const PeerId peer = test_peer(1);
  bench.rpc(peer, rpc_subscribe({"t"}));
  EXPECT_FALSE(bench.in_mesh(peer, "t"));
  bench.connect(peer);
  EXPECT_TRUE(bench.in_mesh(peer, "t"));
  EXPECT_THAT(bench.grafts_to(peer), ElementsAre("t"));
}

TEST(GossipRouter, ABadPeerIsNotGraftedAndOneThatTurnsBadIsPruned) {
  Bench bench;
  bench.subscribe("t");
  const PeerId peer = test_peer(1);
  bench.connect(peer);
  bench.router.set_app_score(peer, -1);
  bench.rpc(peer, rpc_subscribe({"t"}));
  bench.rpc(peer, rpc_graft("t"));
  EXPECT_FALSE(bench.in_mesh(peer, "t"));
  EXPECT_THAT(bench.prunes_to(peer), SizeIs(1));
  bench.pass(3s);
  EXPECT_THAT(bench.grafts_to(peer), IsEmpty());
  const PeerId good = bench.join(2, "t");
  bench.pass(2s);
  EXPECT_TRUE(bench.in_mesh(good, "t"));
  bench.router.set_app_score(good, -1);
  bench.pass(1s);
  EXPECT_FALSE(bench.in_mesh(good, "t"));
  EXPECT_THAT(bench.prunes_to(good), SizeIs(1));
}

TEST(GossipRouter, AFullMeshTakesNoInboundGraftsButOutboundOnes) {
  Bench bench;
  bench.subscribe("t");
  const MeshParams params;
  for (std::uint64_t i = 1; i <= params.d_hi; ++i) bench.rpc(bench.join(i, "t"), rpc_graft("t"));
  EXPECT_THAT(bench.router.mesh_peers("t"), SizeIs(params.d_hi));
  const PeerId inbound = bench.join(100, "t");
  const PeerId outbound = bench.join(101, "t", Direction::outbound);
  bench.forget();
  bench.rpc(inbound, rpc_graft("t"));
  EXPECT_FALSE(bench.in_mesh(inbound, "t"));
  EXPECT_THAT(bench.prunes_to(inbound), SizeIs(1));
  bench.rpc(outbound, rpc_graft("t"));
  EXPECT_TRUE(bench.in_mesh(outbound, "t"));
  bench.pass(2s);
  EXPECT_LE(bench.router.mesh_peers("t").size(), params.d + params.d_out);
}

TEST(GossipRouter, MeshKeepsOutboundLinksAgainstACrowdThatDialsIn) {
  Bench bench;
  bench.subscribe("t");
  std::vector<PeerId> ours;
  for (std::uint64_t i = 1; i <= 2; ++i) ours.push_back(bench.join(i, "t", Direction::outbound));
  bench.pass(2s);
  for (std::uint64_t i = 100; i < 300; ++i) bench.rpc(bench.join(i, "t"), rpc_graft("t"));
  for (int i = 0; i < 100; ++i) bench.pass(1s);
  for (const PeerId& peer : ours) EXPECT_TRUE(bench.in_mesh(peer, "t"));
}

TEST(GossipRouter, GraftsAnsweredByPruneLeaveRoomForOthers) {
  Bench bench;
  bench.subscribe("t");
  std::vector<PeerId> peers;
  for (std::uint64_t i = 1; i <= 12; ++i) peers.push_back(bench.join(i, "t"));
  bench.pass(2s);
  const auto first = bench.router.mesh_peers("t");
  for (const PeerId& peer : first) bench.rpc(peer, rpc_prune("t", 60));
  bench.pass(2s);
  const auto second = bench.router.mesh_peers("t");
  EXPECT_THAT(second, SizeIs(6));
  for (const PeerId& peer : first) EXPECT_THAT(second, Not(Contains(peer)));
}

TEST(GossipRouter, APeerThatSpeaksBeforeOurStreamStandsIsHeard) {
  Bench bench;
  bench.subscribe("t");
  const PeerId peer = test_peer(1);
  bench.rpc(peer, rpc_subscribe({"t"}));
  bench.rpc(peer, rpc_graft("t"));
  bench.rpc(peer, rpc_message(test_message(test_peer(9), 1, "t")));
  EXPECT_THAT(bench.validations, SizeIs(1));
  bench.pass(3s);
  EXPECT_THAT(bench.sent, IsEmpty());  // there is nothing to send on
  EXPECT_THAT(bench.router.mesh_peers("t"), IsEmpty());
  EXPECT_THAT(bench.router.topic_peers("t"), IsEmpty());
  bench.connect(peer);
  ASSERT_THAT(bench.sent, SizeIs(1));
  EXPECT_THAT(names(bench.sent[0].rpc, Subscription::subscribe), ElementsAre("t"));
  EXPECT_TRUE(bench.in_mesh(peer, "t"));
  EXPECT_THAT(bench.router.topic_peers("t"), ElementsAre(peer));
}

TEST(GossipRouter, AnEarlyGraftThatWasTakenBackIsForgotten) {
  for (const bool by_prune : {true, false}) {
    Bench bench;
    bench.subscribe("t");
    const PeerId peer = test_peer(1);
    bench.rpc(peer, rpc_graft("t"));
    bench.rpc(peer, by_prune ? rpc_prune("t", 60) : rpc_unsubscribe("t"));
    bench.connect(peer);
    EXPECT_FALSE(bench.in_mesh(peer, "t"));
  }
}

TEST(GossipRouter, FloodsubPeersAreNeverGrafted) {
  Bench bench;
  bench.subscribe("t");
  const PeerId peer = bench.join(1, "t", Direction::outbound, Protocol::floodsub_1_0);
  bench.pass(3s);
  EXPECT_THAT(bench.router.mesh_peers("t"), IsEmpty());
  bench.rpc(peer, rpc_graft("t"));
  EXPECT_THAT(bench.router.mesh_peers("t"), IsEmpty());
  for (const SendRpc& send : bench.sent) EXPECT_TRUE(send.rpc.control.empty());
}

TEST(GossipRouter, APeerOfVersionOneZeroGetsABarePrune) {
  Config config;
  config.mesh.offer_px = true;
  Bench bench(config);
  bench.subscribe("t");
  const PeerId old = bench.join(1, "t", Direction::inbound, Protocol::meshsub_1_0);
  bench.join(2, "t");
  bench.pass(2s);
  EXPECT_TRUE(bench.in_mesh(old, "t"));
  bench.forget();
  bench.router.unsubscribe("t", bench.now);
  bench.settle();
  ASSERT_THAT(bench.prunes_to(old), SizeIs(1));
  EXPECT_EQ(bench.prunes_to(old)[0].backoff_s, 0U);
  EXPECT_THAT(bench.prunes_to(old)[0].peers, IsEmpty());
}

TEST(GossipRouter, ProtocolIdsMapToVersions) {
  EXPECT_EQ(protocol_of("/meshsub/1.1.0"), Protocol::meshsub_1_1);
  EXPECT_EQ(protocol_of("/meshsub/1.0.0"), Protocol::meshsub_1_0);
  EXPECT_EQ(protocol_of("/floodsub/1.0.0"), Protocol::floodsub_1_0);
  EXPECT_FALSE(protocol_of("/meshsub/9.9.9"));
}

TEST(GossipRouterPx, APruneOffersGoodPeersWithTheirRecords) {
  Config config;
  config.mesh.offer_px = true;
  Bench bench(config);
  bench.subscribe("t");
  std::vector<PeerId> peers;
  for (std::uint64_t i = 1; i <= 30; ++i) {
    peers.push_back(bench.join(i, "t"));
    bench.router.on_peer_record(peers.back(), Slice::copy(to_bytes("record " + std::to_string(i))));
  }
  bench.router.on_peer_record(peers[0],
                              Slice::copy(Bytes(kPxRecordBytesMax + 1, 0)));  // too long: the old one stays
  bench.router.set_app_score(peers[4], -5);
  bench.pass(2s);
  bench.forget();
  bench.router.unsubscribe("t", bench.now);
  bench.settle();
  std::size_t prunes = 0;
  for (const PeerId& peer : peers)
    for (const Prune& prune : bench.prunes_to(peer)) {
      ++prunes;
      EXPECT_THAT(prune.peers, SizeIs(16));
      for (const PxPeer& offered : prune.peers) {
        EXPECT_FALSE(equal(offered.id, peer.bytes()));
        EXPECT_FALSE(equal(offered.id, peers[4].bytes()));
        EXPECT_TRUE(as_text(offered.signed_record).starts_with("record "));
      }
    }
  EXPECT_GE(prunes, 5U);
}

TEST(GossipRouterPx, IsFollowedOnlyFromPeersThatEarnedIt) {
  Config config;
  config.thresholds.accept_px = 10;
  Bench bench(config);
  bench.subscribe("t");
  const PeerId peer = bench.join(1, "t");
  const PeerId known = bench.join(2, "t");
  const auto prune_with = [&](std::size_t count) {
    Rpc rpc = rpc_prune("t", 60);
    rpc.control.prune[0].peers.push_back({to_bytes(known.bytes()), {}});
    rpc.control.prune[0].peers.push_back({to_bytes(bench.self.bytes()), {}});
    rpc.control.prune[0].peers.push_back({Bytes{1, 2, 3}, {}});
    for (std::size_t i = 0; i < count; ++i)
      rpc.control.prune[0].peers.push_back(
          {to_bytes(test_peer(1000 + i).bytes()), Slice::copy(as_bytes("r"))});
    return rpc;
  };
  bench.rpc(peer, prune_with(5));
  EXPECT_THAT(bench.others_of<ConnectPx>(), IsEmpty());
  bench.router.set_app_score(peer, 10);
  bench.rpc(peer, prune_with(5));
  const auto dials = bench.others_of<ConnectPx>();
  EXPECT_THAT(dials, SizeIs(5));
  for (const ConnectPx& dial : dials) {
    EXPECT_EQ(dial.offered_by, peer);
    EXPECT_EQ(as_text(dial.signed_record), "r");
  }
  bench.forget();
  bench.rpc(peer, prune_with(500));
  EXPECT_LE(bench.others_of<ConnectPx>().size(), kPxPeersPerPruneMax);
  EXPECT_GE(bench.others_of<ConnectPx>().size(), kPxPeersPerPruneMax - 3);
}

TEST(GossipRouterDirect, DirectPeersAreDialledFedAndNeverGrafted) {
  Config config;
  config.direct_peers = {test_peer(1), test_peer(2)};
  config.mesh.flood_publish = false;
  Bench bench(config);
  bench.subscribe("t");
  const PeerId direct = bench.join(1, "t");
  const PeerId other = bench.join(3, "t");
  bench.pass(2s);
  const auto dials = bench.others_of<ConnectDirect>();
  ASSERT_THAT(dials, SizeIs(1));
  EXPECT_EQ(dials[0].peer, test_peer(2));
  EXPECT_THAT(bench.router.mesh_peers("t"), ElementsAre(other));
  bench.rpc(direct, rpc_graft("t"));
  EXPECT_THAT(bench.prunes_to(direct), SizeIs(1));
  EXPECT_THAT(bench.router.mesh_peers("t"), ElementsAre(other));
  // Its own score does not matter, neither for what it sends nor for what it gets.
  bench.router.set_app_score(direct, -1000);
  bench.forget();
  bench.rpc(direct, rpc_message(test_message(test_peer(9), 1, "t")));
  EXPECT_THAT(bench.validations, SizeIs(1));
  ASSERT_TRUE(bench.router.publish(test_message(bench.self, 1, "t"), bench.now).has_value());
  bench.settle();
  EXPECT_THAT(bench.messages_to(direct), SizeIs(1));
  bench.pass(2s);
  EXPECT_THAT(bench.ihave_to(direct), IsEmpty());
  EXPECT_THAT(bench.others_of<Graylisted>(), IsEmpty());
  bench.forget();
  bench.pass(301s);
  EXPECT_THAT(bench.others_of<ConnectDirect>(), SizeIs(1));
}

TEST(GossipRouterOpportunism, ABadMedianBringsBetterPeersIntoTheMesh) {
  Config config;
  config.mesh.opportunistic_graft_ticks = 10;
  config.thresholds.opportunistic = 5;
  Bench bench(config);
  bench.subscribe("t");
  for (std::uint64_t i = 1; i <= 6; ++i) bench.rpc(bench.join(i, "t", Direction::outbound), rpc_graft("t"));
  std::vector<PeerId> better;
  for (std::uint64_t i = 10; i <= 14; ++i) {
    better.push_back(bench.join(i, "t"));
    bench.router.set_app_score(better.back(), 20);
  }
  bench.pass(8s);
  for (const PeerId& peer : better) EXPECT_FALSE(bench.in_mesh(peer, "t"));
  bench.pass(3s);
  std::size_t grafted = 0;
  for (const PeerId& peer : better) grafted += bench.in_mesh(peer, "t") ? 1 : 0;
  EXPECT_EQ(grafted, MeshParams{}.opportunistic_graft_peers);
}

TEST(GossipRouterFanout, IsKeptForItsTimeAndBecomesTheMeshOnSubscribing) {
  Config config;
  config.mesh.flood_publish = false;
  Bench bench(config);
  for (std::uint64_t i = 1; i <= 20; ++i) bench.join(i, "t");
  bench.forget();
  std::uint64_t seqno = 0;
  const auto recipients = [&] {
    bench.forget();
    const auto published = bench.router.publish(test_message(bench.self, ++seqno, "t"), bench.now);
    EXPECT_TRUE(published.has_value());
    bench.settle();
    std::set<PeerId> out;
    for (const SendRpc& send : bench.sent) {
      EXPECT_EQ(send.lane, Lane::own);
      out.insert(send.to);
    }
    EXPECT_EQ(published->handed_to, out.size());
    return out;
  };
  const auto first = recipients();
  EXPECT_THAT(first, SizeIs(6));
  bench.pass(30s);
  EXPECT_EQ(recipients(), first);
  bench.pass(59s);
  EXPECT_EQ(recipients(), first);
  // One of them leaves the topic: another takes its place.
  bench.rpc(*first.begin(), rpc_unsubscribe("t"));
  bench.pass(1s);
  const auto second = recipients();
  EXPECT_THAT(second, SizeIs(6));
  EXPECT_THAT(second, Not(Contains(*first.begin())));
  bench.subscribe("t");
  const auto mesh = bench.router.mesh_peers("t");
  EXPECT_EQ(std::set<PeerId>(mesh.begin(), mesh.end()), second);
}

TEST(GossipRouterFanout, IsForgottenAfterItsTimeAndCapped) {
  Config config;
  config.mesh.flood_publish = false;
  Bench bench(config);
  for (std::size_t i = 0; i < kFanoutTopicsMax; ++i)
    EXPECT_TRUE(
        bench.router.publish(test_message(bench.self, i, "t" + std::to_string(i)), bench.now).has_value());
  EXPECT_TRUE(bench.router.publish(test_message(bench.self, 1000, "more"), bench.now)
                  .error()
                  .is(Errc::too_many_topics));
  bench.pass(62s);
  EXPECT_TRUE(bench.router.publish(test_message(bench.self, 1000, "more"), bench.now).has_value());
}

TEST(GossipRouterTimers, AnIdleRouterHasNoDeadline) {
  Bench bench;
  bench.subscribe("t");
  EXPECT_TRUE(bench.router.deadline().is_never());
  const PeerId peer = bench.join(1, "t");
  EXPECT_EQ(bench.router.deadline(), bench.now + MeshParams{}.heartbeat_initial_delay);
  bench.pass(10s);
  bench.gone(peer);
  bench.pass(10s);
  EXPECT_TRUE(bench.router.deadline().is_never());
  ASSERT_TRUE(bench.router.publish(test_message(bench.self, 1, "t"), bench.now).has_value());
  EXPECT_FALSE(bench.router.deadline().is_never());
  bench.pass(10s);
  EXPECT_TRUE(bench.router.deadline().is_never());
}

TEST(GossipRouterTimers, AfterAStallOneHeartbeatStandsForAll) {
  Bench bench;
  bench.subscribe("t");
  bench.join(1, "t");
  bench.pass(3s);
  ASSERT_TRUE(bench.router.publish(test_message(bench.self, 1, "t"), bench.now).has_value());
  bench.settle();
  bench.now = bench.now + 1h;
  bench.router.on_deadline(bench.now);
  bench.settle();
  EXPECT_GT(bench.router.deadline(), bench.now);
  EXPECT_LE(bench.router.deadline(), bench.now + 1s);
  // The message is still there for those who come now.
  const PeerId late = bench.join(2, "t");
  bench.forget();
  bench.rpc(late, rpc_iwant({id_from_seqno(*test_message(bench.self, 1, "t"))}));
  EXPECT_THAT(bench.messages_to(late), SizeIs(1));
}

}  // namespace
}  // namespace starling::gossip
