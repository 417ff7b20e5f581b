#pragma once
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "daemon/control_loop.hpp"
#include "daemon/limits.hpp"
#include "starling/host.hpp"

namespace starling::daemon {

/// STREAM_HANDLER: which client takes the inbound streams of which protocol. For every stream the client is
/// dialled where it said it listens, told who the stream comes from, and spliced to it; when that fails the
/// stream is reset. A protocol keeps its handler until another client claims it, as in go's daemon.
///
/// On the loop's thread. Limits: kHandlersMax, Limits::handler_streams, kHandlerDialTime.
class Handlers {
 public:
  Handlers(ControlLoop& loop, Host& host, const Limits& limits) : loop_(loop), host_(host), limits_(limits) {}
  /// Errc::too_many_handlers, and then none of them is set and `done` does not come. `done`, on a thread of
  /// the host, when the host takes streams of all of them.
  Result<void> set(const std::vector<std::string>& protocols, const Endpoint& where, Host::Done<void> done);

 private:
  struct Dial;
  void on_stream(Stream stream);

  ControlLoop& loop_;
  Host& host_;
  const Limits& limits_;
  std::map<std::string, Endpoint, std::less<>> handlers_;
  std::size_t streams_ = 0;
};

}  // namespace starling::daemon
