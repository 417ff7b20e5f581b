#include "runtime/errors.hpp"

#include <cerrno>

namespace starling::runtime {
namespace {

std::string_view message(std::uint16_t code) noexcept {
  switch (static_cast<Errc>(code)) {
    case Errc::address_in_use: return "the address and port are in use by another program";
    case Errc::address_not_available: return "no interface of this machine has the address";
    case Errc::permission_denied: return "not permitted by the system";
    case Errc::bad_listen_address: return "a listen address must be /ip4/…/tcp/… or /ip6/…/tcp/…";
    case Errc::too_many_listeners: return "too many listen addresses";
    case Errc::cannot_listen: return "the system refused to listen";
    case Errc::too_many_files: return "no file descriptor left";
    case Errc::resolve_failed: return "the name does not resolve";
    case Errc::too_many_resolves: return "too many names are being resolved";
    case Errc::bad_dial_address: return "not an IP address with a TCP port";
    case Errc::socket_failed: return "the system refused the socket";
    case Errc::already_started: return "started already";
  }
  return "unknown";
}

constexpr ErrorCategory kCategory{"runtime", &message};

constexpr Kind kind_of(Errc code) noexcept {
  switch (code) {
    case Errc::address_in_use:
    case Errc::address_not_available:
    case Errc::permission_denied:
    case Errc::cannot_listen: return Kind::refused;
    case Errc::bad_listen_address:
    case Errc::bad_dial_address: return Kind::malformed;
    case Errc::too_many_listeners:
    case Errc::too_many_files:
    case Errc::too_many_resolves: return Kind::limit;
    case Errc::resolve_failed: return Kind::unreachable;
    case Errc::socket_failed:
    case Errc::already_started: return Kind::internal;
  }
  return Kind::internal;
}

}  // namespace

Error make_error(Errc code) noexcept { return {kCategory, static_cast<std::uint16_t>(code), kind_of(code)}; }

Error connection_error(int system_error) noexcept {
  switch (system_error) {
    case ECONNREFUSED: return node::make_error(node::Errc::connection_refused);
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EHOSTDOWN:
    case EADDRNOTAVAIL:
    case EACCES:
    case EPERM:
    case EAFNOSUPPORT: return node::make_error(node::Errc::network_unreachable);
    case ETIMEDOUT: return node::make_error(node::Errc::dial_timeout);
    case ECANCELED:
    case ECONNABORTED:
    case ECONNRESET:
    case EPIPE:
    case ENOTCONN: return node::make_error(node::Errc::connection_closed);
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM: return make_error(Errc::too_many_files);
    default: return make_error(Errc::socket_failed);
  }
}

Error listen_error(int system_error) noexcept {
  switch (system_error) {
    case EADDRINUSE: return make_error(Errc::address_in_use);
    case EADDRNOTAVAIL: return make_error(Errc::address_not_available);
    case EACCES:
    case EPERM: return make_error(Errc::permission_denied);
    case EMFILE:
    case ENFILE: return make_error(Errc::too_many_files);
    default: return make_error(Errc::cannot_listen);
  }
}

}  // namespace starling::runtime
