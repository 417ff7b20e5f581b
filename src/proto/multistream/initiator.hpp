#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "multistream/messages.hpp"

namespace starling::multistream {

/// Whether the caller may send before the answer: saves a round trip per stream.
enum class Lazy : std::uint8_t { no, yes };

/// The side that opened the stream: proposes protocols in order until the listener takes one.
///
/// Lifetime: one per negotiation, on the connection's shard; owns all it needs.
/// Call order: construct → send to_send()/sent() → receive() until outcome() → hand everything behind to the
/// next layer. The header and the first proposal are queued at once, so they leave in one packet, with the
/// caller's own data behind them when may_write() says so. Later proposals are queued as the listener says
/// `na`.
/// Limits: limits.hpp; `na` answers are bounded by our own list.
/// Spec: multiformats/multistream-select; libp2p/specs connections/README.md.
/// Resists: a slow or endless listener (one deadline for all), and smuggling: bytes behind the last answer
/// are never touched, because they belong to the protocol that was agreed (often the first bytes of a
/// security handshake).
class Initiator {
 public:
  /// `proposals` is not empty; each is at most kMessageBytesMax − 1 bytes without a newline.
  Initiator(std::vector<std::string> proposals, Lazy lazy, Instant now, const Limits& limits = {});

  /// What to put on the wire now. Valid until the next call of a non-const member.
  ByteView to_send() const noexcept { return ByteView(out_).subspan(sent_); }
  void sent(std::size_t count) noexcept;
  /// Returns how many bytes were consumed: all of them, or fewer when the outcome became known on the way.
  /// After the outcome it consumes nothing. Fails with the errors of errors.hpp but no_common_protocol, which
  /// is an outcome.
  Result<std::size_t> receive(ByteView bytes);
  /// Nothing while the negotiation goes on. A failure stays: what receive() or on_deadline() returned, or
  /// Errc::no_common_protocol.
  const std::optional<Outcome>& outcome() const noexcept { return outcome_; }
  /// True when application data may follow what to_send() holds: agreed, or lazy with exactly one proposal
  /// and not refused so far. Lazy data after a refusal is lost with the stream.
  bool may_write() const noexcept;
  /// The proposal that awaits its answer, or the agreed one.
  const std::string& proposed() const noexcept { return proposals_[index_]; }
  Instant deadline() const noexcept { return outcome_ ? Instant::never() : deadline_; }
  /// Errc::timed_out when the deadline has passed without an outcome; otherwise nothing happens.
  Result<void> on_deadline(Instant now);

 private:
  Result<void> on_message(std::string_view text);
  tl::unexpected<Error> end(Errc code);

  std::vector<std::string> proposals_;
  std::size_t index_ = 0;
  Lazy lazy_;
  bool header_seen_ = false;
  Instant deadline_;
  MessageReader reader_;
  Bytes out_;
  std::size_t sent_ = 0;
  std::optional<Outcome> outcome_;
};

}  // namespace starling::multistream
