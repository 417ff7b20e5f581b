#include "daemon/listener.hpp"

#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include "api/unix_listener.hpp"
#include "daemon/connection.hpp"
#include "daemon/control_address.hpp"
#include "daemon/limits.hpp"

namespace starling::daemon {

Listener::~Listener() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

Result<void> Listener::open(const Multiaddr& address) {
  address_ = address;
  if (const auto path = unix_path(address)) return open_unix(*path);
  STARLING_ASSIGN(const auto where, control_endpoint(address));
  return open_tcp(where);
}

Result<void> Listener::open_unix(const std::string& path) {
  STARLING_ASSIGN(const int listener, api::open_unix_listener(path, kControlBacklog));
  path_ = path;
  boost::system::error_code error;
  acceptor_.assign(asio::generic::stream_protocol(asio::local::stream_protocol()), listener, error);
  if (!error) return {};
  ::close(listener);
  return fail(Errc::cannot_listen);
}

Result<void> Listener::open_tcp(const Endpoint& where) {
  boost::system::error_code error;
  acceptor_.open(where.protocol(), error);
  if (!error) acceptor_.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor_.bind(where, error);
  if (!error) acceptor_.listen(kControlBacklog, error);
  Endpoint real;
  if (!error) real = acceptor_.local_endpoint(error);
  if (error) return fail(Errc::cannot_listen);
  asio::ip::tcp::endpoint tcp;
  std::memcpy(tcp.data(), real.data(), std::min(real.size(), tcp.capacity()));
  auto ip = *address_.as_tcp();
  ip.port = tcp.port();
  address_ = Multiaddr::tcp(ip);
  return {};
}

void Listener::accept() {
  acceptor_.async_accept([this](boost::system::error_code error, Socket socket) {
    if (error == asio::error::operation_aborted) return;
    if (error) {
      // Out of file descriptors, mostly: somebody has to give one back first.
      pause_.expires_after(kAcceptPause);
      return pause_.async_wait([this](boost::system::error_code cancelled) {
        if (!cancelled) accept();
      });
    }
    if (desk_.connections < desk_.limits.control_connections)
      desk_.loop.make<Connection>(desk_, std::move(socket))->start();
    accept();
  });
}

}  // namespace starling::daemon
