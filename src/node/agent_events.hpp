#pragma once
// What the agent brain tells its driver, and the options of what it is asked.
#include <optional>
#include <string>
#include <variant>

#include "agent/envelope.hpp"
#include "agent/node_status.hpp"
#include "agent/presence.hpp"
#include "agent/receipt.hpp"
#include "agent/sealing.hpp"
#include "base/result.hpp"
#include "node/ids.hpp"

namespace starling::node {

/// Where a presence was found.
enum class PresenceSource : std::uint8_t { dht, provider, cache };
std::string_view to_string(PresenceSource source) noexcept;

struct FoundPresence {
  agent::CheckedPresence presence;
  PresenceSource source = PresenceSource::dht;
  Duration took{};
  std::size_t servers_answered = 0;
};

/// What to send. Without `to` it is a broadcast.
struct SendOptions {
  enum class Sealing : std::uint8_t { required, plain };
  std::optional<EthAddress> to;
  std::string content_type;  ///< empty means text/plain
  Bytes body;
  Bytes conversation;
  std::optional<agent::EnvelopeId> in_reply_to;
  agent::MessageKind kind = agent::MessageKind::message;
  Duration life = agent::kEnvelopeLifeDefault;
  /// Direct messages only; a broadcast is plain.
  Sealing sealing = Sealing::required;
  /// A record heard by announcement no older than this may serve instead of a lookup; zero = always ask the
  /// DHT.
  Duration cache_age{};
};

/// A message for the application, opened.
struct Received {
  agent::EnvelopeId id{};
  EthAddress from;
  std::optional<EthAddress> to;  ///< none: a broadcast
  std::string content_type;
  Bytes body;
  Bytes conversation;
  std::optional<agent::EnvelopeId> in_reply_to;
  agent::MessageKind kind = agent::MessageKind::message;
  WallTime sent_at;
  WallTime expires_at;
  WallTime received_at;
  bool sealed = false;
};

/// What a node keeps on disk; a driver stores values under (what, key) and hands all of them back at start.
/// They must come back in this order: what is known of revocations before the records that it may forbid.
enum class Kept : std::uint8_t {
  issued,
  delegation,
  seal_keys,
  floors,
  delivered,
  dht_record,
  dht_provider,
  dht_provided,
  dht_table
};
inline constexpr std::size_t kKeptKinds = 9;
std::string_view to_string(Kept what) noexcept;
/// Nothing for a name that this version does not know.
std::optional<Kept> parse_kept(std::string_view name) noexcept;

namespace agent_event {
struct Found {
  AskId ask;
  EthAddress wallet;
  Result<FoundPresence> outcome;
};
/// The state of a message changed: accepted → sent, or a terminal one.
struct SendState {
  AskId ask;
  agent::EnvelopeId id{};
  agent::DeliveryState state = agent::DeliveryState::none;
  std::string_view path;       ///< `gossip`; empty before a path was taken
  std::optional<Error> error;  ///< why it failed
  std::size_t handed_to = 0;
};
struct Message {
  Received message;
};
/// A presence heard on agent-announcements, valid and not older than the known one.
struct Announced {
  agent::CheckedPresence presence;
};
struct Status {
  EthAddress wallet;
  PeerId peer;
  agent::NodeStatus status;
};
/// Our own record went out, to `stored` servers of the DHT.
struct Published {
  std::uint64_t seq = 0;
  std::size_t stored = 0;
};
/// Another node of our wallet is the active one now: we publish no more.
struct Superseded {
  PeerId by;
};
/// To be on disk before anything that was told after it is done. An empty value erases. Keys are bytes, not
/// text.
struct Persist {
  Kept what;
  std::string key;
  Bytes value;
};
/// After begin_shutdown(): withdrawn as well as it goes; stop now.
struct ShutdownReady {};
using Event =
    std::variant<Found, SendState, Message, Announced, Status, Published, Superseded, Persist, ShutdownReady>;
}  // namespace agent_event

}  // namespace starling::node
