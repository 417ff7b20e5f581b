#include "proto/kad/network_size.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "proto/kad/simulated_network.hpp"

namespace starling::kad {
namespace {

using testing::peer;
using testing::seq_key;
using testing::SimulatedNetwork;
using Reach = NetworkSize::Reach;

Instant t(Duration since_start) { return Instant{} + since_start; }

/// The `count` nearest of a made network, found by looking at all of it.
class MadeNetwork {
 public:
  explicit MadeNetwork(std::uint64_t servers) {
    for (std::uint64_t n = 1; n <= servers; ++n) {
      peers_.push_back({peer(n), {}, {}});
      places_.push_back(KadId::of(peers_.back().id));
    }
  }
  std::vector<PeerInfo> nearest(const KadId& target, std::size_t count) const {
    std::vector<std::size_t> order(peers_.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    count = std::min(count, order.size());
    std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(),
                      [&](std::size_t a, std::size_t b) { return nearer(target, places_[a], places_[b]); });
    std::vector<PeerInfo> out;
    for (std::size_t i = 0; i < count; ++i) out.push_back(peers_[order[i]]);
    return out;
  }

 private:
  std::vector<PeerInfo> peers_;
  std::vector<KadId> places_;
};

KadId key(std::uint64_t n) { return KadId::of(ByteView(seq_key(n))); }

TEST(KadNetworkSize, IsWithinThreeOfItsOwnDeviationsOfTheTruth) {
  for (const std::uint64_t servers : {50u, 500u, 5000u}) {
    const MadeNetwork net(servers);
    NetworkSize size;
    for (std::uint64_t i = 0; i < 20; ++i) size.track(key(i), net.nearest(key(i), 20), Reach::nearest, t(1s));
    const auto estimate = size.estimate(t(2s));
    ASSERT_TRUE(estimate);
    EXPECT_GE(estimate->samples, 18u);
    EXPECT_NEAR(estimate->relative_error, 1 / std::sqrt(400.0), 0.005);
    const double truth = static_cast<double>(servers);
    EXPECT_NEAR(estimate->servers, truth, 3 * estimate->relative_error * truth) << servers;
  }
}

TEST(KadNetworkSize, SaysNothingBeforeEnoughLookupsAgree) {
  const MadeNetwork net(300);
  NetworkSize size;
  for (std::uint64_t i = 0; i < kSizeSamplesMin; ++i) {
    EXPECT_FALSE(size.estimate(t(1s)));
    size.track(key(i), net.nearest(key(i), 20), Reach::nearest, t(1s));
  }
  EXPECT_TRUE(size.estimate(t(1s)));
}

// E.3 #30: sybils around keys that we look up must not be taken for a large network.
TEST(KadNetworkSize, IsNotMovedByAFewCrowdedKeys) {
  const MadeNetwork net(300);
  NetworkSize size;
  for (std::uint64_t i = 0; i < 10; ++i) size.track(key(i), net.nearest(key(i), 20), Reach::nearest, t(1s));
  const double before = size.estimate(t(1s))->servers;
  for (std::uint64_t i = 100; i < 104; ++i) {
    std::vector<PeerInfo> crowd;
    for (std::uint64_t salt = 0; salt < 20; ++salt)
      crowd.push_back({testing::peer_sharing(key(i), 12, salt), {}, {}});
    size.track(key(i), crowd, Reach::nearest, t(1s));
  }
  const auto after = size.estimate(t(1s));
  ASSERT_TRUE(after);
  EXPECT_EQ(after->samples, 10u);
  EXPECT_NEAR(after->servers, before, 1e-9);
}

TEST(KadNetworkSize, ForgetsOldLookupsAndCountsEachKeyOnce) {
  const MadeNetwork net(300);
  NetworkSize size;
  for (std::uint64_t i = 0; i < 3 * kSizeSamplesMax; ++i)
    size.track(key(i % (2 * kSizeSamplesMax)), net.nearest(key(i), 3), Reach::nearest, t(1s));
  EXPECT_EQ(size.sample_count(), kSizeSamplesMax);
  for (std::uint64_t i = 0; i < 5; ++i) size.track(key(7), net.nearest(key(7), 20), Reach::nearest, t(2s));
  EXPECT_EQ(size.sample_count(), kSizeSamplesMax);
  EXPECT_TRUE(size.estimate(t(1s) + kSizeSampleAge - 1s));
  EXPECT_FALSE(size.estimate(t(2s) + kSizeSampleAge));
}

TEST(KadNetworkSize, ANetworkThatAnsweredAsAWholeIsCounted) {
  const MadeNetwork net(12);
  NetworkSize size;
  for (std::uint64_t i = 0; i < 6; ++i) size.track(key(i), net.nearest(key(i), 20), Reach::all, t(1s));
  EXPECT_NEAR(size.estimate(t(1s))->servers, 12, 0.5);
}

TEST(KadNetworkSize, ProbabilitiesAreThoseOfTables) {
  EXPECT_NEAR(poisson_tail(1, 1), 1 - std::exp(-1.0), 1e-12);
  EXPECT_NEAR(poisson_tail(20, 20), 0.5297, 1e-3);  // P(X >= 20), mean 20
  EXPECT_NEAR(poisson_tail(3, 0.1), 1.547e-4, 1e-6);
  EXPECT_EQ(poisson_tail(0, 5), 0.0 + poisson_tail(0, 1));
  // Half the 10 % and 90 % points of chi-square with 40 degrees of freedom: 29.05 and 51.81.
  EXPECT_NEAR(poisson_mean_below(20, 0.9), 14.525, 0.01);
  EXPECT_NEAR(poisson_mean_below(20, 0.1), 25.903, 0.01);
}

TEST(KadNetworkSizeInANetwork, EveryNodeLearnsItFromItsLookups) {
  SimulatedNetwork net(testkit::seed(132));
  net.grow(120);
  double worst = 0;
  for (std::size_t i = 0; i < 120; i += 20) {
    auto& member = net.at_index(i);
    for (std::uint64_t n = 0; n < 8; ++n)
      (void)net.run_query(member,
                          [&](Kad& kad, Now now) { return kad.closest_peers(seq_key(100 * i + n), now); });
    const auto size = member.kad->network_size(testing::at(net.now()));
    ASSERT_TRUE(size);
    worst = std::max(worst, std::abs(size->servers - 120) / 120);
    EXPECT_LT(size->relative_error, 0.1);
  }
  std::printf("worst of 6 estimates: off by %.0f %%\n", 100 * worst);
  EXPECT_LT(worst, 0.35);
}

}  // namespace
}  // namespace starling::kad
