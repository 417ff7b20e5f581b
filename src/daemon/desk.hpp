#pragma once
#include "daemon/control_loop.hpp"
#include "daemon/handlers.hpp"
#include "daemon/subscriptions.hpp"

namespace starling::daemon {

/// What all control connections of a daemon share; on the loop's thread but where a member says otherwise.
/// Loop and host outlive it; its owner stops both before it goes.
struct Desk {
  Desk(ControlLoop& own_loop, Host& own_host, const Limits& own_limits)
      : loop(own_loop),
        host(own_host),
        limits(own_limits),
        handlers(loop, host, limits),
        subscriptions(loop, host, limits) {}
  ControlLoop& loop;
  Host& host;
  const Limits limits;
  Handlers handlers;
  Subscriptions subscriptions;
  std::size_t connections = 0;
};

}  // namespace starling::daemon
