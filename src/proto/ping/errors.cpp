#include "ping/errors.hpp"

namespace starling::ping {
namespace {

std::string_view message(std::uint16_t code) noexcept {
  switch (static_cast<Errc>(code)) {
    case Errc::wrong_answer: return "the answer to a ping is not its echo";
    case Errc::unasked_answer: return "an answer without a ping";
    case Errc::timed_out: return "no ping traffic within the deadline";
  }
  return "unknown error";
}
constexpr ErrorCategory kCategory{"ping", message};

}  // namespace

Error make_error(Errc code) noexcept {
  return {kCategory, static_cast<std::uint16_t>(code),
          code == Errc::timed_out ? Kind::timeout : Kind::misbehaviour};
}

}  // namespace starling::ping
