#pragma once
// Who is to be asked whether it is alive.
#include <optional>
#include <set>
#include <vector>

#include "proto/kad/limits.hpp"
#include "proto/kad/message.hpp"

namespace starling::kad {

/// A short queue of peers to probe: newcomers before they enter the table, silent entries before they lose
/// their place. Servers saved before a restart go past the queue, into places of their own: neither holds the
/// other up. Limits: kProbesWaitingMax waiting (newest refused), kProbesRunningMax under way, and
/// kSavedProbesMax of saved servers besides; nobody twice at once.
class Prober {
 public:
  enum class Origin : std::uint8_t { live, saved };
  struct Probe {
    PeerInfo peer;
    std::optional<Multiaddr> remote;
    Origin origin = Origin::live;
  };
  /// False when it is already queued or under way, or the queue is full.
  bool want(Probe probe);
  /// Now under way; false when it is queued or under way already. Only while saved_running() <
  /// kSavedProbesMax.
  bool start_saved(const PeerInfo& peer);
  std::size_t saved_running() const noexcept { return saved_running_; }
  /// The next to ask, now under way.
  std::optional<Probe> next();
  /// The end of a probe, with what was known of the peer; nothing when it was not under way.
  std::optional<Probe> end(const PeerId& peer);
  void forget(const PeerId& peer);
  bool busy() const noexcept { return !waiting_.empty() || !running_.empty(); }
  std::size_t waiting() const noexcept { return waiting_.size(); }
  std::size_t running() const noexcept { return running_.size(); }

 private:
  std::size_t saved_running_ = 0;
  std::vector<Probe> waiting_;
  std::vector<Probe> running_;
};

}  // namespace starling::kad
