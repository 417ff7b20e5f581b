#pragma once
#include <optional>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/rng.hpp"
#include "base/time.hpp"
#include "ping/errors.hpp"
#include "ping/limits.hpp"

namespace starling::ping {

/// Pings on one outbound stream, one ping at a time, as often as the caller starts one.
///
/// Lifetime: one per stream, on its connection's shard. Call order: start() → send to_send()/sent() →
/// receive() until it returns the round trip → start() again, or close. After an error the stream is reset.
/// Limits: limits.hpp; fixed memory, no allocation.
/// Spec: libp2p/specs ping/ping.md.
/// Resists: answers made up without waiting for the ping (32 random bytes must come back) and surplus
/// answers.
class Pinger {
 public:
  /// Queues a ping of 32 random bytes. Not while one is waiting.
  void start(Rng& rng, Instant now);
  bool waiting() const noexcept { return waiting_; }
  ByteView to_send() const noexcept { return ByteView(ping_).subspan(sent_); }
  void sent(std::size_t count) noexcept;
  /// The round trip, from start(), when `bytes` complete the answer; nothing when more must come. All bytes
  /// are consumed. Errc::wrong_answer at the first wrong byte, Errc::unasked_answer.
  Result<std::optional<Duration>> receive(ByteView bytes, Instant now);
  Instant deadline() const noexcept { return waiting_ ? started_ + kAnswerTimeMax : Instant::never(); }
  /// Errc::timed_out when the deadline has passed; otherwise nothing happens.
  Result<void> on_deadline(Instant now);

 private:
  FixedBytes<kPingBytes> ping_{};
  std::size_t sent_ = kPingBytes;
  std::size_t answered_ = 0;
  Instant started_;
  bool waiting_ = false;
};

}  // namespace starling::ping
