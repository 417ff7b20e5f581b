#include "sdk/agent_views.hpp"

#include <algorithm>

#include "sdk/parse.hpp"

namespace starling::sdk {
namespace {

Time to_public(WallTime time) {
  // A peer may name any 64-bit time; the far end of ours is far enough.
  const auto most = static_cast<std::uint64_t>(Time::max().time_since_epoch().count());
  return Time(std::chrono::milliseconds(static_cast<std::int64_t>(std::min(time.ms(), most))));
}

std::chrono::milliseconds to_ms(Duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration);
}

Role to_public(agent::Role role) noexcept {
  switch (role) {
    case agent::Role::agent: return Role::agent;
    case agent::Role::bootstrap: return Role::bootstrap;
    case agent::Role::server: return Role::server;
    case agent::Role::light: return Role::light;
  }
  return Role::other;
}

DeliveryState to_public(agent::DeliveryState state) noexcept {
  switch (state) {
    case agent::DeliveryState::none:
    case agent::DeliveryState::accepted: return DeliveryState::accepted;
    case agent::DeliveryState::sent: return DeliveryState::sent;
    case agent::DeliveryState::stored: return DeliveryState::stored;
    case agent::DeliveryState::received: return DeliveryState::received;
    case agent::DeliveryState::delivered: return DeliveryState::delivered;
    case agent::DeliveryState::acked: return DeliveryState::acked;
    case agent::DeliveryState::rejected: return DeliveryState::rejected;
    case agent::DeliveryState::expired: return DeliveryState::expired;
    case agent::DeliveryState::failed: return DeliveryState::failed;
  }
  return DeliveryState::accepted;
}

MessageKind to_public(agent::MessageKind kind) noexcept {
  if (kind == agent::MessageKind::request) return MessageKind::request;
  if (kind == agent::MessageKind::response) return MessageKind::response;
  return MessageKind::message;
}

void fill(AgentStatus& out, const EthAddress& wallet, const PeerId& peer, const agent::NodeStatus& status) {
  out.address = wallet.to_string();
  out.peer_id = peer.to_string();
  out.role = to_public(status.role);
  out.version = status.version;
  out.sent_at = to_public(status.sent_at);
  out.uptime =
      std::chrono::seconds(static_cast<std::int64_t>(std::min<std::uint64_t>(status.uptime_s, 1ULL << 40U)));
  out.connections = status.connections;
  out.dht_table = status.dht_table;
  out.dht_records = status.dht_records;
  for (const auto& topic : status.topics) out.topics.push_back({topic.topic, topic.mesh, topic.peers});
  out.messages_sent = status.messages_sent;
  out.messages_delivered = status.messages_delivered;
  out.messages_rejected = status.messages_rejected;
  out.rss_bytes = status.rss_bytes;
  out.cpu_permille = status.cpu_permille;
}

void fill(Presence& out, const agent::CheckedPresence& presence) {
  const agent::Presence& fields = presence.fields;
  out.address = fields.wallet.to_string();
  out.peer_id = presence.peer_id().to_string();
  for (const auto& bytes : fields.addrs)
    if (const auto address = Multiaddr::from_bytes(bytes)) out.addresses.push_back(address->to_string());
  out.name = fields.name;
  out.role = to_public(fields.role);
  out.seq = fields.seq;
  out.issued_at = to_public(fields.issued_at);
  out.expires_at = to_public(fields.expires_at);
  out.withdrawn = fields.withdrawn;
  out.takes_sealed = fields.seal_key.has_value();
  out.version = fields.agent_version;
}

}  // namespace

Presence to_public(const agent::CheckedPresence& presence) {
  Presence out;
  fill(out, presence);
  return out;
}

Found to_public(const node::FoundPresence& found, Duration took) {
  Found out;
  fill(out, found.presence);
  switch (found.source) {
    case node::PresenceSource::dht: out.source = Found::Source::dht; break;
    case node::PresenceSource::provider: out.source = Found::Source::provider; break;
    case node::PresenceSource::cache: out.source = Found::Source::cache; break;
  }
  out.took = to_ms(took);
  out.servers_answered = found.servers_answered;
  return out;
}

AgentMessage to_public(const home::InboxEntry& entry) {
  const node::Received& message = entry.message;
  AgentMessage out;
  out.id = to_hex(message.id);
  out.from = message.from.to_string();
  if (message.to) out.to = message.to->to_string();
  out.content_type = message.content_type.empty() ? "text/plain" : message.content_type;
  out.body = message.body;
  out.kind = to_public(message.kind);
  if (message.in_reply_to) out.in_reply_to = to_hex(*message.in_reply_to);
  out.conversation = message.conversation;
  out.sent_at = to_public(message.sent_at);
  out.expires_at = to_public(message.expires_at);
  out.received_at = to_public(message.received_at);
  out.sealed = message.sealed;
  out.number = entry.number;
  return out;
}

AgentStatus to_public(const node::agent_event::Status& status) {
  AgentStatus out;
  fill(out, status.wallet, status.peer, status.status);
  return out;
}

NodeStatus to_public(const StatusView& view) {
  NodeStatus out;
  fill(out, view.wallet, view.peer, view.status);
  for (const auto& address : view.addresses) out.addresses.push_back(address.to_string());
  out.presence_seq = view.presence_seq;
  out.presence_stored_by = view.presence_stored;
  out.agents_known = view.agents_known;
  if (view.superseded_by) out.superseded_by = view.superseded_by->to_string();
  return out;
}

ConnectedPeer to_public(const PeerView& peer) {
  return {peer.peer.to_string(),
          peer.address.to_string(),
          peer.direction == node::Direction::inbound,
          peer.agent,
          peer.protocols,
          peer.score};
}

Delivery to_public(const SendOutcome& outcome) {
  Delivery out;
  const auto& state = outcome.state;
  const bool has_id = std::any_of(state.id.begin(), state.id.end(), [](auto byte) { return byte != 0; });
  if (has_id) out.id = to_hex(state.id);
  out.state = to_public(state.state);
  out.path = std::string(state.path);
  out.handed_to = state.handed_to;
  out.took = to_ms(outcome.took);
  if (state.error) out.failure = to_failure(*state.error);
  return out;
}

agent::DeliveryState to_core(DeliveryState state) noexcept {
  switch (state) {
    case DeliveryState::accepted: return agent::DeliveryState::accepted;
    case DeliveryState::sent: return agent::DeliveryState::sent;
    case DeliveryState::stored: return agent::DeliveryState::stored;
    case DeliveryState::received: return agent::DeliveryState::received;
    case DeliveryState::delivered: return agent::DeliveryState::delivered;
    case DeliveryState::acked: return agent::DeliveryState::acked;
    case DeliveryState::rejected: return agent::DeliveryState::rejected;
    case DeliveryState::expired: return agent::DeliveryState::expired;
    case DeliveryState::failed: return agent::DeliveryState::failed;
  }
  return agent::DeliveryState::sent;
}

agent::Role to_core(Role role) noexcept {
  switch (role) {
    case Role::bootstrap: return agent::Role::bootstrap;
    case Role::server: return agent::Role::server;
    case Role::light: return agent::Role::light;
    default: return agent::Role::agent;
  }
}

agent::MessageKind to_core(MessageKind kind) noexcept {
  if (kind == MessageKind::request) return agent::MessageKind::request;
  if (kind == MessageKind::response) return agent::MessageKind::response;
  return agent::MessageKind::message;
}

Outcome<node::SendOptions> to_core(OutgoingMessage&& message) {
  node::SendOptions options;
  if (message.to) {
    const auto wallet = EthAddress::parse(*message.to);
    if (!wallet) return to_failure(wallet.error(), "to '" + *message.to + "'");
    options.to = *wallet;
  }
  if (!message.in_reply_to.empty()) {
    const auto bytes = from_hex(message.in_reply_to);
    const auto id = bytes ? to_fixed<agent::kEnvelopeIdBytes>(*bytes) : std::nullopt;
    if (!id) return bad_option("in_reply_to '" + message.in_reply_to + "' is not an id of 32 hex digits");
    options.in_reply_to = *id;
  }
  if (message.life <= std::chrono::milliseconds::zero())
    return bad_option("a message needs a life above zero");
  options.content_type = std::move(message.content_type);
  options.body = std::move(message.body);
  options.conversation = std::move(message.conversation);
  options.kind = to_core(message.kind);
  options.life = std::min<std::chrono::milliseconds>(message.life, std::chrono::days(7));
  options.sealing = message.sealing == OutgoingMessage::Sealing::plain ? node::SendOptions::Sealing::plain
                                                                       : node::SendOptions::Sealing::required;
  options.cache_age = std::clamp<std::chrono::milliseconds>(
      message.cache_age, std::chrono::milliseconds::zero(), std::chrono::days(2));
  return options;
}

}  // namespace starling::sdk

namespace starling {

std::string_view to_string(Role role) noexcept {
  if (role == Role::other) return "other";
  return agent::to_string(sdk::to_core(role));
}

std::string_view to_string(Found::Source source) noexcept {
  switch (source) {
    case Found::Source::dht: return to_string(node::PresenceSource::dht);
    case Found::Source::provider: return to_string(node::PresenceSource::provider);
    case Found::Source::cache: return to_string(node::PresenceSource::cache);
  }
  return "dht";
}

std::string_view to_string(MessageKind kind) noexcept { return agent::to_string(sdk::to_core(kind)); }
std::string_view to_string(DeliveryState state) noexcept { return agent::to_string(sdk::to_core(state)); }
bool is_final(DeliveryState state) noexcept { return sdk::is_terminal(sdk::to_core(state)); }

OutgoingMessage broadcast_of(std::string_view text) {
  OutgoingMessage message;
  message.body.assign(text.begin(), text.end());
  return message;
}

OutgoingMessage message_to(std::string address, std::string_view text) {
  OutgoingMessage message = broadcast_of(text);
  message.to = std::move(address);
  return message;
}

OutgoingMessage reply_to(const AgentMessage& message, std::string_view text) {
  OutgoingMessage reply = message_to(message.from, text);
  reply.conversation = message.conversation;
  reply.in_reply_to = message.id;
  if (message.kind == MessageKind::request) reply.kind = MessageKind::response;
  return reply;
}

}  // namespace starling
