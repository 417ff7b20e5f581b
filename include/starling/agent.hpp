#pragma once
/// What agents know of each other and send each other: presences, messages, how far a delivery got.
///
/// Addresses are Ethereum addresses as text, EIP-55 when they come out, any case when they go in. Ids of
/// messages are 32 hex digits. Section numbers refer to the agent protocol, version 1.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "starling/outcome.hpp"

namespace starling {

/// Unix time in milliseconds, as every record and message states it.
using Time = std::chrono::sys_time<std::chrono::milliseconds>;

/// Presets of how a node takes part (§7). `other`: a number that this version does not know.
enum class Role : std::uint8_t { agent, bootstrap, server, light, other };
std::string_view to_string(Role role) noexcept;

/// What an agent published of itself, signed by it and checked (§3).
struct Presence {
  std::string address;                 ///< the wallet's
  std::string peer_id;                 ///< of the node that acts for it
  std::vector<std::string> addresses;  ///< multiaddrs without `/p2p/…`, best first; at most 16
  std::string name;                    ///< for people, never an identity; at most 64 bytes
  Role role = Role::agent;
  std::uint64_t seq = 0;  ///< rises with every record of the agent
  Time issued_at;
  Time expires_at;
  bool withdrawn = false;     ///< the agent left on purpose; it has no addresses then
  bool takes_sealed = false;  ///< it published a key to seal messages to
  std::string version;        ///< the program; at most 64 bytes
};

/// A presence, and where it came from.
struct Found : Presence {
  enum class Source : std::uint8_t { dht, provider, cache };
  Source source = Source::dht;
  std::chrono::milliseconds took{};  ///< since find()
  std::size_t servers_answered = 0;  ///< DHT servers that answered, with a record or without
};
std::string_view to_string(Found::Source source) noexcept;

/// What a message is for (§4). A response names the request it answers.
enum class MessageKind : std::uint8_t { message, request, response };
std::string_view to_string(MessageKind kind) noexcept;

/// A message for this agent, opened. Its sender is proven, its content is not: that is somebody else's bytes.
struct AgentMessage {
  std::string id;                  ///< unique per sender; each message is delivered once
  std::string from;                ///< the sender's address
  std::optional<std::string> to;   ///< ours; none: a broadcast
  std::string content_type;        ///< `text/plain` when the sender named none; at most 128 bytes
  std::vector<std::uint8_t> body;  ///< at most 32 KiB over gossip
  MessageKind kind = MessageKind::message;
  std::string in_reply_to;                 ///< the id of the message it answers, or empty
  std::vector<std::uint8_t> conversation;  ///< what messages of one exchange share; at most 32 bytes
  Time sent_at;                            ///< by the sender's clock
  Time expires_at;
  Time received_at;
  bool sealed = false;       ///< only sender and addressee could read it
  std::uint64_t number = 0;  ///< in the inbox, rising; 0 without one

  std::string_view text() const noexcept { return {reinterpret_cast<const char*>(body.data()), body.size()}; }
};

/// How far a message got (§6): accepted → sent → received → delivered → acked, or an end before that.
/// `stored`: a mailbox holds it.
enum class DeliveryState : std::uint8_t {
  accepted,
  sent,
  stored,
  received,
  delivered,
  acked,
  rejected,
  expired,
  failed
};
std::string_view to_string(DeliveryState state) noexcept;
/// acked, rejected, expired and failed: nothing comes after them.
bool is_final(DeliveryState state) noexcept;

struct Delivery {
  std::string id;  ///< empty when the message never got one
  DeliveryState state = DeliveryState::accepted;
  std::string path;                  ///< how it went, `gossip` for one; empty before it left
  std::size_t handed_to = 0;         ///< peers that were given it at once
  std::chrono::milliseconds took{};  ///< since send()
  std::optional<Failure> failure;    ///< why, when it failed
};

/// A message to send. Make one with message_to(), broadcast_of() or reply_to(), then set what else matters.
struct OutgoingMessage {
  std::optional<std::string> to;   ///< an agent's address; none: everybody may read it
  std::vector<std::uint8_t> body;  ///< at most 32 KiB with everything around it
  std::string content_type;        ///< a media type of at most 128 bytes; empty means `text/plain`
  MessageKind kind = MessageKind::message;
  std::string in_reply_to;                 ///< an id, or empty; a response needs one
  std::vector<std::uint8_t> conversation;  ///< at most 32 bytes
  /// How long it is worth delivering; more than 7 days are cut to that.
  std::chrono::milliseconds life = std::chrono::hours(24);
  /// Sealed for the addressee unless said otherwise; there is no silent fallback. Broadcasts are plain.
  enum class Sealing : std::uint8_t { required, plain } sealing = Sealing::required;
  /// A presence heard by announcement no older than this may stand in for a lookup; zero: always look up.
  std::chrono::milliseconds cache_age{};
  /// send() answers at this state or a later one, or after `wait` with the state reached by then.
  DeliveryState until = DeliveryState::sent;
  std::chrono::milliseconds wait = std::chrono::seconds(10);
  /// Every state in order, also those after send() has answered, until a final one or the node's end.
  std::function<void(const Delivery&)> on_state;
};
OutgoingMessage message_to(std::string address, std::string_view text);
OutgoingMessage broadcast_of(std::string_view text);
/// To the sender, in the same conversation, naming the message; a response when that was a request.
OutgoingMessage reply_to(const AgentMessage& message, std::string_view text);

/// What a node says of itself on the network (§7), or what ours would say now. None of it is proven.
struct AgentStatus {
  std::string address;
  std::string peer_id;
  Role role = Role::agent;
  std::string version;
  Time sent_at;
  std::chrono::seconds uptime{};
  std::size_t connections = 0;
  std::size_t dht_table = 0;      ///< DHT servers it knows
  std::uint64_t dht_records = 0;  ///< presences it keeps for others
  struct Topic {
    std::string name;
    std::size_t mesh = 0;   ///< peers it exchanges every message with
    std::size_t peers = 0;  ///< peers that take the topic from it
  };
  std::vector<Topic> topics;
  std::uint64_t messages_sent = 0;
  std::uint64_t messages_delivered = 0;
  std::uint64_t messages_rejected = 0;
  std::uint64_t rss_bytes = 0;
  std::uint32_t cpu_permille = 0;  ///< of one core
};

/// Our own node right now.
struct NodeStatus : AgentStatus {
  std::vector<std::string> addresses;  ///< what the presence names, with `/p2p/…`
  std::uint64_t presence_seq = 0;      ///< 0 before the first record
  std::size_t presence_stored_by = 0;  ///< DHT servers that hold the newest record
  std::size_t agents_known = 0;
  std::optional<std::string> superseded_by;  ///< the peer id of the active node of our wallet, when not us
};

struct ConnectedPeer {
  std::string peer_id;
  std::string address;  ///< the multiaddr it is reached at
  bool inbound = false;
  std::string agent_version;
  std::vector<std::string> protocols;
  double score = 0;  ///< gossip's opinion of it; below zero is bad
};

}  // namespace starling
