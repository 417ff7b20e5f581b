#include "proto/yamux/engine.hpp"

namespace starling::yamux {

// ---- what the application gives ----

std::size_t Session::Engine::writable(StreamId id) const {
  const Stream* stream = find(id);
  if (stream == nullptr || stream->finished || error_) return 0;
  return config_.send_buffer_max - stream->send.size();
}

std::size_t Session::Engine::accept_write(Stream* stream, std::size_t size) {
  if (stream == nullptr || stream->finished || error_) return 0;
  const std::size_t accepted = std::min(size, config_.send_buffer_max - stream->send.size());
  if (!reserve(accepted)) {
    if (stream->send.empty()) {  // nothing of it will ever leave and make room
      (void)evict(*stream, false);
    } else {
      stream->wants_writable = true;
    }
    return 0;
  }
  if (accepted < size) stream->wants_writable = true;
  send_buffered_ += accepted;
  return accepted;
}

std::size_t Session::Engine::write(StreamId id, ByteView data) {
  Stream* stream = find_mutable(id);
  const std::size_t accepted = accept_write(stream, data.size());
  if (accepted == 0) return 0;
  stream->send.append(data.first(accepted));
  schedule(*stream);
  return accepted;
}

std::size_t Session::Engine::write(StreamId id, const Slice& data) {
  if (data.size() <= kSliceCopyMax) return write(id, data.view());
  Stream* stream = find_mutable(id);
  const std::size_t accepted = accept_write(stream, data.size());
  if (accepted == 0) return 0;
  stream->send.append(data.sub(0, accepted));
  schedule(*stream);
  return accepted;
}

void Session::Engine::finish(StreamId id) {
  Stream* stream = find_mutable(id);
  if (stream == nullptr || stream->finished) return;
  stream->finished = true;
  stream->wants_writable = false;
  if (!error_) schedule(*stream);
}

void Session::Engine::schedule(Stream& stream) {
  if (stream.control_due()) control_.push_back(stream);
  if (!stream.send.empty() && stream.send_credit > 0) data_.push_back(stream);
}

// ---- what goes out ----

bool Session::Engine::has_output() const {
  if (error_) return go_away_due_.has_value();
  return go_away_due_ || liveness_.ping_wanted() || !replies_.empty() || !control_.empty() || !data_.empty();
}

std::size_t Session::Engine::put_frame(FrameType type, std::uint16_t flags, std::uint32_t stream,
                                       std::uint32_t length, std::vector<ByteView>& parts) {
  outbox_.add_header(type, flags, stream, length, parts);
  return kHeaderBytes;
}

std::size_t Session::Engine::gather(std::vector<ByteView>& parts, std::size_t bytes_max, Instant now) {
  bytes_max = std::max<std::size_t>(bytes_max, 1);
  std::size_t bytes = 0;
  if (!error_) {
    bytes += gather_replies(parts, bytes_max, now);
    // Every SYN and ACK goes before any data, so a stream's data never precedes them.
    while (!control_.empty() && bytes < bytes_max) {
      Stream& stream = *control_.front();
      control_.remove(stream);
      bytes += gather_control(stream, parts);
    }
    while (!data_.empty() && bytes < bytes_max) {
      Stream& stream = *data_.front();
      bytes += gather_data(stream, parts);
    }
  }
  // Room left means that nothing else waits any more.
  if (go_away_due_ && bytes < bytes_max)
    bytes += put_frame(FrameType::go_away, 0, 0, *std::exchange(go_away_due_, std::nullopt), parts);
  return bytes;
}

std::size_t Session::Engine::gather_replies(std::vector<ByteView>& parts, std::size_t bytes_max,
                                            Instant now) {
  std::size_t bytes = 0;
  if (liveness_.ping_wanted() && bytes < bytes_max)
    bytes += put_frame(FrameType::ping, kSyn, 0, liveness_.send_ping(now), parts);
  while (bytes < bytes_max) {
    const auto value = replies_.next_pong();
    if (!value) break;
    bytes += put_frame(FrameType::ping, kAck, 0, *value, parts);
  }
  while (bytes < bytes_max) {
    const auto rst = replies_.next_rst();
    if (!rst) break;
    bytes += put_frame(FrameType::window_update, kRst, rst->stream, rst->code, parts);
  }
  return bytes;
}

std::size_t Session::Engine::gather_control(Stream& stream, std::vector<ByteView>& parts) {
  std::size_t bytes = 0;
  const auto flags = static_cast<std::uint16_t>((stream.syn_due ? kSyn : 0) | (stream.ack_due ? kAck : 0));
  if (flags != 0 || stream.credit_due) {
    const std::uint32_t credit = stream.credit_due ? stream.credit_owed() : 0;
    stream.receive_credit += credit;
    bytes += put_frame(FrameType::window_update, flags, stream.id, credit, parts);
    if (stream.ack_due) on_acknowledged(stream);
    stream.syn_due = stream.ack_due = stream.credit_due = false;
  }
  if (stream.fin_due()) {
    bytes += put_frame(FrameType::window_update, kFin, stream.id, 0, parts);
    stream.fin_sent = true;
    close_if_done(stream);
  }
  return bytes;
}

std::size_t Session::Engine::gather_data(Stream& stream, std::vector<ByteView>& parts) {
  data_.remove(stream);
  // Alone there is nobody to be fair to, and a frame that fills a Noise message costs both sides least.
  const std::size_t quantum = data_.empty() ? kFramePayloadMax : kFramePayloadSharedMax;
  const std::size_t size = std::min({quantum, stream.send.size(), std::size_t{stream.send_credit}});
  std::size_t bytes = put_frame(FrameType::data, 0, stream.id, static_cast<std::uint32_t>(size), parts);
  stream.send.take(size, &parts, &outbox_.retired());
  stream.send_credit -= static_cast<std::uint32_t>(size);
  release(size);
  send_buffered_ -= size;
  bytes += size;
  raise_writable(stream);
  if (!stream.send.empty()) {
    schedule(stream);
  } else if (stream.fin_due()) {
    control_.remove(stream);
    bytes += gather_control(stream, parts);
  }
  return bytes;
}

void Session::Engine::raise_writable(Stream& stream) {
  if (!stream.wants_writable || stream.send.size() > config_.send_buffer_max / 2) return;
  stream.wants_writable = false;
  raise(stream, kWritablePending);
}

void Session::Engine::sent() { outbox_.release(!has_output()); }

}  // namespace starling::yamux
