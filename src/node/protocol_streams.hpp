#pragma once
// The handlers of Starling's own streams, one small class per protocol and side, made here and known only by
// their interface.
#include <memory>

#include "node/stream_handler.hpp"

namespace starling::node {

enum class InboundKind : std::uint8_t { identify, identify_push, ping, kad, gossip, presence, application };
InboundKind inbound_kind(std::string_view protocol, const LocalInfo& local) noexcept;
/// Open inbound streams of one protocol of this kind per connection.
std::size_t streams_max(InboundKind kind) noexcept;
/// Nothing for the application's streams. `known` is what identify has said so far, for a push to be merged
/// into.
std::unique_ptr<StreamHandler> make_inbound_handler(InboundKind kind,
                                                    std::shared_ptr<const identify::Info> known, Instant now);

/// Reads the peer's identify and tells up::Identified.
std::unique_ptr<StreamHandler> make_identify_asker(Instant now);
/// Says who we are and finishes: the answer to identify, and a push.
std::unique_ptr<StreamHandler> make_identify_teller();
/// One ping; tells up::Pinged.
std::unique_ptr<StreamHandler> make_ping_asker(AskId ask);
/// Takes down::AskKad, tells up::KadAnswered for each.
std::unique_ptr<StreamHandler> make_kad_asker();
/// Takes down::SendGossip; tells up::GossipOpened when the stream stands, up::GossipClosed when it is gone.
std::unique_ptr<StreamHandler> make_gossip_sender(gossip::Protocol protocol);
/// Takes down::AskPresence, tells up::PresenceAnswered for each.
std::unique_ptr<StreamHandler> make_presence_asker();

/// The protocol id of a version, the inverse of gossip::protocol_of().
std::string_view gossip_protocol_id(gossip::Protocol protocol) noexcept;

}  // namespace starling::node
