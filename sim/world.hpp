#pragma once
#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <vector>

#include "node/agent_node.hpp"
#include "sim/fake_signatures.hpp"

namespace starling::sim {

/// A link model: what a message between two nodes suffers.
struct LinkModel {
  Duration latency_min = 5ms;
  Duration latency_max = 60ms;  ///< uniform between the two, fixed per pair of nodes
  Duration jitter_max = 2ms;
  double loss = 0.0;  ///< share of dials that fail; connections themselves are reliable, as TCP is
};

struct NodeSpec {
  agent::Role role = agent::Role::agent;
  std::string name;
  std::vector<std::size_t> bootstrap;  ///< indices of nodes made before
  /// Changes what the production configuration would be.
  std::function<void(node::AgentConfig&, node::HostConfig&)> adjust;
};

/// What a simulated node told its application.
struct Observed {
  std::vector<node::Received> messages;
  std::map<node::AskId, Result<node::FoundPresence>> found;
  std::map<node::AskId, std::vector<agent::DeliveryState>> sends;
  std::vector<EthAddress> announced;
  std::size_t published = 0;
  bool superseded = false;
  bool shutdown_ready = false;
};

/// Level A of the simulator: many AgentNodes of production in virtual time, joined by a network model that
/// speaks node/port.hpp in place of sockets, Noise, yamux and codecs.
///
/// Everything follows from the seed: node keys, latencies, every node's own Rng, the order of events with
/// equal times. state_hash() digests every delivered event, so two runs agree exactly or differ visibly.
/// Single-threaded. Memory is bounded by the nodes and the events under way.
class World {
 public:
  explicit World(std::uint64_t seed, LinkModel links = {});
  ~World();

  /// Makes a node; it starts listening and runs from now on. Returns its index.
  std::size_t add(NodeSpec spec);
  /// Takes a node off the network without goodbye: connections break, its state is gone but for what it kept.
  void crash(std::size_t index);
  /// Starts a crashed node again with the same keys and what it had kept.
  void restart(std::size_t index);
  /// Clean shutdown: withdraws, then leaves.
  void leave(std::size_t index);
  /// Between groups nothing passes until heal(): existing connections break.
  void partition(std::function<bool(std::size_t, std::size_t)> separated);
  void heal() { separated_ = nullptr; }

  /// Runs until `duration` of virtual time has passed.
  void run(Duration duration);
  Now now() const noexcept { return now_; }

  std::size_t size() const noexcept { return nodes_.size(); }
  bool online(std::size_t index) const;
  node::AgentNode& node(std::size_t index);
  Observed& observed(std::size_t index);
  const EthAddress& wallet(std::size_t index) const;
  /// Inputs from a scenario; drain and deadlines are handled.
  node::AskId find(std::size_t index, const EthAddress& wallet);
  node::AskId send(std::size_t index, node::SendOptions options);

  std::uint64_t state_hash() const noexcept { return hash_; }
  std::uint64_t events_count() const noexcept { return events_; }
  std::uint64_t metric(std::string_view name) const;

 private:
  struct Node;
  struct Event;
  struct Later {
    bool operator()(const Event& a, const Event& b) const noexcept;
  };
  struct Link {
    std::size_t a = 0;
    std::size_t b = 0;
    node::ConnId at_a;
    node::ConnId at_b;
  };

  void boot(Node& node);
  void drain(std::size_t index);
  void apply(std::size_t index, node::EdgeCommand& command);
  void tell_observer(std::size_t index, node::agent_event::Event& event);
  void deliver(std::size_t to, node::EdgeEvent event, Duration delay);
  void schedule(Instant at, std::size_t node, std::function<void()> action);
  void break_link(node::ConnId conn, Error reason);
  void identify(std::size_t from, node::ConnId conn_at_to, std::size_t to, Duration delay);
  Duration latency(std::size_t a, std::size_t b);
  void mix(std::uint64_t value) noexcept;
  /// The other end of a connection: node index and its id for it; nothing when it is gone.
  struct Far {
    std::size_t node;
    node::ConnId conn;
  };
  std::optional<Far> far_end(node::ConnId conn) const;

  std::uint64_t seed_;
  LinkModel links_model_;
  SeededRng rng_;
  FakeSignatures signatures_;
  Now now_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::map<std::uint32_t, std::size_t> by_ip_;
  std::map<node::ConnId, std::shared_ptr<Link>> links_;
  std::priority_queue<Event, std::vector<Event>, Later> queue_;
  std::map<std::pair<node::ConnId, std::uint32_t>, kad::RequestId> kad_streams_;
  std::map<std::pair<node::ConnId, std::uint32_t>, node::AskId> presence_streams_;
  std::function<bool(std::size_t, std::size_t)> separated_;
  std::uint64_t next_conn_ = 1;
  std::uint32_t next_stream_ = 1;
  std::uint64_t next_event_ = 0;
  std::uint64_t events_ = 0;
  std::uint64_t hash_ = 0xcbf29ce484222325ULL;
};

}  // namespace starling::sim
