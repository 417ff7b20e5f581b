#include "proto/gossip/score.hpp"

#include <gtest/gtest.h>

#include "proto/gossip/router_fixtures.hpp"

namespace starling::gossip {
namespace {

constexpr TopicIndex kTopic = 3;

/// One scored topic with everything off; each test switches one term on.
ScoreParams quiet() {
  ScoreParams params;
  params.topics["t"] = TopicScoreParams{};
  params.topics["t"].topic_weight = 0.5;
  params.app_weight = 0;
  return params;
}

class GossipScore : public ::testing::Test {
 protected:
  void start() {
    score.emplace(params);
    score->track(kTopic, "t");
    for (PeerSlot slot = 0; slot < 3; ++slot) score->add(slot, test_peer(slot), now);
  }
  void pass(Duration time) {
    const Instant end = now + time;
    while (now + params.decay_interval <= end) {
      now = now + params.decay_interval;
      score->decay(now);
    }
    now = end;
  }
  TopicScoreParams& topic() { return params.topics["t"]; }

  ScoreParams params = quiet();
  std::optional<Score> score;
  Instant now = Instant::from_ns(1'000'000'000);
};

TEST_F(GossipScore, P1GrowsWithTimeInMeshUpToItsCap) {
  topic().time_in_mesh_weight = 2;
  topic().time_in_mesh_quantum = 1s;
  topic().time_in_mesh_cap = 100;
  start();
  pass(10s);
  EXPECT_DOUBLE_EQ(score->value(0), 0);
  score->graft(0, kTopic, now);
  pass(10s);
  EXPECT_DOUBLE_EQ(score->value(0), 0.5 * 2 * 10);
  pass(200s);
  EXPECT_DOUBLE_EQ(score->value(0), 0.5 * 2 * 100);
  score->prune(0, kTopic);
  EXPECT_DOUBLE_EQ(score->value(0), 0);
}

TEST_F(GossipScore, P2CountsFirstDeliveriesCapsAndDecays) {
  topic().first_deliveries_weight = 1;
  topic().first_deliveries_decay = 0.9;
  topic().first_deliveries_cap = 50;
  start();
  for (int i = 0; i < 20; ++i) score->first_delivery(0, kTopic);
  EXPECT_DOUBLE_EQ(score->value(0), 0.5 * 20);
  for (int i = 0; i < 100; ++i) score->first_delivery(0, kTopic);
  EXPECT_DOUBLE_EQ(score->value(0), 0.5 * 50);
  pass(1s);
  EXPECT_NEAR(score->value(0), 0.5 * 45, 1e-4);
  pass(100s);  // below decay_to_zero it is zero
  EXPECT_DOUBLE_EQ(score->value(0), 0);
  EXPECT_DOUBLE_EQ(score->value(1), 0);
}

class GossipScoreP3 : public GossipScore {
 protected:
  GossipScoreP3() {
    topic().mesh_deliveries_weight = -1;
    topic().mesh_deliveries_decay = 0.9;
    topic().mesh_deliveries_cap = 100;
    topic().mesh_deliveries_threshold = 20;
    topic().mesh_deliveries_activation = 10s;
    topic().mesh_deliveries_window = 5ms;
  }
};

TEST_F(GossipScoreP3, DeficitIsSquaredAfterActivationAndInsideTheMeshOnly) {
  start();
  score->graft(0, kTopic, now);
  pass(10s);
  EXPECT_DOUBLE_EQ(score->value(0), 0);  // still inside the activation window
  pass(1s);
  EXPECT_DOUBLE_EQ(score->value(0), -0.5 * 400);
  for (int i = 0; i < 15; ++i) score->near_first_delivery(0, kTopic);
  EXPECT_DOUBLE_EQ(score->value(0), -0.5 * 25);
  for (int i = 0; i < 15; ++i) score->first_delivery(0, kTopic);
  EXPECT_DOUBLE_EQ(score->value(0), 0);
  // Outside the mesh copies do not count, and there is no deficit.
  for (int i = 0; i < 15; ++i) score->near_first_delivery(1, kTopic);
  score->graft(1, kTopic, now);
  pass(11s);
  EXPECT_DOUBLE_EQ(score->value(1), -0.5 * 400);
  score->prune(1, kTopic);
  EXPECT_DOUBLE_EQ(score->value(1), 0);
}

TEST_F(GossipScoreP3, DeliveriesDecayAndCap) {
  topic().mesh_deliveries_cap = 21;
  start();
  score->graft(0, kTopic, now);
  pass(11s);
  for (int i = 0; i < 500; ++i) score->near_first_delivery(0, kTopic);
  EXPECT_DOUBLE_EQ(score->value(0), 0);
  pass(1s);  // 21 × 0.9 = 18.9
  EXPECT_NEAR(score->value(0), -0.5 * 1.1 * 1.1, 1e-3);
}

TEST_F(GossipScoreP3, P3bKeepsTheDeficitOfAPrunedPeerUntilItDecays) {
  topic().mesh_deliveries_weight = -1;
  topic().mesh_failure_weight = -2;
  topic().mesh_failure_decay = 0.5;
  start();
  score->graft(0, kTopic, now);
  pass(11s);
  score->prune(0, kTopic);
  EXPECT_DOUBLE_EQ(score->value(0), -0.5 * 2 * 400);
  pass(1s);
  EXPECT_DOUBLE_EQ(score->value(0), -0.5 * 2 * 200);
  // A link that ends before activation failed nobody.
  score->graft(1, kTopic, now);
  pass(5s);
  score->prune(1, kTopic);
  EXPECT_DOUBLE_EQ(score->value(1), 0);
}

TEST_F(GossipScoreP3, TheWindowIsKnownOnlyWhereThereIsAP3) {
  start();
  EXPECT_EQ(score->delivery_window(kTopic), Duration(5ms));
  EXPECT_FALSE(score->delivery_window(kTopic + 1));
  topic().mesh_deliveries_weight = 0;
  start();
  EXPECT_FALSE(score->delivery_window(kTopic));
}

TEST_F(GossipScore, P4IsSquaredAndDecays) {
  topic().invalid_deliveries_weight = -1;
  topic().invalid_deliveries_decay = 0.9;
  start();
  for (int i = 0; i < 10; ++i) score->invalid_delivery(0, kTopic);
  EXPECT_DOUBLE_EQ(score->value(0), -0.5 * 100);
  pass(1s);
  EXPECT_NEAR(score->value(0), -0.5 * 81, 1e-3);
}

TEST_F(GossipScore, P5IsTheApplicationsWord) {
  params.app_weight = 0.5;
  start();
  score->set_app_score(0, -100);
  EXPECT_DOUBLE_EQ(score->value(0), -50);
  score->set_app_score(0, std::numeric_limits<double>::quiet_NaN());
  EXPECT_DOUBLE_EQ(score->value(0), 0);
}

class GossipScoreP6 : public GossipScore {
 protected:
  static IpPort v4(std::uint8_t last, std::uint8_t first = 8) {
    IpPort out;
    out.ip = {first, 8, 8, last};
    return out;
  }
  static IpPort v6(std::uint8_t subnet, std::uint8_t host) {
    IpPort out;
    out.v6 = true;
    out.ip = {0x20, 0x01, 0x48, 0x60, 0, 0, 0, subnet};
    out.ip[15] = host;
    return out;
  }
  GossipScoreP6() {
    params.ip_colocation_weight = -1;
    params.ip_colocation_threshold = 1;
  }
};

TEST_F(GossipScoreP6, PeersAboveTheThresholdOnOneAddressAreSquared) {
  start();
  score->set_address(0, v4(1));
  EXPECT_DOUBLE_EQ(score->value(0), 0);
  score->set_address(1, v4(1));
  score->set_address(2, v4(2));
  EXPECT_DOUBLE_EQ(score->value(0), -1);
  EXPECT_DOUBLE_EQ(score->value(1), -1);
  EXPECT_DOUBLE_EQ(score->value(2), 0);
  score->set_address(2, v4(1));
  EXPECT_DOUBLE_EQ(score->value(0), -4);
  score->remove(2, test_peer(2), now);
  EXPECT_DOUBLE_EQ(score->value(0), -1);
  score->set_address(1, std::nullopt);
  EXPECT_DOUBLE_EQ(score->value(0), 0);
}

TEST_F(GossipScoreP6, IPv6CountsByItsSlash64) {
  start();
  score->set_address(0, v6(1, 1));
  score->set_address(1, v6(1, 2));
  score->set_address(2, v6(2, 1));
  EXPECT_DOUBLE_EQ(score->value(0), -1);
  EXPECT_DOUBLE_EQ(score->value(2), 0);
}

TEST_F(GossipScoreP6, LocalAddressesAreExemptUnlessToldOtherwise) {
  start();
  for (PeerSlot slot = 0; slot < 3; ++slot) score->set_address(slot, v4(1, 127));
  EXPECT_DOUBLE_EQ(score->value(0), 0);
  params.ip_colocation_exempts_local = false;
  start();
  for (PeerSlot slot = 0; slot < 3; ++slot) score->set_address(slot, v4(1, 127));
  EXPECT_DOUBLE_EQ(score->value(0), -4);
}

TEST_F(GossipScore, P7IsSquaredAboveItsThreshold) {
  params.behaviour_weight = -1;
  params.behaviour_threshold = 2;
  params.behaviour_decay = 0.5;
  start();
  score->misbehaved(0, 2);
  EXPECT_DOUBLE_EQ(score->value(0), 0);
  score->misbehaved(0, 4);
  EXPECT_DOUBLE_EQ(score->value(0), -16);
  pass(1s);
  EXPECT_DOUBLE_EQ(score->value(0), -1);
}

TEST_F(GossipScore, TheTopicCapLimitsWhatDeliveriesCanEarn) {
  topic().first_deliveries_weight = 10;
  topic().first_deliveries_cap = 1000;
  params.app_weight = 1;
  params.topic_score_cap = 40;
  start();
  for (int i = 0; i < 1000; ++i) score->first_delivery(0, kTopic);
  EXPECT_DOUBLE_EQ(score->value(0), 40);
  score->set_app_score(0, 5);
  EXPECT_DOUBLE_EQ(score->value(0), 45);
}

TEST_F(GossipScore, AWeightOfZeroSwitchesItsTermOffWhateverItsParameters) {
  start();
  score->graft(0, kTopic, now);
  for (int i = 0; i < 100; ++i) {
    score->first_delivery(0, kTopic);
    score->invalid_delivery(0, kTopic);
    score->misbehaved(0, 100);
  }
  score->set_app_score(0, 1000);
  pass(120s);
  score->prune(0, kTopic);
  EXPECT_DOUBLE_EQ(score->value(0), 0);
}

TEST_F(GossipScore, AnUntrackedTopicCountsNothing) {
  topic().invalid_deliveries_weight = -1;
  start();
  score->invalid_delivery(0, kTopic + 1);
  score->graft(0, kTopic + 1, now);
  EXPECT_DOUBLE_EQ(score->value(0), 0);
  score->invalid_delivery(0, kTopic);
  EXPECT_LT(score->value(0), 0);
  score->untrack(kTopic);
  EXPECT_DOUBLE_EQ(score->value(0), 0);
}

TEST_F(GossipScore, ABadScoreSurvivesAReconnectForItsTime) {
  topic().invalid_deliveries_weight = -1;
  topic().invalid_deliveries_decay = 0.99;
  topic().first_deliveries_weight = 1;
  params.retain_score = 10s;
  start();
  for (int i = 0; i < 4; ++i) score->invalid_delivery(0, kTopic);
  for (int i = 0; i < 50; ++i) score->first_delivery(0, kTopic);
  EXPECT_DOUBLE_EQ(score->value(0), 0.5 * (50 - 16));
  score->remove(0, test_peer(0), now);
  // The good part is spent, the bad part stays, although the sum was good.
  EXPECT_DOUBLE_EQ(score->retained_value(test_peer(0)), -8);
  pass(9s);
  score->add(0, test_peer(0), now);
  EXPECT_DOUBLE_EQ(score->value(0), -8);
  score->remove(0, test_peer(0), now);
  pass(11s);
  score->add(0, test_peer(0), now);
  EXPECT_DOUBLE_EQ(score->value(0), 0);
  EXPECT_EQ(score->retained_count(), 0U);
}

TEST_F(GossipScore, AGoodScoreIsForgottenAtOnce) {
  topic().first_deliveries_weight = 1;
  start();
  for (int i = 0; i < 5; ++i) score->first_delivery(0, kTopic);
  score->remove(0, test_peer(0), now);
  EXPECT_EQ(score->retained_count(), 0U);
  score->add(0, test_peer(0), now);
  EXPECT_DOUBLE_EQ(score->value(0), 0);
}

TEST_F(GossipScore, RetainedScoresAreBoundedAndEndByThemselves) {
  topic().invalid_deliveries_weight = -1;
  params.retained_peers_max = 10;
  params.retain_score = 60s;
  start();
  for (std::uint64_t i = 100; i < 150; ++i) {
    score->add(5, test_peer(i), now);
    score->invalid_delivery(5, kTopic);
    score->remove(5, test_peer(i), now);
  }
  EXPECT_EQ(score->retained_count(), 10U);
  EXPECT_DOUBLE_EQ(score->retained_value(test_peer(139)), 0);
  EXPECT_LT(score->retained_value(test_peer(149)), 0);
  score->untrack(kTopic);
  EXPECT_DOUBLE_EQ(score->retained_value(test_peer(149)), 0);
  pass(61s);
  EXPECT_EQ(score->retained_count(), 0U);
}

TEST_F(GossipScore, ManyTopicsAndPeersMatchANaiveSum) {
  topic().first_deliveries_weight = 0.7;
  topic().first_deliveries_decay = 0.95;
  topic().invalid_deliveries_weight = -0.3;
  topic().invalid_deliveries_decay = 0.8;
  params.any_topic = topic();
  params.any_topic->topic_weight = 0.25;
  start();
  score->track(8, "other");
  struct Model {
    double first[2] = {0, 0};
    double invalid[2] = {0, 0};
  };
  Model model[3];
  SeededRng rng(testkit::seed(4));
  const auto fade = [this](double& counter, double factor) {
    counter *= factor;
    if (counter < params.decay_to_zero) counter = 0;
  };
  for (int i = 0; i < 5000; ++i) {
    const auto slot = static_cast<PeerSlot>(rng.below(3));
    const std::size_t which = rng.below(2);
    const TopicIndex index = which == 0 ? kTopic : 8;
    switch (rng.below(3)) {
      case 0:
        score->first_delivery(slot, index);
        model[slot].first[which] = std::min(model[slot].first[which] + 1, 100.0);
        break;
      case 1:
        score->invalid_delivery(slot, index);
        model[slot].invalid[which] += 1;
        break;
      default:
        pass(1s);
        for (Model& m : model)
          for (int t = 0; t < 2; ++t) {
            fade(m.first[t], 0.95);
            fade(m.invalid[t], 0.8);
          }
    }
    for (PeerSlot s = 0; s < 3; ++s) {
      double expected = 0;
      for (int t = 0; t < 2; ++t)
        expected += (t == 0 ? 0.5 : 0.25) *
                    (0.7 * model[s].first[t] - 0.3 * model[s].invalid[t] * model[s].invalid[t]);
      ASSERT_NEAR(score->value(s), expected, 1e-3);
    }
  }
}

}  // namespace
}  // namespace starling::gossip
