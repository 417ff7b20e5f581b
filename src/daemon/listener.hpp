#pragma once
#include <boost/asio/basic_socket_acceptor.hpp>

#include "daemon/desk.hpp"
#include "format/multiaddr.hpp"

namespace starling::daemon {

/// The control socket: accepts clients until it is closed. On the loop's thread but for open() and the
/// destructor, which come before and after it runs.
class Listener {
 public:
  explicit Listener(Desk& desk) : desk_(desk), acceptor_(desk.loop.context()), pause_(desk.loop.context()) {}
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  /// Removes the socket file.
  ~Listener();

  /// Errc::bad_address, cannot_listen, errors of api::open_unix_listener().
  Result<void> open(const Multiaddr& address);
  /// With the real port.
  const Multiaddr& address() const noexcept { return address_; }
  void accept();

 private:
  Result<void> open_unix(const std::string& path);
  Result<void> open_tcp(const Endpoint& where);

  Desk& desk_;
  asio::basic_socket_acceptor<asio::generic::stream_protocol> acceptor_;
  asio::steady_timer pause_;
  Multiaddr address_;
  std::string path_;
};

}  // namespace starling::daemon
