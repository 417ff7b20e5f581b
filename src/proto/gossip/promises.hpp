#pragma once
// Who promised a message by IHAVE and has to deliver it. Spec: gossipsub-v1.1.md "Spam Protection Measures".
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "base/fifo.hpp"
#include "base/time.hpp"
#include "proto/gossip/peer_ref.hpp"

namespace starling::gossip {

/// Of every IWANT one id at random is tracked: a peer that announces what it does not have is caught sooner
/// or later, at the cost of one entry per request. Ids are named by their fingerprint. Bounded by
/// kPromisesMax. The promise is kept as soon as the message arrives from anybody, for a second copy would be
/// dropped by whoever has it in its seen cache.
class Promises {
 public:
  /// No-op when this peer already promised this message, or when full. `now` never goes back, `followup`
  /// never changes.
  void add(std::uint64_t fingerprint, PeerRef peer, Instant now, Duration followup);
  void fulfilled(std::uint64_t fingerprint);
  /// Those whose time has passed, one entry per promise, in the order in which they were made.
  std::vector<PeerRef> take_broken(Instant now);
  std::size_t size() const noexcept { return count_; }
  std::size_t memory_bytes() const noexcept;

 private:
  struct Made {
    PeerRef peer;
    Instant expires;
  };
  struct Due {
    Instant expires;
    std::uint64_t fingerprint;
    PeerRef peer;
  };
  std::unordered_map<std::uint64_t, std::vector<Made>> open_;
  Fifo<Due> due_;  // entries of fulfilled promises stay until their time and find nothing
  std::size_t count_ = 0;
};

}  // namespace starling::gossip
