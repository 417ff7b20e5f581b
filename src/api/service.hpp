#pragma once
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "home/store.hpp"
#include "node/agent_node.hpp"
#include "runtime/options.hpp"

namespace starling::api {

struct ServiceConfig {
  std::filesystem::path data_dir;
  agent::Role role = agent::Role::agent;
  std::string name;
  agent::NetworkName network;
  std::vector<Multiaddr> listen;
  std::vector<Multiaddr> bootstrap;
  std::optional<EthAddress>
      wallet;  ///< which keystore; the only or oldest otherwise, a new one when there is none
  std::optional<std::string> password;
  crypto::KeyType node_key_type = crypto::KeyType::secp256k1;
  std::size_t threads = 0;
  std::optional<std::size_t> connections;  ///< the role's preset otherwise
  /// Bytes that connections may hold for their peers together.
  std::size_t connections_bytes_max = node::kConnectionsBytesMax;
  std::optional<agent::DhtMode> dht;  ///< likewise
  std::optional<bool> gossip;         ///< likewise
  bool status_messages = true;
  bool allow_private_addresses = false;  ///< dial private and loopback addresses of records in any case
  bool take_over = false;
  /// For one lookup or message of a command: the presence is not published and nothing is announced.
  bool short_lived = false;
  LogLevel log_level = LogLevel::warn;
  runtime::LogFunction log;
};

/// How far a send should be followed before its state is answered.
struct SendOutcome {
  node::agent_event::SendState state;
  Duration took{};
};
struct FindOutcome {
  Result<node::FoundPresence> found;
  Duration took{};
};

struct PeerView {
  PeerId peer;
  Multiaddr address;
  node::Direction direction;
  std::string agent;
  std::vector<std::string> protocols;
  double score = 0;
};

/// What is known of the node right now.
struct StatusView {
  EthAddress wallet;
  PeerId peer;
  std::vector<Multiaddr> addresses;
  agent::NodeStatus status;
  std::uint64_t presence_seq = 0;
  std::size_t presence_stored = 0;
  std::size_t agents_known = 0;
  std::optional<PeerId> superseded_by;
};

/// What the DHT can be asked.
namespace dht {
struct Get {
  Bytes key;
};
struct Put {
  Bytes key;
  Bytes value;
};
struct Provide {
  Bytes key;
};
struct FindProviders {
  Bytes key;
  std::size_t count = 20;
};
struct FindPeer {
  PeerId peer;
};
/// The servers nearest to a key.
struct Closest {
  Bytes key;
};
using Question = std::variant<Get, Put, Provide, FindProviders, FindPeer, Closest>;

struct Outcome {
  Result<kad::QueryResult> result = fail(kad::Errc::cancelled);
  kad::QueryStats stats;
  std::vector<kad::QueryHop> hops;  ///< of a traced question, as they happened
};
struct TableView {
  PeerId self;
  kad::Mode mode = kad::Mode::client;
  std::size_t records = 0;
  std::size_t providers = 0;
  struct Member {
    kad::RoutingTable::Member entry;
    Duration silent{};  ///< since it last answered
  };
  std::vector<Member> members;
};
}  // namespace dht

/// One agent node with its data directory: identity, storage, runtime, and what programs ask of it.
///
/// Threads: every method may be called from any thread but the node's own; callbacks come on the brain's
/// thread and must not block. Lifetime: the destructor stops cleanly (withdraws, closes).
class Service {
 public:
  static Result<std::unique_ptr<Service>> start(ServiceConfig config);
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;
  ~Service();

  const EthAddress& wallet() const noexcept;
  const PeerId& peer_id() const noexcept;
  /// With `/p2p/…`.
  std::vector<Multiaddr> addresses() const;
  agent::Role role() const noexcept;
  bool wallet_was_made() const noexcept;

  void find(const EthAddress& wallet, Duration cache_age, std::function<void(FindOutcome)> done);
  /// `done` comes when the message is sent or has failed, or after `wait` with the state reached by then.
  void send(node::SendOptions options, Duration wait, std::function<void(SendOutcome)> done);
  /// Errors of kad; a question ends by itself.
  void ask_dht(dht::Question question, kad::QueryOptions options, std::function<void(dht::Outcome)> done);
  dht::TableView dht_table();
  Result<std::vector<home::InboxEntry>> inbox(std::uint64_t after, std::size_t count);
  std::vector<agent::CheckedPresence> announcements();
  std::vector<PeerView> peers();
  StatusView status();
  std::vector<node::agent_event::Status> network_status();
  runtime::MetricsSnapshot metrics();
  /// True once `count` peers take gossip from us, false when `wait` has passed before.
  bool wait_for_gossip(std::size_t count, Duration wait);
  /// True once our presence is stored by somebody.
  bool wait_for_dht(Duration wait);

  using Subscription = std::uint64_t;
  Subscription on_message(std::function<void(const home::InboxEntry&)> callback);
  Subscription on_announcement(std::function<void(const agent::CheckedPresence&)> callback);
  void unsubscribe(Subscription subscription);

  /// Withdraws, closes, joins. Idempotent.
  void stop();

 private:
  struct State;
  explicit Service(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace starling::api
