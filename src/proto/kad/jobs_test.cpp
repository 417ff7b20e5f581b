#include "proto/kad/jobs.hpp"

#include <gtest/gtest.h>

#include <set>

#include "proto/kad/kad_testing.hpp"
#include "proto/kad/prober.hpp"

namespace starling::kad {
namespace {

using testing::info;
using testing::peer;
using testing::peer_sharing;
using testing::public_addr;

Instant t(Duration since_start) { return Instant{} + since_start; }

TEST(KadJobs, RefreshesEveryTenMinutesOrSo) {
  SeededRng rng(testkit::seed(1));
  const Config config;
  Jobs jobs(config, rng, t(0s));
  EXPECT_FALSE(jobs.refresh_due(t(1h)));  // nobody to refresh yet
  jobs.refresh_soon(t(1h));
  EXPECT_EQ(jobs.deadline(), t(10min));  // the sweep
  EXPECT_TRUE(jobs.refresh_due(t(1h)));
  EXPECT_FALSE(jobs.refresh_due(t(1h + 9min - 1s)));
  EXPECT_TRUE(jobs.refresh_due(t(1h + 11min)));
  // A table that flaps does not ask for one refresh after the other.
  jobs.refresh_soon(t(1h + 11min + 1s));
  EXPECT_FALSE(jobs.refresh_due(t(1h + 11min + 29s)));
  EXPECT_TRUE(jobs.refresh_due(t(1h + 11min + 30s)));
}

TEST(KadJobs, AThinTableIsRefreshedSoonAndThenLessAndLessOften) {
  SeededRng rng(testkit::seed(1));
  const Config config;
  Jobs jobs(config, rng, t(0s));
  Instant now = t(1h);
  for (Duration pause = kThinRefreshFirst; pause < config.refresh_interval; pause *= 2) {
    jobs.note_refresh(now);
    jobs.note_refreshed(config.k - 1, now);
    EXPECT_FALSE(jobs.refresh_due(now + pause * 9 / 10 - 1s));
    now = now + pause * 11 / 10;
    EXPECT_TRUE(jobs.refresh_due(now)) << pause / 1s;
  }
  jobs.note_refresh(now);
  jobs.note_refreshed(config.k, now);
  EXPECT_FALSE(jobs.refresh_due(now + config.refresh_interval * 9 / 10 - 1s));
  // Full once: should it thin out again, the first pause is short again.
  jobs.note_refreshed(config.k - 1, now);
  EXPECT_TRUE(jobs.refresh_due(now + kThinRefreshFirst * 11 / 10));
}

TEST(KadJobs, SweepsInTurn) {
  SeededRng rng(1);
  const Config config;
  Jobs jobs(config, rng, t(0s));
  EXPECT_FALSE(jobs.sweep_due(t(9min)));
  EXPECT_TRUE(jobs.sweep_due(t(10min)));
  EXPECT_FALSE(jobs.sweep_due(t(19min)));
}

TEST(KadJobs, PublishesAgainAfterTwentyTwoHours) {
  SeededRng rng(1);
  const Config config;
  Jobs jobs(config, rng, t(0s));
  ASSERT_TRUE(jobs.keep_providing(to_bytes("a"), t(0s)));
  ASSERT_TRUE(jobs.keep_providing(to_bytes("b"), t(1h)));
  EXPECT_FALSE(jobs.republish_due(t(22h - 1s)));
  EXPECT_EQ(jobs.republish_due(t(22h)), to_bytes("a"));
  EXPECT_FALSE(jobs.republish_due(t(22h)));
  jobs.hold_republish(t(24h));
  EXPECT_FALSE(jobs.republish_due(t(23h)));
  EXPECT_EQ(jobs.republish_due(t(24h)), to_bytes("b"));
  jobs.stop_providing(to_bytes("a"));
  EXPECT_FALSE(jobs.republish_due(t(45h)));
  EXPECT_EQ(jobs.republish_due(t(46h)), to_bytes("b"));
}

TEST(KadJobs, ProvidesABoundedNumberOfKeys) {
  SeededRng rng(1);
  const Config config;
  Jobs jobs(config, rng, t(0s));
  for (std::uint64_t i = 0; i < kOwnProvidedKeysMax; ++i)
    ASSERT_TRUE(jobs.keep_providing(testing::seq_key(i), t(0s)));
  EXPECT_FALSE(jobs.keep_providing(to_bytes("one more"), t(0s)));
  EXPECT_TRUE(jobs.keep_providing(testing::seq_key(3), t(0s)));
  EXPECT_EQ(jobs.provided_count(), kOwnProvidedKeysMax);
}

void fill(RoutingTable& table, const KadId& self, std::size_t bits, std::uint64_t count) {
  for (std::uint64_t i = 1; i <= count; ++i)
    ASSERT_EQ(table.add({peer_sharing(self, bits, i), {public_addr(bits * 100 + i)}, {}}, {}, Instant{}, 1h)
                  .outcome,
              RoutingTable::Outcome::added);
}

// Wire notes §3.11 trap 9: a refresh must target its bucket (nim cd4f8c2).
TEST(KadJobs, FindsAKeyForEveryBucketThatNeedsALookup) {
  SeededRng rng(testkit::seed(3));
  const Config config;
  const KadId self = KadId::of(peer(0));
  RoutingTable table(self, 20, Diversity{});
  fill(table, self, 1, 20);  // full
  fill(table, self, 3, 5);
  fill(table, self, 5, 20);  // full
  fill(table, self, 6,
       3);  // fewer than k from here inwards: the lookup of our own id has found all there are
  Jobs jobs(config, rng, t(0s));
  table.note_lookup(KadId::of(peer_sharing(self, 2, 5)), t(55min));
  const auto keys = jobs.refresh_keys(table, self, t(1h));
  std::set<std::size_t> buckets;
  for (const Bytes& key : keys) buckets.insert(common_prefix_bits(self, KadId::of(ByteView(key))));
  EXPECT_EQ(buckets, (std::set<std::size_t>{0, 3, 4}));
  EXPECT_EQ(keys.size(), 3u);
}

TEST(KadJobs, SpendsABoundedEffortOnDeepBuckets) {
  SeededRng rng(testkit::seed(4));
  constexpr std::size_t kSmall = 2;
  Config small;
  small.k = kSmall;
  const KadId self = KadId::of(peer(0));
  RoutingTable table(self, kSmall, Diversity{});
  fill(table, self, 17, 2);
  Jobs jobs(small, rng, t(0s));
  const auto keys = jobs.refresh_keys(table, self, t(1h));
  EXPECT_GE(keys.size(), 8u);
  EXPECT_LE(keys.size(), kRefreshBucketsMax);
}

TEST(KadProber, AsksEachOnceAndAFewAtATime) {
  Prober prober;
  EXPECT_TRUE(prober.want({info(1), {}}));
  EXPECT_FALSE(prober.want({info(1), {}}));
  EXPECT_EQ(prober.next()->peer, info(1));
  EXPECT_FALSE(prober.want({info(1), {}}));
  EXPECT_EQ(prober.end(peer(1))->peer, info(1));
  EXPECT_FALSE(prober.end(peer(1)));
  EXPECT_TRUE(prober.want({info(1), {}}));
  prober.forget(peer(1));
  EXPECT_FALSE(prober.next());
  for (std::uint64_t i = 0; i < kProbesRunningMax + 1; ++i) EXPECT_TRUE(prober.want({info(i), {}}));
  for (std::uint64_t i = 0; i < kProbesRunningMax; ++i) EXPECT_TRUE(prober.next());
  EXPECT_FALSE(prober.next());
  EXPECT_TRUE(prober.end(peer(0)));
  EXPECT_TRUE(prober.next());
}

TEST(KadProber, RefusesNewcomersWhenFull) {
  Prober prober;
  for (std::uint64_t i = 0; i < kProbesWaitingMax; ++i) EXPECT_TRUE(prober.want({info(i), {}}));
  EXPECT_FALSE(prober.want({info(9999), {}}));
  EXPECT_EQ(prober.waiting(), kProbesWaitingMax);
}

}  // namespace
}  // namespace starling::kad
