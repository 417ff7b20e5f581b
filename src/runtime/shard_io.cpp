// The sockets of a shard: reading, writing, closing.
#include <cerrno>

#include "runtime/errors.hpp"
#include "runtime/shard.hpp"

namespace starling::runtime {

Pump* Shard::find(node::ConnId conn) {
  const auto it = pumps_.find(conn);
  return it == pumps_.end() || it->second.state == Pump::State::gone ? nullptr : &it->second;
}

Result<Pump*> Shard::make_pump(Descriptor socket) {
  const node::ConnId id((static_cast<std::uint64_t>(setup_.index) << 56U) | next_conn_++);
  set_connection_options(socket.get());
  STARLING_ASSIGN(const auto watch, setup_.loop->watch(socket.get(), *this, id.value()));
  Pump& pump = pumps_.try_emplace(id, id, std::move(socket)).first->second;
  pump.watch = watch;
  load_.store(pumps_.size(), std::memory_order_relaxed);
  return &pump;
}

void Shard::accepted(Descriptor socket, const Multiaddr& remote) {
  const auto refuse = [&](Error error) { tell_brain(node::up::AcceptFailed{remote, error}, nullptr); };
  if (stopping_ || !local_) return refuse(node::make_error(node::Errc::shutting_down));
  const auto made = make_pump(std::move(socket));
  if (!made) return refuse(made.error());
  (*made)->remote = remote;
  begin_session(**made, node::Direction::inbound);
}

void Shard::on_connected(Pump& pump) {
  if (const auto connected = connect_outcome(pump.socket.get()); !connected) {
    lose(pump, connected.error());
    return;
  }
  begin_session(pump, node::Direction::outbound);
}

void Shard::begin_session(Pump& pump, node::Direction direction) {
  pump.state = Pump::State::open;
  pump.writable = true;  // until the kernel says otherwise
  node::Session::Setup setup;
  setup.id = pump.id;
  setup.dial = pump.dial;
  setup.direction = direction;
  setup.remote = pump.remote;
  setup.expected_peer = std::move(pump.expected_peer);
  setup.local = local_;
  setup.shared = setup_.shared.get();
  pump.session.emplace(std::move(setup), env_, now_);
  mark_dirty(pump);
}

void Shard::on_ready(std::span<const Ready> ready) {
  while (!ready.empty()) {
    const Turn turn(*this);
    do {
      on_ready(ready.front());
      ready = ready.subspan(1);
    } while (!ready.empty() && read_bytes_ < kReadBytesPerTurnMax);
  }
}

void Shard::on_ready(const Ready& ready) {
  Pump* pump = find(node::ConnId(ready.id));
  if (pump == nullptr) return;
  pump->ended = pump->ended || ready.ended;
  if (pump->state == Pump::State::connecting) {
    if (ready.writable) on_connected(*pump);
    if (pump->state != Pump::State::open) return;
  } else if (ready.writable && !std::exchange(pump->writable, true)) {
    mark_dirty(*pump);
  }
  if (!ready.readable) return;
  pump->readable = true;
  read_some(*pump);
}

void Shard::postpone(Pump& pump) {
  if (!std::exchange(pump.unfinished, true)) unfinished_.push_back(pump.id);
}

void Shard::run_postponed() {
  for (const auto id : std::exchange(unfinished_, {})) {
    Pump* pump = find(id);
    if (pump == nullptr) continue;
    pump->unfinished = false;
    if (pump->readable) read_some(*pump);
    if (pump->state != Pump::State::gone) mark_dirty(*pump);
  }
}

/// Less than was asked for, and nothing behind it, is the last there is: the loop tells of what comes later.
void Shard::read_some(Pump& pump) {
  const MutableByteView buffer = setup_.loop->read_buffer();
  for (std::size_t i = 0; i < kReadsPerTurnMax; ++i) {
    const ssize_t count = ::recv(pump.socket.get(), buffer.data(), buffer.size(), 0);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) {
      pump.readable = false;
      return;
    }
    if (count <= 0) {
      // An end without a goodbye, and a RST behind the last data, are how most peers leave.
      lose(pump, count == 0 ? node::make_error(node::Errc::connection_closed) : connection_error(errno));
      return;
    }
    read_bytes_ += static_cast<std::size_t>(count);
    const bool last = static_cast<std::size_t>(count) < buffer.size() && !pump.ended;
    if (last) pump.readable = false;
    if (pump.state == Pump::State::open) {  // else nobody is left to take it
      const auto received = pump.session->lend(buffer.first(static_cast<std::size_t>(count)), now_.mono);
      drain(pump);  // who waits for bytes reads them where they are
      pump.session->settle();
      mark_dirty(pump);
      if (!received) {
        end_session(pump, received.error(), now_.mono + kLingerTime);
        if (!last) postpone(pump);
        return;
      }
    }
    if (last) return;
  }
  postpone(pump);
}

bool Shard::write_out(Pump& pump, Bytes& bytes) {
  std::size_t sent = &bytes == &pump.unsent ? pump.unsent_begin : 0;
  while (sent < bytes.size()) {
    const ssize_t count = ::send(pump.socket.get(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (count >= 0) {
      sent += static_cast<std::size_t>(count);
    } else if (errno == EAGAIN) {
      if (&bytes != &pump.unsent) pump.unsent = std::move(bytes);
      pump.unsent_begin = sent;
      pump.writable = false;
      return false;
    } else if (errno != EINTR) {
      // What the peer said before it left may still lie in the socket; the read side finds the end.
      const int error = errno;
      if (pump.state == Pump::State::open) read_some(pump);
      if (pump.state != Pump::State::gone) lose(pump, connection_error(error));
      return false;
    }
  }
  return true;
}

void Shard::flush(Pump& pump) {
  if (!pump.writable || !pump.session) return;
  if (pump.state != Pump::State::open && pump.state != Pump::State::closing) return;
  if (!pump.unsent.empty()) {
    if (!write_out(pump, pump.unsent)) return;
    setup_.loop->give_buffer(std::exchange(pump.unsent, {}));
    pump.unsent_begin = 0;
  }
  std::size_t writes = 0;
  while (pump.session->has_output()) {
    if (writes++ == kWritesPerTurnMax) {
      postpone(pump);
      return;
    }
    Bytes out = setup_.loop->take_buffer();
    const auto produced = pump.session->produce(out, kWriteBytesMax, now_.mono);
    const bool nothing = out.empty();
    const bool written = write_out(pump, out);
    setup_.loop->give_buffer(std::move(out));
    if (!written) return;
    if (!produced) {
      lose(pump, produced.error());
      return;
    }
    if (pump.state == Pump::State::open) {
      drain(pump);  // room was made for writers
      if (!todo_.empty()) {
        mark_dirty(pump);
        return;
      }
    }
    if (nothing) break;
  }
  if (pump.state == Pump::State::closing) linger(pump);
}

/// The session's last words leave before the socket closes, but no later than `close_at`.
void Shard::end_session(Pump& pump, Error reason, Instant close_at) {
  pump.session->close(reason, now_.mono);
  pump.state = Pump::State::closing;
  pump.close_at = std::min(pump.close_at, close_at);
  mark_dirty(pump);
}

void Shard::linger(Pump& pump) {
  pump.state = Pump::State::lingering;
  pump.session.reset();
  ::shutdown(pump.socket.get(), SHUT_WR);
}

/// The connection is over, now.
void Shard::lose(Pump& pump, Error reason) {
  if (pump.state == Pump::State::connecting) {
    tell_brain(node::up::DialFailed{pump.dial, reason}, nullptr);
  } else if (pump.session) {
    pump.session->close(reason, now_.mono);
    drain(pump);
  }
  erase(pump);
}

void Shard::erase(Pump& pump) {
  if (pump.state == Pump::State::gone) return;
  pump.state = Pump::State::gone;
  if (pump.dial) dials_.erase(pump.dial);
  setup_.loop->unwatch(pump.watch);
  pump.socket.reset();
  setup_.loop->give_buffer(std::move(pump.unsent));
  gone_.push_back(pump.id);
}

}  // namespace starling::runtime
