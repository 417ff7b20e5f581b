#pragma once
#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "node/agent_node.hpp"
#include "sim/adversary.hpp"
#include "sim/event_queue.hpp"
#include "sim/fake_signatures.hpp"
#include "sim/link_model.hpp"
#include "sim/lookup_trace.hpp"

namespace starling::sim {

struct NodeSpec {
  agent::Role role = agent::Role::agent;
  std::string name;
  std::vector<std::size_t> bootstrap;  ///< indices of nodes made before
  /// Changes what the production configuration would be.
  std::function<void(node::AgentConfig&, node::HostConfig&)> adjust;
  std::uint32_t region = 0;
  /// Refuses connections from outside without a word, as most routers at home do.
  bool behind_nat = false;
  Duration clock_skew{};  ///< of its wall clock; the monotonic one is right
};

/// What a simulated node told its application.
struct Observed {
  std::vector<node::Received> messages;
  std::map<node::AskId, Result<node::FoundPresence>> found;
  std::map<node::AskId, std::vector<agent::DeliveryState>> sends;
  std::map<kad::QueryId, kad::QueryDone> queries;
  std::vector<EthAddress> announced;
  std::size_t published = 0;
  bool superseded = false;
  bool shutdown_ready = false;
};

/// What a run tells whoever judges it, the moment it happens. Every method does nothing by default.
class Witness {
 public:
  virtual ~Witness() = default;
  virtual void on_told(std::size_t, const node::agent_event::Event&, Now) {}
  virtual void on_query(std::size_t, const kad::QueryDone&, Now) {}
};

/// Whom nothing passes between, and how. `separated` is asked with (from, to).
struct Cut {
  enum class How : std::uint8_t {
    both,     ///< nothing passes in either direction; existing connections break
    one_way,  ///< messages from → to vanish without a word; no new connections
    dials,    ///< from cannot dial to; existing connections stay
  };
  How how = How::both;
  std::function<bool(std::size_t, std::size_t)> separated;
};

/// The simulator: many AgentNodes of production in virtual time, joined by a network model in place of
/// sockets.
///
/// Everything follows from the seed: node keys, latencies, every node's own Rng, the order of events with
/// equal times. state_hash() digests every delivered event, so two runs agree exactly or differ visibly,
/// whatever the compiler. Single-threaded. Memory is bounded by the nodes, their connections and the events
/// under way.
class World {
 public:
  explicit World(std::uint64_t seed, LinkModel links = {}, Level level = Level::messages);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  /// Makes a node; it starts listening and runs from now on. Returns its index.
  std::size_t add(NodeSpec spec);
  /// The same for a machine that plays against the others. `address_group`: its /16 among those of the
  /// adversaries, which may be many to one.
  std::size_t add(std::function<std::unique_ptr<Adversary>(const Multiaddr& address)> make,
                  std::uint32_t address_group, std::uint32_t region = 0);

  /// How a node that goes is missed.
  enum class Absence : std::uint8_t {
    noticed,  ///< the process died: connections break at once, dials are refused
    silent,   ///< the machine is gone: connections and dials time out
  };
  /// Takes a node off the network without goodbye; its state is gone but for what it kept.
  void crash(std::size_t index, Absence absence = Absence::noticed);
  /// Starts a crashed node again with the same keys and what it had kept.
  void restart(std::size_t index);
  /// Clean shutdown: withdraws, then leaves.
  void leave(std::size_t index);
  /// Between separated nodes nothing passes until heal(): existing connections break.
  void partition(std::function<bool(std::size_t, std::size_t)> separated);
  void cut(Cut cut);
  /// Bytes that a one-way cut held back arrive now, as TCP would send them again; messages are gone.
  void heal();
  void skew_clock(std::size_t index, Duration skew);
  LinkModel& links() noexcept { return links_model_; }

  /// Runs until `duration` of virtual time has passed.
  void run(Duration duration);
  /// `action` happens at that point of virtual time, between two events.
  void at(Instant when, std::function<void()> action);
  Now now() const noexcept { return now_; }
  Now now_at(std::size_t index) const;

  std::size_t size() const noexcept { return nodes_.size(); }
  bool online(std::size_t index) const;
  node::AgentNode& node(std::size_t index);
  Observed& observed(std::size_t index);
  const EthAddress& wallet(std::size_t index) const;
  const PeerId& peer(std::size_t index) const;
  const Multiaddr& address(std::size_t index) const;
  /// Inputs from a scenario; drain and deadlines are handled.
  node::AskId find(std::size_t index, const EthAddress& wallet);
  node::AskId send(std::size_t index, node::SendOptions options);
  /// Any other input to a node's brain.
  void input(std::size_t index, const std::function<void(node::AgentNode&, Now)>& action);

  /// From now on, and at most one: who hears of what nodes tell.
  void set_witness(Witness* witness) noexcept { witness_ = witness; }
  /// Follows what a node asks the DHT about the keys of `trace`, until unfollow(). The trace must live on for
  /// answers that are still under way then: as long as the World.
  void follow(std::size_t index, LookupTrace* trace);
  void unfollow(std::size_t index, LookupTrace* trace);

  std::uint64_t state_hash() const noexcept { return hash_; }
  std::uint64_t events_count() const noexcept { return events_; }
  std::uint64_t bytes_count() const noexcept { return bytes_; }
  std::size_t links_count() const noexcept { return links_.size() - free_links_.size(); }
  /// A counter of all nodes together, with all its labels.
  std::uint64_t metric(std::string_view name) const;
  const Metrics& metrics() const noexcept { return metrics_; }

 private:
  struct Node;
  /// One end of a connection is a ConnId that names its place here; a place is used again, its number is not.
  struct Link {
    std::array<std::uint32_t, 2> node{};
    std::array<std::uint32_t, 2> place{};  ///< in the links of either node
    std::array<Instant, 2> arrived{};      ///< of the last message to either end
    std::uint32_t serial = 0;
    std::uint32_t asks = kNone;  ///< first of the questions under way
    bool up = false;
  };
  /// A question that waits for its answer on a stream of a link.
  struct Ask {
    std::variant<kad::RequestId, node::AskId> id;
    std::uint32_t asker = 0;
    node::ConnId at_asked;
    LookupTrace* trace = nullptr;
    std::uint32_t next = kNone;  ///< of the same link
    bool waiting = false;
  };
  /// The other end of a connection.
  struct Far {
    std::uint32_t node;
    node::ConnId conn;
    std::uint32_t link;
    std::uint32_t side;
  };
  struct Commands;
  struct ByteCommands;
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  Node& place(Multiaddr address);
  void boot(Node& node);
  void drain(std::uint32_t index);
  void drain_brain(std::uint32_t index);
  void apply(std::uint32_t index, node::EdgeCommand& command);
  void tell_observer(std::uint32_t index, node::agent_event::Event& event);
  void arm(std::uint32_t index, Instant deadline);
  void give(std::uint32_t index, Payload payload);
  void on_due(std::uint32_t index);
  void fetch_ahead(const EventQueue::Entry& next) const noexcept;
  /// To the node itself.
  void deliver(std::uint32_t to, node::EdgeEvent event, Duration delay);
  /// Over a link: latency, bandwidth, order, cuts.
  void carry(std::uint32_t from, const Far& far, node::EdgeEvent event, std::size_t bytes);
  void transmit(std::uint32_t from, const Far& far, Payload payload, std::size_t bytes);
  void dial_arrives(std::uint32_t listener, DialArrives& arrival);
  void connect(std::uint32_t dialler, std::uint32_t listener, DialArrives& arrival);
  std::uint32_t new_link(std::uint32_t dialler, std::uint32_t listener);
  bool reachable(std::uint32_t from, std::uint32_t to) const;
  void break_link(node::ConnId conn, const Error& reason);
  void forget_link(std::uint32_t link);
  void leave_link(std::uint32_t link, std::uint32_t side);
  // Level B (world_bytes.cpp).
  void begin_bytes(Node& listener, std::uint32_t link, DialArrives& arrival);
  void dial_stands(Node& dialler, DialStands& stands);
  void bytes_arrive(Node& node, BytesArrive& arrival);
  void close_end(std::uint32_t node, node::ConnId conn);
  void send_bytes(std::uint32_t from, node::ConnId conn, BytesArrive arrival);
  bool apply_to_session(std::uint32_t index, node::EdgeCommand& command);
  void drain_edge(std::uint32_t index);
  const agent::Signatures& signatures() const noexcept;
  std::uint32_t open_ask(const Far& far, std::variant<kad::RequestId, node::AskId> id, LookupTrace* trace);
  std::optional<Ask> close_ask(node::StreamRef stream);
  void fail_ask(std::uint32_t asker, const Ask& ask);
  LookupTrace* trace_of(std::uint32_t index, const kad::Message& request) const;
  void identify(std::uint32_t from, node::ConnId conn_at_to, std::uint32_t to, Duration delay);
  Duration latency(std::uint32_t a, std::uint32_t b) const;
  void mix(std::uint64_t value) noexcept;
  void set_time(Instant at) noexcept;
  std::optional<Far> far_end(node::ConnId conn) const;
  static node::ConnId conn_id(std::uint32_t link, std::uint32_t serial, std::uint32_t side) noexcept;

  std::uint64_t seed_;
  LinkModel links_model_;
  Level level_;
  SeededRng rng_;
  FakeSignatures signatures_;
  NullLog log_;
  Metrics metrics_;
  Now now_;
  std::vector<std::unique_ptr<Node>> nodes_;
  boost::unordered_flat_map<std::uint32_t, std::uint32_t> by_ip_;
  std::vector<Link> links_;
  std::vector<std::uint32_t> free_links_;
  std::vector<Ask> asks_;
  std::vector<std::uint32_t> free_asks_;
  std::vector<Cut> cuts_;
  struct Held {
    std::uint32_t from;
    node::ConnId conn;  ///< as its sender calls it
    BytesArrive arrival;
  };
  std::vector<Held> held_;  ///< by one-way cuts
  EventQueue queue_;
  Witness* witness_ = nullptr;
  std::uint64_t events_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t hash_ = 0xcbf29ce484222325ULL;
};

}  // namespace starling::sim
