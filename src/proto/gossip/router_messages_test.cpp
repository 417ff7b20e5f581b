// The way of a message through one router: rows 1 and 2 of PROTOCOL.md §5, forwarding, publishing, IHAVE and
// IWANT.
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

class GossipMessages : public ::testing::Test {
 protected:
  explicit GossipMessages(Config config = {}) : bench(std::move(config)) {
    bench.subscribe("t");
    for (std::uint64_t i = 1; i <= 4; ++i) {
      peers.push_back(bench.join(i, "t"));
      bench.rpc(peers.back(), rpc_graft("t"));
    }
    bench.forget();
  }
  MessagePtr message(std::uint64_t seqno = 1, std::string_view data = "x",
                     std::string_view signature = "good") {
    return test_message(author, seqno, "t", data, signature);
  }
  std::vector<PeerId> forwarded() const {
    std::vector<PeerId> out;
    for (const SendRpc& send : bench.sent)
      if (send.lane == Lane::relay && !send.rpc.messages.empty()) out.push_back(send.to);
    return out;
  }

  Bench bench;
  std::vector<PeerId> peers;
  PeerId author = test_peer(77);
  /// What one invalid message costs by P4.
  const double invalid = ScoreParams::small_mesh().any_topic->invalid_deliveries_weight;
};

TEST_F(GossipMessages, AnAcceptedMessageIsDeliveredAndForwardedToTheMeshOnly) {
  const PeerId outside = bench.join(20, "t");
  bench.rpc(outside, rpc_prune("t", 60));
  bench.forget();
  bench.rpc(peers[0], rpc_message(message()));
  ASSERT_THAT(bench.validations, SizeIs(1));
  EXPECT_EQ(bench.validations[0].from, peers[0]);
  EXPECT_EQ(bench.validations[0].message_id, id_from_seqno(*message()));
  EXPECT_THAT(bench.delivered, IsEmpty());
  EXPECT_THAT(forwarded(), IsEmpty());
  EXPECT_FALSE(bench.router.seen(id_from_seqno(*message())));
  const MessagePtr received = bench.validations[0].message;
  bench.answer_all(Outcome::accept());
  ASSERT_THAT(bench.delivered, SizeIs(1));
  EXPECT_EQ(bench.delivered[0].message, received);
  EXPECT_EQ(bench.delivered[0].from, peers[0]);
  EXPECT_THAT(forwarded(), UnorderedElementsAre(peers[1], peers[2], peers[3]));
  EXPECT_THAT(bench.messages_to(outside), IsEmpty());
  // Forwarding copies a pointer, never the message.
  EXPECT_EQ(bench.messages_to(peers[1]).at(0), received);
  EXPECT_TRUE(bench.router.seen(id_from_seqno(*message())));
}

TEST_F(GossipMessages, ACopyOfASeenIdIsDroppedBeforeAnything) {
  bench.rpc(peers[0], rpc_message(message()));
  bench.answer_all(Outcome::accept());
  bench.forget();
  for (int i = 0; i < 5; ++i) bench.rpc(peers[1], rpc_message(message()));
  bench.rpc(peers[1], rpc_message(message(1, "other data", "other signature")));
  EXPECT_THAT(bench.validations, IsEmpty());
  EXPECT_THAT(bench.delivered, IsEmpty());
  EXPECT_THAT(bench.sent, IsEmpty());
  EXPECT_EQ(bench.router.counters().duplicates, 6U);
  EXPECT_EQ(bench.router.counters().delivered, 1U);
}

TEST_F(GossipMessages, TheAuthorDoesNotGetItsMessageBack) {
  author = peers[2];
  bench.rpc(peers[0], rpc_message(message()));
  bench.answer_all(Outcome::accept());
  EXPECT_THAT(forwarded(), UnorderedElementsAre(peers[1], peers[3]));
}

TEST_F(GossipMessages, ACopyDuringValidationWaitsAndItsBringerIsNotSentTheMessage) {
  bench.rpc(peers[0], rpc_message(message()));
  bench.rpc(peers[1], rpc_message(message()));
  bench.rpc(peers[2], rpc_message(std::make_shared<const Message>(*message())));
  EXPECT_THAT(bench.validations, SizeIs(1));
  bench.answer_all(Outcome::accept());
  EXPECT_THAT(bench.delivered, SizeIs(1));
  EXPECT_THAT(forwarded(), ElementsAre(peers[3]));
}

TEST_F(GossipMessages, ARejectedIdIsSeenAndItsBringersPayOnce) {
  bench.rpc(peers[0], rpc_message(message()));
  bench.rpc(peers[1], rpc_message(message()));
  bench.answer_all(Outcome::reject());
  EXPECT_TRUE(bench.router.seen(id_from_seqno(*message())));
  EXPECT_THAT(bench.delivered, IsEmpty());
  EXPECT_THAT(forwarded(), IsEmpty());
  EXPECT_DOUBLE_EQ(bench.router.score(peers[0]), invalid);
  EXPECT_DOUBLE_EQ(bench.router.score(peers[1]), invalid);
  EXPECT_DOUBLE_EQ(bench.router.score(peers[2]), 0);
  bench.rpc(peers[0], rpc_message(message()));
  EXPECT_DOUBLE_EQ(bench.router.score(peers[0]), invalid);
  // Who brings it later forwarded something invalid too.
  bench.rpc(peers[2], rpc_message(message()));
  EXPECT_DOUBLE_EQ(bench.router.score(peers[2]), invalid);
  EXPECT_EQ(bench.router.counters().rejected, 1U);
}

TEST_F(GossipMessages, AnIgnoredIdIsSeenAndNobodyPays) {
  bench.rpc(peers[0], rpc_message(message()));
  bench.answer_all(Outcome::ignore());
  EXPECT_TRUE(bench.router.seen(id_from_seqno(*message())));
  EXPECT_THAT(bench.delivered, IsEmpty());
  EXPECT_THAT(forwarded(), IsEmpty());
  EXPECT_DOUBLE_EQ(bench.router.score(peers[0]), 0);
  bench.rpc(peers[1], rpc_message(message()));
  EXPECT_THAT(bench.validations, IsEmpty());
  EXPECT_EQ(bench.router.counters().ignored, 1U);
}

TEST_F(GossipMessages, AForgedCopyDoesNotShutOutTheHonestOne) {
  bench.rpc(peers[0], rpc_message(message(1, "x", "forged")));
  bench.rpc(peers[1], rpc_message(message(1, "y", "forged too")));
  bench.rpc(peers[2], rpc_message(message()));
  bench.rpc(peers[3], rpc_message(message()));
  ASSERT_THAT(bench.validations, SizeIs(1));
  const auto honest = [](const Message& m) { return as_text(m.signature) == "good"; };
  std::size_t checked = 0;
  while (!bench.validations.empty()) {
    const Validate next = bench.validations.front();
    bench.validations.clear();
    ++checked;
    bench.answer(next, honest(*next.message) ? Outcome::accept() : Outcome::forged());
  }
  EXPECT_EQ(checked, 3U);
  ASSERT_THAT(bench.delivered, SizeIs(1));
  EXPECT_EQ(as_text(bench.delivered[0].message->signature), "good");
  EXPECT_EQ(bench.delivered[0].from, peers[2]);
  // The forgers paid, and they are sent the real one: they do not have it.
  EXPECT_DOUBLE_EQ(bench.router.score(peers[0]), invalid);
  EXPECT_DOUBLE_EQ(bench.router.score(peers[1]), invalid);
  EXPECT_GT(bench.router.score(peers[2]), 0);
  EXPECT_THAT(forwarded(), UnorderedElementsAre(peers[0], peers[1]));
  EXPECT_EQ(bench.router.counters().forged, 2U);
}

TEST_F(GossipMessages, AForgedIdStaysOpenForLater) {
  bench.rpc(peers[0], rpc_message(message(1, "x", "forged")));
  bench.answer_all(Outcome::forged());
  EXPECT_FALSE(bench.router.seen(id_from_seqno(*message())));
  bench.rpc(peers[1], rpc_message(message()));
  ASSERT_THAT(bench.validations, SizeIs(1));
  bench.answer_all(Outcome::accept());
  EXPECT_THAT(bench.delivered, SizeIs(1));
}

TEST_F(GossipMessages, AThrottledIdStaysOpenAndNobodyPays) {
  bench.rpc(peers[0], rpc_message(message()));
  bench.answer_all(Outcome::throttled());
  EXPECT_FALSE(bench.router.seen(id_from_seqno(*message())));
  EXPECT_DOUBLE_EQ(bench.router.score(peers[0]), 0);
  EXPECT_EQ(bench.router.counters().validation_overflow, 1U);
  bench.rpc(peers[0], rpc_message(message()));
  EXPECT_THAT(bench.validations, SizeIs(1));
}

TEST_F(GossipMessages, AVerdictThatNeverComesFreesItsPlace) {
  bench.rpc(peers[0], rpc_message(message()));
  const Validate lost = bench.validations.at(0);
  bench.pass(32s);
  EXPECT_EQ(bench.router.counters().validation_overflow, 1U);
  bench.answer(lost, Outcome::accept());  // too late
  EXPECT_THAT(bench.delivered, IsEmpty());
  EXPECT_FALSE(bench.router.seen(id_from_seqno(*message())));
}

TEST_F(GossipMessages, AVerdictCountsOnce) {
  bench.rpc(peers[0], rpc_message(message()));
  const Validate once = bench.validations.at(0);
  bench.answer(once, Outcome::accept());
  bench.answer(once, Outcome::accept());
  bench.answer(once, Outcome::reject());
  bench.router.on_validated(ValidationId(999), Outcome::reject(), bench.now);
  EXPECT_THAT(bench.delivered, SizeIs(1));
  EXPECT_GE(bench.router.score(peers[0]), 0);
}

TEST_F(GossipMessages, MessagesOfOtherTopicsAndInOurNameAreDropped) {
  bench.rpc(peers[0], rpc_message(test_message(author, 1, "unknown")));
  bench.rpc(peers[0], rpc_message(test_message(bench.self, 1, "t")));
  EXPECT_THAT(bench.validations, IsEmpty());
  EXPECT_EQ(bench.router.counters().unwanted_topic, 1U);
  EXPECT_EQ(bench.router.counters().own_echoed, 1U);
}

TEST_F(GossipMessages, AMessageAcceptedAfterWeLeftTheTopicGoesNowhere) {
  bench.rpc(peers[0], rpc_message(message()));
  bench.router.unsubscribe("t", bench.now);
  bench.settle();
  bench.forget();
  bench.answer_all(Outcome::accept());
  EXPECT_THAT(bench.delivered, IsEmpty());
  EXPECT_THAT(forwarded(), IsEmpty());
}

TEST_F(GossipMessages, ABringerThatLeftDoesNotStopItsMessage) {
  bench.rpc(peers[0], rpc_message(message()));
  bench.gone(peers[0]);
  const PeerId reused = bench.join(50, "t");  // takes the slot
  bench.forget();
  bench.answer_all(Outcome::accept());
  ASSERT_THAT(bench.delivered, SizeIs(1));
  EXPECT_TRUE(bench.delivered[0].from.empty());
  EXPECT_DOUBLE_EQ(bench.router.score(reused), 0);
}

TEST_F(GossipMessages, ANullMessageIsNothing) {
  bench.rpc(peers[0], rpc_message(nullptr));
  EXPECT_EQ(bench.router.counters().messages_received, 0U);
}

class GossipRow1 : public GossipMessages {
 protected:
  static Config tight() {
    Config config;
    config.forwarder_rate_per_s = 10;
    config.forwarder_burst = 20;
    config.validations_max = 50;
    config.validations_per_peer_max = 30;
    return config;
  }
  explicit GossipRow1(Config config = tight()) : GossipMessages(std::move(config)) {}
};

TEST_F(GossipRow1, AForwarderOverItsRateIsIgnoredAndTheIdStaysOpen) {
  for (std::uint64_t i = 1; i <= 25; ++i) bench.rpc(peers[0], rpc_message(message(i)));
  EXPECT_THAT(bench.validations, SizeIs(20));
  EXPECT_EQ(bench.router.counters().over_rate, 5U);
  EXPECT_FALSE(bench.router.seen(id_from_seqno(*message(25))));
  EXPECT_DOUBLE_EQ(bench.router.score(peers[0]), 0);
  // Others bring it, and time brings back the rate.
  bench.rpc(peers[1], rpc_message(message(25)));
  EXPECT_THAT(bench.validations, SizeIs(21));
  bench.now = bench.now + 500ms;
  for (std::uint64_t i = 31; i <= 40; ++i) bench.rpc(peers[0], rpc_message(message(i)));
  EXPECT_THAT(bench.validations, SizeIs(26));
}

TEST_F(GossipRow1, CopiesOfSeenIdsCostNoRate) {
  bench.rpc(peers[0], rpc_message(message(1)));
  bench.answer_all(Outcome::accept());
  for (int i = 0; i < 100; ++i) bench.rpc(peers[0], rpc_message(message(1)));
  for (std::uint64_t i = 2; i <= 20; ++i) bench.rpc(peers[0], rpc_message(message(i)));
  EXPECT_THAT(bench.validations, SizeIs(19));
  EXPECT_EQ(bench.router.counters().over_rate, 0U);
}

TEST_F(GossipRow1, AFullValidationTableIgnoresAndTheIdStaysOpen) {
  Config config = tight();
  config.forwarder_burst = 1000;
  Bench wide(config);
  wide.subscribe("t");
  const PeerId a = wide.join(1, "t");
  const PeerId b = wide.join(2, "t");
  const PeerId c = wide.join(3, "t");
  for (std::uint64_t i = 0; i < 100; ++i) wide.rpc(a, rpc_message(message(i)));
  EXPECT_THAT(wide.validations, SizeIs(30));  // the share of one peer
  for (std::uint64_t i = 200; i < 300; ++i) wide.rpc(b, rpc_message(message(i)));
  EXPECT_THAT(wide.validations, SizeIs(50));  // the whole table
  wide.rpc(c, rpc_message(message(500)));
  EXPECT_THAT(wide.validations, SizeIs(50));
  EXPECT_EQ(wide.router.counters().validation_overflow, 70U + 80U + 1U);
  EXPECT_FALSE(wide.router.seen(id_from_seqno(*message(500))));
  wide.answer_all(Outcome::ignore());
  wide.rpc(c, rpc_message(message(500)));
  EXPECT_THAT(wide.validations, SizeIs(1));
  wide.rpc(a, rpc_message(message(501)));  // its share is free again
  EXPECT_THAT(wide.validations, SizeIs(2));
}

TEST_F(GossipRow1, WaitingCopiesCountForTheirBringerAndAreReleased) {
  Config config = tight();
  config.forwarder_burst = 1000;
  config.validations_per_peer_max = 2;
  Bench wide(config);
  wide.subscribe("t");
  const PeerId a = wide.join(1, "t");
  const PeerId b = wide.join(2, "t");
  for (int round = 0; round < 20; ++round) {
    const auto seqno = static_cast<std::uint64_t>(round);
    wide.rpc(a, rpc_message(message(seqno, "x", "forged")));
    wide.rpc(b, rpc_message(message(seqno, "x", "good")));
    while (!wide.validations.empty()) {
      const Validate next = wide.validations.front();
      wide.validations.clear();
      wide.answer(next, as_text(next.message->signature) == "good" ? Outcome::accept() : Outcome::forged());
    }
    wide.router.set_app_score(a, 1e6);  // the forger stays above the graylist for the sake of this test
  }
  EXPECT_THAT(wide.delivered, SizeIs(20));
}

TEST_F(GossipMessages, OversizeDataIsIgnored) {
  Config config;
  config.message_bytes_max = 100;
  Bench small(config);
  small.subscribe("t");
  const PeerId peer = small.join(1, "t");
  small.rpc(peer, rpc_message(message(1, std::string(101, 'x'))));
  EXPECT_THAT(small.validations, IsEmpty());
  EXPECT_EQ(small.router.counters().oversize, 1U);
  small.rpc(peer, rpc_message(message(1, std::string(100, 'x'))));
  EXPECT_THAT(small.validations, SizeIs(1));
  EXPECT_TRUE(small.router.publish(test_message(small.self, 1, "t", std::string(101, 'x')), small.now)
                  .error()
                  .is(Errc::too_large));
}

TEST_F(GossipMessages, PublishingFloodsEverybodyAboveTheThreshold) {
  for (std::uint64_t i = 30; i < 40; ++i) bench.join(i, "t");
  const PeerId disliked = bench.join(50, "t");
  bench.router.set_app_score(disliked, -60);
  bench.join(51, "other");
  bench.forget();
  const auto published = bench.router.publish(test_message(bench.self, 1, "t"), bench.now);
  bench.settle();
  ASSERT_TRUE(published.has_value());
  EXPECT_EQ(published->handed_to, 14U);
  EXPECT_THAT(bench.sent, SizeIs(14));
  for (const SendRpc& send : bench.sent) EXPECT_EQ(send.lane, Lane::own);
  EXPECT_THAT(bench.messages_to(disliked), IsEmpty());
  EXPECT_THAT(bench.delivered, IsEmpty());  // not to ourselves
}

TEST_F(GossipMessages, WithoutFloodingAPublicationGoesToTheMesh) {
  Config config;
  config.mesh.flood_publish = false;
  Bench quiet(config);
  quiet.subscribe("t");
  for (std::uint64_t i = 1; i <= 20; ++i) quiet.join(i, "t");
  quiet.pass(2s);
  const auto published = quiet.router.publish(test_message(quiet.self, 1, "t"), quiet.now);
  EXPECT_EQ(published->handed_to, quiet.router.mesh_peers("t").size());
}

TEST_F(GossipMessages, PublishingTheSameIdTwiceIsRefused) {
  ASSERT_TRUE(bench.router.publish(test_message(bench.self, 1, "t"), bench.now).has_value());
  EXPECT_TRUE(
      bench.router.publish(test_message(bench.self, 1, "t", "y"), bench.now).error().is(Errc::duplicate));
  bench.rpc(peers[0], rpc_message(message(5)));
  EXPECT_TRUE(bench.router.publish(message(5), bench.now).error().is(Errc::duplicate));
  EXPECT_EQ(bench.router.counters().published, 1U);
}

TEST_F(GossipMessages, APublicationWithNobodyThereIsAnnouncedToWhoComes) {
  Bench lonely;
  lonely.subscribe("t");
  const auto published = lonely.router.publish(test_message(lonely.self, 1, "t"), lonely.now);
  ASSERT_TRUE(published.has_value());
  EXPECT_EQ(published->handed_to, 0U);
  // Those of the mesh hear of the message when they are linked, the others at the heartbeat.
  std::vector<PeerId> who;
  for (std::uint64_t i = 1; i <= 9; ++i) who.push_back(lonely.join(i, "t"));
  const std::size_t low = Config{}.mesh.d_lo;
  ASSERT_EQ(lonely.router.mesh_peers("t").size(), low);
  for (const PeerId& peer : lonely.router.mesh_peers("t"))
    EXPECT_THAT(lonely.ihave_to(peer), ElementsAre(published->id));
  lonely.pass(900ms);
  for (const PeerId& peer : who) EXPECT_THAT(lonely.ihave_to(peer), ElementsAre(published->id));
  const PeerId late = lonely.join(10, "t");
  lonely.pass(5s);
  lonely.forget();
  lonely.rpc(late, rpc_graft("t"));
  EXPECT_TRUE(lonely.in_mesh(late, "t"));
  EXPECT_THAT(lonely.ihave_to(late), IsEmpty()) << "announced for history_gossip heartbeats only";
}

TEST_F(GossipMessages, WhoIsLinkedHearsOfWhatWentRoundBefore) {
  bench.rpc(peers[0], rpc_message(message()));
  bench.answer_all(Outcome::accept());
  const PeerId late = bench.join(20, "t");
  ASSERT_TRUE(bench.in_mesh(late, "t"));
  EXPECT_THAT(bench.ihave_to(late), ElementsAre(id_from_seqno(*message())));
  EXPECT_THAT(bench.ihave_to(peers[1]), IsEmpty());
  bench.rpc(late, rpc_iwant({id_from_seqno(*message())}));
  EXPECT_THAT(bench.messages_to(late), SizeIs(1));
}

TEST_F(GossipMessages, IHaveGoesToPeersOutsideTheMeshForThreeHeartbeats) {
  std::vector<PeerId> outside;
  for (std::uint64_t i = 30; i < 90; ++i) outside.push_back(bench.join(i, "t"));
  const PeerId elsewhere = bench.join(100, "u");
  bench.pass(2s);
  bench.rpc(peers[0], rpc_message(message()));
  bench.answer_all(Outcome::accept());
  std::size_t announced = 0;
  for (int heartbeat = 0; heartbeat < 5; ++heartbeat) {
    bench.forget();
    bench.pass(1s);
    std::size_t now = 0;
    for (const PeerId& peer : outside) {
      if (bench.ihave_to(peer).empty()) continue;
      EXPECT_FALSE(bench.in_mesh(peer, "t"));
      EXPECT_THAT(bench.ihave_to(peer), ElementsAre(id_from_seqno(*message())));
      ++now;
    }
    for (const PeerId& peer : bench.router.mesh_peers("t")) EXPECT_THAT(bench.ihave_to(peer), IsEmpty());
    EXPECT_THAT(bench.ihave_to(elsewhere), IsEmpty());
    // 64 peers less the mesh: a quarter of them is more than Dlazy.
    if (heartbeat < 3) {
      EXPECT_GE(now, 13U);
      EXPECT_LE(now, 16U);
    } else {
      EXPECT_EQ(now, 0U);
    }
    announced += now;
  }
  EXPECT_GT(announced, 0U);
}

TEST_F(GossipMessages, WithoutScoreThereIsNoGossipEitherWay) {
  std::vector<PeerId> outside;
  for (std::uint64_t i = 30; i < 36; ++i) outside.push_back(bench.join(i, "t"));
  bench.pass(2s);
  PeerId shy = outside[0];
  for (const PeerId& peer : outside)
    if (!bench.in_mesh(peer, "t")) shy = peer;
  ASSERT_FALSE(bench.in_mesh(shy, "t"));
  bench.router.set_app_score(shy, -11);
  bench.rpc(peers[0], rpc_message(message()));
  bench.answer_all(Outcome::accept());
  bench.forget();
  bench.pass(2s);
  EXPECT_THAT(bench.ihave_to(shy), IsEmpty());
  bench.rpc(shy, rpc_ihave("t", {Bytes{1, 2, 3}}));
  EXPECT_THAT(bench.iwant_to(shy), IsEmpty());
  bench.rpc(shy, rpc_iwant({id_from_seqno(*message())}));
  EXPECT_THAT(bench.messages_to(shy), IsEmpty());
}

TEST_F(GossipMessages, AnIHaveIsAnsweredByIWantForWhatIsMissing) {
  bench.rpc(peers[0], rpc_message(message(1)));
  bench.answer_all(Outcome::accept());
  bench.rpc(peers[0], rpc_message(message(2)));  // under validation
  bench.forget();
  const MessageId missing = id_from_seqno(*message(3));
  bench.rpc(peers[1],
            rpc_ihave("t", {id_from_seqno(*message(1)), id_from_seqno(*message(2)), missing, missing}));
  EXPECT_THAT(bench.iwant_to(peers[1]), ElementsAre(missing));
  bench.forget();
  bench.rpc(peers[1], rpc_ihave("other", {Bytes{9}}));
  EXPECT_THAT(bench.sent, IsEmpty());
  // The answer is a message like any other.
  bench.rpc(peers[1], rpc_message(message(3)));
  bench.answer_all(Outcome::accept());
  EXPECT_THAT(bench.delivered, SizeIs(2));
}

TEST_F(GossipMessages, AnIWantIsServedFromTheCacheThreeTimes) {
  bench.rpc(peers[0], rpc_message(message(1)));
  bench.answer_all(Outcome::accept());
  bench.forget();
  const MessageId id = id_from_seqno(*message(1));
  for (int i = 0; i < 5; ++i) bench.rpc(peers[1], rpc_iwant({id, Bytes{1, 2}}));
  EXPECT_THAT(bench.messages_to(peers[1]), SizeIs(3));
  EXPECT_EQ(bench.sent.at(0).lane, Lane::relay);
  bench.rpc(peers[2], rpc_iwant({id}));
  EXPECT_THAT(bench.messages_to(peers[2]), SizeIs(1));
  EXPECT_EQ(bench.router.counters().iwant_served, 4U);
  bench.pass(6s);
  bench.forget();
  bench.rpc(peers[3], rpc_iwant({id}));
  EXPECT_THAT(bench.messages_to(peers[3]), IsEmpty());
}

class GossipP3Window : public GossipMessages {
 protected:
  static Config with_p3() {
    Config config;
    TopicScoreParams& topic = *config.score.any_topic;
    topic = TopicScoreParams{};
    topic.mesh_deliveries_weight = -1;
    topic.mesh_deliveries_decay = 0.999;
    topic.mesh_deliveries_threshold = 3.5;
    topic.mesh_deliveries_cap = 100;
    topic.mesh_deliveries_window = 10ms;
    topic.mesh_deliveries_activation = 2s;
    topic.mesh_failure_weight = -1;
    topic.mesh_failure_decay = 0.999;
    return config;
  }
  GossipP3Window() : GossipMessages(with_p3()) {}
};

// §3.10 trap 8: the window counts copies that come while the first one is being validated.
TEST_F(GossipP3Window, CopiesDuringValidationAndWithinTheWindowCountAsDeliveries) {
  for (std::uint64_t i = 1; i <= 4; ++i) {
    bench.rpc(peers[0], rpc_message(message(i)));
    bench.rpc(peers[1], rpc_message(message(i)));  // during validation
    bench.now = bench.now + 50ms;                  // validation takes its time
    bench.answer_all(Outcome::accept());
    bench.now = bench.now + 5ms;
    bench.rpc(peers[2], rpc_message(message(i)));  // within the window
    bench.rpc(peers[2], rpc_message(message(i)));  // once more counts nothing
    bench.now = bench.now + 20ms;
    bench.rpc(peers[3], rpc_message(message(i)));  // too late
  }
  bench.pass(4s);
  for (int i = 0; i < 3; ++i) EXPECT_GT(bench.router.score(peers[static_cast<std::size_t>(i)]), -0.01) << i;
  // The one that brought nothing in time lost its place, and keeps the deficit of the moment: 3.5².
  EXPECT_FALSE(bench.in_mesh(peers[3], "t"));
  EXPECT_TRUE(bench.in_mesh(peers[2], "t"));
  EXPECT_NEAR(bench.router.score(peers[3]), -12.25, 0.1);
}

}  // namespace
}  // namespace starling::gossip
