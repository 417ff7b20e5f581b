#pragma once
// The answering end of one DHT stream.
#include <optional>

#include "base/bytes.hpp"
#include "base/time.hpp"
#include "format/varint.hpp"
#include "proto/kad/errors.hpp"
#include "proto/kad/limits.hpp"
#include "proto/kad/message.hpp"

namespace starling::kad {

/// Byte machine of an inbound stream after negotiation: varint-framed requests in, framed answers out, many
/// per stream, one at a time and in order.
/// Use: receive() bytes → poll() a request → ask the brain → respond() with its answer, no_response() when it
/// has none, or reset the stream on its error → to_send()/sent(). The next poll() yields nothing before the
/// last request is dealt with.
/// Limits: a frame kMessageBytesMax; requests wait unread while kStreamBacklogBytesMax of answers are unsent,
/// so a peer that never reads costs a constant. Idle for kStreamIdle: deadline() passes and on_deadline()
/// fails.
/// Lifetime: one stream, one thread. Any error is final: reset the stream.
class ServerStream {
 public:
  explicit ServerStream(Instant now) noexcept;
  /// False: do not read from the peer now.
  bool wants_bytes() const noexcept;
  /// Errc::backlog when more than kStreamInputBytesMax would wait: the caller did not heed wants_bytes().
  Result<void> receive(ByteView bytes, Instant now);
  /// The next request; nothing when more bytes, respond() or sent() must come first. Errors: decode()'s,
  /// framing, Errc::stream_broken when the peer closed inside a frame.
  Result<std::optional<Message>> poll();
  void respond(const Message& response, Instant now);
  void no_response(Instant now);
  ByteView to_send() const noexcept;
  void sent(std::size_t count) noexcept;
  /// Of a frame that came in part.
  std::size_t buffered_bytes() const noexcept { return frames_.buffered_bytes(); }
  /// The peer closed its side: drain poll() and to_send() until finished(), then close.
  void on_remote_closed() noexcept { remote_closed_ = true; }
  /// True after on_remote_closed() when nothing is left to poll or send.
  bool finished() const noexcept;
  Instant deadline() const noexcept;
  /// Errc::idle once the deadline has passed.
  Result<void> on_deadline(Instant now) const;

 private:
  format::FrameReader frames_{kMessageBytesMax};
  Bytes out_;
  std::size_t out_start_ = 0;
  Instant active_;
  bool answering_ = false;
  bool remote_closed_ = false;
};

}  // namespace starling::kad
