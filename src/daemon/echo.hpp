#pragma once
#include "starling/host.hpp"

namespace starling::daemon {

inline constexpr const char* kEchoProtocol = "/echo/1.0.0";

/// Sends back what comes, on every stream of kEchoProtocol, until the peer has finished.
void serve_echo(Host& host);

}  // namespace starling::daemon
