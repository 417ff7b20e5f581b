// The sockets of a shard: reading, writing, closing.
#include <cerrno>

#include "runtime/errors.hpp"
#include "runtime/shard.hpp"

namespace starling::runtime {

using boost::asio::ip::tcp;

Pump* Shard::find(node::ConnId conn) {
  const auto it = pumps_.find(conn);
  return it == pumps_.end() || it->second.state == Pump::State::gone ? nullptr : &it->second;
}

Pump& Shard::make_pump(Descriptor socket, bool v6) {
  const node::ConnId id((static_cast<std::uint64_t>(setup_.index) << 56U) | next_conn_++);
  Pump& pump = pumps_.try_emplace(id, id, setup_.loop->context()).first->second;
  set_connection_options(socket.get());
  Code code;
  pump.socket.assign(v6 ? tcp::v6() : tcp::v4(), socket.release(), code);
  load_.store(pumps_.size(), std::memory_order_relaxed);
  return pump;
}

void Shard::accepted(Descriptor socket, const Multiaddr& remote) {
  const auto address = remote.as_tcp();
  if (stopping_ || !local_) {
    tell_brain(node::up::AcceptFailed{remote, node::make_error(node::Errc::shutting_down)}, nullptr);
    return;
  }
  Pump& pump = make_pump(std::move(socket), address && address->v6);
  pump.remote = remote;
  begin_session(pump, node::Direction::inbound);
}

void Shard::on_connected(Pump& pump) {
  if (const auto connected = connect_outcome(pump.socket.native_handle()); !connected) {
    lose(pump, connected.error());
    return;
  }
  begin_session(pump, node::Direction::outbound);
}

void Shard::begin_session(Pump& pump, node::Direction direction) {
  pump.state = Pump::State::open;
  node::Session::Setup setup;
  setup.id = pump.id;
  setup.dial = pump.dial;
  setup.direction = direction;
  setup.remote = pump.remote;
  setup.expected_peer = std::move(pump.expected_peer);
  setup.local = local_;
  setup.shared = setup_.shared.get();
  pump.session.emplace(std::move(setup), env_, now_.mono);
  mark_dirty(pump);
  await_read(pump);
}

void Shard::await_read(Pump& pump) {
  if (pump.awaiting_read) return;
  pump.awaiting_read = true;
  ++handlers_;
  pump.socket.async_wait(tcp::socket::wait_read,
                         [this, id = pump.id](const Code& code) { on_readable(id, code); });
}

void Shard::await_write(Pump& pump) {
  if (pump.awaiting_write) return;
  pump.awaiting_write = true;
  ++handlers_;
  pump.socket.async_wait(tcp::socket::wait_write,
                         [this, id = pump.id](const Code& code) { on_writable(id, code); });
}

void Shard::on_readable(node::ConnId conn, const Code& code) {
  --handlers_;
  const Turn turn(*this);
  Pump* pump = find(conn);
  if (pump == nullptr) return;
  pump->awaiting_read = false;
  if (code) {
    lose(*pump, connection_error(code.value()));
    return;
  }
  read_some(*pump);
}

void Shard::read_some(Pump& pump) {
  const MutableByteView buffer = setup_.loop->read_buffer();
  for (std::size_t i = 0; i < kReadsPerTurnMax; ++i) {
    const ssize_t count = ::recv(pump.socket.native_handle(), buffer.data(), buffer.size(), 0);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) break;
    if (count <= 0) {
      // An end without a goodbye, and a RST behind the last data, are how most peers leave.
      lose(pump, count == 0 ? node::make_error(node::Errc::connection_closed) : connection_error(errno));
      return;
    }
    if (pump.state != Pump::State::open) continue;  // nobody is left to take it
    const auto received = pump.session->receive(buffer.first(static_cast<std::size_t>(count)), now_.mono);
    mark_dirty(pump);
    if (!received) {
      end_session(pump, received.error(), now_.mono + kLingerTime);
      return;
    }
    if (static_cast<std::size_t>(count) < buffer.size()) break;
  }
  await_read(pump);
}

void Shard::on_writable(node::ConnId conn, const Code& code) {
  --handlers_;
  const Turn turn(*this);
  Pump* pump = find(conn);
  if (pump == nullptr) return;
  pump->awaiting_write = false;
  if (code) {
    lose(*pump, connection_error(code.value()));
  } else if (pump->state == Pump::State::connecting) {
    on_connected(*pump);
  } else {
    mark_dirty(*pump);
  }
}

bool Shard::write_out(Pump& pump, Bytes& bytes) {
  std::size_t sent = &bytes == &pump.unsent ? pump.unsent_begin : 0;
  while (sent < bytes.size()) {
    const ssize_t count =
        ::send(pump.socket.native_handle(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (count >= 0) {
      sent += static_cast<std::size_t>(count);
    } else if (errno == EAGAIN) {
      if (&bytes != &pump.unsent) pump.unsent = std::move(bytes);
      pump.unsent_begin = sent;
      await_write(pump);
      return false;
    } else if (errno != EINTR) {
      // What the peer said before it left may still lie in the socket; the read side finds the end.
      const int error = errno;
      if (pump.state == Pump::State::open && pump.awaiting_read) read_some(pump);
      if (pump.state != Pump::State::gone) lose(pump, connection_error(error));
      return false;
    }
  }
  return true;
}

void Shard::flush(Pump& pump) {
  if (pump.awaiting_write || !pump.session) return;
  if (pump.state != Pump::State::open && pump.state != Pump::State::closing) return;
  if (!pump.unsent.empty()) {
    if (!write_out(pump, pump.unsent)) return;
    setup_.loop->give_buffer(std::exchange(pump.unsent, {}));
    pump.unsent_begin = 0;
  }
  std::size_t writes = 0;
  while (pump.session->has_output()) {
    if (writes++ == kWritesPerTurnMax) {
      await_write(pump);  // comes at once, after the others
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
  ::shutdown(pump.socket.native_handle(), SHUT_WR);
  await_read(pump);
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
  Code ignored;
  pump.socket.close(ignored);
  setup_.loop->give_buffer(std::move(pump.unsent));
  gone_.push_back(pump.id);
}

}  // namespace starling::runtime
