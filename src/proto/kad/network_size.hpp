#pragma once
// How many servers there are, as far as lookups can tell.
#include <optional>
#include <span>
#include <vector>

#include "base/time.hpp"
#include "proto/kad/key.hpp"
#include "proto/kad/limits.hpp"
#include "proto/kad/message.hpp"

namespace starling::kad {

struct SizeEstimate {
  double servers = 0;
  double relative_error = 1;  ///< one standard deviation, as a fraction of `servers`
  std::size_t samples = 0;    ///< lookups that it rests on
};

/// Estimates the number of servers from the distances at which lookups found the nearest ones. Places are
/// hashes, so the j-th nearest of n servers stands at j/n of the key space on average: from lookups of
/// unrelated keys that found the j-th nearest at distance d, n = (sum of j − 1) / (sum of d), which is the
/// maximum-likelihood estimate; its relative error is 1/√(sum of j).
///
/// Sybils crowd around a few keys and would be taken for a large network. So a lookup counts only when it
/// agrees with the median of all, weighted by j: off by less than 1 + 4/√j either way, four deviations. To
/// move the estimate somebody must own the neighbourhood of most keys that we happen to look up.
/// Limits: kSizeSamplesMax lookups, the last of each key, none older than kSizeSampleAge. No estimate before
/// kSizeSamplesMin of them agree.
class NetworkSize {
 public:
  /// `nearest`: the nearest that answered a lookup of `target` that has converged on so many, nearest first.
  /// `all`: there were no others, the whole network has answered.
  enum class Reach : std::uint8_t { nearest, all };
  void track(const KadId& target, std::span<const PeerInfo> nearest, Reach reach, Instant now);
  std::optional<SizeEstimate> estimate(Instant now) const;
  std::size_t sample_count() const noexcept { return samples_.size(); }

 private:
  struct Sample {
    KadId target;
    std::size_t count;
    double share;  ///< of the key space
    Instant at;
    double servers() const noexcept;
  };
  std::vector<Sample> samples_;  ///< oldest first
};

/// The largest mean at which a Poisson variable stays below `count` with at least this probability: within
/// that many servers' room around a key, somebody is one of its `count` nearest as probably.
double poisson_mean_below(std::size_t count, double probability);
/// The probability of `count` or more where `mean` are expected.
double poisson_tail(std::size_t count, double mean);

}  // namespace starling::kad
