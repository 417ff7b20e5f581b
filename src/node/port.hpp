#pragma once
// The boundary between the edge (connections: bytes, crypto, framing) and the brain (decisions): small values
// in both directions. Across threads they travel through mailboxes; with one shard by direct call; in the
// level A simulator the edge is replaced as a whole by a network model that speaks these values.
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "format/eth_address.hpp"
#include "format/multiaddr.hpp"
#include "gossip/router.hpp"
#include "gossip/rpc.hpp"
#include "identify/info.hpp"
#include "kad/action.hpp"
#include "node/ids.hpp"
#include "node/local_info.hpp"

namespace starling::node {

/// Where an answer to an inbound request goes.
struct StreamRef {
  ConnId conn;
  std::uint32_t stream = 0;
};

/// Edge → brain.
namespace up {
struct Connected {
  ConnId conn;
  DialId dial;  ///< none for inbound connections
  PeerId peer;
  Direction direction;
  Multiaddr remote;
};
struct DialFailed {
  DialId dial;
  Error error;
};
/// An inbound socket that was admitted never became a connection.
struct AcceptFailed {
  Multiaddr remote;
  Error error;
};
struct Resolved {
  ResolveId resolve;
  Result<std::vector<Multiaddr>> addresses;
};
struct Disconnected {
  ConnId conn;
  Error reason;
};
/// First identify, or a push merged into it. Checked against the connection's key.
struct Identified {
  ConnId conn;
  std::shared_ptr<const identify::Info> info;
};
struct KadAsked {
  StreamRef from;
  kad::Message request;
};
/// Nothing: a request that is never answered has been sent.
struct KadAnswered {
  kad::RequestId request;
  Result<std::optional<kad::Message>> answer;
};
/// Our outbound gossip stream stands.
struct GossipOpened {
  ConnId conn;
  gossip::Protocol protocol;
};
struct GossipClosed {
  ConnId conn;
};
struct GossipReceived {
  ConnId conn;
  gossip::Rpc rpc;
};
struct SignatureChecked {
  gossip::ValidationId validation;
  Result<PeerId> author;
};
/// Somebody asks for the presence of a wallet.
struct PresenceAsked {
  StreamRef from;
  EthAddress wallet;
};
/// Empty: the peer has none.
struct PresenceAnswered {
  AskId ask;
  Result<Bytes> record;
};
struct Pinged {
  AskId ask;
  Result<Duration> rtt;
};
}  // namespace up

using EdgeEvent = std::variant<up::Connected, up::DialFailed, up::AcceptFailed, up::Resolved,
                               up::Disconnected, up::Identified, up::KadAsked, up::KadAnswered,
                               up::GossipOpened, up::GossipClosed, up::GossipReceived, up::SignatureChecked,
                               up::PresenceAsked, up::PresenceAnswered, up::Pinged>;

/// Brain → edge.
namespace down {
struct Dial {
  DialId dial;
  Multiaddr address;  ///< IP and TCP port
  std::optional<PeerId> peer;
};
struct CancelDial {
  DialId dial;
};
struct Resolve {
  ResolveId resolve;
  Multiaddr address;
};
struct Close {
  ConnId conn;
  Error reason;
};
/// KadAnswered follows.
struct AskKad {
  ConnId conn;
  kad::SendRequest request;
};
/// Nothing to answer: the stream waits for the next request. An error: the stream is reset.
struct AnswerKad {
  StreamRef to;
  Result<std::optional<kad::Message>> answer;
};
struct OpenGossip {
  ConnId conn;
  gossip::Protocol protocol;
};
struct SendGossip {
  ConnId conn;
  gossip::Rpc rpc;
  gossip::Lane lane;
};
/// SignatureChecked follows.
struct CheckSignature {
  ConnId conn;  ///< on whose shard the work is done
  gossip::ValidationId validation;
  gossip::MessagePtr message;
};
struct AskPresence {
  ConnId conn;
  AskId ask;
  EthAddress wallet;
};
/// Empty: none known.
struct AnswerPresence {
  StreamRef to;
  Bytes record;
};
struct Ping {
  ConnId conn;
  AskId ask;
};
/// For all sessions, present and future.
struct SetLocal {
  std::shared_ptr<const LocalInfo> info;
  bool push = false;  ///< tell connected peers by identify push
};
}  // namespace down

using EdgeCommand = std::variant<down::Dial, down::CancelDial, down::Resolve, down::Close, down::AskKad,
                                 down::AnswerKad, down::OpenGossip, down::SendGossip, down::CheckSignature,
                                 down::AskPresence, down::AnswerPresence, down::Ping, down::SetLocal>;

}  // namespace starling::node
