#pragma once
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "ping/errors.hpp"
#include "ping/limits.hpp"

namespace starling::ping {

inline constexpr std::string_view kProtocolId = "/ipfs/ping/1.0.0";

/// Echoes pings of 32 bytes on one inbound stream.
///
/// Lifetime: one per stream, on its connection's shard. Call order: receive() → send to_send()/sent() →
/// receive() what was not consumed. A stream that ends inside a ping gets no answer to it.
/// Limits: limits.hpp; fixed memory, no allocation. The caller holds at most kInboundStreamsMax per
/// connection.
/// Spec: libp2p/specs ping/ping.md.
/// Resists: a peer that pings and never reads: receive() consumes nothing more, and the stream's window
/// closes.
class Responder {
 public:
  explicit Responder(Instant now) noexcept : deadline_(now + kIdleTimeMax) {}
  /// Returns how many bytes were consumed; the rest is to be offered again after sent().
  std::size_t receive(ByteView bytes, Instant now) noexcept;
  ByteView to_send() const noexcept { return ByteView(answers_).first(answer_bytes_); }
  void sent(std::size_t count) noexcept;
  /// When an idle stream is to be closed.
  Instant deadline() const noexcept { return deadline_; }
  /// Errc::timed_out when the deadline has passed; the caller resets the stream.
  Result<void> on_deadline(Instant now) noexcept;

 private:
  FixedBytes<kPingBytes> partial_{};
  std::size_t partial_bytes_ = 0;
  FixedBytes<kAnswerBytesMax> answers_{};
  std::size_t answer_bytes_ = 0;
  Instant deadline_;
};

}  // namespace starling::ping
