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
#include "sdk/failure.hpp"

namespace starling::sdk {

/// Everything that one agent node is started with.
struct AgentSetup {
  /// Empty: nothing is kept. The wallet and the node key are then those given here, or new ones.
  std::filesystem::path data_dir;
  agent::Role role = agent::Role::agent;
  std::string name;
  agent::NetworkName network;
  std::vector<Multiaddr> listen;
  std::vector<Multiaddr> bootstrap;
  std::vector<node::Security> security = {node::Security::noise};  ///< what we dial with
  std::optional<EthAddress>
      wallet;  ///< which keystore; the only or oldest otherwise, a new one when there is none
  std::optional<std::string> password;
  std::optional<crypto::PrivateKey> wallet_key;  ///< instead of a keystore
  std::optional<crypto::PrivateKey> node_key;    ///< only without a data directory
  crypto::KeyType node_key_type = crypto::KeyType::secp256k1;
  std::size_t threads = 0;
  std::shared_ptr<runtime::LoopPool> loops;  ///< instead of threads of its own
  std::optional<std::size_t> connections;    ///< the role's preset otherwise
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

/// A state of a message, and the time since send().
struct SendOutcome {
  node::agent_event::SendState state;
  Duration took{};
};
template <>
struct Failing<SendOutcome> {
  static SendOutcome of(const Error& error);
};
struct FindOutcome {
  Result<node::FoundPresence> found;
  Duration took{};
};
template <>
struct Failing<FindOutcome> {
  static FindOutcome of(const Error& error) { return {tl::unexpected<Error>(error), {}}; }
};

/// How a send is followed.
struct SendWatch {
  /// `done` comes once this state, a later one or a terminal one is reached, or after `wait` with the state
  /// reached by then.
  agent::DeliveryState until = agent::DeliveryState::sent;
  Duration wait = 10s;
  std::function<void(SendOutcome)> done;
  /// Every state in order, `done`'s included and before it.
  std::function<void(const SendOutcome&)> each;
};
/// Nothing comes after it.
bool is_terminal(agent::DeliveryState state) noexcept;

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
template <>
struct Failing<dht::Outcome> {
  static dht::Outcome of(const Error& error) { return {tl::unexpected<Error>(error), {}, {}}; }
};

/// One agent node: identity, storage, runtime, and what programs ask of it. The public Node and the daemon
/// both stand on it. Call order: open() → on_…() → start() → anything → stop().
///
/// Threads: methods may be called from anywhere and do not block, but for those marked so; callbacks come on
/// the brain's thread, exactly once, with Errc::shutting_down when the node has stopped: then on the thread
/// that stopped it or that asked. Callbacks must not block. Lifetime: the destructor stops cleanly
/// (withdraws, closes), never on a thread of the node. Limits: kAnnouncementsKept; finds and sends are
/// bounded by the brain.
class AgentCore {
 public:
  template <class T>
  using Done = std::function<void(Result<T>)>;
  static constexpr std::size_t kAnnouncementsKept = 1000;

  /// Blocking. Errors of home::DataDir, home::Store and agent::Identity.
  static Result<std::unique_ptr<AgentCore>> open(AgentSetup setup);
  /// Blocking. Errors of runtime::AgentRuntime::start().
  Result<void> start();
  AgentCore(const AgentCore&) = delete;
  AgentCore& operator=(const AgentCore&) = delete;
  ~AgentCore();

  const EthAddress& wallet() const noexcept;
  const PeerId& peer_id() const noexcept;
  /// With `/p2p/…`.
  std::vector<Multiaddr> addresses() const;
  agent::Role role() const noexcept;
  bool wallet_was_made() const noexcept;
  /// Whether messages are kept on disk.
  bool has_inbox() const noexcept;

  void find(const EthAddress& wallet, Duration cache_age, std::function<void(FindOutcome)> done);
  void send(node::SendOptions options, SendWatch watch);
  /// Errors of kad; a question ends by itself.
  void ask_dht(dht::Question question, kad::QueryOptions options, std::function<void(dht::Outcome)> done);
  void dht_table(Done<dht::TableView> done);
  /// Blocking, for the disk. home::Errc; node::Errc::not_found without a data directory.
  Result<std::vector<home::InboxEntry>> inbox(std::uint64_t after, std::size_t count);
  void announcements(Done<std::vector<agent::CheckedPresence>> done);
  void peers(Done<std::vector<PeerView>> done);
  void status(Done<StatusView> done);
  void network_status(Done<std::vector<node::agent_event::Status>> done);
  void metrics(Done<runtime::MetricsSnapshot> done);

  /// Calls `done` once the condition holds, with false when `wait` has passed before. Looked at on the
  /// brain's thread every kLookInterval.
  void when(std::function<bool(node::AgentNode&)> holds, Duration wait, Done<bool> done);
  /// `count` peers take gossip from us.
  void when_gossip(std::size_t count, Duration wait, Done<bool> done);
  /// A DHT server is in the table.
  void when_dht(Duration wait, Done<bool> done);
  /// The presence is stored by somebody and, with gossip, a peer takes our messages.
  void when_joined(Duration wait, Done<bool> done);

  using Subscription = std::uint64_t;
  /// Called on the brain's thread while the subscriptions are locked: must neither block nor unsubscribe.
  Subscription on_message(std::function<void(const home::InboxEntry&)> callback);
  Subscription on_announcement(std::function<void(const agent::CheckedPresence&)> callback);
  Subscription on_status(std::function<void(const node::agent_event::Status&)> callback);
  void unsubscribe(Subscription subscription);

  /// Withdraws, closes, joins. Blocking, idempotent. When it returns every callback has come.
  void stop();
  /// Ends the program when called on a thread of the node, where stop() would wait for itself.
  void refuse_own_thread() const;

 private:
  struct State;
  explicit AgentCore(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace starling::sdk
