#pragma once
#include <filesystem>
#include <functional>
#include <memory>

#include "api/errors.hpp"
#include "api/service.hpp"

namespace starling::api {

/// The local control API: HTTP/1.1 with JSON, Server-Sent Events for what follows, on a Unix socket of mode
/// 0600. Whoever can open the socket may act as the agent, so the file system is the access control.
///
/// Each connection has a thread of its own, at most kConnectionsMax: the callers are commands and dashboards
/// of one person, and a slow one must not hold up another. When all are taken, the oldest that waits without
/// a request is cut off and the newcomer may try again. Lifetime: `service` outlives it; the destructor ends
/// all connections. Routes: docs/control-api.md.
class ControlServer {
 public:
  static constexpr std::size_t kConnectionsMax = 32;
  static constexpr std::size_t kBodyBytesMax = 2 * 1024 * 1024;

  /// Replaces a stale socket file. Errc::socket_path, cannot_listen. `on_stop`: somebody asked the node to
  /// stop.
  static Result<std::unique_ptr<ControlServer>> listen(const std::filesystem::path& socket, Service& service,
                                                       std::function<void()> on_stop);
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;
  ~ControlServer();

 private:
  struct State;
  explicit ControlServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace starling::api
