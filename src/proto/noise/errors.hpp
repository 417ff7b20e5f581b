#pragma once
#include "base/result.hpp"

namespace starling::noise {

enum class Errc : std::uint16_t {
  message_too_large = 1,   ///< a handshake frame above kHandshakeMessageBytesMax
  truncated,               ///< a handshake message or record too short for its keys and tags
  unexpected_payload,      ///< message 1 carries anything behind the ephemeral key
  low_order_point,         ///< a public key that forces an all-zero shared secret
  decrypt_failed,          ///< a tag does not match: altered bytes, another key, a replay
  bad_payload,             ///< the handshake payload is not the protobuf it must be, or a field is missing
  bad_identity_key,        ///< the identity key does not decode or has an unknown type
  bad_identity_signature,  ///< the identity key did not sign this static key
  wrong_peer,              ///< somebody else than the peer that was dialled
  no_common_muxer,         ///< both listed muxers for early negotiation and none fits
  nonce_exhausted,         ///< 2^64 − 1 messages under one key
  timed_out,               ///< the handshake did not end within its deadline
  broken,                  ///< used again after it failed
};
Error make_error(Errc code) noexcept;

}  // namespace starling::noise
