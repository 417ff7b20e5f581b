#pragma once
/// An agent node to embed: an Ethereum address that others find and exchange messages with.
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "starling/agent.hpp"
#include "starling/event_loops.hpp"
#include "starling/outcome.hpp"

namespace starling {

struct NodeOptions {
  /// The node's folder: wallet, node key, inbox, everything that must survive. One running node per folder.
  /// Made when missing. Empty: nothing is kept, and without `wallet_secret` every Node is a new agent.
  std::string data_dir;
  /// Which keystore of the folder, by address; otherwise the only or oldest one, and a new one when there is
  /// none.
  std::string wallet;
  /// Opens the keystore, or protects a new one. Without it a new wallet gets a random password beside it.
  std::optional<std::string> password;
  /// A secp256k1 scalar, 32 bytes, instead of a keystore: the wallet is then nowhere on disk.
  std::vector<std::uint8_t> wallet_secret;
  enum class KeyType : std::uint8_t { secp256k1, ed25519 };
  KeyType node_key_type = KeyType::secp256k1;  ///< of a new node key

  Role role = Role::agent;
  std::string name;                  ///< for people; at most 64 bytes
  std::string network = "starling";  ///< 1 to 32 of [a-z0-9-]; nodes of different ones do not meet
  /// `/ip4|ip6/…/tcp/port`, port 0 for any; empty: this node only dials.
  std::vector<std::string> listen;
  /// Dialled at start, and again while they cannot be reached. With `/p2p/…` or without.
  std::vector<std::string> bootstrap;
  /// How connections that we dial are secured: `noise` and `tls`, in order of preference. With both, a
  /// connection takes a round trip more to stand. What others dial with is theirs to choose.
  std::vector<std::string> security = {"noise"};
  /// `hidden`: publishes no presence and no status; it finds and sends, but nobody finds it.
  enum class Visibility : std::uint8_t { found, hidden } visibility = Visibility::found;
  bool status_messages = true;  ///< tell the network how we are, every minute or less often
  std::size_t connections = 0;  ///< the most to keep; 0: what the role says (50 for an agent)
  /// Bytes that all connections may hold for their peers together; a stream that needs more is reset.
  std::size_t connections_bytes_max = std::size_t{256} << 20;
  /// Dial private and loopback addresses of any record, not only of classes that we listen or bootstrap on.
  bool allow_private_addresses = false;
  /// Publish above another node of the same wallet instead of yielding to it.
  bool take_over = false;

  /// Event loops; 0: one per core, eight at most. Not looked at with `loops`.
  std::size_t threads = 0;
  std::optional<EventLoops> loops;
  /// trace, debug, info, warn or error.
  std::string log_level = "warn";
  /// Where log lines go, standard error without it: level, module, one line. Called from any of the node's
  /// threads, several at once.
  std::function<void(std::string_view level, std::string_view module, std::string_view text)> log;
};

/// One agent: a wallet's address with a node that publishes where it is, finds others, and exchanges
/// messages.
///
/// Construct → on_…() → start() → anything → stop(), which the destructor does too; a stopped node may be
/// started again. start(), stop() and the destructor block; they, and wait(), never on a thread of the node,
/// which is where callbacks come: stop() and the destructor end the program there, wait() fails. Everything
/// else may be called from anywhere, callbacks included.
///
/// Callbacks come on one thread of the node, one at a time; they must not block or throw. Each `done` comes
/// exactly once, with a failure of kind `cancelled` when the node does not run or stops meanwhile: then on
/// the thread that asked or that stops it. When stop() has returned no callback is under way and none will
/// come.
///
/// Limits: 10,000 messages under way and 1,000 agents in announced(), the oldest or first ones go or fail
/// with kind `limit`. Wire format and rules: the agent protocol, version 1, named by section below.
class Node {
 public:
  template <class T>
  using Done = std::function<void(Outcome<T>)>;

  explicit Node(NodeOptions options);
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  ~Node();

  /// Opens the folder, listens, begins to publish. Takes about a second when a password opens the wallet.
  /// Kinds: `malformed` (an option that cannot be read), `refused` (wrong password, folder in use, port in
  /// use or not allowed), `storage` (a folder that is damaged or cannot be written), `not_found` (no such
  /// wallet). The message names the option, folder or address. Nothing runs after a failure; start() may be
  /// called again.
  Outcome<void> start();
  /// Withdraws the presence (3 s at most), closes every connection, joins the threads. Does nothing when the
  /// node does not run.
  void stop();

  /// The agent's Ethereum address, EIP-55. Empty before the first start().
  std::string address() const;
  std::string peer_id() const;
  /// Where the node listens, with `/p2p/…`: real ports, no wildcards. What others give as `bootstrap`.
  std::vector<std::string> addresses() const;

  /// A message for us or for everybody, once whatever its path (§5). Without a data directory a restart
  /// forgets which were delivered. At any time; replaces the callback before.
  void on_message(std::function<void(const AgentMessage&)> callback);
  /// A presence heard on the network, also a withdrawn one (§3). Without a lookup nothing says that it is the
  /// newest.
  void on_announcement(std::function<void(const Presence&)> callback);
  /// What another node says of itself (§7).
  void on_status(std::function<void(const AgentStatus&)> callback);

  /// Answers when this agent can be found and its messages are taken: its presence is stored by a DHT server,
  /// and a peer is there for gossip. Kind `timeout` after `limit`. A first node that nobody has dialled yet
  /// has nobody to join.
  void joined(std::chrono::milliseconds limit, Done<void> done);

  /// Where an agent is (§3): asks the DHT until three servers have answered, the newest record wins. Kinds:
  /// `not_found`, `unreachable` (no DHT server known), `timeout`, `malformed` (not an address), `limit`. A
  /// withdrawn record is a value. `cache_age`: a record heard by announcement no older than that will do.
  void find(std::string_view address, Done<Found> done, std::chrono::milliseconds cache_age = {});

  /// Sends (§4): looks the addressee up, seals, publishes, and again from time to time until `life` is over.
  /// `done` gets the state `message.until` or a later one, or what was reached after `message.wait`; the
  /// sending goes on then. Kinds: those of find() for the lookup; `refused` (the addressee withdrew, takes no
  /// sealed messages, or rejected it), `limit` (too big, or too many under way), `timeout` (it expired),
  /// `unsupported` (gossip is off), `malformed`.
  void send(OutgoingMessage message, Done<Delivery> done);

  /// Messages with a number above `after`, oldest first; with 0 the latest `count`. At most 100,000 are kept.
  /// Reads the disk while the caller waits. Kinds: `unsupported` without a data directory, `storage`,
  /// `cancelled`.
  Outcome<std::vector<AgentMessage>> inbox(std::uint64_t after, std::size_t count);

  /// Agents heard of by announcement since start(), by address.
  void announced(Done<std::vector<Presence>> done);
  void peers(Done<std::vector<ConnectedPeer>> done);
  void status(Done<NodeStatus> done);
  /// The latest status of every node heard of.
  void network_status(Done<std::vector<AgentStatus>> done);
  /// Counters and gauges by name.
  void metrics(Done<std::map<std::string, std::uint64_t>> done);

 private:
  std::unique_ptr<sdk::NodeCore> core_;
};

}  // namespace starling
