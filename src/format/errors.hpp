#pragma once
#include "base/result.hpp"

namespace starling::format {

enum class Errc : std::uint16_t {
  truncated = 1,         ///< the input ends inside an item
  varint_too_long,       ///< more than 10 bytes or 64 bits (or the caller's own bound)
  varint_not_minimal,    ///< where minimal encoding is required
  wrong_wire_type,       ///< a known field with another wire type
  duplicate_field,       ///< a singular field twice
  bad_field_number,      ///< 0 or above 2^29 − 1
  group,                 ///< protobuf groups are malformed, known or not
  out_of_range,          ///< an integer that does not fit its type
  bad_utf8,              ///< a string field that is not UTF-8
  length_out_of_bounds,  ///< a length beyond the end or above a limit
  trailing_bytes,        ///< bytes after the end of an item
  bad_multihash,
  bad_multibase,
  bad_multiaddr,
  unknown_protocol,  ///< a multiaddr protocol that we do not know
  bad_peer_id,
  bad_public_key,  ///< a PublicKey protobuf that is not canonical
  bad_address,     ///< not an Ethereum address, or a wrong EIP-55 checksum
};
Error make_error(Errc code) noexcept;

}  // namespace starling::format
