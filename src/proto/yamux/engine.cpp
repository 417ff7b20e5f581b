#include "proto/yamux/engine.hpp"

#include <limits>

namespace starling::yamux {

Session::Engine::Engine(Role role, const Config& config, Instant now, ByteAccount* account)
    : config_(config),
      account_(account),
      client_(role == Role::client),
      liveness_(now),
      abandoned_(config.abandoned_streams_per_second_max, config.abandoned_streams_burst_max),
      ids_(client_ ? 1 : 2) {
  STARLING_ASSERT(config.window_max >= kWindowInitial && config.window_max <= kWindowMax);
  STARLING_ASSERT(config.send_buffer_max > 0 && config.send_buffer_max < (std::size_t{1} << 30));
}

Session::Engine::~Engine() {
  release(receive_buffered_ + send_buffered_);
  // Ended streams whose last event nobody polled are owned by the event list alone.
  while (Stream* stream = events_.front()) {
    events_.remove(*stream);
    if (stream->gone) delete stream;
  }
}

// ---- events ----

std::optional<Event> Session::Engine::poll() {
  if (error_) return std::nullopt;
  if (remote_go_away_event_) return Event(*std::exchange(remote_go_away_event_, std::nullopt));
  if (rtt_event_) return Event(*std::exchange(rtt_event_, std::nullopt));
  if (open_blocked_ && has_room_to_open()) {
    open_blocked_ = false;
    return Event(Openable{});
  }
  Stream* stream = events_.front();
  if (stream == nullptr) return std::nullopt;
  const auto event = static_cast<std::uint8_t>(stream->pending & -stream->pending);
  stream->pending = static_cast<std::uint8_t>(stream->pending & ~event);
  if (stream->pending == 0) events_.remove(*stream);
  const StreamId id(stream->id);
  switch (event) {
    case kOpenedPending: return Event(Opened{id});
    case kReadablePending: return Event(Readable{id});
    case kRemoteFinishedPending: return Event(RemoteFinished{id});
    case kWritablePending: return Event(Writable{id});
    default: break;
  }
  const std::unique_ptr<Stream> last(stream);
  if (event == kClosedPending) return Event(Closed{id});
  return Event(Reset{id, last->reset_code, last->reset_by_us});
}

void Session::Engine::raise(Stream& stream, Pending event) {
  stream.pending = static_cast<std::uint8_t>(stream.pending | event);
  events_.push_back(stream);
}

Instant Session::Engine::deadline() const {
  if (error_)
    return error_reported_ ? Instant::never() : Instant::from_ns(std::numeric_limits<std::int64_t>::min());
  return liveness_.deadline(times());
}

Result<void> Session::Engine::on_deadline(Instant now) {
  if (error_) {
    error_reported_ = true;
    return starling::fail(*error_);
  }
  if (liveness_.on_deadline(times(), now)) return {};
  error_reported_ = true;
  return fail(Errc::keepalive_timeout);
}

tl::unexpected<Error> Session::Engine::fail(Errc code) {
  error_ = make_error(code);
  replies_.clear();
  while (Stream* stream = control_.front()) control_.remove(*stream);
  while (Stream* stream = data_.front()) data_.remove(*stream);
  for (auto& [id, stream] : streams_) stream->send.clear(outbox_.retired_if_needed());
  release(send_buffered_);
  send_buffered_ = 0;
  draining_ = true;
  go_away_due_ = code == Errc::keepalive_timeout ? kGoAwayInternalError : kGoAwayProtocolError;
  return starling::fail(*error_);
}

// ---- streams ----

const Stream* Session::Engine::find(StreamId id) const {
  const auto it = streams_.find(id.value());
  return it == streams_.end() ? nullptr : it->second.get();
}

Stream* Session::Engine::find_mutable(StreamId id) {
  const auto it = streams_.find(id.value());
  return it == streams_.end() ? nullptr : it->second.get();
}

Stream& Session::Engine::add_stream(std::uint32_t id) {
  auto stream = std::make_unique<Stream>(id);
  return *streams_.emplace(id, std::move(stream)).first->second;
}

bool Session::Engine::has_room_to_open() const {
  return !error_ && !draining_ && !remote_going_away_ && outbound_count() < config_.streams_outbound_max &&
         outbound_unacknowledged_ < config_.ack_backlog_max;
}

Result<StreamId> Session::Engine::open() {
  if (error_ || draining_ || remote_going_away_) return starling::fail(Errc::going_away);
  if (ids_.exhausted()) return starling::fail(Errc::stream_ids_exhausted);
  if (!has_room_to_open()) {
    open_blocked_ = true;
    return starling::fail(outbound_count() >= config_.streams_outbound_max ? Errc::too_many_streams
                                                                           : Errc::ack_backlog_full);
  }
  Stream& stream = add_stream(*ids_.take());
  stream.syn_due = true;
  ++outbound_unacknowledged_;
  schedule(stream);
  return StreamId(stream.id);
}

void Session::Engine::on_acknowledged(Stream& stream) {
  if (!stream.unacknowledged) return;
  stream.unacknowledged = false;
  --(stream.inbound ? inbound_unacknowledged_ : outbound_unacknowledged_);
}

void Session::Engine::drop_output(Stream& stream) {
  release(stream.send.size());
  send_buffered_ -= stream.send.size();
  stream.send.clear(outbox_.retired_if_needed());
  control_.remove(stream);
  data_.remove(stream);
}

void Session::Engine::remove(Stream& stream, std::optional<Pending> last_event) {
  drop_output(stream);
  on_acknowledged(stream);
  release(stream.receive.size());
  receive_buffered_ -= stream.receive.size();
  stream.receive.clear(nullptr);
  window_growth_ -= stream.receive_window - kWindowInitial;
  if (stream.inbound) --inbound_count_;
  if (body_stream_ == &stream) {
    body_stream_ = nullptr;
    body_finishes_ = false;
  }
  if (lent_ == &stream) lent_ = nullptr;
  const auto it = streams_.find(stream.id);
  std::unique_ptr<Stream> owned = std::move(it->second);
  streams_.erase(it);
  const bool never_seen = (stream.pending & kOpenedPending) != 0;
  if (!last_event || never_seen) {
    events_.remove(stream);
    return;
  }
  stream.gone = true;
  // After a reset nothing of what was announced before is there any more; after a close everything was read.
  stream.pending =
      static_cast<std::uint8_t>(*last_event == kResetPending ? 0 : stream.pending & kRemoteFinishedPending);
  raise(*owned.release(), *last_event);
}

void Session::Engine::close_if_done(Stream& stream) {
  if (stream.fin_sent && stream.remote_finished && stream.receive.empty() && body_stream_ != &stream)
    remove(stream, kClosedPending);
}

Result<void> Session::Engine::evict(Stream& stream, bool silent) {
  stream.reset_by_us = true;
  stream.reset_code = kResetResourceLimit;
  const std::uint32_t id = stream.id;
  remove(stream, kResetPending);
  if (!silent && !owe_reset(id, kResetResourceLimit)) return fail(Errc::control_backlog_full);
  return {};
}

bool Session::Engine::owe_reset(std::uint32_t stream, std::uint32_t code) {
  return replies_.add_rst({stream, code});
}

void Session::Engine::reset(StreamId id, std::uint32_t code) {
  Stream* stream = find_mutable(id);
  if (stream == nullptr || error_) return;
  // A stream that the peer has not heard of needs no RST, and one that is over on both wires must not get
  // one: nim takes a frame for a stream it has closed as a protocol error.
  const bool silent = stream->syn_due || (stream->fin_sent && stream->remote_finished);
  remove(*stream, std::nullopt);
  if (!silent && !owe_reset(id.value(), code)) (void)fail(Errc::control_backlog_full);
}

void Session::Engine::go_away(std::uint32_t code) {
  draining_ = true;
  if (!error_) go_away_due_ = code;
}

// ---- the receive window ----

void Session::Engine::consume(StreamId id, std::size_t count, Instant now) {
  Stream* stream = find_mutable(id);
  if (stream == nullptr) return;
  STARLING_ASSERT(count <= stream->receive.size());
  stream->receive.consume(count);
  release(count);
  receive_buffered_ -= count;
  if (error_) return;
  if (stream->remote_finished) {
    close_if_done(*stream);
    return;
  }
  if (stream->credit_due || stream->credit_owed() < stream->receive_window / 2) return;
  grow_window(*stream, now);
  stream->window_epoch = now;
  stream->credit_due = true;
  schedule(*stream);
}

void Session::Engine::grow_window(Stream& stream, Instant now) {
  const std::optional<Duration> rtt = liveness_.rtt();
  if (!rtt) return;
  const double halves = 2.0 * stream.credit_owed() / stream.receive_window;
  if (now - stream.window_epoch >= saturating_scale(*rtt, 1.5 * halves)) return;
  // Grown too far, a window fills with a queue that everything else on the connection waits behind.
  const std::uint32_t samples = liveness_.samples();
  if (samples < kRttSamplesMin || samples == stream.grown_samples) return liveness_.want_ping(now);
  const std::size_t budget =
      config_.window_growth_budget_max - std::min(config_.window_growth_budget_max, window_growth_);
  const std::size_t wanted =
      std::min<std::size_t>(stream.receive_window, config_.window_max - stream.receive_window);
  const std::size_t growth = std::min(wanted, budget);
  // A window is a promise to hold as much.
  if (account_ != nullptr && !account_->would_grant(stream.receive_window + growth)) return;
  stream.receive_window += static_cast<std::uint32_t>(growth);
  stream.grown_samples = samples;
  liveness_.want_ping(now);
  window_growth_ += growth;
}

}  // namespace starling::yamux
