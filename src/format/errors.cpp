#include "format/errors.hpp"

namespace starling::format {
namespace {

std::string_view message(std::uint16_t code) noexcept {
  switch (static_cast<Errc>(code)) {
    case Errc::truncated: return "the input ends too early";
    case Errc::varint_too_long: return "varint longer than 10 bytes or 64 bits";
    case Errc::varint_not_minimal: return "varint is not minimal";
    case Errc::wrong_wire_type: return "field with another wire type";
    case Errc::duplicate_field: return "singular field given twice";
    case Errc::bad_field_number: return "field number out of range";
    case Errc::group: return "protobuf groups are not accepted";
    case Errc::out_of_range: return "integer out of range";
    case Errc::bad_utf8: return "text is not UTF-8";
    case Errc::length_out_of_bounds: return "length out of bounds";
    case Errc::trailing_bytes: return "bytes after the end";
    case Errc::bad_multihash: return "not a multihash";
    case Errc::bad_multibase: return "not valid in this base";
    case Errc::bad_multiaddr: return "not a multiaddr";
    case Errc::unknown_protocol: return "unknown multiaddr protocol";
    case Errc::bad_peer_id: return "not a peer id";
    case Errc::bad_public_key: return "not a canonical public key";
    case Errc::bad_address: return "not an Ethereum address (0x and 40 hex digits with a right checksum)";
  }
  return "unknown error";
}
constexpr ErrorCategory kCategory{"format", message};

}  // namespace

Error make_error(Errc code) noexcept {
  const Kind kind = code == Errc::unknown_protocol ? Kind::unsupported : Kind::malformed;
  return {kCategory, static_cast<std::uint16_t>(code), kind};
}

}  // namespace starling::format
