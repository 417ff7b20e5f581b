#pragma once
#include <optional>

#include "agent/limits.hpp"
#include "agent/presence.hpp"
#include "base/bounded.hpp"
#include "base/slice.hpp"

namespace starling::agent {

/// The best presence heard of each wallet by announcement: bounded LRU that never answers a lookup by default
/// (§5). Holds its own copies, for a slice of a received frame would keep the whole frame. Not thread-safe.
class KnownPresences {
 public:
  struct Known {
    PresenceRank rank;
    Slice value;  ///< the SignedPresence; empty when only the rank is known
    PeerId peer;
    WallTime expires_at;
    Role role = Role::agent;
    bool withdrawn = false;
    std::string name;
  };
  explicit KnownPresences(std::size_t capacity = kKnownPresencesMax) : known_(capacity) {}
  /// Marks as used.
  const Known* find(const EthAddress& wallet) { return known_.find(wallet); }
  /// True when `rank` loses to the known record of its wallet; an equal one does not.
  bool loses(const EthAddress& wallet, const PresenceRank& rank) const {
    const Known* known = known_.peek(wallet);
    return known != nullptr && rank < known->rank;
  }
  /// Keeps the better of the two. `value` is what was checked. True when it is new or better.
  bool learn(const CheckedPresence& presence, ByteView value);
  void learn_rank(const EthAddress& wallet, const PresenceRank& rank);
  std::size_t size() const noexcept { return known_.size(); }
  auto begin() const { return known_.begin(); }
  auto end() const { return known_.end(); }

 private:
  LruMap<EthAddress, Known> known_;
};

}  // namespace starling::agent
