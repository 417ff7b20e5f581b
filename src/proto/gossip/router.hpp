#pragma once
// The gossipsub 1.1 brain of one node. Spec: libp2p/specs pubsub/gossipsub/gossipsub-v1.0.md and -v1.1.md.
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/env.hpp"
#include "base/machine.hpp"
#include "base/result.hpp"
#include "base/strong_id.hpp"
#include "base/time.hpp"
#include "format/multiaddr.hpp"
#include "format/peer_id.hpp"
#include "proto/gossip/errors.hpp"
#include "proto/gossip/message.hpp"
#include "proto/gossip/params.hpp"
#include "proto/gossip/rpc.hpp"

namespace starling::gossip {

/// In order of preference when a stream is negotiated.
inline constexpr std::string_view kMeshsub11 = "/meshsub/1.1.0";
inline constexpr std::string_view kMeshsub10 = "/meshsub/1.0.0";
inline constexpr std::string_view kFloodsub10 = "/floodsub/1.0.0";

enum class Protocol : std::uint8_t { floodsub_1_0, meshsub_1_0, meshsub_1_1 };
/// The protocol of a negotiated id; nothing for ids that are not ours.
std::optional<Protocol> protocol_of(std::string_view protocol_id) noexcept;

/// Who dialled the connection (not the stream): Dout counts on it.
enum class Direction : std::uint8_t { inbound, outbound };

struct PeerInfo {
  Direction direction = Direction::inbound;
  Protocol protocol = Protocol::meshsub_1_1;
  std::optional<IpPort> address;  ///< remote end of the connection, for P6; absent for relayed connections
};

struct ValidationTag;
using ValidationId = StrongId<ValidationTag>;

enum class Verdict : std::uint8_t { accept, reject, ignore };
enum class SignatureState : std::uint8_t {
  good,       ///< row 2 passed: the id enters the seen cache whatever the verdict
  bad,        ///< row 2 failed: the id stays open for an honest copy
  unchecked,  ///< not looked at (overload at the edge): the id stays open, nobody is blamed
};
/// What the edge found out about one message.
struct Outcome {
  Verdict verdict;
  SignatureState signature;
  static constexpr Outcome accept() noexcept { return {Verdict::accept, SignatureState::good}; }
  static constexpr Outcome reject() noexcept { return {Verdict::reject, SignatureState::good}; }
  static constexpr Outcome ignore() noexcept { return {Verdict::ignore, SignatureState::good}; }
  static constexpr Outcome forged() noexcept { return {Verdict::reject, SignatureState::bad}; }
  static constexpr Outcome throttled() noexcept { return {Verdict::ignore, SignatureState::unchecked}; }
};

/// Put `rpc` into the outbound queue of `to`, on `lane`.
struct SendRpc {
  PeerId to;
  Rpc rpc;
  Lane lane;
};
/// Run StrictSign and the validation rules, then call on_validated with `id`. Nothing else is answered for
/// `id`.
struct Validate {
  ValidationId id;
  PeerId from;  ///< the forwarder, not the author
  MessagePtr message;
  MessageId message_id;
};
/// A validated message of a subscribed topic, each id once. Own publications are not delivered.
struct Deliver {
  MessagePtr message;
  PeerId from;
  MessageId message_id;
};
/// A peer offered in a PRUNE by a peer whose score allows it: dial if there is room. The record is unchecked.
struct ConnectPx {
  PeerId peer;
  Slice signed_record;
  PeerId offered_by;
};
/// A direct peer without a connection: dial it.
struct ConnectDirect {
  PeerId peer;
};
/// The peer's score fell below the graylist threshold; its RPCs are ignored from now on. Said once per fall.
/// The node may as well disconnect.
struct Graylisted {
  PeerId peer;
  double score;
};
using Action = std::variant<SendRpc, Validate, Deliver, ConnectPx, ConnectDirect, Graylisted>;

struct Published {
  MessageId id;
  /// Peers it was handed to at once. With 0 it is announced by IHAVE for history_gossip heartbeats to whoever
  /// joins.
  std::size_t handed_to = 0;
};

struct TopicStats {
  std::string topic;
  std::size_t mesh = 0;   ///< links
  std::size_t peers = 0;  ///< connected peers that are subscribed
};

/// Since birth. What a peer can cause is counted, so that an attack is visible.
struct RouterCounters {
  std::uint64_t messages_received = 0;    ///< every copy
  std::uint64_t duplicates = 0;           ///< copies of a seen or validating id
  std::uint64_t delivered = 0;            ///< accepted
  std::uint64_t rejected = 0;             ///< signature good, content invalid
  std::uint64_t forged = 0;               ///< signature bad
  std::uint64_t ignored = 0;              ///< signature good, not forwarded
  std::uint64_t over_rate = 0;            ///< row 1: forwarder over its rate
  std::uint64_t validation_overflow = 0;  ///< row 1: validation queue full, or verdict never came
  std::uint64_t unwanted_topic = 0;       ///< messages of topics that we are not subscribed to
  std::uint64_t own_echoed = 0;           ///< messages in our own name that we did not send
  std::uint64_t oversize = 0;
  std::uint64_t graylisted_rpcs = 0;
  std::uint64_t skipped_entries = 0;  ///< beyond a limit, by decoder or router
  std::uint64_t published = 0;
  std::uint64_t forwarded_copies = 0;
  std::uint64_t ihave_sent_ids = 0;
  std::uint64_t iwant_sent_ids = 0;
  std::uint64_t iwant_served = 0;
  std::uint64_t grafts_received = 0;
  std::uint64_t prunes_received = 0;
  std::uint64_t grafts_in_backoff = 0;
  std::uint64_t promises_broken = 0;
  std::uint64_t unknown_peer_rpcs = 0;  ///< RPCs dropped because peers_max was reached
};

class RouterState;

/// The gossipsub router: who is in which mesh, who gets which message, what every peer is worth.
///
/// Lifetime and threads: one per node, on the brain's shard, never called from two threads. It owns no I/O,
/// clock or randomness; `env` outlives it. The payload is never read, hashed or copied here; signatures are
/// checked at the edge.
///
/// Call order: on_peer() when our outbound gossip stream to a peer is negotiated; on_peer_gone() once when
/// the peer's connection or stream is gone. An RPC that comes before on_peer() is heeded as far as it needs
/// no answer (the first RPC carries the subscriptions), so on_peer_gone() must also be called for a peer that
/// only ever spoke. After every input: drain poll(), then re-arm deadline().
///
/// What decides about a message, in this order (PROTOCOL.md §5): topic not ours or id seen → dropped;
/// forwarder over its rate or validation full → ignored, id not seen; id under validation → the copy waits;
/// else Validate. Only a good signature puts the id into the seen cache. A forged copy can therefore not shut
/// out the honest one: when the copy under validation fails row 2, the next waiting copy is validated.
/// Waiting copies are bounded per id, one per peer, and the one of the worst peer gives way, so that sybils
/// with score 0 cannot crowd out a mesh peer that delivered before.
///
/// Limits: limits.hpp and Config; everything keyed by a peer is freed by on_peer_gone() except backoffs (≤ 1
/// h, kBackoffsMax) and bad scores (retain_score, retained_peers_max), which must survive a reconnect to mean
/// anything.
///
/// Why this way: the mesh bounds amplification, IHAVE/IWANT repairs what the mesh loses, flood publishing and
/// Dout keep an eclipsed publisher audible, score and backoff make misbehaviour cost more than it brings.
class Router {
 public:
  /// `config` comes from make_config(), which has checked it.
  Router(std::shared_ptr<const Config> config, PeerId self, Env& env);
  ~Router();
  Router(Router&&) noexcept;
  Router& operator=(Router&&) noexcept;

  /// Our outbound stream to the peer stands: it is sent all subscriptions first. No-op for a peer that is
  /// already there.
  void on_peer(const PeerId& peer, const PeerInfo& info, Instant now);
  /// The peer is gone: out of every mesh, all its state freed but backoffs and a bad score. No-op for an
  /// unknown peer.
  void on_peer_gone(const PeerId& peer, Instant now);
  /// The peer's signed record, to be offered in PX. No-op for an unknown peer or one longer than
  /// kPxRecordBytesMax.
  void on_peer_record(const PeerId& peer, Slice signed_record);
  void on_rpc(const PeerId& from, Rpc rpc, Instant now);
  /// The verdict on a Validate. An id that is unknown (timed out, answered before) is ignored.
  void on_validated(ValidationId id, Outcome outcome, Instant now);

  /// No-op when subscribed. Errc::bad_topic, Errc::too_many_topics.
  Result<void> subscribe(std::string_view topic, Instant now);
  /// No-op when not subscribed.
  void unsubscribe(std::string_view topic, Instant now);
  /// Sends a message of our own; it need not be of a subscribed topic (fanout). It enters the seen cache and
  /// the message cache even when there is nobody to hand it to. Errc::duplicate when the id was seen before,
  /// Errc::too_large, Errc::bad_topic, Errc::too_many_topics.
  Result<Published> publish(MessagePtr message, Instant now);
  /// P5. No-op for an unknown peer.
  void set_app_score(const PeerId& peer, double score);

  std::optional<Action> poll();
  Instant deadline() const;
  void on_deadline(Instant now);

  /// As of the last decay; 0 for a stranger, the remembered score for a peer that left badly.
  double score(const PeerId& peer) const;
  std::vector<PeerId> mesh_peers(std::string_view topic) const;
  /// Connected peers that are subscribed, in the order in which they connected.
  std::vector<PeerId> topic_peers(std::string_view topic) const;
  /// One entry per subscribed topic, sorted by name.
  std::vector<TopicStats> topic_stats() const;
  std::size_t peer_count() const noexcept;
  bool subscribed(std::string_view topic) const;
  bool seen(const MessageId& id) const;
  const RouterCounters& counters() const noexcept;
  /// Bytes of heap held, roughly; for the memory tests and the node's status.
  std::size_t memory_bytes() const noexcept;

 private:
  std::unique_ptr<RouterState> state_;
};
static_assert(Machine<Router>);

}  // namespace starling::gossip
