#pragma once
/// A libp2p host: connections, streams, a DHT and gossip, for programs in C++20.
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "starling/event_loops.hpp"
#include "starling/outcome.hpp"
#include "starling/stream.hpp"

namespace starling {

/// The secret of a host's identity: an Ed25519 seed or a secp256k1 scalar, 32 bytes.
struct HostKey {
  enum class Type : std::uint8_t { ed25519, secp256k1 };
  Type type = Type::ed25519;
  std::vector<std::uint8_t> secret;  ///< empty: a fresh one
};

/// A DHT of one network, named by its protocol id.
struct DhtOptions {
  std::string protocol;
  /// `automatic`: a client that serves as soon and as long as it is known to be reachable.
  enum class Mode : std::uint8_t { client, server, automatic } mode = Mode::client;
  /// Which records are believed. `anything` is for tests on closed networks.
  enum class Records : std::uint8_t { public_keys, anything } records = Records::public_keys;
  /// Which addresses are kept and passed on.
  enum class Addresses : std::uint8_t { public_only, any } addresses = Addresses::public_only;
};

/// A gossip message that was delivered. A copy keeps the memory behind the views alive.
struct Message {
  std::string_view topic;
  ByteSpan author_bytes;
  ByteSpan seqno;
  ByteSpan data;
  ByteSpan signature;
  ByteSpan key;  ///< the author's PublicKey protobuf; empty when the peer id holds the key
  std::shared_ptr<const void> memory;
  /// The author's peer id as text.
  std::string author() const;
};

/// What is told without being asked; each on the host's own thread, none must block.
struct HostEvents {
  std::function<void(const std::string& peer)> peer_connected;
  /// The last connection to the peer is gone.
  std::function<void(const std::string& peer, const Failure& reason)> peer_disconnected;
  std::function<void(const Message& message)> message;
};

struct HostOptions {
  HostKey key;
  /// `/ip4|ip6/…/tcp/port`; empty: this host only dials.
  std::vector<std::string> listen;
  /// Dialled at start, and again while they cannot be reached. With `/p2p/…` or without.
  std::vector<std::string> bootstrap;
  /// How connections that we dial are secured: `noise` and `tls`, in order of preference. With both, a
  /// connection takes a round trip more to stand. What others dial with is theirs to choose.
  std::vector<std::string> security = {"noise"};
  std::optional<DhtOptions> dht;
  /// Gossipsub with StrictSign; every signed message is accepted.
  bool gossip = false;
  /// Whether HostEvents::message also tells what this host itself publishes to a topic it is subscribed to.
  enum class OwnMessages : std::uint8_t { skipped, delivered } own_messages = OwnMessages::skipped;
  std::string agent_version = "starling/0.1.0";
  /// Connections: above `high` the least useful are closed down to `low`; inbound ones are refused from
  /// `total` on.
  std::size_t connections_low = 160;
  std::size_t connections_high = 192;
  std::size_t connections_total = 256;
  /// Connections younger than this are not closed for being too many.
  std::chrono::nanoseconds connections_grace = std::chrono::seconds(20);
  /// Bytes that all connections may hold for their peers together; a stream that needs more is reset.
  std::size_t connections_bytes_max = std::size_t{256} << 20;
  /// `off` lifts the caps and rates that protect against strangers, for benchmarks and tests on closed
  /// networks.
  enum class Protection : std::uint8_t { on, off } protection = Protection::on;
  /// Event loops; 0: one per core, eight at most. Not looked at with `loops`.
  std::size_t threads = 0;
  std::optional<EventLoops> loops;
  /// trace, debug, info, warn or error; log lines go to standard error.
  std::string log_level = "warn";
  HostEvents events;
};

/// What a peer said about itself.
struct PeerInfo {
  std::string agent_version;
  std::string protocol_version;
  std::vector<std::string> protocols;
  std::vector<std::string> addresses;
  std::string observed_address;  ///< where the peer sees us; empty when it does not say
};

/// A peer and where it can be reached, as far as that is known.
struct PeerAddresses {
  std::string peer;
  std::vector<std::string> addresses;
};

/// One of the connections of a host.
struct ConnectionInfo {
  std::string peer;
  std::string remote_address;  ///< `/ip4/…/tcp/…`
  enum class Direction : std::uint8_t { inbound, outbound } direction = Direction::inbound;
};

struct Published {
  std::vector<std::uint8_t> id;     ///< author ‖ seqno
  std::vector<std::uint8_t> seqno;  ///< 8 bytes
  std::size_t handed_to = 0;        ///< peers that were sent it at once
};

struct HostStats {
  std::size_t connections = 0;
  std::size_t peers = 0;
  std::size_t dht_table = 0;
  std::size_t gossip_peers = 0;
  std::map<std::string, std::uint64_t> counters;
};

/// A libp2p node: TCP, Noise and TLS, yamux, identify and ping; a Kademlia DHT and gossipsub when asked for.
///
/// Construct → set_stream_handler() → start() → anything → stop(), which the destructor does too. start(),
/// stop() and the destructor block; never call them on a thread of the host. Everything else may be called
/// from anywhere and does not block; callbacks come on the host's thread, exactly once, with a failure of
/// kind `cancelled` when the host has stopped. Peer ids and addresses are text, as libp2p writes them.
class Host {
 public:
  template <class T>
  using Done = std::function<void(Outcome<T>)>;
  using StreamHandler = std::function<void(Stream)>;

  explicit Host(HostOptions options);
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;
  ~Host();

  /// Fails on bad options and when an address cannot be listened on.
  Outcome<void> start();
  void stop();
  const std::string& peer_id() const noexcept;
  /// With `/p2p/…`; real ports, no wildcards. Empty before start().
  const std::vector<std::string>& addresses() const noexcept;

  /// Offers a protocol; `handler` gets each inbound stream of it, on the thread of its connection. `done`
  /// comes when every connection takes such streams; peers are told by identify.
  void set_stream_handler(std::string protocol, StreamHandler handler, Done<void> done = {});
  /// A stream to a connected peer; like Connection::open_stream().
  void open_stream(std::string_view peer, std::vector<std::string> protocols, Connection::OpenDone done,
                   Agreement agreement = Agreement::presumed);
  /// The oldest connection to a connected peer.
  void connection(std::string_view peer, Done<Connection> done);

  /// Dials unless connected. An address with `/p2p/…` accepts that peer only. The value is the peer's id.
  void connect(std::string_view address, Done<std::string> done);
  /// The same for one peer at any of these addresses, or at those it is remembered by.
  void connect(std::string_view peer, const std::vector<std::string>& addresses, Done<std::string> done);
  /// Closes every connection to the peer.
  void disconnect(std::string_view peer, Done<void> done);
  void ping(std::string_view peer, Done<std::chrono::nanoseconds> done);
  void peers(Done<std::vector<std::string>> done);
  void connections(Done<std::vector<ConnectionInfo>> done);
  /// Waits for identify, 10 s at most.
  void peer_info(std::string_view peer, Done<PeerInfo> done);
  /// The PublicKey protobuf of a peer: from its id, from identify, or else from the DHT.
  void public_key(std::string_view peer, Done<std::vector<std::uint8_t>> done);
  /// What keeping a connected peer is worth when connections have to go; several tags add up, 0 removes one.
  /// Forgotten when the last connection to the peer ends; no-op for a peer that is not connected. At most 64
  /// tags a peer, of 1 to 128 bytes.
  void tag_peer(std::string_view peer, std::string_view tag, std::int32_t value, Done<void> done);
  /// Closes the least useful connections down to HostOptions::connections_low now. The value is how many.
  void trim_connections(Done<std::size_t> done);

  void subscribe(std::string_view topic, Done<void> done);
  void unsubscribe(std::string_view topic, Done<void> done);
  /// Waits while a peer that takes the message has too many of ours to read, so that none is dropped.
  void publish(std::string_view topic, ByteSpan data, Done<Published> done);
  void mesh_peers(std::string_view topic, Done<std::vector<std::string>> done);
  /// Topics that this host is subscribed to.
  void topics(Done<std::vector<std::string>> done);
  /// Connected peers that are subscribed to the topic.
  void topic_peers(std::string_view topic, Done<std::vector<std::string>> done);

  void dht_put(ByteSpan key, ByteSpan value, Done<void> done);
  void dht_get(ByteSpan key, Done<std::vector<std::uint8_t>> done);
  /// `multihash`: what is provided, e.g. sha256_multihash() of it.
  void dht_provide(ByteSpan multihash, Done<void> done);
  void dht_find_providers(ByteSpan multihash, std::size_t count, Done<std::vector<std::string>> done);
  /// The same, each provider as soon as it is known, with its addresses; `found` is called at most `count`
  /// times, all before `done`.
  void dht_find_providers(ByteSpan multihash, std::size_t count, std::function<void(PeerAddresses)> found,
                          Done<void> done);
  void dht_find_peer(std::string_view peer, Done<std::vector<std::string>> done);
  void dht_closest_peers(ByteSpan key, Done<std::vector<std::string>> done);
  void dht_table_size(Done<std::size_t> done);

  void stats(Done<HostStats> done);
  /// `work` on the host's thread, after `delay`; dropped when the host has stopped.
  void post_after(std::chrono::nanoseconds delay, std::function<void()> work);

 private:
  std::unique_ptr<sdk::HostCore> core_;
};

/// The multihash of the SHA-256 of `content`.
std::vector<std::uint8_t> sha256_multihash(ByteSpan content);
std::vector<std::uint8_t> sha256(ByteSpan content);

}  // namespace starling
