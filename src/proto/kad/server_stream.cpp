#include "proto/kad/server_stream.hpp"

#include "base/assert.hpp"
#include "proto/kad/rpc_codec.hpp"

namespace starling::kad {

ServerStream::ServerStream(Instant now) noexcept : active_(now) {}

bool ServerStream::wants_bytes() const noexcept {
  return !remote_closed_ && out_.size() - out_start_ < kStreamBacklogBytesMax &&
         frames_.buffered_bytes() < kMessageBytesMax + format::kVarintBytesMax;
}

Result<void> ServerStream::receive(ByteView bytes, Instant now) {
  if (frames_.buffered_bytes() + bytes.size() > kStreamInputBytesMax) return fail(Errc::backlog);
  frames_.receive(bytes);
  active_ = now;
  return {};
}

Result<std::optional<Message>> ServerStream::poll() {
  if (answering_ || out_.size() - out_start_ >= kStreamBacklogBytesMax) return std::nullopt;
  STARLING_ASSIGN(const auto frame, frames_.next());
  if (!frame) {
    if (remote_closed_ && frames_.in_frame()) return fail(Errc::stream_broken);
    return std::nullopt;
  }
  STARLING_ASSIGN(auto message, decode(*frame));
  answering_ = true;
  return std::optional<Message>(std::move(message));
}

void ServerStream::respond(const Message& response, Instant now) {
  STARLING_ASSERT(answering_);
  format::put_frame(out_, encode(response));
  answering_ = false;
  active_ = now;
}

void ServerStream::no_response(Instant now) {
  STARLING_ASSERT(answering_);
  answering_ = false;
  active_ = now;
}

ByteView ServerStream::to_send() const noexcept { return ByteView(out_).subspan(out_start_); }

void ServerStream::sent(std::size_t count) noexcept {
  STARLING_ASSERT(count <= out_.size() - out_start_);
  out_start_ += count;
  if (out_start_ < out_.size()) return;
  out_ = Bytes{};
  out_start_ = 0;
}

bool ServerStream::finished() const noexcept {
  return remote_closed_ && !answering_ && !frames_.in_frame() && out_start_ == out_.size();
}

Instant ServerStream::deadline() const noexcept { return active_ + kStreamIdle; }

Result<void> ServerStream::on_deadline(Instant now) const {
  if (now < deadline()) return {};
  return fail(Errc::idle);
}

}  // namespace starling::kad
