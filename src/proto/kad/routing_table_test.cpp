#include "proto/kad/routing_table.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "proto/kad/kad_testing.hpp"

namespace starling::kad {
namespace {

using testing::info;
using testing::ip4;
using testing::peer;
using testing::peer_sharing;
using testing::public_addr;

constexpr Duration kLiveness = 20min;
const KadId kSelf = KadId::of(peer(0));
using Outcome = RoutingTable::Outcome;

Instant t(Duration since_start) { return Instant{} + since_start; }

PeerInfo sharing(std::size_t bits, std::uint64_t salt) {
  return {peer_sharing(kSelf, bits, salt), {public_addr(salt)}, ConnectionType::not_connected};
}

RoutingTable full_bucket(std::size_t bits, std::size_t k = 20) {
  RoutingTable table(kSelf, k, Diversity{});
  for (std::uint64_t i = 1; i <= k; ++i)
    EXPECT_EQ(table.add(sharing(bits, i), {}, t(Duration(static_cast<std::int64_t>(i))), kLiveness).outcome,
              Outcome::added);
  return table;
}

TEST(KadRoutingTable, TakesWhoHasAnAddressAndIsNotUs) {
  RoutingTable table(kSelf, 20, Diversity{});
  EXPECT_EQ(table.add(info(0), {}, t(0s), kLiveness).outcome, Outcome::self);
  EXPECT_EQ(table.add({peer(1), {}, {}}, {}, t(0s), kLiveness).outcome, Outcome::no_address);
  EXPECT_EQ(table.add(info(1), {}, t(0s), kLiveness).outcome, Outcome::added);
  EXPECT_EQ(table.add(info(1), {}, t(0s), kLiveness).outcome, Outcome::updated);
  EXPECT_EQ(table.size(), 1u);
  EXPECT_EQ(table.info(peer(1)), info(1));
  EXPECT_FALSE(table.info(peer(2)));
  table.check_invariants();
}

TEST(KadRoutingTable, FindsTheNearestAsANaiveSearchDoes) {
  SeededRng rng(testkit::seed(11));
  for (int round = 0; round < 20; ++round) {
    RoutingTable table(kSelf, 20, Diversity{});
    std::vector<PeerInfo> members;
    const std::size_t count = rng.below(400);
    for (std::uint64_t i = 1; i <= count; ++i)
      if (table.add(info(i), {}, t(1s), kLiveness).outcome == Outcome::added) members.push_back(info(i));
    table.check_invariants();
    EXPECT_EQ(table.size(), members.size());
    for (int ask = 0; ask < 20; ++ask) {
      KadId target{rng.bytes<32>()};
      if (ask == 0) target = kSelf;
      if (ask == 1 && !members.empty()) target = KadId::of(members[0].id);
      if (ask > 10) std::copy_n(kSelf.bytes.begin(), rng.below(2) + 1, target.bytes.begin());
      const PeerId excluded = members.empty() ? peer(9) : members[rng.below(members.size())].id;
      auto expected = members;
      std::erase_if(expected, [&](const PeerInfo& member) { return member.id == excluded; });
      std::sort(expected.begin(), expected.end(), [&](const PeerInfo& a, const PeerInfo& b) {
        return nearer(target, KadId::of(a.id), KadId::of(b.id));
      });
      expected.resize(std::min<std::size_t>(expected.size(), 20));
      EXPECT_EQ(table.nearest(target, 20, &excluded), expected);
    }
  }
}

// E.2 #9: "bucket never evicts live old peers"; E.3 #31 (CVE-2020-10937): eclipse by precomputed ids.
TEST(KadRoutingTable, NeverDisplacesAnEntryThatAnswers) {
  RoutingTable table = full_bucket(0);
  const auto before = table.nearest(kSelf, 100);
  for (std::uint64_t i = 100; i < 400; ++i) {
    // Everybody in the bucket has been heard within the time: no newcomer even causes a check.
    const auto result = table.add(sharing(0, i), {}, t(10min), kLiveness);
    EXPECT_EQ(result.outcome, Outcome::bucket_full);
    EXPECT_FALSE(result.check);
  }
  EXPECT_EQ(table.nearest(kSelf, 100), before);
  table.check_invariants();
}

TEST(KadRoutingTable, NamesTheLongestSilentForACheckWhenANewcomerKnocks) {
  RoutingTable table = full_bucket(0);
  table.on_answer(peer_sharing(kSelf, 0, 1), t(25min));
  const auto result = table.add(sharing(0, 100), {}, t(30min), kLiveness);
  EXPECT_EQ(result.outcome, Outcome::bucket_full);
  EXPECT_EQ(result.check, peer_sharing(kSelf, 0, 2));
  // It answers: nothing changes. It fails: the newcomer who waited has its place.
  table.on_answer(peer_sharing(kSelf, 0, 2), t(30min));
  EXPECT_FALSE(table.contains(peer_sharing(kSelf, 0, 100)));
  const auto removal = table.on_failure(peer_sharing(kSelf, 0, 3));
  EXPECT_TRUE(removal.removed);
  EXPECT_EQ(removal.promoted, peer_sharing(kSelf, 0, 100));
  EXPECT_TRUE(table.contains(peer_sharing(kSelf, 0, 100)));
  EXPECT_FALSE(table.contains(peer_sharing(kSelf, 0, 3)));
  EXPECT_EQ(table.size(), 20u);
  // Promoted on hearsay: the first failure is the last.
  EXPECT_TRUE(table.on_failure(peer_sharing(kSelf, 0, 100)).removed);
  table.check_invariants();
}

TEST(KadRoutingTable, ForgivesOneFailureWhenNobodyWaits) {
  RoutingTable table(kSelf, 20, Diversity{});
  (void)table.add(info(1), {}, t(0s), kLiveness);
  EXPECT_FALSE(table.on_failure(peer(1)).removed);
  table.on_answer(peer(1), t(1s));
  EXPECT_FALSE(table.on_failure(peer(1)).removed);
  EXPECT_EQ(table.silent(t(2s), kLiveness, 10).size(), 1u);
  EXPECT_TRUE(table.on_failure(peer(1)).removed);
  EXPECT_EQ(table.size(), 0u);
  EXPECT_EQ(table.depth(), 0u);
  EXPECT_FALSE(table.on_failure(peer(1)).removed);
}

TEST(KadRoutingTable, BoundsThoseWhoWaitAndKeepsTheirOrder) {
  RoutingTable table = full_bucket(0);
  for (std::uint64_t i = 100; i < 200; ++i) (void)table.add(sharing(0, i), {}, t(1min), kLiveness);
  table.check_invariants();
  std::set<PeerId> promoted;
  for (std::uint64_t i = 1; i <= 10; ++i)
    if (const auto removal = table.remove(peer_sharing(kSelf, 0, i)); removal.promoted)
      promoted.insert(*removal.promoted);
  std::set<PeerId> expected;
  for (std::uint64_t i = 0; i < kReplacementsPerBucketMax; ++i)
    expected.insert(peer_sharing(kSelf, 0, 100 + i));
  EXPECT_EQ(promoted, expected);  // the first who came, not the flood behind them
  EXPECT_EQ(table.size(), 20u - 10u + kReplacementsPerBucketMax);
}

TEST(KadRoutingTable, LetsStaleWaitersMakeRoom) {
  RoutingTable table = full_bucket(0);
  for (std::uint64_t i = 100; i < 104; ++i) (void)table.add(sharing(0, i), {}, t(1min), kLiveness);
  (void)table.add(sharing(0, 200), {}, t(1min + kLiveness), kLiveness);
  EXPECT_EQ(table.remove(peer_sharing(kSelf, 0, 1)).promoted, peer_sharing(kSelf, 0, 200));
}

TEST(KadRoutingTable, ForgetsAWaiterThatIsNoServerAnyMore) {
  RoutingTable table = full_bucket(0);
  (void)table.add(sharing(0, 100), {}, t(1min), kLiveness);
  EXPECT_FALSE(table.remove(peer_sharing(kSelf, 0, 100)).removed);
  EXPECT_FALSE(table.remove(peer_sharing(kSelf, 0, 1)).promoted);
}

// E.2 #9: sybil ids near a target from one /24; go allows 2 per group and bucket, we 8 per table.
TEST(KadRoutingTable, TakesFewPeersOfOneAddressGroup) {
  RoutingTable table(kSelf, 20, Diversity{});
  std::size_t taken = 0;
  for (std::size_t bits = 0; bits < 8; ++bits)
    for (std::uint64_t i = 0; i < 5; ++i) {
      const PeerInfo sybil{peer_sharing(kSelf, bits, 1000 + i), {ip4(66, 7, 8, static_cast<int>(i))}, {}};
      const Outcome outcome = table.add(sybil, {}, t(0s), kLiveness).outcome;
      EXPECT_EQ(table.would_add(sybil, {}), outcome == Outcome::added ? Outcome::updated : outcome);
      taken += outcome == Outcome::added ? 1u : 0u;
    }
  EXPECT_EQ(taken, Diversity{}.table_max);
  for (std::size_t bits = 0; bits < 4; ++bits) EXPECT_EQ(table.bucket_size(bits), Diversity{}.bucket_max);
  // Others still find their place.
  EXPECT_EQ(table.add(sharing(7, 1), {}, t(0s), kLiveness).outcome, Outcome::added);
}

TEST(KadRoutingTable, CountsTheConnectionsAddressBeforeTheClaimedOnes) {
  RoutingTable table(kSelf, 20, Diversity{});
  const Multiaddr real = ip4(66, 7, 8, 9);
  std::size_t taken = 0;
  for (std::uint64_t i = 0; i < 10; ++i) {
    // Claims addresses all over the world, but comes from one host.
    const PeerInfo sybil{
        peer_sharing(kSelf, 0, 1000 + i), {public_addr(i), public_addr(500 + i), public_addr(900 + i)}, {}};
    taken += table.add(sybil, real, t(0s), kLiveness).outcome == Outcome::added ? 1u : 0u;
  }
  EXPECT_EQ(taken, Diversity{}.bucket_max);
  // Without a connection, who claims more groups than are counted is not believed.
  EXPECT_EQ(table.would_add({peer(5), {public_addr(1), public_addr(2), public_addr(3)}, {}}, {}),
            Outcome::too_similar);
  EXPECT_EQ(table.would_add({peer(5), {public_addr(1), public_addr(2)}, {}}, {}), Outcome::added);
}

TEST(KadRoutingTable, DoesNotCountPrivateAddressesUnlessTold) {
  const auto fill = [](const Diversity& diversity) {
    RoutingTable table(kSelf, 20, diversity);
    for (std::uint64_t i = 1; i <= 20; ++i)
      (void)table.add({peer_sharing(kSelf, 0, i), {ip4(192, 168, 1, static_cast<int>(i))}, {}}, {}, t(0s),
                      kLiveness);
    return table.size();
  };
  Diversity counted;
  counted.private_too = true;
  EXPECT_EQ(fill(Diversity{}), 20u);
  EXPECT_EQ(fill(counted), 2u);
}

TEST(KadRoutingTable, KeepsDiversityWhenSomebodyIsPromoted) {
  RoutingTable table(kSelf, 2, Diversity{});
  const auto in_group = [](std::uint64_t salt, int group) {
    return PeerInfo{peer_sharing(kSelf, 0, salt), {ip4(66, group, 1, 1)}, {}};
  };
  (void)table.add(in_group(1, 1), {}, t(0s), kLiveness);
  (void)table.add(in_group(2, 2), {}, t(0s), kLiveness);
  EXPECT_EQ(table.add(in_group(3, 1), {}, t(1s), kLiveness).outcome, Outcome::bucket_full);
  EXPECT_EQ(table.add(in_group(4, 1), {}, t(1s), kLiveness).outcome, Outcome::bucket_full);
  EXPECT_EQ(table.remove(peer_sharing(kSelf, 0, 2)).promoted, peer_sharing(kSelf, 0, 4));
  // Two of group 1 are in now; the third must go on waiting.
  EXPECT_EQ(table.remove(peer_sharing(kSelf, 0, 99)).promoted, std::nullopt);
  EXPECT_EQ(table.remove(peer_sharing(kSelf, 0, 4)).promoted, peer_sharing(kSelf, 0, 3));
  table.check_invariants();
}

TEST(KadRoutingTable, KnowsWhoHasBeenSilent) {
  RoutingTable table(kSelf, 20, Diversity{});
  for (std::uint64_t i = 1; i <= 5; ++i) (void)table.add(info(i), {}, t(i * 1min), kLiveness);
  EXPECT_TRUE(table.silent(t(20min), kLiveness, 10).empty());
  EXPECT_EQ(table.silent(t(22min), kLiveness, 10), (std::vector<PeerInfo>{info(1), info(2)}));
  EXPECT_EQ(table.silent(t(60min), kLiveness, 3), (std::vector<PeerInfo>{info(1), info(2), info(3)}));
}

TEST(KadRoutingTable, RemembersLookupsByBucket) {
  RoutingTable table(kSelf, 20, Diversity{});
  (void)table.add(sharing(3, 1), {}, t(0s), kLiveness);
  EXPECT_EQ(table.depth(), 4u);
  table.note_lookup(KadId::of(peer_sharing(kSelf, 3, 9)), t(5s));
  table.note_lookup(KadId::of(peer_sharing(kSelf, 9, 9)), t(6s));
  EXPECT_EQ(table.looked_up(3), t(5s));
  EXPECT_EQ(table.looked_up(2), t(0s));
  EXPECT_EQ(table.looked_up(9), t(0s));
}

TEST(KadRoutingTable, UpdatesAddressesAndConnection) {
  RoutingTable table(kSelf, 20, Diversity{});
  (void)table.add(info(1), {}, t(0s), kLiveness);
  table.update_addrs(peer(1), std::vector<Multiaddr>{public_addr(77), public_addr(78)});
  table.update_addrs(peer(1), {});
  table.update_addrs(peer(2), std::vector<Multiaddr>{public_addr(77)});
  table.set_connection(peer(1), ConnectionType::connected);
  EXPECT_EQ(table.info(peer(1)),
            (PeerInfo{peer(1), {public_addr(77), public_addr(78)}, ConnectionType::connected}));
}

// The model: a plain list with the same rules, compared after every random operation.
TEST(KadRoutingTable, BehavesAsItsModelUnderRandomOperations) {
  SeededRng rng(testkit::seed(23));
  constexpr std::size_t kBucket = 4;
  RoutingTable table(kSelf, kBucket, Diversity{});
  struct Member {
    std::uint64_t n;
    int failures;
  };
  std::map<std::size_t, std::vector<Member>> buckets;
  std::set<std::uint64_t> waited;  // who was ever refused for a full bucket may be promoted
  Duration clock{};
  for (int step = 0; step < 4000; ++step) {
    clock += 1s;
    const std::uint64_t n = 1 + rng.below(60);
    const std::size_t index = common_prefix_bits(kSelf, KadId::of(peer(n)));
    auto& bucket = buckets[index];
    const auto known =
        std::find_if(bucket.begin(), bucket.end(), [n](const Member& member) { return member.n == n; });
    const auto apply = [&](const RoutingTable::Removal& removal) {
      EXPECT_TRUE(removal.removed);
      bucket.erase(known);
      if (!removal.promoted) return;
      std::uint64_t who = 1;
      while (peer(who) != *removal.promoted) ++who;
      EXPECT_TRUE(waited.contains(who));
      bucket.push_back({who, 1});
    };
    switch (rng.below(4)) {
      case 0:
      case 1: {
        const Outcome outcome = table.add(info(n), {}, t(clock), kLiveness).outcome;
        if (known != bucket.end()) {
          EXPECT_EQ(outcome, Outcome::updated);
          known->failures = 0;
        } else if (bucket.size() < kBucket) {
          EXPECT_EQ(outcome, Outcome::added);
          bucket.push_back({n, 0});
        } else {
          EXPECT_EQ(outcome, Outcome::bucket_full);
          waited.insert(n);
        }
        break;
      }
      case 2: {
        const auto removal = table.on_failure(peer(n));
        if (known == bucket.end()) {
          EXPECT_FALSE(removal.removed);
        } else if (removal.removed) {
          EXPECT_TRUE(known->failures == 1 || removal.promoted);
          apply(removal);
        } else {
          EXPECT_EQ(++known->failures, 1);
        }
        break;
      }
      default: {
        const auto removal = table.remove(peer(n));
        EXPECT_EQ(removal.removed, known != bucket.end());
        if (removal.removed) apply(removal);
        break;
      }
    }
    table.check_invariants();
    std::size_t size = 0;
    for (const auto& [bits, members] : buckets) {
      size += members.size();
      EXPECT_EQ(table.bucket_size(bits), members.size());
      for (const Member& member : members) EXPECT_TRUE(table.contains(peer(member.n)));
    }
    ASSERT_EQ(table.size(), size) << "step " << step;
  }
}

}  // namespace
}  // namespace starling::kad
