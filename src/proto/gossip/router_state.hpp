#pragma once
// What a Router holds, and its inner workings, spread over router_{peers,messages,control,heartbeat}.cpp.
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fifo.hpp"
#include "proto/gossip/backoff.hpp"
#include "proto/gossip/deliveries.hpp"
#include "proto/gossip/keyed_hash.hpp"
#include "proto/gossip/limits.hpp"
#include "proto/gossip/mcache.hpp"
#include "proto/gossip/mesh.hpp"
#include "proto/gossip/peers.hpp"
#include "proto/gossip/promises.hpp"
#include "proto/gossip/router.hpp"
#include "proto/gossip/score.hpp"
#include "proto/gossip/seen_cache.hpp"
#include "proto/gossip/topics.hpp"
#include "proto/gossip/validations.hpp"

namespace starling::gossip {

/// A topic that we are subscribed to.
struct OwnTopic {
  TopicIndex topic = 0;
  std::vector<PeerRef> mesh;  ///< in order of arrival
};
/// A topic that we publish on without being subscribed.
struct Fanout {
  TopicIndex topic = 0;
  std::vector<PeerRef> peers;
  Instant last_publish;
};

enum class Px : std::uint8_t { withhold, offer };

/// The body of Router; the contract stands there. Public methods are those of Router with the same names.
class RouterState {
 public:
  RouterState(std::shared_ptr<const Config> config, PeerId self, Env& env);

  // router_peers.cpp
  void on_peer(const PeerId& id, const PeerInfo& info, Instant now);
  void on_peer_gone(const PeerId& id, Instant now);
  void on_peer_record(const PeerId& id, Slice signed_record);
  Result<void> subscribe(std::string_view topic, Instant now);
  void unsubscribe(std::string_view topic, Instant now);
  void set_app_score(const PeerId& id, double score);

  // router_messages.cpp
  void on_rpc(const PeerId& from, Rpc rpc, Instant now);
  void on_validated(ValidationId id, Outcome outcome, Instant now);
  Result<Published> publish(MessagePtr message, Instant now);

  // router_heartbeat.cpp
  Instant deadline() const noexcept;
  void on_deadline(Instant now);

  // router.cpp
  std::optional<Action> poll();
  double score(const PeerId& id) const;
  std::vector<PeerId> mesh_peers(std::string_view topic) const;
  std::vector<PeerId> topic_peers(std::string_view topic) const;
  std::vector<TopicStats> topic_stats() const;
  std::size_t peer_count() const noexcept { return peers_.size(); }
  bool subscribed(std::string_view topic) const { return find_own(topic) != nullptr; }
  bool seen(const MessageId& id) const { return seen_.contains(hash_(id)); }
  const RouterCounters& counters() const noexcept { return counters_; }
  std::size_t memory_bytes() const noexcept;

 private:
  struct PendingControl {
    PeerRef peer;
    Rpc rpc;
  };

  // Shared (router.cpp)
  const MeshParams& mesh_params() const noexcept { return config_->mesh; }
  OwnTopic* find_own(std::string_view topic) noexcept;
  const OwnTopic* find_own(std::string_view topic) const noexcept;
  OwnTopic* find_own(TopicIndex topic) noexcept;
  Fanout* find_fanout(TopicIndex topic) noexcept;
  const std::string& name_of(const OwnTopic& own) const noexcept { return topics_.name(own.topic); }
  double score_of(const Peer& peer) const { return score_.value(peer.ref.slot); }
  /// The control RPC under construction for a live peer; leaves with flush().
  Rpc& control_for(Peer& peer);
  void flush();
  void send_message(const Peer& peer, const MessagePtr& message, Lane lane);
  void start_timers(Instant now);
  bool busy() const noexcept;

  // Peers (router_peers.cpp)
  Peer& add_peer(const PeerId& id, Instant now);
  void send_hello(Peer& peer);
  void take_subscriptions(Peer& peer, std::vector<SubOpts>& changes, Instant now);
  /// The topic, if the subscription is new.
  std::optional<TopicIndex> add_subscription(Peer& peer, const std::string& topic);
  /// A mesh below d_lo takes a peer as soon as it subscribes, not at the next heartbeat.
  void graft_if_short(TopicIndex topic, Peer& peer, Instant now);
  void drop_subscription(Peer& peer, TopicIndex topic);
  void forget_fanout_peer(TopicIndex topic, PeerRef peer);
  void link(OwnTopic& own, Peer& peer, Instant now);
  void unlink(OwnTopic& own, PeerRef peer);
  void graft(OwnTopic& own, Peer& peer, Instant now);
  void prune(OwnTopic& own, Peer& peer, Px px, Duration backoff, Instant now);
  void say_prune(const OwnTopic& own, Peer& peer, Px px, Duration backoff, Instant now);
  bool may_graft(const OwnTopic& own, const Peer& peer) const;
  void join_mesh(OwnTopic& own, Instant now);

  // Messages (router_messages.cpp)
  void take_message(Peer& peer, MessagePtr message, Instant now);
  void late_copy(const OwnTopic& own, std::uint64_t fingerprint, const Peer& peer, Instant now);
  void hold_copy(Peer& peer, const MessageId& id, MessagePtr message);
  void begin_validation(Peer& peer, const MessageId& id, MessagePtr message, Instant now);
  void ask_validation(ValidationId id, const MessageId& message_id, const Copy& copy);
  void count_validating(const Validation& validation, int change);
  void accept(Validation validation, Instant now);
  void reject(const Validation& validation, Instant now);
  void blame(const Copy& copy, const std::string& topic);
  void forward(const OwnTopic& own, const Copy& copy);
  void forward_to(const Peer& peer, const Copy& copy);
  Fanout* fanout_for(const std::string& topic, Instant now);
  void fill_fanout(Fanout& fanout);
  bool may_publish_to(const Peer& peer) const;

  // Control (router_control.cpp)
  void take_control(Peer& peer, Control& control, Instant now);
  void take_ihave(Peer& peer, const std::vector<IHave>& ihave, Instant now);
  void take_iwant(Peer& peer, const std::vector<IWant>& iwant);
  void take_grafts(Peer& peer, const std::vector<Graft>& grafts, Instant now);
  void take_graft(OwnTopic& own, Peer& peer, Instant now);
  void take_prunes(Peer& peer, std::vector<Prune>& prunes, Instant now);
  void follow_px(const Peer& peer, std::vector<PxPeer>& offered);

  // Heartbeat (router_heartbeat.cpp)
  void heartbeat(Instant now);
  void punish_broken_promises(Instant now);
  void dial_direct_peers();
  void maintain_mesh(OwnTopic& own, Opportunism opportunism, Instant now);
  void maintain_fanout(Instant now);
  void announce(TopicIndex topic, const std::vector<PeerRef>& members);
  void announce_to(Peer& peer, TopicIndex topic, std::vector<MessageId> ids);
  void give_up_overdue(Instant now);
  void report_graylisted();

  std::shared_ptr<const Config> config_;
  PeerId self_;
  Env* env_;
  KeyedHash hash_;
  PeerTable peers_;
  TopicTable topics_;
  Score score_;
  SeenCache seen_;
  MessageCache mcache_;
  Backoffs backoffs_;
  Promises promises_;
  Deliveries deliveries_;
  Validations validations_;
  std::vector<OwnTopic> own_;     // sorted by name
  std::vector<PeerRef> outside_;  // live peers that are fed without a mesh: direct and floodsub ones
  std::vector<Fanout> fanout_;
  std::vector<PendingControl> pending_;
  Fifo<Action> actions_;
  Instant next_heartbeat_ = Instant::never();
  Instant next_decay_ = Instant::never();
  std::uint64_t ticks_ = 0;
  RouterCounters counters_;
};

}  // namespace starling::gossip
