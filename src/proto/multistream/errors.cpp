#include "multistream/errors.hpp"

namespace starling::multistream {
namespace {

std::string_view message(std::uint16_t code) noexcept {
  switch (static_cast<Errc>(code)) {
    case Errc::no_common_protocol: return "no protocol in common";
    case Errc::bad_length: return "message length is zero, too large or not minimally encoded";
    case Errc::missing_newline: return "message does not end with a newline";
    case Errc::bad_header: return "the peer does not speak multistream-select 1.0";
    case Errc::unexpected_answer: return "the answer is not about what was proposed";
    case Errc::too_many_proposals: return "too many proposals in one negotiation";
    case Errc::timed_out: return "no agreement within the deadline";
  }
  return "unknown error";
}
constexpr ErrorCategory kCategory{"multistream", message};

Kind kind_of(Errc code) noexcept {
  switch (code) {
    case Errc::no_common_protocol: return Kind::unsupported;
    case Errc::unexpected_answer: return Kind::misbehaviour;
    case Errc::too_many_proposals: return Kind::limit;
    case Errc::timed_out: return Kind::timeout;
    default: return Kind::malformed;
  }
}

}  // namespace

Error make_error(Errc code) noexcept { return {kCategory, static_cast<std::uint16_t>(code), kind_of(code)}; }

}  // namespace starling::multistream
