#pragma once
#include "agent/delegation.hpp"
#include "agent/delegation_cache.hpp"
#include "agent/floors.hpp"
#include "agent/limits.hpp"
#include "agent/signatures.hpp"
#include "agent/verdict.hpp"

namespace starling::agent {

/// What a node knows about wallets: which delegations it has verified and below which epoch they are revoked.
/// One per node, shared by everything that judges (gossip, DHT, streams, receipts), so that a revocation
/// heard anywhere counts everywhere. Not thread-safe; lives in the brain. `signatures` outlives it.
class Trust {
 public:
  Trust(NetworkName network, const Signatures& signatures, const TableLimits& limits = {})
      : network_(std::move(network)),
        signatures_(signatures),
        cache_(limits.delegation_cache),
        floors_(limits.floor_strangers, limits.floor_met) {}

  const NetworkName& network() const noexcept { return network_; }
  const Signatures& signatures() const noexcept { return signatures_; }
  DelegationCache& cache() noexcept { return cache_; }
  Floors& floors() noexcept { return floors_; }
  const Floors& floors() const noexcept { return floors_; }

  bool is_verified(const CheckedDelegation& delegation) {
    return cache_.contains(cache_key(delegation.wire));
  }
  /// The wallet signature holds: remembers that, and raises the floor when the start is good.
  void verified(const CheckedDelegation& delegation, WallTime now);
  /// Rows 6 to 8 for a delegation alone: window, wallet signature (cache, or recover), floor.
  Verdict judge(const CheckedDelegation& delegation, WallTime now);

 private:
  NetworkName network_;
  const Signatures& signatures_;
  DelegationCache cache_;
  Floors floors_;
};

/// Row 6 for a delegation: Reason::ended or from_the_future, or nothing.
std::optional<Verdict> check_window(const Delegation& delegation, WallTime now) noexcept;
/// Rows 3 to 8 for SignedDelegation bytes alone, as `inspect` and the tools need it.
Verdict judge_delegation(ByteView signed_delegation, Trust& trust, WallTime now);

}  // namespace starling::agent
