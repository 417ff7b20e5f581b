#pragma once
#include "base/time.hpp"
#include "format/varint.hpp"
#include "identify/codec.hpp"

namespace starling::identify {

/// Reads one identify or push: all messages until the end of the stream, merged.
///
/// Lifetime: one per exchange, on the connection's shard. Call order: receive() as bytes arrive → finish() at
/// the end of the stream → verify(), certified_record() on what it returns. After an error the stream is
/// reset.
/// Limits: limits.hpp: kMessagesMax messages of kMessageBytesMax bytes; lists capped across messages.
/// Spec: libp2p/specs identify/README.md; multi-message as go does it (go-libp2p issue 3483).
/// Resists: slow peers (one deadline), length bombs (refused at the prefix), lists without end, one key in
/// the first message and another in the next (the last one counts and is checked against the connection).
class Collector {
 public:
  explicit Collector(Instant now) : frames_(kMessageBytesMax), deadline_(now + kExchangeTimeMax) {}
  /// Errc::message_too_large, too_many_messages, malformed, bad_public_key; the same error again once failed.
  Result<void> receive(ByteView bytes);
  /// The stream has ended. Errc::truncated inside a message. A stream without a message gives an empty Info.
  Result<Info> finish();
  std::size_t buffered_bytes() const noexcept { return frames_.buffered_bytes(); }
  Instant deadline() const noexcept { return done_ ? Instant::never() : deadline_; }
  /// Errc::timed_out when the deadline has passed; otherwise nothing happens.
  Result<void> on_deadline(Instant now);

 private:
  tl::unexpected<Error> end(Error error);

  format::FrameReader frames_;
  Instant deadline_;
  Info info_;
  std::size_t message_count_ = 0;
  std::optional<Error> failure_;
  bool done_ = false;
};

}  // namespace starling::identify
