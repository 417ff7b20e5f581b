#include "daemon/errors.hpp"

namespace starling::daemon {
namespace {

std::string_view message(std::uint16_t code) noexcept {
  switch (static_cast<Errc>(code)) {
    case Errc::bad_message: return "not a message of the control protocol";
    case Errc::unknown_type: return "a request of an unknown kind";
    case Errc::too_many_entries: return "a list of the request is too long";
    case Errc::bad_address: return "a control address is /unix/PATH, or /ip4|ip6/IP/tcp/PORT";
    case Errc::cannot_listen: return "the control socket cannot be opened";
    case Errc::too_many_handlers: return "as many protocols have a handler as may have one";
    case Errc::too_many_subscriptions: return "as many clients are subscribed as may be";
  }
  return "unknown error";
}
constexpr ErrorCategory kCategory{"daemon", message};

Kind kind_of(Errc code) noexcept {
  switch (code) {
    case Errc::bad_message:
    case Errc::bad_address: return Kind::malformed;
    case Errc::unknown_type: return Kind::unsupported;
    case Errc::too_many_entries:
    case Errc::too_many_handlers:
    case Errc::too_many_subscriptions: return Kind::limit;
    case Errc::cannot_listen: return Kind::storage;
  }
  return Kind::internal;
}

}  // namespace

Error make_error(Errc code) noexcept { return {kCategory, static_cast<std::uint16_t>(code), kind_of(code)}; }

}  // namespace starling::daemon
