#pragma once
#include <optional>

#include "agent/limits.hpp"
#include "base/machine.hpp"
#include "base/time.hpp"

namespace starling::agent {

/// When one envelope is published on gossip (§4 Retry): at once, after 1 min, then doubling to 1 h, until
/// expires_at. A pure machine: `poll()` gives what to do now, `deadline()` when to call `on_deadline()`
/// again. Each publication carries the same id and a new published_at.
class Outgoing {
 public:
  enum class Action : std::uint8_t {
    publish,  ///< publish a copy with published_at = the wall clock
    end,      ///< expires_at is reached: no more publications
  };
  Outgoing(WallTime expires_at, Now now);
  std::optional<Action> poll();
  Instant deadline() const noexcept;
  void on_deadline(Instant now);
  /// The message is settled (a receipt, or given up): nothing more comes.
  void stop() noexcept;
  std::uint32_t publications() const noexcept { return publications_; }

 private:
  Instant next_;
  Instant end_;
  Duration pause_ = kRetryFirst;
  std::optional<Action> action_;
  std::uint32_t publications_ = 0;
  bool ended_ = false;
};
static_assert(Machine<Outgoing>);

}  // namespace starling::agent
