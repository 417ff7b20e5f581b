#include "proto/kad/lookup.hpp"

#include <gtest/gtest.h>

#include <set>

#include "proto/kad/kad_testing.hpp"

namespace starling::kad {
namespace {

using testing::info;
using testing::peer;
using testing::public_addr;

const KadId kTarget = KadId::of(as_bytes("target"));

/// `count` peers sorted by their distance to the target.
std::vector<PeerInfo> sorted(std::uint64_t first, std::size_t count) {
  std::vector<PeerInfo> out;
  for (std::uint64_t i = 0; i < count; ++i) out.push_back(info(first + i));
  std::sort(out.begin(), out.end(), [](const PeerInfo& a, const PeerInfo& b) {
    return nearer(kTarget, KadId::of(a.id), KadId::of(b.id));
  });
  return out;
}

std::vector<PeerInfo> part(const std::vector<PeerInfo>& all, std::size_t from, std::size_t count) {
  return {all.begin() + static_cast<std::ptrdiff_t>(from),
          all.begin() + static_cast<std::ptrdiff_t>(from + count)};
}

TEST(KadLookup, AsksTheNearestFirstAlphaAtATime) {
  const auto all = sorted(1, 40);
  Lookup lookup(kTarget, peer(0), {20, 3});
  lookup.seed(all);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(lookup.next()->id, all[i].id);
  EXPECT_FALSE(lookup.next());
  EXPECT_TRUE(lookup.on_answer(all[1].id, {}));
  EXPECT_EQ(lookup.next()->id, all[3].id);
  lookup.on_failure(all[0].id);
  EXPECT_EQ(lookup.next()->id, all[4].id);
}

TEST(KadLookup, AsksNobodyTwiceAndNobodyButTheNearestK) {
  const auto all = sorted(1, 40);
  Lookup lookup(kTarget, peer(0), {20, 3});
  lookup.seed(all);
  std::set<PeerId> asked;
  while (auto next = lookup.next()) {
    EXPECT_TRUE(asked.insert(next->id).second);
    EXPECT_TRUE(lookup.on_answer(next->id, all));  // everybody names everybody
    EXPECT_FALSE(lookup.on_answer(next->id, all));
  }
  EXPECT_EQ(asked.size(), 20u);
  EXPECT_TRUE(lookup.converged(20));
  EXPECT_EQ(lookup.answered(20), part(all, 0, 20));
}

TEST(KadLookup, PutsTheNextInThePlaceOfWhoFailed) {
  const auto all = sorted(1, 30);
  Lookup lookup(kTarget, peer(0), {20, 10});
  lookup.seed(all);
  std::size_t asked = 0;
  while (auto next = lookup.next()) {
    if (asked++ % 3 == 0) {
      lookup.on_failure(next->id);
    } else {
      lookup.on_answer(next->id, {});
    }
  }
  EXPECT_EQ(asked, 30u);
  EXPECT_EQ(lookup.answer_count(), 20u);
  EXPECT_TRUE(lookup.converged(20));
}

// E.2 #9: an answer with our own id, with duplicates.
TEST(KadLookup, IgnoresOurselvesAndDuplicatesInAnswers) {
  const auto all = sorted(1, 3);
  Lookup lookup(kTarget, peer(0), {20, 1});
  lookup.seed({all[2]});
  EXPECT_EQ(lookup.next()->id, all[2].id);
  lookup.on_answer(all[2].id, {info(0), all[0], all[0], all[2], info(0), all[0]});
  EXPECT_EQ(lookup.next()->id, all[0].id);
  lookup.on_answer(all[0].id, {});
  EXPECT_FALSE(lookup.next());
  EXPECT_TRUE(lookup.exhausted());
  EXPECT_TRUE(lookup.converged(20));
}

TEST(KadLookup, ConvergesWhenTheNearestHaveAnswered) {
  const auto all = sorted(1, 20);
  Lookup lookup(kTarget, peer(0), {20, 10});
  lookup.seed(all);
  EXPECT_FALSE(lookup.converged(3));
  for (int i = 0; i < 10; ++i) (void)lookup.next();
  lookup.on_answer(all[0].id, {});
  lookup.on_answer(all[2].id, {});
  EXPECT_FALSE(lookup.converged(3));
  EXPECT_FALSE(lookup.converged(2));
  EXPECT_TRUE(lookup.converged(1));
  lookup.on_failure(all[1].id);
  EXPECT_TRUE(lookup.converged(2));
  EXPECT_FALSE(lookup.converged(3));
  lookup.on_answer(all[3].id, {});
  EXPECT_TRUE(lookup.converged(3));
}

TEST(KadLookup, WithNobodyIsOverAtOnce) {
  const Lookup lookup(kTarget, peer(0), {20, 10});
  EXPECT_TRUE(lookup.exhausted());
  EXPECT_TRUE(lookup.converged(20));
}

TEST(KadLookup, AStalledRequestGivesUpItsPlaceButItsAnswerCounts) {
  const auto all = sorted(1, 4);
  Lookup lookup(kTarget, peer(0), {20, 1});
  lookup.seed(part(all, 1, 3));
  EXPECT_EQ(lookup.next()->id, all[1].id);
  EXPECT_FALSE(lookup.next());
  lookup.on_stall(all[1].id);
  EXPECT_EQ(lookup.next()->id, all[2].id);
  lookup.on_answer(all[2].id, {});
  EXPECT_EQ(lookup.next()->id, all[3].id);
  lookup.on_answer(all[3].id, {});
  EXPECT_TRUE(lookup.converged(20));
  EXPECT_FALSE(lookup.exhausted());
  EXPECT_TRUE(lookup.on_answer(all[1].id, {all[0]}));
  EXPECT_FALSE(lookup.converged(20));
  EXPECT_EQ(lookup.next()->id, all[0].id);
}

TEST(KadLookup, WaitsForStalledOnesWhenNobodyElseAnswered) {
  Lookup lookup(kTarget, peer(0), {20, 1});
  lookup.seed({info(1)});
  (void)lookup.next();
  lookup.on_stall(peer(1));
  EXPECT_FALSE(lookup.converged(20));
  lookup.on_failure(peer(1));
  EXPECT_TRUE(lookup.converged(20));
  EXPECT_EQ(lookup.answer_count(), 0u);
}

TEST(KadLookup, BoundsWhatIsUnderWayWhenEverythingStalls) {
  const auto all = sorted(1, 100);
  Lookup lookup(kTarget, peer(0), {20, 2});
  lookup.seed(all);
  std::size_t asked = 0;
  while (auto next = lookup.next()) {
    ++asked;
    lookup.on_stall(next->id);
  }
  EXPECT_EQ(asked, 2 * kInFlightPerAlpha);
}

// E.2 #9: a liar names peers that do not exist, nearer than anybody.
TEST(KadLookup, ALiarCostsThreeRequestsAndHoldsNobodyUp) {
  const auto all = sorted(1, 60);
  const PeerInfo& liar = all[40];
  const PeerInfo& honest = all[59];
  const auto invented = part(all, 0, 20);
  const auto real = part(all, 20, 20);
  Lookup lookup(kTarget, peer(0), {20, 10});
  lookup.seed({liar, honest});
  (void)lookup.next();
  (void)lookup.next();
  lookup.on_answer(liar.id, invented);
  std::vector<PeerId> asked;
  while (auto next = lookup.next()) asked.push_back(next->id);
  EXPECT_EQ(asked, (std::vector<PeerId>{invented[0].id, invented[1].id, invented[2].id}));
  // The honest answer comes: its suggestions are asked past the seventeen invented ones that stand before
  // them.
  lookup.on_answer(honest.id, real);
  asked.clear();
  while (auto next = lookup.next()) asked.push_back(next->id);
  EXPECT_EQ(asked, (std::vector<PeerId>{real[0].id, real[1].id, real[2].id}));
  for (std::size_t i = 0; i < 3; ++i) lookup.on_failure(invented[i].id);
  for (std::size_t i = 0; i < 3; ++i) lookup.on_answer(real[i].id, {});
  std::size_t more = 0;
  while (auto next = lookup.next()) {
    ++more;
    lookup.on_answer(next->id, {});
  }
  EXPECT_EQ(more, 17u);
  EXPECT_TRUE(lookup.converged(20));
  EXPECT_EQ(lookup.answered(20), real);
}

TEST(KadLookup, KeepsWhatAnHonestServerNamesBesidesALiar) {
  const auto all = sorted(1, 60);
  const auto invented = part(all, 0, 3);
  const PeerInfo& real = all[10];
  Lookup lookup(kTarget, peer(0), {20, 10});
  lookup.seed({all[40], all[50]});
  (void)lookup.next();
  (void)lookup.next();
  auto lie = invented;
  lie.push_back(real);
  lookup.on_answer(all[40].id, lie);  // the liar is the first to name it
  for (int i = 0; i < 3; ++i) (void)lookup.next();
  lookup.on_answer(all[50].id, {real});
  for (const PeerInfo& fake : invented) lookup.on_failure(fake.id);
  EXPECT_EQ(lookup.next()->id, real.id);
}

TEST(KadLookup, ForgetsTheRestOfALiarsSuggestions) {
  const auto all = sorted(1, 60);
  Lookup lookup(kTarget, peer(0), {20, 10});
  lookup.seed({all[40]});
  (void)lookup.next();
  lookup.on_answer(all[40].id, part(all, 0, 20));
  for (int i = 0; i < 3; ++i) lookup.on_stall(lookup.next()->id);
  EXPECT_FALSE(lookup.next());
  EXPECT_TRUE(lookup.converged(3));
}

TEST(KadLookup, TrustsAServerWhoseSuggestionsMostlyAnswer) {
  const auto all = sorted(1, 60);
  Lookup lookup(kTarget, peer(0), {20, 10});
  lookup.seed({all[40]});
  (void)lookup.next();
  lookup.on_answer(all[40].id, part(all, 0, 20));
  std::size_t asked = 0;
  while (auto next = lookup.next()) {
    if (++asked % 3 == 0) {
      lookup.on_failure(next->id);
    } else {
      lookup.on_answer(next->id, {});
    }
  }
  EXPECT_EQ(asked, 20u);
}

TEST(KadLookup, TakesTheNearestTwentyOfAnAnswer) {
  const auto all = sorted(1, 41);
  Lookup lookup(kTarget, peer(0), {40, 40});
  lookup.seed({all[40]});
  (void)lookup.next();
  auto named = part(all, 0, 40);
  std::reverse(named.begin(), named.end());
  lookup.on_answer(all[40].id, named);
  std::set<PeerId> asked;
  while (auto next = lookup.next()) {
    asked.insert(next->id);
    lookup.on_answer(next->id, {});
  }
  EXPECT_EQ(asked.size(), kCandidatesPerAnswerMax);
  EXPECT_TRUE(asked.contains(all[19].id));
  EXPECT_FALSE(asked.contains(all[20].id));
}

TEST(KadLookup, RemembersABoundedNumberOfCandidatesTheNearest) {
  const auto all = sorted(1, kCandidatesPerQueryMax + 50);
  Lookup lookup(kTarget, peer(0), {kCandidatesPerQueryMax + 50, 1});
  auto farthest_first = all;
  std::reverse(farthest_first.begin(), farthest_first.end());
  lookup.seed(farthest_first);
  std::vector<PeerId> asked;
  while (auto next = lookup.next()) {
    asked.push_back(next->id);
    lookup.on_answer(next->id, {});
  }
  ASSERT_EQ(asked.size(), kCandidatesPerQueryMax);
  for (std::size_t i = 0; i < asked.size(); ++i) EXPECT_EQ(asked[i], all[i].id);
}

TEST(KadLookup, JoinsTheAddressesThatDifferentServersName) {
  const auto all = sorted(1, 10);
  Lookup lookup(kTarget, peer(0), {20, 2});
  lookup.seed({all[8], all[9]});
  (void)lookup.next();
  (void)lookup.next();
  lookup.on_answer(all[8].id, {{all[0].id, {public_addr(1)}, {}}});
  std::vector<Multiaddr> many{public_addr(1)};
  for (std::uint64_t i = 2; i < 100; ++i) many.push_back(public_addr(i));
  lookup.on_answer(all[9].id, {{all[0].id, many, {}}});
  const auto next = lookup.next();
  ASSERT_TRUE(next);
  EXPECT_EQ(next->addrs.size(), kAddrsPerPeerMax);
  EXPECT_EQ(next->addrs[0], public_addr(1));
  EXPECT_EQ(next->addrs[1], public_addr(2));
}

}  // namespace
}  // namespace starling::kad
