#pragma once
#include "base/result.hpp"

namespace starling::kad {

enum class Errc : std::uint16_t {
  // wire
  bad_message = 1,  ///< a field that no DHT message has that way: duplicate, wrong type, unknown message type
  key_too_long,     ///< more than kKeyBytesMax, or kProviderKeyBytesMax of a provider key
  key_missing,      ///< a request without the key it needs
  record_missing,   ///< PUT_VALUE without a record
  record_key_mismatch,  ///< Message.key and Record.key differ
  value_too_long,       ///< more than kValueBytesMax
  unexpected_response,  ///< an answer of another type than the request, or to no request
  stream_broken,        ///< the stream ended inside a frame or before its answer
  backlog,              ///< more bytes handed in than the stream asked for
  idle,                 ///< nothing happened on the stream for kStreamIdle
  response_timeout,     ///< no answer within the time
  // records
  bad_namespace,   ///< a key without `/namespace/`, or a namespace without a validator
  invalid_record,  ///< the validator refused the value
  // server
  not_serving,          ///< we are in client mode
  over_rate,            ///< the peer asks too often
  provider_not_sender,  ///< ADD_PROVIDER that names somebody else
  store_full,           ///< no room for a record or provider of this key or peer
  // queries
  no_peers,       ///< nobody to ask: the routing table is empty, or nobody in it answers
  query_timeout,  ///< the whole query took too long
  cancelled,
  too_many_queries,
  not_found,      ///< nobody knows the peer
  no_addresses,   ///< we have no address of our own to publish
  nobody_stored,  ///< every server refused or failed
  bad_entry,      ///< a kept entry that is damaged or has ended
};
Error make_error(Errc code) noexcept;

}  // namespace starling::kad
