#include "proto/yamux/session.hpp"

#include "base/machine.hpp"
#include "proto/yamux/engine.hpp"

namespace starling::yamux {

static_assert(Machine<Session>);

Session::Session(Role role, const Config& config, Instant now, ByteAccount* account)
    : engine_(std::make_unique<Engine>(role, config, now, account)) {
  static_assert(sizeof(Engine) <= 704, "an idle session, its two allocations included, stays below 1 KiB");
}
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;
Session::~Session() = default;

Result<void> Session::receive(ByteView plaintext, Instant now) {
  const auto received = engine_->receive(plaintext, now);
  engine_->settle();
  return received;
}
Result<void> Session::lend(ByteView plaintext, Instant now) { return engine_->receive(plaintext, now); }
void Session::settle() { engine_->settle(); }
std::optional<Event> Session::poll() { return engine_->poll(); }
Instant Session::deadline() const { return engine_->deadline(); }
Result<void> Session::on_deadline(Instant now) { return engine_->on_deadline(now); }

Result<StreamId> Session::open() { return engine_->open(); }
std::size_t Session::write(StreamId id, ByteView data) { return engine_->write(id, data); }
std::size_t Session::write(StreamId id, const Slice& data) { return engine_->write(id, data); }
std::size_t Session::writable(StreamId id) const { return engine_->writable(id); }

ByteView Session::readable(StreamId id) const {
  const Stream* stream = engine_->find(id);
  return stream == nullptr ? ByteView{} : stream->receive.front();
}

std::size_t Session::readable_bytes(StreamId id) const {
  const Stream* stream = engine_->find(id);
  return stream == nullptr ? 0 : stream->receive.size();
}

void Session::consume(StreamId id, std::size_t count, Instant now) { engine_->consume(id, count, now); }

bool Session::at_end(StreamId id) const {
  const Stream* stream = engine_->find(id);
  return stream != nullptr && stream->remote_finished && stream->receive.empty();
}

void Session::finish(StreamId id) { engine_->finish(id); }
void Session::reset(StreamId id, std::uint32_t code) { engine_->reset(id, code); }

void Session::drain() { engine_->drain(); }
void Session::go_away(std::uint32_t code) { engine_->go_away(code); }
void Session::ping(Instant now) { engine_->ping(now); }

bool Session::has_output() const { return engine_->has_output(); }
std::size_t Session::gather(std::vector<ByteView>& parts, std::size_t bytes_max, Instant now) {
  return engine_->gather(parts, bytes_max, now);
}
void Session::sent() { engine_->sent(); }

std::size_t Session::stream_count() const { return engine_->inbound_count() + engine_->outbound_count(); }
std::size_t Session::inbound_count() const { return engine_->inbound_count(); }
std::size_t Session::outbound_count() const { return engine_->outbound_count(); }
std::size_t Session::receive_buffered_bytes() const { return engine_->receive_buffered(); }
std::size_t Session::send_buffered_bytes() const { return engine_->send_buffered(); }
std::uint64_t Session::discarded_bytes() const { return engine_->discarded(); }
std::optional<Duration> Session::rtt() const { return engine_->rtt(); }

std::uint32_t Session::receive_window(StreamId id) const {
  const Stream* stream = engine_->find(id);
  return stream == nullptr ? 0 : stream->receive_window;
}

}  // namespace starling::yamux
