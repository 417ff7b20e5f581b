#include "identify/errors.hpp"

namespace starling::identify {
namespace {

std::string_view message(std::uint16_t code) noexcept {
  switch (static_cast<Errc>(code)) {
    case Errc::message_too_large: return "identify message too large";
    case Errc::too_many_messages: return "too many identify messages";
    case Errc::truncated: return "the stream ended inside an identify message";
    case Errc::malformed: return "malformed identify message";
    case Errc::bad_public_key: return "identify carries an invalid public key";
    case Errc::wrong_public_key: return "identify carries another peer's public key";
    case Errc::timed_out: return "identify took too long";
    case Errc::bad_envelope: return "malformed signed envelope";
    case Errc::unknown_record_type: return "the signed envelope holds no peer record";
    case Errc::bad_record: return "malformed peer record";
    case Errc::bad_signature: return "the envelope's signature does not verify";
    case Errc::foreign_record: return "the peer record is signed by, or about, somebody else";
  }
  return "unknown error";
}
constexpr ErrorCategory kCategory{"identify", message};

Kind kind_of(Errc code) noexcept {
  switch (code) {
    case Errc::message_too_large:
    case Errc::too_many_messages: return Kind::limit;
    case Errc::wrong_public_key:
    case Errc::bad_signature:
    case Errc::foreign_record: return Kind::misbehaviour;
    case Errc::unknown_record_type: return Kind::unsupported;
    case Errc::timed_out: return Kind::timeout;
    default: return Kind::malformed;
  }
}

}  // namespace

Error make_error(Errc code) noexcept { return {kCategory, static_cast<std::uint16_t>(code), kind_of(code)}; }

}  // namespace starling::identify
