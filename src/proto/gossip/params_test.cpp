#include "proto/gossip/params.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "proto/gossip/errors.hpp"
#include "proto/gossip/limits.hpp"

namespace starling::gossip {
namespace {

TEST(GossipParams, ThePresetsAreSound) {
  EXPECT_TRUE(validate(Config{}).has_value());
  Config large;
  large.score = ScoreParams::large();
  large.thresholds = {-4000, -5000, -10000, 0, 0};
  EXPECT_TRUE(make_config(large).has_value());
}

TEST(GossipParams, ATopicsOwnRulesGoBeforeTheGeneralOnes) {
  ScoreParams params = ScoreParams::small_mesh();
  params.topics["special"].topic_weight = 7;
  EXPECT_DOUBLE_EQ(params.find("special")->topic_weight, 7);
  EXPECT_DOUBLE_EQ(params.find("any")->topic_weight, 1);
  params.any_topic.reset();
  EXPECT_EQ(params.find("any"), nullptr);
}

TEST(GossipParams, EveryContradictionIsRefused) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinite = std::numeric_limits<double>::infinity();
  const auto topic = [](Config& c) -> TopicScoreParams& { return *c.score.any_topic; };
  const std::vector<std::function<void(Config&)>> mistakes = {
      [](Config& c) { c.mesh.d = 0; },
      [](Config& c) { c.mesh.d_lo = c.mesh.d + 1; },
      [](Config& c) { c.mesh.d_hi = c.mesh.d - 1; },
      [](Config& c) { c.mesh.d_out = c.mesh.d_lo; },
      [](Config& c) { c.mesh.d_out = c.mesh.d / 2 + 1; },
      [](Config& c) { c.mesh.d_score = c.mesh.d + 1; },
      [](Config& c) { c.mesh.gossip_factor = 1.1; },
      [nan](Config& c) { c.mesh.gossip_factor = nan; },
      [](Config& c) { c.mesh.heartbeat_interval = 0ms; },
      [](Config& c) { c.mesh.history_gossip = c.mesh.history_length + 1; },
      [](Config& c) { c.mesh.prune_backoff = 2h; },
      [](Config& c) { c.mesh.unsubscribe_backoff = 0s; },
      [](Config& c) { c.mesh.prune_peers = kPxPeersPerPruneMax + 1; },
      [](Config& c) { c.mesh.iwant_followup = 0s; },
      [](Config& c) { c.mesh.ihave_ids_sent_max = c.mesh.ihave_length_max + 1; },
      [](Config& c) { c.mesh.seen_ttl = 0s; },
      [topic](Config& c) { topic(c).topic_weight = -1; },
      [topic](Config& c) { topic(c).time_in_mesh_weight = -1; },
      [topic](Config& c) { topic(c).time_in_mesh_quantum = 0s; },
      [topic](Config& c) { topic(c).first_deliveries_decay = 1; },
      [topic](Config& c) { topic(c).mesh_deliveries_weight = 1; },
      [topic](Config& c) {
        topic(c).mesh_deliveries_weight = -1;
        topic(c).mesh_deliveries_cap = 1;
        topic(c).mesh_deliveries_threshold = 2;
      },
      [topic](Config& c) {
        topic(c).mesh_deliveries_weight = -1;
        topic(c).mesh_deliveries_window = 1min;
      },
      [topic](Config& c) { topic(c).mesh_failure_weight = 0.5; },
      [topic](Config& c) { topic(c).invalid_deliveries_weight = 1; },
      [topic](Config& c) { topic(c).invalid_deliveries_decay = 0; },
      [topic, infinite](Config& c) { topic(c).invalid_deliveries_weight = -infinite; },
      [](Config& c) { c.score.topics["x"].topic_weight = -1; },
      [](Config& c) { c.score.ip_colocation_weight = 1; },
      [](Config& c) { c.score.ip_colocation_threshold = 0; },
      [](Config& c) { c.score.behaviour_weight = 1; },
      [](Config& c) { c.score.behaviour_decay = 1; },
      [](Config& c) { c.score.decay_interval = 0s; },
      [](Config& c) { c.score.retained_peers_max = 0; },
      [](Config& c) { c.thresholds.gossip = 1; },
      [](Config& c) { c.thresholds.publish = c.thresholds.gossip + 1; },
      [](Config& c) { c.thresholds.graylist = c.thresholds.publish + 1; },
      [](Config& c) { c.thresholds.accept_px = -1; },
      [nan](Config& c) { c.thresholds.opportunistic = nan; },
      [](Config& c) { c.message_id = nullptr; },
      [](Config& c) { c.message_bytes_max = 0; },
      [](Config& c) { c.forwarder_rate_per_s = 0; },
      [](Config& c) { c.validations_max = 0; },
      [](Config& c) { c.validation_bytes_max = 1; },
      [](Config& c) { c.peers_max = 0; },
  };
  for (std::size_t i = 0; i < mistakes.size(); ++i) {
    Config config;
    mistakes[i](config);
    const auto made = make_config(config);
    ASSERT_FALSE(made.has_value()) << i;
    EXPECT_TRUE(made.error().is(Errc::bad_parameter)) << i;
  }
}

}  // namespace
}  // namespace starling::gossip
