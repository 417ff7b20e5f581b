#pragma once
#include "base/result.hpp"

namespace starling::identify {

enum class Errc : std::uint16_t {
  message_too_large = 1,  ///< above kMessageBytesMax, refused at its prefix
  too_many_messages,      ///< more than kMessagesMax before the end of the stream
  truncated,              ///< the stream ended inside a message
  malformed,              ///< not the protobuf of identify
  bad_public_key,         ///< a key that does not decode
  wrong_public_key,       ///< the key is not that of the connection's peer
  timed_out,              ///< the exchange did not end within its deadline
  bad_envelope,           ///< not a signed envelope, or one that is too large
  unknown_record_type,    ///< an envelope about something else than a peer record
  bad_record,             ///< the envelope's payload is not a peer record
  bad_signature,          ///< the envelope's signature does not verify
  foreign_record,         ///< signed by another key than the peer's it speaks about, or about another peer
};
Error make_error(Errc code) noexcept;

}  // namespace starling::identify
