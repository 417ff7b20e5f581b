#pragma once
#include "agent/limits.hpp"
#include "base/bounded.hpp"
#include "format/eth_address.hpp"
#include "format/peer_id.hpp"

namespace starling::agent {

/// What a wallet's message draws on.
enum class RateClass : std::uint8_t { envelope, broadcast, announcement, status };
enum class RateAnswer : std::uint8_t { within, wallet_over, strangers_over };

/// Buckets per wallet (§8). A wallet never met draws on its own buckets and on the one that all strangers
/// share, because wallets are free: their number must not multiply the rate. All or nothing is taken. Bounded
/// LRU: a wallet that falls out starts full again, which the strangers' bucket bounds. Not thread-safe.
class WalletRates {
 public:
  WalletRates(const RateLimits& limits, std::size_t wallets_max);
  RateAnswer take(const EthAddress& wallet, RateClass what, bool met, Instant now);
  /// Empties one wallet's bucket, or the strangers'. For tests and the case runner.
  void drain(const EthAddress& wallet, RateClass what, Instant now);
  void drain_strangers(Instant now) { strangers_.drain(now); }

 private:
  struct Buckets {
    TokenBucket envelopes, broadcasts, announcements, statuses;
  };
  Buckets& buckets_of(const EthAddress& wallet);
  RateLimits limits_;
  LruMap<EthAddress, Buckets> wallets_;
  TokenBucket strangers_;
};

/// Buckets per forwarding peer: messages (row 1) and wallet signatures that must be recovered (row 7).
/// Bounded LRU.
class ForwarderRates {
 public:
  ForwarderRates(const RateLimits& limits, std::size_t forwarders_max);
  bool take_message(const PeerId& forwarder, Instant now);
  bool take_recover(const PeerId& forwarder, Instant now);
  void drain_messages(const PeerId& forwarder, Instant now);
  void drain_recovers(const PeerId& forwarder, Instant now);
  void forget(const PeerId& forwarder) { forwarders_.erase(forwarder); }

 private:
  struct Buckets {
    TokenBucket messages, recovers;
  };
  Buckets& buckets_of(const PeerId& forwarder);
  RateLimits limits_;
  LruMap<PeerId, Buckets> forwarders_;
};

}  // namespace starling::agent
