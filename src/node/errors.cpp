#include "node/errors.hpp"

namespace starling::node {
namespace {

struct Row {
  Errc code;
  Kind kind;
  std::string_view text;
};
constexpr Row kRows[] = {
    {Errc::no_address, Kind::unreachable, "no address that can be dialled"},
    {Errc::all_addresses_failed, Kind::unreachable, "none of the peer's addresses answered"},
    {Errc::dial_timeout, Kind::timeout, "no connection within the deadline"},
    {Errc::backing_off, Kind::unreachable, "the peer's addresses failed a moment ago"},
    {Errc::too_many_dials, Kind::limit, "too many dials under way"},
    {Errc::connection_refused, Kind::unreachable, "nobody listens at this address"},
    {Errc::network_unreachable, Kind::unreachable, "no route to this address, or its name does not resolve"},
    {Errc::not_connected, Kind::unreachable, "not connected to this peer"},
    {Errc::connection_closed, Kind::unreachable, "the connection closed"},
    {Errc::peer_is_self, Kind::refused, "the address is this node's own"},
    {Errc::connection_limit, Kind::limit, "the limit of connections is reached"},
    {Errc::ip_limit, Kind::limit, "the limit of connections from one IP address is reached"},
    {Errc::trimmed, Kind::limit, "closed to stay within the connection limits"},
    {Errc::too_many_streams, Kind::limit, "the limit of streams is reached"},
    {Errc::protocol_refused, Kind::unsupported, "the peer does not speak this protocol"},
    {Errc::stream_reset, Kind::unreachable, "the peer reset the stream"},
    {Errc::stream_timeout, Kind::timeout, "no answer on the stream in time"},
    {Errc::bad_answer, Kind::misbehaviour, "an answer that the protocol does not allow"},
    {Errc::slow_peer, Kind::limit, "the peer does not read what it is sent"},
    {Errc::muxer_not_agreed, Kind::unsupported, "no common stream multiplexer"},
    {Errc::shutting_down, Kind::cancelled, "the node is shutting down"},
    {Errc::dht_off, Kind::unsupported, "the DHT is switched off"},
    {Errc::gossip_off, Kind::unsupported, "gossip is switched off"},
    {Errc::no_seal_key, Kind::refused,
     "the addressee publishes no seal key, so the message cannot be sealed"},
    {Errc::withdrawn, Kind::refused, "the addressee has withdrawn its presence"},
    {Errc::not_found, Kind::not_found, "no presence found for this address"},
    {Errc::too_big, Kind::limit, "the message is too big for this path"},
    {Errc::no_wallet, Kind::refused, "this needs a wallet"},
    {Errc::too_many_sends, Kind::limit, "too many messages are under way"},
    {Errc::no_memory, Kind::limit, "this connection holds as many bytes as the node can spare"},
    {Errc::bad_tag, Kind::malformed, "a tag needs a name of 1 to 128 bytes"},
    {Errc::too_many_tags, Kind::limit, "the peer has as many tags as it may have"},
    {Errc::path_unavailable, Kind::unreachable, "the path asked for does not lead to the addressee"},
};

const Row* row_of(std::uint16_t code) noexcept {
  for (const Row& row : kRows)
    if (static_cast<std::uint16_t>(row.code) == code) return &row;
  return nullptr;
}

std::string_view message(std::uint16_t code) noexcept {
  const Row* row = row_of(code);
  return row == nullptr ? "unknown error" : row->text;
}
constexpr ErrorCategory kCategory{"node", message};

}  // namespace

Error make_error(Errc code) noexcept {
  const Row* row = row_of(static_cast<std::uint16_t>(code));
  return {kCategory, static_cast<std::uint16_t>(code), row == nullptr ? Kind::internal : row->kind};
}

}  // namespace starling::node
