#pragma once
#include <optional>
#include <string>

#include "base/time.hpp"
#include "multistream/messages.hpp"

namespace starling::multistream {

/// What a listener asks about a proposal. Implemented by whoever knows the protocols of a connection or
/// stream.
class Protocols {
 public:
  /// Called for whatever text a peer sent: at most kMessageBytesMax − 1 bytes, not necessarily printable.
  virtual bool supports(std::string_view protocol) const = 0;

 protected:
  ~Protocols() = default;
};

/// The side that accepted the stream: answers each proposal with an echo or `na`, until one fits.
///
/// Lifetime: one per negotiation, on the connection's shard; `protocols` outlives it.
/// Call order: construct → receive() → send to_send()/sent() → … until outcome(); what receive() did not
/// consume belongs to the agreed protocol. to_send() may still hold the last answer then: it goes out before
/// that protocol's own bytes.
/// Limits: limits.hpp. Nothing is sent to a peer that sends nothing.
/// Spec: multiformats/multistream-select; libp2p/specs connections/README.md. `ls` is gone from the field: it
/// is answered `na`, like every other unknown name.
/// Resists: slow peers (one deadline), endless `na` loops and `ls` floods (a count), oversized and
/// never-ending lengths (refused at the prefix). A lazy initiator that we refuse has already sent data that
/// we must not understand: whatever is not a message after a `na` therefore ends as no_common_protocol and
/// not as malformed.
class Listener {
 public:
  Listener(const Protocols& protocols, Instant now, const Limits& limits = {});

  /// What to put on the wire now. Valid until the next call of a non-const member. Bounded: the header plus
  /// one answer per proposal.
  ByteView to_send() const noexcept { return ByteView(out_).subspan(sent_); }
  void sent(std::size_t count) noexcept;
  /// Returns how many bytes were consumed: all of them, or fewer when the outcome became known on the way.
  /// After the outcome it consumes nothing.
  Result<std::size_t> receive(ByteView bytes);
  /// Nothing while the negotiation goes on. A failure stays.
  const std::optional<Outcome>& outcome() const noexcept { return outcome_; }
  Instant deadline() const noexcept { return outcome_ ? Instant::never() : deadline_; }
  /// Errc::timed_out when the deadline has passed without an outcome; otherwise nothing happens.
  Result<void> on_deadline(Instant now);

 private:
  Result<void> on_message(std::string_view text);
  tl::unexpected<Error> end(Error error);

  const Protocols* protocols_;
  std::size_t proposals_left_;
  bool header_seen_ = false;
  bool refused_ = false;
  Instant deadline_;
  MessageReader reader_;
  Bytes out_;
  std::size_t sent_ = 0;
  std::optional<Outcome> outcome_;
};

}  // namespace starling::multistream
