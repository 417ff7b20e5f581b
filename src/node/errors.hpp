#pragma once
#include "base/result.hpp"

namespace starling::node {

enum class Errc : std::uint16_t {
  not_found = 1,         ///< no presence for this address
  no_address,            ///< nothing to dial: no address, or none that policy and transport allow
  all_addresses_failed,  ///< every address of a peer was tried
  dial_timeout,          ///< no connection within the deadline
  backing_off,           ///< every address failed recently and is left alone for a while
  too_many_dials,        ///< the queue of dials is full
  connection_refused,    ///< nobody listens there
  network_unreachable,   ///< no route, or the name does not resolve
  not_connected,         ///< there is no connection to this peer
  connection_closed,     ///< the connection ended before the work did
  peer_is_self,          ///< the address leads to ourselves
  connection_limit,      ///< a cap on connections was reached
  ip_limit,              ///< a cap on connections from one IP address was reached
  trimmed,               ///< closed by the connection manager to stay within its limits
  too_many_streams,      ///< a cap on streams was reached
  protocol_refused,      ///< the peer does not speak the protocol
  stream_reset,          ///< the stream was reset by the peer
  stream_timeout,        ///< no answer on the stream within its deadline
  bad_answer,            ///< an answer that the protocol does not allow
  slow_peer,             ///< the peer does not read what it is sent
  muxer_not_agreed,      ///< no common stream multiplexer
  shutting_down,         ///< the node is leaving
  dht_off,               ///< the node runs no DHT
  gossip_off,            ///< the node runs no gossip
  no_seal_key,           ///< the addressee cannot receive sealed messages and plaintext was not asked for
  withdrawn,             ///< the addressee has left on purpose
  too_big,               ///< over the size limit of the path
  no_wallet,             ///< the operation needs an identity
  too_many_sends,        ///< as many messages are under way as the node keeps
  path_unavailable,      ///< the path asked for does not lead to the addressee
  no_memory,             ///< the node's byte budget grants this connection no more
  bad_tag,               ///< the name of a tag is empty or too long
  too_many_tags,         ///< a peer has as many tags as it may have
};
Error make_error(Errc code) noexcept;

}  // namespace starling::node
