#pragma once
// What each peer is worth. Spec: gossipsub-v1.1.md "Peer Scoring", P1 to P7.
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bounded.hpp"
#include "base/time.hpp"
#include "format/multiaddr.hpp"
#include "format/peer_id.hpp"
#include "proto/gossip/params.hpp"
#include "proto/gossip/peer_ref.hpp"
#include "proto/gossip/topics.hpp"

namespace starling::gossip {

/// Counters and the score function over them.
///
/// Lifetime: owned by the router; `params` outlives it. Calls: add() when a peer comes, remove() when it
/// goes, the events in between, decay() every decay_interval. A slot is that of the router's peer table;
/// events on a slot without a peer are our own mistake. value() is cached until something changes, for it is
/// asked for every RPC and every heartbeat.
///
/// Topics are scored from track() to untrack(), that is while we are subscribed: what a peer can make grow is
/// bounded by our own topics. A weight of 0 switches its term off whatever its parameters (rust 0.49.1 got
/// that wrong).
///
/// A peer that leaves with a negative score keeps it for retain_score, else leaving and coming back would
/// wash it off; a positive score is forgotten, else it could be earned once and spent by reconnecting. The
/// retained are an LRU of retained_peers_max.
///
/// P3 counts while a peer is in the mesh only, as the specification and rust have it; go goes on counting the
/// deficit after the PRUNE on top of P3b.
class Score {
 public:
  explicit Score(const ScoreParams& params) : params_(params), retained_(params.retained_peers_max) {}

  void track(TopicIndex topic, std::string_view name);
  /// Forgets what everybody did on the topic.
  void untrack(TopicIndex topic);

  /// Restores a retained score.
  void add(PeerSlot slot, const PeerId& id, Instant now);
  void set_address(PeerSlot slot, const std::optional<IpPort>& address);
  void remove(PeerSlot slot, const PeerId& id, Instant now);

  /// P1 and P3 start, P3b at prune().
  void graft(PeerSlot slot, TopicIndex topic, Instant now);
  void prune(PeerSlot slot, TopicIndex topic);
  /// P2, and P3 when in the mesh.
  void first_delivery(PeerSlot slot, TopicIndex topic);
  /// P3 when in the mesh: a copy that came during validation or within the window.
  void near_first_delivery(PeerSlot slot, TopicIndex topic);
  /// P4.
  void invalid_delivery(PeerSlot slot, TopicIndex topic);
  /// P5.
  void set_app_score(PeerSlot slot, double score);
  /// P7.
  void misbehaved(PeerSlot slot, double count);

  void decay(Instant now);

  double value(PeerSlot slot) const;
  /// Of a peer that left badly; 0 for others.
  double retained_value(const PeerId& id) const;
  /// The P3 window of a topic; nothing when the topic has no P3.
  std::optional<Duration> delivery_window(TopicIndex topic) const;
  std::size_t retained_count() const noexcept { return retained_.size(); }
  std::size_t memory_bytes() const noexcept;

 private:
  /// P6 counts by this: an IPv4 address or an IPv6 /64, the smallest unit that a site is given.
  using Group = FixedBytes<17>;
  /// Floats: there is one of these per peer and topic, and the counters need no more than seven digits.
  struct TopicCounters {
    TopicIndex topic = 0;
    bool in_mesh = false;
    bool deliveries_active = false;  ///< P3 counts since activation
    Instant grafted_at;
    Duration mesh_time{0};  ///< as of the last decay
    float first = 0;
    float mesh = 0;
    float failure = 0;
    float invalid = 0;
  };
  struct Counters {
    std::vector<TopicCounters> topics;
    float behaviour = 0;
    double app = 0;
  };
  struct Entry {
    Counters counters;
    std::optional<Group> group;
    bool used = false;
    mutable bool stale = true;
    mutable double value = 0;
  };
  struct Retained {
    Counters counters;
    double value = 0;
    Instant until;
  };
  struct Tracked {
    TopicIndex topic;
    const TopicScoreParams* params;  ///< inside params_
  };

  const TopicScoreParams* params_of(TopicIndex topic) const noexcept;
  TopicCounters* counters_of(PeerSlot slot, TopicIndex topic);
  double topic_value(const TopicCounters& counters) const;
  double compute(const Counters& counters, const std::optional<Group>& group) const;
  void decay_counters(Counters& counters, Instant now) const;
  std::optional<Group> group_of(const std::optional<IpPort>& address) const;
  void leave_group(Entry& entry);
  void touch_group(const Group& group);
  static void end_mesh(TopicCounters& counters, const TopicScoreParams& params);

  const ScoreParams& params_;
  std::vector<Tracked> tracked_;  // sorted by topic
  std::vector<Entry> entries_;
  std::map<Group, std::uint32_t> groups_;
  LruMap<PeerId, Retained> retained_;
};

}  // namespace starling::gossip
