#include "proto/gossip/params.hpp"

#include <cmath>
#include <initializer_list>
#include <utility>

#include "proto/gossip/errors.hpp"
#include "proto/gossip/limits.hpp"

namespace starling::gossip {
namespace {

/// Finite and on the right side of zero. NaN fails every comparison.
bool reward(double weight) noexcept { return std::isfinite(weight) && weight >= 0; }
bool penalty(double weight) noexcept { return std::isfinite(weight) && weight <= 0; }
bool positive(double value) noexcept { return std::isfinite(value) && value > 0; }
bool decay(double factor) noexcept { return factor > 0 && factor < 1; }
bool between(Duration value, Duration low, Duration high) noexcept { return value >= low && value <= high; }

bool all(std::initializer_list<bool> conditions) noexcept {
  for (const bool condition : conditions)
    if (!condition) return false;
  return true;
}

bool sound(const MeshParams& p) noexcept {
  return all({
      p.d >= 1,
      p.d_lo >= 1 && p.d_lo <= p.d && p.d <= p.d_hi && p.d_hi <= 256,
      p.d_out < p.d_lo && p.d_out <= p.d / 2,
      p.d_score <= p.d,
      p.d_lazy <= 256,
      p.gossip_factor >= 0 && p.gossip_factor <= 1,
      between(p.heartbeat_interval, 10ms, 1h),
      between(p.heartbeat_initial_delay, 0ms, 1h),
      p.history_gossip >= 1 && p.history_gossip <= p.history_length && p.history_length <= 256,
      between(p.fanout_ttl, 1s, 24h),
      between(p.prune_backoff, 1s, kBackoffMax),
      between(p.unsubscribe_backoff, 1s, p.prune_backoff),
      between(p.graft_flood_threshold, 0s, p.prune_backoff),
      p.prune_peers <= kPxPeersPerPruneMax,
      p.direct_connect_ticks >= 1,
      between(p.iwant_followup, 10ms, 1min),
      p.gossip_retransmission >= 1 && p.gossip_retransmission <= 255,
      p.ihave_length_max >= 1 && p.ihave_length_max <= 100000,
      p.ihave_messages_max >= 1,
      p.ihave_ids_sent_max <= p.ihave_length_max,
      p.iwant_ids_max >= 1 && p.iwant_ids_max <= 100000,
      between(p.seen_ttl, 1s, 24h),
  });
}

bool sound(const TopicScoreParams& p) noexcept {
  const bool first =
      p.first_deliveries_weight == 0 || (decay(p.first_deliveries_decay) && positive(p.first_deliveries_cap));
  const bool mesh =
      p.mesh_deliveries_weight == 0 ||
      all({decay(p.mesh_deliveries_decay), positive(p.mesh_deliveries_cap),
           positive(p.mesh_deliveries_threshold), p.mesh_deliveries_cap >= p.mesh_deliveries_threshold,
           between(p.mesh_deliveries_window, 0ms, 10s), p.mesh_deliveries_activation >= 1s});
  return all({
      reward(p.topic_weight),
      reward(p.time_in_mesh_weight),
      p.time_in_mesh_quantum > 0ns,
      p.time_in_mesh_weight == 0 || positive(p.time_in_mesh_cap),
      reward(p.first_deliveries_weight),
      first,
      penalty(p.mesh_deliveries_weight),
      mesh,
      penalty(p.mesh_failure_weight),
      p.mesh_failure_weight == 0 || decay(p.mesh_failure_decay),
      penalty(p.invalid_deliveries_weight),
      p.invalid_deliveries_weight == 0 || decay(p.invalid_deliveries_decay),
  });
}

bool sound(const ScoreParams& p) noexcept {
  for (const auto& [topic, params] : p.topics)
    if (!sound(params)) return false;
  return all({
      !p.any_topic || sound(*p.any_topic),
      reward(p.topic_score_cap),
      reward(p.app_weight),
      penalty(p.ip_colocation_weight),
      p.ip_colocation_weight == 0 || p.ip_colocation_threshold >= 1,
      penalty(p.behaviour_weight),
      reward(p.behaviour_threshold),
      p.behaviour_weight == 0 || decay(p.behaviour_decay),
      p.decay_interval >= 1s && p.decay_interval <= 1h,
      decay(p.decay_to_zero),
      between(p.retain_score, 0s, 24h),
      p.retained_peers_max >= 1,
  });
}

bool sound(const ScoreThresholds& t) noexcept {
  return all({
      penalty(t.gossip),
      std::isfinite(t.publish) && t.publish <= t.gossip,
      std::isfinite(t.graylist) && t.graylist <= t.publish,
      reward(t.accept_px),
      reward(t.opportunistic),
  });
}

}  // namespace

const TopicScoreParams* ScoreParams::find(std::string_view topic) const noexcept {
  if (const auto it = topics.find(topic); it != topics.end()) return &it->second;
  return any_topic ? &*any_topic : nullptr;
}

ScoreParams ScoreParams::small_mesh() {
  TopicScoreParams topic;
  topic.topic_weight = 1.0;
  topic.time_in_mesh_weight = 0.01;  // up to 1 after 100 s
  topic.time_in_mesh_cap = 100;
  topic.first_deliveries_weight = 0.5;
  topic.first_deliveries_decay = 0.98;  // half gone after 34 s
  topic.first_deliveries_cap = 20;
  // No P3: with a message a minute a deficit says nothing about a peer.
  // 1 → −4, 5 → −100: graylisted. A laxer stack that forwards a few (go, high s) is still heard.
  topic.invalid_deliveries_weight = -4;
  topic.invalid_deliveries_decay = 0.99;  // half gone after 69 s
  ScoreParams params;
  params.any_topic = topic;
  params.topic_score_cap = 50;
  params.ip_colocation_weight = -5;
  params.ip_colocation_threshold = 10;
  params.behaviour_weight = -5;
  params.behaviour_threshold = 3;  // a restart makes one or two GRAFTs in backoff and broken promises
  params.behaviour_decay = 0.98;
  return params;
}

ScoreParams ScoreParams::large() {
  TopicScoreParams topic;
  topic.topic_weight = 0.25;
  topic.time_in_mesh_weight = 0.0027;
  topic.time_in_mesh_cap = 3600;
  topic.first_deliveries_weight = 0.664;
  topic.first_deliveries_decay = 0.9916;
  topic.first_deliveries_cap = 1500;
  topic.mesh_deliveries_weight = -0.25;
  topic.mesh_deliveries_decay = 0.997;
  topic.mesh_deliveries_cap = 400;
  topic.mesh_deliveries_threshold = 10;
  topic.mesh_deliveries_window = 10ms;
  topic.mesh_deliveries_activation = 60s;
  topic.mesh_failure_weight = -0.25;
  topic.mesh_failure_decay = 0.997;
  topic.invalid_deliveries_weight = -99;
  topic.invalid_deliveries_decay = 0.9994;
  ScoreParams params;
  params.any_topic = topic;
  params.topic_score_cap = 300;
  params.ip_colocation_weight = -10;
  params.ip_colocation_threshold = 10;
  params.ip_colocation_exempts_local = true;
  params.behaviour_weight = -10;
  params.behaviour_threshold = 6;
  params.behaviour_decay = 0.986;
  return params;
}

Result<void> validate(const Config& config) {
  const bool good = all({
      sound(config.mesh),
      sound(config.score),
      sound(config.thresholds),
      config.message_id != nullptr,
      config.message_bytes_max >= 1 && config.message_bytes_max <= kRpcBytesMax,
      positive(config.forwarder_rate_per_s),
      positive(config.forwarder_burst) && config.forwarder_burst >= 1,
      config.validations_max >= 1,
      config.validations_per_peer_max >= 1,
      config.validation_bytes_max >= config.message_bytes_max,
      between(config.validation_timeout, 100ms, 10min),
      config.seen_max >= 100,
      config.mcache_bytes_max >= config.message_bytes_max,
      config.peers_max >= 1,
  });
  if (!good) return fail(Errc::bad_parameter);
  return {};
}

Result<std::shared_ptr<const Config>> make_config(Config config) {
  STARLING_TRY(validate(config));
  return std::make_shared<const Config>(std::move(config));
}

}  // namespace starling::gossip
