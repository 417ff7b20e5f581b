#pragma once
// The asking end of one DHT stream.
#include <deque>
#include <optional>

#include "base/bytes.hpp"
#include "base/time.hpp"
#include "format/varint.hpp"
#include "proto/kad/action.hpp"
#include "proto/kad/errors.hpp"
#include "proto/kad/limits.hpp"

namespace starling::kad {

/// Byte machine of an outbound stream after negotiation. Reused for many requests, one under way at a time:
/// rust and js servers answer one by one, and what is lost with a broken stream is then one request.
/// Use: when ready(): send() → to_send()/sent() → receive() → poll(). After an error the stream must be
/// reset; pending() names the request that goes down with it.
/// Limits: answers of kMessageBytesMax, refused before they are buffered; kResponseTimeout per answer. Some
/// servers answer ADD_PROVIDER although nobody waits for it: such answers are skipped wherever they come.
class ClientStream {
 public:
  struct Answer {
    RequestId id;
    Message message;
  };
  /// True when no request is under way and all bytes are out.
  bool ready() const noexcept;
  /// Needs ready(). `expects_response` as in SendRequest.
  void send(const SendRequest& request, Instant now);
  /// The request that waits for its answer.
  std::optional<RequestId> pending() const noexcept { return pending_; }
  ByteView to_send() const noexcept;
  void sent(std::size_t count) noexcept;
  /// Of a frame that came in part.
  std::size_t buffered_bytes() const noexcept { return frames_.buffered_bytes(); }
  /// Framing and decode errors, Errc::unexpected_response.
  Result<void> receive(ByteView bytes, Instant now);
  std::optional<Answer> poll();
  /// Errc::stream_broken when an answer was due.
  Result<void> on_remote_closed() const;
  Instant deadline() const noexcept;
  /// Errc::response_timeout once the deadline has passed.
  Result<void> on_deadline(Instant now) const;

 private:
  Result<void> take_frame(ByteView body);

  format::FrameReader frames_{kMessageBytesMax};
  Bytes out_;
  std::size_t out_start_ = 0;
  std::optional<RequestId> pending_;
  MessageType pending_type_ = MessageType::ping;
  Instant due_ = Instant::never();
  std::optional<Answer> answer_;
};

}  // namespace starling::kad
