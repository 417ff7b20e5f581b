#include "tls/errors.hpp"

namespace starling::tls {
namespace {

std::string_view message(std::uint16_t code) noexcept {
  switch (static_cast<Errc>(code)) {
    case Errc::bad_record: return "not a TLS record";
    case Errc::handshake_too_large: return "handshake too large";
    case Errc::bad_handshake: return "the handshake violates TLS or no algorithm is in common";
    case Errc::unsupported_version: return "the peer does not speak TLS 1.3";
    case Errc::no_certificate: return "the peer showed no certificate";
    case Errc::several_certificates: return "the peer showed more than one certificate";
    case Errc::bad_certificate: return "the peer's certificate is malformed";
    case Errc::certificate_not_valid_now: return "the peer's certificate is not valid at this time";
    case Errc::unsupported_certificate: return "the peer's certificate has an unsupported key or signature";
    case Errc::bad_certificate_signature: return "the peer's certificate is not signed by its own key";
    case Errc::unknown_critical_extension: return "the peer's certificate has an unknown critical extension";
    case Errc::no_extension: return "the peer's certificate says nothing of a libp2p identity";
    case Errc::bad_extension: return "the libp2p extension of the peer's certificate is malformed";
    case Errc::bad_identity_key: return "the peer's identity key is invalid or of an unknown type";
    case Errc::bad_identity_signature: return "the identity signature does not verify";
    case Errc::wrong_peer: return "the peer is not the one that was dialled";
    case Errc::no_common_muxer: return "no stream muxer in common";
    case Errc::refused_by_peer: return "the peer ended the channel with an alert";
    case Errc::decrypt_failed: return "decryption failed: altered bytes or another key";
    case Errc::too_many_control_records: return "too many records without data";
    case Errc::closed: return "the peer has closed the channel";
    case Errc::timed_out: return "the handshake took too long";
    case Errc::broken: return "the channel has failed before";
  }
  return "unknown error";
}
constexpr ErrorCategory kCategory{"tls", message};

Kind kind_of(Errc code) noexcept {
  switch (code) {
    case Errc::wrong_peer:
    case Errc::closed:
    case Errc::refused_by_peer: return Kind::refused;
    case Errc::unsupported_version:
    case Errc::unsupported_certificate:
    case Errc::unknown_critical_extension:
    case Errc::no_common_muxer: return Kind::unsupported;
    case Errc::handshake_too_large: return Kind::limit;
    case Errc::timed_out: return Kind::timeout;
    case Errc::broken: return Kind::internal;
    case Errc::no_certificate:
    case Errc::several_certificates:
    case Errc::bad_certificate_signature:
    case Errc::bad_identity_signature:
    case Errc::too_many_control_records: return Kind::misbehaviour;
    default: return Kind::malformed;
  }
}

}  // namespace

Error make_error(Errc code) noexcept { return {kCategory, static_cast<std::uint16_t>(code), kind_of(code)}; }

}  // namespace starling::tls
