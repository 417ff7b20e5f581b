#pragma once
// What the core knows of agents and messages, as the public API shows it.
#include "sdk/agent_core.hpp"
#include "starling/agent.hpp"

namespace starling::sdk {

Presence to_public(const agent::CheckedPresence& presence);
Found to_public(const node::FoundPresence& found, Duration took);
AgentMessage to_public(const home::InboxEntry& entry);
AgentStatus to_public(const node::agent_event::Status& status);
NodeStatus to_public(const StatusView& view);
ConnectedPeer to_public(const PeerView& peer);
Delivery to_public(const SendOutcome& outcome);
agent::DeliveryState to_core(DeliveryState state) noexcept;
agent::Role to_core(Role role) noexcept;
agent::MessageKind to_core(MessageKind kind) noexcept;
/// Failure: an address or id that cannot be read, a time that makes no sense.
Outcome<node::SendOptions> to_core(OutgoingMessage&& message);

}  // namespace starling::sdk
