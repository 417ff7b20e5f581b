#include "proto/kad/client_stream.hpp"

#include "base/assert.hpp"
#include "proto/kad/rpc_codec.hpp"

namespace starling::kad {

bool ClientStream::ready() const noexcept { return !pending_ && !answer_ && out_start_ == out_.size(); }

void ClientStream::send(const SendRequest& request, Instant now) {
  STARLING_ASSERT(ready());
  out_.clear();
  out_start_ = 0;
  format::put_frame(out_, encode(request.message));
  if (!request.expects_response) return;
  pending_ = request.id;
  pending_type_ = request.message.type;
  due_ = now + kResponseTimeout;
}

ByteView ClientStream::to_send() const noexcept { return ByteView(out_).subspan(out_start_); }

void ClientStream::sent(std::size_t count) noexcept {
  STARLING_ASSERT(count <= out_.size() - out_start_);
  out_start_ += count;
  if (out_start_ < out_.size()) return;
  out_ = Bytes{};
  out_start_ = 0;
}

Result<void> ClientStream::take_frame(ByteView body) {
  STARLING_ASSIGN(auto message, decode(body));
  if (message.type == MessageType::add_provider) return {};
  if (!pending_ || message.type != pending_type_) return fail(Errc::unexpected_response);
  answer_ = Answer{*pending_, std::move(message)};
  pending_.reset();
  due_ = Instant::never();
  return {};
}

Result<void> ClientStream::receive(ByteView bytes, Instant) {
  // Piece by piece, so that however much arrives at once no more than a frame is ever buffered.
  constexpr std::size_t kPieceBytes = 16 * 1024;
  while (!bytes.empty()) {
    const ByteView piece = bytes.first(std::min(bytes.size(), kPieceBytes));
    bytes = bytes.subspan(piece.size());
    frames_.receive(piece);
    for (;;) {
      STARLING_ASSIGN(const auto frame, frames_.next());
      if (!frame) break;
      STARLING_TRY(take_frame(*frame));
    }
  }
  return {};
}

std::optional<ClientStream::Answer> ClientStream::poll() { return std::exchange(answer_, std::nullopt); }

Result<void> ClientStream::on_remote_closed() const {
  if (pending_ || frames_.in_frame()) return fail(Errc::stream_broken);
  return {};
}

Instant ClientStream::deadline() const noexcept { return due_; }

Result<void> ClientStream::on_deadline(Instant now) const {
  if (now < due_) return {};
  return fail(Errc::response_timeout);
}

}  // namespace starling::kad
