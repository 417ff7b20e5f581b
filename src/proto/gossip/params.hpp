#pragma once
// Everything that may be tuned, with its default, and the check that it makes sense together.
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "base/result.hpp"
#include "base/time.hpp"
#include "format/peer_id.hpp"
#include "proto/gossip/message.hpp"

namespace starling::gossip {

/// Mesh, gossip and timing. Defaults are those of go-libp2p-pubsub, which every other stack follows.
struct MeshParams {
  std::size_t d = 6;            ///< links a mesh aims at
  std::size_t d_lo = 5;         ///< below: GRAFT up to d
  std::size_t d_hi = 12;        ///< above: PRUNE down to d
  std::size_t d_score = 4;      ///< of the kept ones, that many are the best by score, the rest random
  std::size_t d_out = 2;        ///< links that we dialled ourselves, against inbound sybils
  std::size_t d_lazy = 6;       ///< at least that many peers outside the mesh get IHAVE per heartbeat
  double gossip_factor = 0.25;  ///< or this share of them, if more
  Duration heartbeat_interval = 1s;
  Duration heartbeat_initial_delay = 100ms;
  std::size_t history_length = 5;  ///< heartbeats that a message can be asked for by IWANT
  std::size_t history_gossip = 3;  ///< heartbeats that its id is announced by IHAVE
  Duration fanout_ttl = 60s;
  Duration prune_backoff = 60s;
  Duration unsubscribe_backoff = 10s;
  /// A GRAFT that comes this soon after the PRUNE is punished twice.
  Duration graft_flood_threshold = 10s;
  std::size_t prune_peers = 16;  ///< PX peers in a PRUNE of ours, and PX dials per PRUNE received
  /// Whether our PRUNEs offer other peers. For bootstrap nodes; off elsewhere, as in go.
  bool offer_px = false;
  std::size_t opportunistic_graft_ticks =
      60;  ///< heartbeats between two looks at the median score; 0 = never
  std::size_t opportunistic_graft_peers = 2;
  std::size_t direct_connect_ticks = 300;  ///< heartbeats between two dials of missing direct peers
  Duration iwant_followup = 3s;            ///< an IHAVE asked for must be delivered within
  std::size_t gossip_retransmission = 3;   ///< times one peer may IWANT one message
  std::size_t ihave_length_max = 5000;     ///< ids asked of one peer per heartbeat
  std::size_t ihave_messages_max = 10;     ///< IHAVE RPCs heeded of one peer per heartbeat
  std::size_t ihave_ids_sent_max =
      1000;                          ///< ids announced to one peer per topic and heartbeat: 3 RPCs of 16 KiB
  std::size_t iwant_ids_max = 5000;  ///< ids of IWANT looked up for one peer per heartbeat
  Duration seen_ttl = 120s;
  bool flood_publish = true;  ///< own messages go to every peer of the topic above the publish threshold
};

/// P1 to P4 of one topic. A weight of 0 switches its term off, whatever else is set.
struct TopicScoreParams {
  double topic_weight = 1.0;
  // P1: time in mesh, ≥ 0
  double time_in_mesh_weight = 0.0;
  Duration time_in_mesh_quantum = 1s;
  double time_in_mesh_cap = 3600;
  // P2: first deliveries, ≥ 0
  double first_deliveries_weight = 0.0;
  double first_deliveries_decay = 0.5;
  double first_deliveries_cap = 100;
  // P3: mesh deliveries below the threshold, squared deficit, ≤ 0
  double mesh_deliveries_weight = 0.0;
  double mesh_deliveries_decay = 0.5;
  double mesh_deliveries_cap = 100;
  double mesh_deliveries_threshold = 10;
  Duration mesh_deliveries_window = 10ms;
  Duration mesh_deliveries_activation = 60s;
  // P3b: the deficit at the moment of a PRUNE, sticky, ≤ 0
  double mesh_failure_weight = 0.0;
  double mesh_failure_decay = 0.5;
  // P4: invalid messages, squared, ≤ 0
  double invalid_deliveries_weight = 0.0;
  double invalid_deliveries_decay = 0.9;
};

struct ScoreThresholds {
  double gossip = -10;       ///< below: no IHAVE to or from the peer
  double publish = -50;      ///< below: own messages are not sent to the peer outside the mesh
  double graylist = -80;     ///< below: its RPCs are ignored
  double accept_px = 10;     ///< at or above: its PX is followed
  double opportunistic = 1;  ///< a mesh whose median is below looks for better peers
};

struct ScoreParams {
  /// Topics with rules of their own; all other topics that we join follow `any_topic`, or are not scored
  /// without it.
  std::map<std::string, TopicScoreParams, std::less<>> topics;
  std::optional<TopicScoreParams> any_topic;
  double topic_score_cap = 0;  ///< most that P1 to P4 may add up to; 0 = no cap
  // P5: what the application thinks of a peer
  double app_weight = 1.0;
  // P6: peers on one address (IPv4 /32, IPv6 /64) above the threshold, squared
  double ip_colocation_weight = 0.0;
  std::size_t ip_colocation_threshold = 10;
  /// Loopback, link-local and private addresses do not count, for meshes on one machine or behind one NAT.
  bool ip_colocation_exempts_local = true;
  // P7: broken promises and GRAFTs during backoff, above the threshold, squared
  double behaviour_weight = 0.0;
  double behaviour_threshold = 0;
  double behaviour_decay = 0.9;
  Duration decay_interval = 1s;
  double decay_to_zero = 0.01;
  /// How long a peer that left with a bad score keeps it, and for how many such peers at most.
  Duration retain_score = 1h;
  std::size_t retained_peers_max = 4096;

  /// 5 to 50 nodes, perhaps all on one machine and quiet for minutes: no P3, gentle P7, local addresses
  /// exempt.
  static ScoreParams small_mesh();
  /// Hundreds of nodes and more on the open internet, with steady traffic.
  static ScoreParams large();
  const TopicScoreParams* find(std::string_view topic) const noexcept;
};

/// One network's gossip. Shared by reference between all routers of a simulation.
struct Config {
  MeshParams mesh;
  ScoreParams score = ScoreParams::small_mesh();
  ScoreThresholds thresholds;
  MessageIdFunction message_id = id_from_seqno;
  /// Peers that are always forwarded to and never grafted. Both sides must name each other.
  std::set<PeerId> direct_peers;
  /// When not empty, subscriptions of peers to other topics are not even remembered.
  std::set<std::string, std::less<>> topic_filter;
  std::size_t message_bytes_max = 1024 * 1024;  ///< of data; larger ones are ignored and cannot be published
  // Row 1 of PROTOCOL.md §5 and §8
  double forwarder_rate_per_s = 500;
  double forwarder_burst = 2000;
  std::size_t validations_max = 1024;                   ///< messages under validation at once
  std::size_t validations_per_peer_max = 512;           ///< of which first brought by one peer
  std::size_t validation_bytes_max = 32 * 1024 * 1024;  ///< of them and their waiting copies
  /// A verdict that has not come by then never comes; the message counts as throttled.
  Duration validation_timeout = 30s;
  std::size_t seen_max = 1'000'000;
  std::size_t mcache_bytes_max = 64 * 1024 * 1024;
  std::size_t peers_max = 8192;
};

/// Errc::bad_parameter when the values contradict each other: Dlo ≤ D ≤ Dhi, Dout < Dlo and ≤ D/2, Dscore ≤
/// D, gossip ≤ history, signs of weights, decays inside (0, 1), order of thresholds, no NaN.
Result<void> validate(const Config& config);
/// The same, and the value that Router wants.
Result<std::shared_ptr<const Config>> make_config(Config config);

}  // namespace starling::gossip
