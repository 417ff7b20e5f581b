#include <limits>

#include "proto/yamux/engine.hpp"

namespace starling::yamux {

Result<void> Session::Engine::receive(ByteView bytes, Instant now) {
  if (error_) {
    error_reported_ = true;
    return starling::fail(*error_);
  }
  if (!bytes.empty()) liveness_.on_received(now);
  Result<void> result;
  while (!bytes.empty() && result) {
    if (body_left_ > 0) {
      const ByteView part = bytes.first(std::min<std::size_t>(bytes.size(), body_left_));
      bytes = bytes.subspan(part.size());
      result = on_body(part);
      continue;
    }
    if (header_have_ == 0 && bytes.size() >= kHeaderBytes) {
      const Header header = decode_header(bytes.first<kHeaderBytes>());
      bytes = bytes.subspan(kHeaderBytes);
      result = on_header(header, now);
      continue;
    }
    const std::size_t part = std::min<std::size_t>(bytes.size(), kHeaderBytes - header_have_);
    std::copy_n(bytes.begin(), part, header_bytes_.begin() + header_have_);
    header_have_ += static_cast<std::uint32_t>(part);
    bytes = bytes.subspan(part);
    if (header_have_ < kHeaderBytes) break;
    header_have_ = 0;
    result = on_header(decode_header(header_bytes_), now);
  }
  if (!result) error_reported_ = true;
  return result;
}

Result<void> Session::Engine::on_header(const Header& header, Instant now) {
  if (header.version != kVersion) return fail(Errc::bad_version);
  switch (header.type) {
    case static_cast<std::uint8_t>(FrameType::data):
    case static_cast<std::uint8_t>(FrameType::window_update): return on_stream_frame(header, now);
    case static_cast<std::uint8_t>(FrameType::ping): return on_ping(header, now);
    case static_cast<std::uint8_t>(FrameType::go_away):
      if (header.stream != 0) return fail(Errc::bad_stream_id);
      if (!remote_going_away_) remote_go_away_event_ = RemoteGoAway{header.length};
      remote_going_away_ = true;
      return {};
    default: return fail(Errc::bad_type);
  }
}

Result<void> Session::Engine::on_ping(const Header& header, Instant now) {
  if (header.stream != 0) return fail(Errc::bad_stream_id);
  if (header.has(kSyn)) {
    replies_.add_pong(header.length);
    return {};
  }
  if (!header.has(kAck)) return {};
  if (const auto sample = liveness_.on_pong(header.length, now)) rtt_event_ = Rtt{*sample};
  return {};
}

Result<void> Session::Engine::on_stream_frame(const Header& header, Instant now) {
  if (header.stream == 0) return fail(Errc::bad_stream_id);
  const bool is_data = header.type == static_cast<std::uint8_t>(FrameType::data);
  // Before anything else: no honest body is longer than the largest window, whatever became of its stream.
  // The length is only ever counted down; memory is taken for bytes that have arrived.
  if (is_data && header.length > config_.window_max) return fail(Errc::frame_too_large);
  Stream* stream = find_mutable(StreamId(header.stream));
  if (header.has(kSyn)) {
    if (header.stream % 2 == (client_ ? 1 : 0)) return fail(Errc::wrong_parity);
    if (stream != nullptr) return fail(Errc::duplicate_stream);
    STARLING_ASSIGN(stream, accept(header, now));
  }
  if (stream != nullptr) {
    if (!stream->inbound && !header.has(kRst))
      on_acknowledged(*stream);  // any frame shows that the peer has it
    if (header.has(kRst)) {
      STARLING_TRY(on_remote_reset(*stream, is_data ? 0 : header.length, now));
      stream = nullptr;
    }
  }
  if (is_data) return on_data(stream, header, now);
  if (stream != nullptr) return on_window_update(*stream, header);
  return {};
}

Result<Stream*> Session::Engine::accept(const Header& header, Instant now) {
  const bool full =
      inbound_count_ >= config_.streams_inbound_max || inbound_unacknowledged_ >= config_.ack_backlog_max;
  if (draining_ || full || header.has(kRst)) {
    STARLING_TRY(refuse(header, now));
    return nullptr;
  }
  Stream& stream = add_stream(header.stream);
  stream.inbound = true;
  stream.ack_due = true;
  ++inbound_count_;
  ++inbound_unacknowledged_;
  schedule(stream);
  raise(stream, kOpenedPending);
  return &stream;
}

Result<void> Session::Engine::refuse(const Header& header, Instant now) {
  if (!abandoned_.take(now)) return fail(Errc::rapid_reset);
  if (!header.has(kRst) && !owe_reset(header.stream, draining_ ? kResetShutdown : kResetResourceLimit))
    return fail(Errc::control_backlog_full);
  return {};
}

Result<void> Session::Engine::on_window_update(Stream& stream, const Header& header) {
  // Judged by what the peer has granted, which is more than what we use of it (kSendWindowInitial).
  constexpr std::uint64_t kUnused = kWindowInitial - kSendWindowInitial;
  const std::uint64_t granted = std::uint64_t{stream.send_credit} + kUnused + header.length;
  if (granted > std::numeric_limits<std::uint32_t>::max()) return fail(Errc::credit_overflow);
  stream.send_credit += header.length;
  schedule(stream);
  if (header.has(kFin)) on_remote_finish(stream);
  return {};
}

Result<void> Session::Engine::on_data(Stream* stream, const Header& header, Instant now) {
  if (stream != nullptr && !stream->remote_finished) {
    if (header.length > stream->receive_credit) return fail(Errc::window_exceeded);
    if (header.length == 0) {
      if (header.has(kFin)) on_remote_finish(*stream);
      return {};
    }
    liveness_.on_data(now, config_.rtt_probe_interval);
    if (header.length >= kLentBytesMin && liveness_.samples() < kRttSamplesMin) liveness_.want_ping(now);
    if (stream->window_epoch.is_never()) stream->window_epoch = now;
    body_stream_ = stream;
    body_finishes_ = header.has(kFin);
  }
  body_left_ = header.length;
  return {};
}

Result<void> Session::Engine::on_body(ByteView bytes) {
  body_left_ -= static_cast<std::uint32_t>(bytes.size());
  Stream* stream = body_stream_;
  if (stream == nullptr) {
    discarded_ += bytes.size();
    return {};
  }
  if (receive_buffered_ + bytes.size() > config_.receive_buffer_max || !reserve(bytes.size())) {
    discarded_ += bytes.size();
    return evict(*stream, stream->fin_sent && body_finishes_);
  }
  if (bytes.size() >= kLentBytesMin && (lent_ == nullptr || lent_ == stream)) {
    lent_ = stream;
    stream->receive.append_lent(bytes);
  } else {
    stream->receive.append(bytes);
  }
  stream->receive_credit -= static_cast<std::uint32_t>(bytes.size());
  receive_buffered_ += bytes.size();
  raise(*stream, kReadablePending);
  if (body_left_ == 0) {
    body_stream_ = nullptr;
    if (std::exchange(body_finishes_, false)) on_remote_finish(*stream);
  }
  return {};
}

void Session::Engine::settle() {
  if (Stream* stream = std::exchange(lent_, nullptr)) stream->receive.keep();
}

void Session::Engine::on_remote_finish(Stream& stream) {
  if (stream.remote_finished) return;
  stream.remote_finished = true;
  // The peer needs no more window, and js and nim dislike updates for what they have closed.
  stream.credit_due = false;
  if (!stream.control_due()) control_.remove(stream);
  raise(stream, kRemoteFinishedPending);
  close_if_done(stream);
}

Result<void> Session::Engine::on_remote_reset(Stream& stream, std::uint32_t code, Instant now) {
  // A peer that opens and gives up before we finished our part has made us work for nothing: that is
  // budgeted. One that resets after our answer (some close that way) paid for it by waiting.
  if (stream.inbound && !stream.finished && !abandoned_.take(now)) return fail(Errc::rapid_reset);
  if (stream.remote_finished && !stream.receive.empty()) {
    // All the peer had to say came before its FIN and stays readable, as with go; only our direction dies.
    // What is still written goes nowhere, and `Closed` follows when everything was read.
    drop_output(stream);
    on_acknowledged(stream);
    stream.ack_due = stream.credit_due = false;
    stream.finished = stream.fin_sent = true;
    return {};
  }
  stream.reset_code = code;
  remove(stream, kResetPending);
  return {};
}

}  // namespace starling::yamux
