#pragma once
#include "base/result.hpp"
#include "node/errors.hpp"

namespace starling::runtime {

enum class Errc : std::uint16_t {
  address_in_use = 1,     ///< another program listens on this address and port
  address_not_available,  ///< no interface of this machine has this address
  permission_denied,      ///< e.g. a port below 1024
  bad_listen_address,     ///< not /ip4|ip6/…/tcp/…
  too_many_listeners,     ///< more than kListenersMax
  cannot_listen,          ///< the system said no for another reason
  too_many_files,         ///< the process has no file descriptor left
  resolve_failed,         ///< the name has no address, or the name server does not answer
  too_many_resolves,      ///< kResolvesMax names are being resolved
  bad_dial_address,       ///< not an IP address with a TCP port
  socket_failed,          ///< the system said no for a reason that has no name here
  already_started,        ///< start() twice
};
Error make_error(Errc code) noexcept;

/// What a system error means for a connection or a dial.
Error connection_error(int system_error) noexcept;
/// What it means for listening.
Error listen_error(int system_error) noexcept;

}  // namespace starling::runtime
