#pragma once
// Frames of the direct protocols (PROTOCOL.md §3, §6): minimal-varint length ‖ body.
#include <optional>

#include "agent/limits.hpp"
#include "base/result.hpp"
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

/// The answering side of one /starling/presence/1.0.0 stream: a byte machine. Any number of requests,
/// answered in order; a frame that is not 20 bytes breaks it. Requests are taken from the buffer one by one
/// and only while few answers wait, so a peer that sends without reading stops itself. Order: while
/// wants_bytes(): receive(bytes) → poll() gives a wallet to look up (the own record, or a server's store;
/// nobody starts a lookup for it) → answer(value) → poll() again; to_send()/sent() between. 10 s without
/// progress: expired().
class PresenceAnswerer {
 public:
  explicit PresenceAnswerer(Instant now) : deadline_(now + kPresenceExchangeTimeout) {}
  /// Adds bytes as they arrive.
  void receive(ByteView bytes) { frames_.receive(bytes); }
  /// False while answers or requests pile up: stop reading the stream.
  bool wants_bytes() const noexcept;
  /// The next wallet asked for; nothing while more bytes, or the sending of earlier answers, is waited for.
  /// An error breaks the stream: reset it.
  Result<std::optional<EthAddress>> poll(Instant now);
  /// Answers the wallet that poll() gave last; empty = nothing is known.
  void answer(ByteView value_or_empty);
  ByteView to_send() const noexcept { return out_; }
  void sent(std::size_t count, Instant now);
  Instant deadline() const noexcept { return expired_ ? Instant::never() : deadline_; }
  void on_deadline(Instant now) noexcept { expired_ = expired_ || now >= deadline_; }
  /// True when the stream must be reset for slowness.
  bool expired() const noexcept { return expired_; }

 private:
  format::FrameReader frames_{kPresenceRequestFrameMax};
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
  /// An error (a frame over the limit) breaks the stream: reset it. Bytes after the answer are ignored.
  Result<void> receive(ByteView bytes);
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
