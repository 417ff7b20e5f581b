#include "runtime/listener.hpp"

#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>

#include "runtime/errors.hpp"

namespace starling::runtime {
namespace {

Descriptor open_spare() { return Descriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

bool out_of_files_error(int error) noexcept {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

}  // namespace

using boost::asio::ip::tcp;

Listener::Listener(Shard& home, Descriptor socket, bool v6, Admit admit, Accepted accepted)
    : home_(home),
      acceptor_(home.loop().context()),
      admit_(std::move(admit)),
      accepted_(std::move(accepted)),
      spare_(open_spare()) {
  boost::system::error_code ignored;
  acceptor_.assign(v6 ? tcp::v6() : tcp::v4(), socket.release(), ignored);
}

void Listener::close() {
  boost::system::error_code ignored;
  acceptor_.close(ignored);
}

void Listener::await() {
  if (!acceptor_.is_open()) return;
  home_.handler_begins();
  acceptor_.async_wait(tcp::acceptor::wait_read, [this](const boost::system::error_code& code) {
    home_.handler_ends();
    const Shard::Turn turn(home_);
    if (!code) accept_some();
  });
}

void Listener::accept_some() {
  for (std::size_t i = 0; i < kAcceptsPerTurnMax && acceptor_.is_open(); ++i) {
    sockaddr_storage system{};
    socklen_t size = sizeof system;
    Descriptor socket(::accept4(acceptor_.native_handle(), reinterpret_cast<sockaddr*>(&system), &size,
                                SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!socket) {
      const int error = errno;
      if (error == EAGAIN) break;
      if (out_of_files_error(error)) return out_of_files();
      continue;  // that connection is gone already, or a signal came
    }
    const auto remote = from_system(system);
    if (!remote) continue;
    if (const auto admitted = admit_(*remote); !admitted) {
      home_.metrics().add("accept_refused",
                          "kind=\"" + std::string(to_string(admitted.error().kind())) + "\"");
      continue;
    }
    accepted_(std::move(socket), *remote);
  }
  await();
}

void Listener::out_of_files() {
  home_.metrics().add("accept_out_of_files");
  spare_.reset();
  Descriptor(::accept4(acceptor_.native_handle(), nullptr, nullptr, SOCK_CLOEXEC)).reset();
  spare_ = open_spare();
  home_.at(home_.now().mono + kAcceptBackoff, [this](Shard&, Now) { await(); });
}

}  // namespace starling::runtime
