#pragma once
#include "base/result.hpp"
#include "daemon/control_loop.hpp"
#include "daemon/errors.hpp"
#include "format/multiaddr.hpp"

namespace starling::daemon {

/// Where a control socket or a handler is: `/unix/PATH`, or `/ip4|ip6/IP/tcp/PORT`. Errc::bad_address.
Result<Endpoint> control_endpoint(const Multiaddr& address);
/// The same of the binary form, as clients send it: py's multiaddr writes a Unix path without its leading
/// slash.
Result<Endpoint> control_endpoint(ByteView address);
/// The path of a `/unix/…`; nothing for other addresses.
std::optional<std::string> unix_path(const Multiaddr& address);

}  // namespace starling::daemon
