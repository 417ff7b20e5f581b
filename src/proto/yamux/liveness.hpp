#pragma once
// Pings of ours: is the peer there, and how far away.
#include <cstdint>
#include <optional>

#include "base/time.hpp"

namespace starling::yamux {

/// At most one ping of ours is under way. It is sent at the start, after silence (keep-alive), and while data
/// arrives: when the last measurement has grown old, and before a receive window grows by it. Any received
/// byte proves the peer alive: a pong may well be stuck behind a lot of data.
///
/// Only an answer with the value of the ping under way counts, so a peer can lengthen a measurement but not
/// shorten it below the truth; all it gains is a larger window, which the connection's budget bounds.
class Liveness {
 public:
  struct Times {
    Duration interval;  ///< Duration::max(): no keep-alive
    Duration timeout;
  };

  explicit Liveness(Instant now) noexcept : remembered_(now), last_receive_(now) { want_ping(now); }

  void on_received(Instant now) noexcept { last_receive_ = std::max(last_receive_, now); }
  /// Data arrived: measures again when the last measurement is older than `probe`.
  void on_data(Instant now, Duration probe) noexcept {
    if (state_ == State::quiet && now - pinged_ >= probe) want_ping(now);
  }
  /// No-op while one is under way.
  void want_ping(Instant now) noexcept;
  bool ping_wanted() const noexcept { return state_ == State::wanted; }
  /// The ping leaves now; returns its value.
  std::uint32_t send_ping(Instant now) noexcept;
  /// The measured time when `value` answers the ping under way.
  std::optional<Duration> on_pong(std::uint32_t value, Instant now) noexcept;

  Instant deadline(const Times& times) const noexcept;
  /// False when the peer is to be given up. Wants a ping when the silence is long enough.
  [[nodiscard]] bool on_deadline(const Times& times, Instant now) noexcept;

  /// The smallest of the last one to two kRttMemory: queueing, our own too, makes a round trip longer, never
  /// shorter.
  std::optional<Duration> rtt() const noexcept;
  /// How many round trips were measured, modulo 2^32.
  std::uint32_t samples() const noexcept { return samples_; }

 private:
  enum class State : std::uint8_t { quiet, wanted, under_way };

  Duration smallest_ = Duration::max();         ///< since `remembered_`
  Duration smallest_before_ = Duration::max();  ///< in the kRttMemory before that
  Instant remembered_;
  std::uint32_t samples_ = 0;
  std::uint32_t next_value_ = 0;
  Instant last_receive_;
  Instant pinged_;  ///< when the last ping was wanted, then when it left
  State state_ = State::quiet;
};

}  // namespace starling::yamux
