#include "noise/errors.hpp"

namespace starling::noise {
namespace {

std::string_view message(std::uint16_t code) noexcept {
  switch (static_cast<Errc>(code)) {
    case Errc::message_too_large: return "handshake message too large";
    case Errc::truncated: return "message too short for its keys and tags";
    case Errc::unexpected_payload: return "the first handshake message carries a payload";
    case Errc::low_order_point: return "the peer's key has low order";
    case Errc::decrypt_failed: return "decryption failed: altered bytes or another key";
    case Errc::bad_payload: return "the handshake payload is malformed";
    case Errc::bad_identity_key: return "the peer's identity key is invalid or of an unknown type";
    case Errc::bad_identity_signature: return "the identity signature does not verify";
    case Errc::wrong_peer: return "the peer is not the one that was dialled";
    case Errc::no_common_muxer: return "no stream muxer in common";
    case Errc::nonce_exhausted: return "the channel has used up its nonces";
    case Errc::timed_out: return "the handshake took too long";
    case Errc::broken: return "the channel has failed before";
  }
  return "unknown error";
}
constexpr ErrorCategory kCategory{"noise", message};

Kind kind_of(Errc code) noexcept {
  switch (code) {
    case Errc::wrong_peer: return Kind::refused;
    case Errc::no_common_muxer: return Kind::unsupported;
    case Errc::nonce_exhausted: return Kind::limit;
    case Errc::timed_out: return Kind::timeout;
    case Errc::broken: return Kind::internal;
    case Errc::bad_identity_signature: return Kind::misbehaviour;
    default: return Kind::malformed;
  }
}

}  // namespace

Error make_error(Errc code) noexcept { return {kCategory, static_cast<std::uint16_t>(code), kind_of(code)}; }

}  // namespace starling::noise
