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

Listener::Listener(Shard& home, Descriptor socket, Admit admit, Accepted accepted)
    : home_(home),
      socket_(std::move(socket)),
      admit_(std::move(admit)),
      accepted_(std::move(accepted)),
      spare_(open_spare()) {}

Result<void> Listener::start() {
  STARLING_ASSIGN(watch_, home_.loop().watch(socket_.get(), *this, 0));
  started_ = true;
  return {};
}

void Listener::close() {
  if (!std::exchange(started_, false)) return;
  home_.loop().wake_at(*this, Instant::never());
  home_.loop().unwatch(watch_);
  socket_.reset();
}

void Listener::on_ready(std::span<const Ready>) {
  const Shard::Turn turn(home_);
  accept_some();
}

void Listener::on_timer() {
  const Shard::Turn turn(home_);
  accept_some();
}

void Listener::accept_some() {
  for (std::size_t i = 0; i < kAcceptsPerTurnMax; ++i) {
    if (!socket_) return;  // closed by what came of the last one
    sockaddr_storage system{};
    socklen_t size = sizeof system;
    Descriptor socket(
        ::accept4(socket_.get(), reinterpret_cast<sockaddr*>(&system), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!socket) {
      const int error = errno;
      if (error == EAGAIN) return;
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
  home_.loop().wake_at(*this, home_.now().mono);  // after the others
}

void Listener::out_of_files() {
  home_.metrics().add("accept_out_of_files");
  spare_.reset();
  Descriptor(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC)).reset();
  spare_ = open_spare();
  home_.loop().wake_at(*this, home_.now().mono + kAcceptBackoff);
}

}  // namespace starling::runtime
