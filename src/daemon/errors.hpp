#pragma once
#include "base/result.hpp"

namespace starling::daemon {

enum class Errc : std::uint16_t {
  bad_message = 1,         ///< not a message of the control protocol
  unknown_type,            ///< a request of a kind that we do not know; what follows it can still be read
  too_many_entries,        ///< a list longer than its bound
  bad_address,             ///< not an address that a control socket can have: Unix path, or IP and TCP port
  cannot_listen,           ///< the control socket cannot be opened
  too_many_handlers,       ///< kHandlersMax protocols have a handler
  too_many_subscriptions,  ///< Limits::subscriptions clients are subscribed
};
Error make_error(Errc code) noexcept;

}  // namespace starling::daemon
