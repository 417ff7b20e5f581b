#pragma once
// Frames of the direct protocols (PROTOCOL.md §3, §6): minimal-varint length ‖ body.
#include <deque>
#include <optional>

#include "agent/limits.hpp"
#include "base/time.hpp"
#include "format/eth_address.hpp"
#include "format/varint.hpp"

namespace starling::agent {

inline constexpr std::size_t kPresenceRequestFrameMax = 20;
inline constexpr std::size_t kPresenceAnswerFrameMax = kPresenceBytesMax;
inline constexpr std::size_t kMessageFrameUpMax = kSignedEnvelopeBytesMax;
inline constexpr std::size_t kMessageFrameDownMax = kReceiptBytesMax;

/// Up on /starling/presence/1.0.0.
Bytes presence_request(const EthAddress& wallet);
/// Down: the SignedPresence, or an empty frame for nothing.
Bytes presence_answer(ByteView value_or_empty);

/// The answering side of one /starling/presence/1.0.0 stream: a byte machine. Any number of requests, answered in
/// order; a frame that is not 20 bytes breaks it. It reads no more than kPresenceRequestsPending requests ahead, so a
/// peer that sends without reading stops itself.
/// Order: receive(bytes) → poll() gives a wallet to look up (own record, or a server's store; nobody starts a lookup
/// for it) → answer(value) → to_send()/sent(). on_deadline: 10 s without a whole request or unread answers ends it.
class PresenceAnswerer {
 public:
  explicit PresenceAnswerer(Instant now) : deadline_(now + kPresenceExchangeTimeout) {}
  /// Errors break the stream: reset it. How many bytes may come is wants_bytes()'s to say.
  Result<void> receive(ByteView bytes, Instant now);
  /// False while answers pile up: stop reading the stream.
  bool wants_bytes() const noexcept { return out_.size() < kPresenceRequestsPending * kPresenceBytesMax; }
  /// The next wallet asked for. Answer it before the next poll().
  std::optional<EthAddress> poll();
  void answer(ByteView value_or_empty);
  ByteView to_send() const noexcept { return out_; }
  void sent(std::size_t count, Instant now);
  Instant deadline() const noexcept { return deadline_; }
  void on_deadline(Instant now) noexcept { expired_ = expired_ || now >= deadline_; }
  /// True when the stream must be reset for slowness.
  bool expired() const noexcept { return expired_; }

 private:
  format::FrameReader frames_{kPresenceRequestFrameMax};
  std::deque<EthAddress> asked_;
  Bytes out_;
  Instant deadline_;
  bool expired_ = false;
};

/// The asking side: one request, one answer within 10 s.
class PresenceAsker {
 public:
  PresenceAsker(const EthAddress& wallet, Instant now)
      : out_(presence_request(wallet)), deadline_(now + kPresenceExchangeTimeout) {}
  ByteView to_send() const noexcept { return out_; }
  void sent(std::size_t count);
  Result<void> receive(ByteView bytes, Instant now);
  /// The peer ended its side; without an answer the exchange has failed.
  void on_end() noexcept { done_ = true; }
  /// Empty Bytes: the peer has nothing. Given once.
  std::optional<Bytes> poll();
  bool done() const noexcept { return done_; }
  Instant deadline() const noexcept { return done_ ? Instant::never() : deadline_; }
  void on_deadline(Instant now) noexcept { done_ = done_ || now >= deadline_; }

 private:
  format::FrameReader frames_{kPresenceAnswerFrameMax};
  std::optional<Bytes> answer_;
  Bytes out_;
  Instant deadline_;
  bool done_ = false;
};

}  // namespace starling::agent
