#pragma once
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <variant>

#include "base/fifo.hpp"
#include "base/node_map.hpp"
#include "format/packed_addrs.hpp"
#include "gossip/router.hpp"
#include "kad/kad.hpp"
#include "node/conn_table.hpp"
#include "node/dial_planner.hpp"
#include "node/own_addresses.hpp"
#include "node/port.hpp"
#include "node/reachability.hpp"

namespace starling::node {

/// News of a Host for whoever stands above it: the agent brain, or the driver of a plain libp2p host.
namespace host_event {
struct ConnectDone {
  AskId ask;
  Result<PeerId> outcome;
};
struct PeerConnected {
  PeerId peer;
};
/// The last connection to the peer is gone.
struct PeerDisconnected {
  PeerId peer;
  Error reason;
};
struct PeerIdentified {
  PeerId peer;
  std::shared_ptr<const identify::Info> info;
};
/// StrictSign holds. Answer with Host::judged(), exactly once.
struct Judge {
  gossip::ValidationId validation;
  PeerId author;
  PeerId forwarder;
  gossip::MessagePtr message;
};
/// Accepted, of a topic that we are subscribed to.
struct Delivered {
  PeerId author;
  gossip::MessagePtr message;
};
struct Query {
  kad::QueryDone done;
};
struct ProviderFound {
  kad::ProviderFound found;
};
struct TableChanged {
  kad::TableChanged change;
};
/// One step of a query that is traced.
struct QueryHop {
  kad::QueryHop hop;
};
/// To be on disk before anything that is told after it is done; with kad::Keep::everything only.
struct Persist {
  kad::Persist kept;
};
struct PresenceAsked {
  PeerId peer;
  StreamRef from;
  EthAddress wallet;
};
struct PresenceAnswered {
  AskId ask;
  Result<Bytes> record;
};
struct Pinged {
  AskId ask;
  Result<Duration> rtt;
};
/// What we advertise changed: records that name our addresses are out of date.
struct AddressesChanged {};
using Event = std::variant<ConnectDone, PeerConnected, PeerDisconnected, PeerIdentified, Judge, Delivered,
                           Query, ProviderFound, TableChanged, QueryHop, Persist, PresenceAsked,
                           PresenceAnswered, Pinged, AddressesChanged>;
}  // namespace host_event

/// Who judges gossip after StrictSign.
enum class GossipPolicy : std::uint8_t { accept_signed, ask_above };

/// Whether what this host publishes is also delivered to itself, where it is subscribed.
enum class OwnMessages : std::uint8_t { skipped, delivered };

/// Whether own publications carry signatures. `unsigned_for_simulation` is for the level A simulator alone,
/// whose edge vouches for authors.
enum class Signing : std::uint8_t { strict_sign, unsigned_for_simulation };

/// Whether a node serves the DHT as its kad::Config says, or as soon and as long as it is known to be
/// reachable (Reachability): then the configured mode is the one it starts in.
enum class DhtMode : std::uint8_t { as_configured, automatic };

struct HostConfig {
  std::string agent_version = "starling/0.1.0";
  std::optional<kad::Config> kad;  ///< none: no DHT
  DhtMode dht_mode = DhtMode::as_configured;
  kad::AddressScope reachability_scope = kad::AddressScope::public_only;
  std::string kad_protocol;
  std::shared_ptr<const gossip::Config> gossip;  ///< none: no gossip
  GossipPolicy gossip_policy = GossipPolicy::accept_signed;
  OwnMessages own_messages = OwnMessages::skipped;
  Signing signing = Signing::strict_sign;
  bool serve_presence = false;
  ConnLimits connections;
  std::vector<Multiaddr> bootstrap;
  std::vector<std::string> app_protocols;
};

/// The libp2p brain of a node: who is connected, whom to dial, what the DHT and gossip do, all in one
/// sequential place.
///
/// Lifetime and threads: one per node, on the brain's shard; the Env and the validators outlive it. Inputs:
/// edge events (port.hpp), the calls below, on_deadline(). Output: poll(), commands for the edge and events
/// for above. Call order: input → drain poll() → re-arm deadline(). Limits: limits.hpp, ConnLimits, and those
/// of kad and gossip. Whatever belongs to a peer is freed when its last connection ends, but for addresses
/// (bounded LRU), dial backoffs and what gossip and kad keep on purpose.
class Host {
 public:
  using Action = std::variant<EdgeCommand, host_event::Event>;

  Host(HostConfig config, crypto::PrivateKey identity, const kad::Validators& validators, Env& env, Now now);

  void on(EdgeEvent event, Now now);
  std::optional<Action> poll(Now now);
  Instant deadline() const;
  void on_deadline(Now now);

  /// The driver listens on these from now on.
  void set_listening(std::vector<Multiaddr> addresses, Now now);
  /// Before an inbound socket is served; up::Connected or up::AcceptFailed must follow.
  Result<void> admit_inbound(const IpPort& remote) { return conns_.admit_inbound(remote); }

  /// ConnectDone follows; at once when already connected. Without addresses those of the peer book count.
  AskId connect(std::optional<PeerId> peer, std::vector<Multiaddr> addresses, DialPlanner::Insist insist,
                Now now);
  /// Closes all connections to the peer. False when there is none.
  bool disconnect(const PeerId& peer, Now now);
  /// What a connection to the peer is worth to the application when some have to go; see
  /// ConnTable::set_tag().
  Result<void> tag(const PeerId& peer, std::string_view tag, std::int32_t value) {
    return conns_.set_tag(peer, tag, value);
  }
  /// Closes the least useful connections down to ConnLimits::low now; which ones.
  std::vector<ConnId> trim_to_low(Now now);
  /// Pinged follows.
  AskId ping(const PeerId& peer, Now now);
  /// PresenceAnswered follows; dials when needed.
  AskId ask_presence(const PeerId& peer, std::vector<Multiaddr> addresses, const EthAddress& wallet, Now now);
  void answer_presence(StreamRef to, Bytes record) { command(down::AnswerPresence{to, std::move(record)}); }

  /// nullptr when the DHT or gossip is off. Calls on them are inputs like any other: drain poll() afterwards.
  kad::Kad* dht() noexcept { return kad_.get(); }
  const kad::Kad* dht() const noexcept { return kad_.get(); }
  gossip::Router* pubsub() noexcept { return router_.get(); }
  const gossip::Router* pubsub() const noexcept { return router_.get(); }
  /// Signs and publishes. Errc::gossip_off, errors of gossip::Router::publish().
  Result<gossip::Published> publish(std::string_view topic, Slice data, Now now);
  /// The verdict on a Judge. An id that is not waiting (any more) is ignored.
  void judged(gossip::ValidationId validation, gossip::Verdict verdict, Now now);

  /// Stops dialling and closes every connection; the driver then drains and stops.
  void shut_down(Now now);

  void add_app_protocol(std::string protocol);
  const LocalInfo& local() const noexcept { return *local_; }
  const OwnAddresses& addresses() const noexcept { return addresses_; }
  const ConnTable& connections() const noexcept { return conns_; }
  const std::vector<Multiaddr>& bootstrap_addresses() const noexcept { return config_.bootstrap; }
  std::shared_ptr<const identify::Info> info_of(const PeerId& peer) const;
  std::vector<Multiaddr> addresses_of(const PeerId& peer) const;
  /// Peers that are connected and take gossip from us.
  std::size_t gossip_peers() const noexcept { return gossip_peers_; }
  std::size_t dials_under_way() const noexcept { return planner_.dials_under_way(); }

 private:
  struct Peer {
    std::shared_ptr<const identify::Info> info;
    ConnId gossip_conn;
    bool gossip_open = false;
    std::uint32_t gossip_attempts = 0;
  };
  struct WaitingConnect {
    AskId ask;
  };
  struct WaitingKad {
    kad::SendRequest request;
  };
  struct WaitingPresence {
    AskId ask;
    EthAddress wallet;
  };
  struct WaitingBootstrap {
    std::size_t index;
  };
  struct WaitingPx {};
  using Waiting = std::variant<WaitingConnect, WaitingKad, WaitingPresence, WaitingBootstrap, WaitingPx>;
  struct Bootstrap {
    Multiaddr address;
    std::optional<PeerId> peer;
    std::uint32_t failures = 0;
    Instant next_at;
    bool under_way = false;
  };
  struct Validation {
    PeerId forwarder;
    gossip::MessagePtr message;
  };

  void command(EdgeCommand edge_command) { out_.push(std::move(edge_command)); }
  void tell(host_event::Event event) { out_.push(std::move(event)); }

  void on_event(up::Connected& event, Now now);
  void on_event(up::DialFailed& event, Now now);
  void on_event(up::AcceptFailed& event, Now now);
  void on_event(up::Resolved& event, Now now);
  void on_event(up::Disconnected& event, Now now);
  void on_event(up::Identified& event, Now now);
  void on_event(up::KadAsked& event, Now now);
  void on_event(up::KadAnswered& event, Now now);
  void on_event(up::GossipOpened& event, Now now);
  void on_event(up::GossipClosed& event, Now now);
  void on_event(up::GossipReceived& event, Now now);
  void on_event(up::SignatureChecked& event, Now now);
  void on_event(up::PresenceAsked& event, Now now);
  void on_event(up::PresenceAnswered& event, Now now);
  void on_event(up::Pinged& event, Now now);

  bool drain_planner(Now now);
  bool drain_kad(Now now);
  bool drain_router(Now now);
  void job_done(DialPlanner::JobDone& done, Now now);
  void connected_for(Waiting& waiting, const Result<ConnId>& outcome, const std::optional<PeerId>& peer,
                     Now now);
  DialPlanner::JobId dial(std::optional<PeerId> peer, std::vector<Multiaddr> addresses,
                          DialPlanner::Insist insist, Waiting waiting, Now now);
  void open_gossip(const PeerId& peer, Now now);
  void close_gossip(const PeerId& peer, Now now);
  void remember(const PeerId& peer, const std::vector<Multiaddr>& addresses);
  void refresh_local(Now now, bool push);
  void run_bootstrap(Now now);
  void update_dht_mode(Now now);
  void trim(Now now);
  void note_mesh();
  bool is_bootstrap(const PeerId& peer) const;
  void follow_px(const gossip::ConnectPx& px, Now now);

  HostConfig config_;
  Env& env_;
  std::shared_ptr<const LocalInfo> local_;
  ConnTable conns_;
  DialPlanner planner_;
  OwnAddresses addresses_;
  Reachability reachability_;
  std::unique_ptr<kad::Kad> kad_;
  std::unique_ptr<gossip::Router> router_;
  NodeMap<PeerId, Peer> peers_;
  LruMap<PeerId, PackedAddrs> book_;
  std::map<DialPlanner::JobId, Waiting> waiting_;
  std::map<gossip::ValidationId, Validation> validations_;
  std::set<std::pair<Instant, PeerId>> gossip_retries_;
  std::vector<Bootstrap> bootstrap_;
  std::size_t px_dials_ = 0;
  Fifo<Action> out_;
  std::uint64_t next_ask_ = 1;
  std::uint64_t last_seqno_ = 0;
  std::uint64_t record_seq_ = 0;
  std::size_t gossip_peers_ = 0;
  Instant trim_at_ = Instant::never();
  bool shutting_down_ = false;
};

}  // namespace starling::node
