#pragma once
// How fast each peer may ask.
#include <boost/unordered/unordered_flat_map.hpp>

#include "base/time.hpp"
#include "format/peer_id.hpp"
#include "proto/kad/config.hpp"

namespace starling::kad {

/// Two token buckets a peer in 16 bytes: requests of any kind, and those that store. A bucket that has
/// refilled says nothing and is dropped, so memory follows those who asked within the last minute.
/// Limit: kRatedPeersMax peers; past it, newcomers share one bucket until others have refilled.
class PeerRates {
 public:
  explicit PeerRates(const ServerRates& rates) : rates_(rates) {}
  /// False: over its rate.
  bool take_request(const PeerId& peer, Instant now);
  bool take_put(const PeerId& peer, Instant now);
  /// Drops buckets that are full again.
  void sweep(Instant now);
  std::size_t size() const noexcept { return peers_.size(); }

 private:
  struct Tokens {
    float requests;
    float puts;
    Instant last;
  };
  Tokens& tokens(const PeerId& peer, Instant now);
  Tokens fresh(Instant now) const noexcept;
  void refill(Tokens& tokens, Instant now) const noexcept;
  bool full(const Tokens& tokens, Instant now) const noexcept;

  ServerRates rates_;
  Instant swept_;
  // By hash: two peers that collide share a bucket. Never iterated for an order.
  boost::unordered_flat_map<std::uint64_t, Tokens> peers_;
};

}  // namespace starling::kad
