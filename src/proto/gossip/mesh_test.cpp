#include "proto/gossip/mesh.hpp"

#include <gmock/gmock.h>

#include <set>

#include "testkit/testkit.hpp"

namespace starling::gossip {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

MeshLink link(std::uint32_t number, double score = 0, Direction direction = Direction::inbound) {
  return {{number, number + 1}, score, direction};
}

std::vector<MeshLink> links(std::uint32_t first, std::uint32_t count, double score = 0,
                            Direction direction = Direction::inbound) {
  std::vector<MeshLink> out;
  for (std::uint32_t i = 0; i < count; ++i) out.push_back(link(first + i, score, direction));
  return out;
}

std::vector<MeshLink> operator+(std::vector<MeshLink> a, const std::vector<MeshLink>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

std::set<std::uint32_t> slots(const std::vector<PeerRef>& refs) {
  std::set<std::uint32_t> out;
  for (const PeerRef ref : refs) out.insert(ref.slot);
  return out;
}

class GossipMesh : public ::testing::Test {
 protected:
  MeshPlan plan(std::vector<MeshLink> members, std::vector<MeshLink> candidates,
                Opportunism opportunism = Opportunism::no) {
    return plan_mesh(std::move(members), std::move(candidates), params, opportunism, 1.0, rng);
  }
  MeshParams params;
  SeededRng rng{testkit::seed(3)};
};

TEST_F(GossipMesh, BelowDloItGraftsUpToD) {
  const MeshPlan p = plan(links(0, 4), links(100, 20));
  EXPECT_THAT(p.graft, SizeIs(2));
  EXPECT_THAT(p.prune_surplus, IsEmpty());
  EXPECT_THAT(plan({}, links(100, 3)).graft, SizeIs(3));
}

TEST_F(GossipMesh, BetweenTheBoundsNothingChanges) {
  for (std::uint32_t n = 5; n <= 12; ++n) {
    const auto members = links(0, n - 2) + links(50, 2, 0, Direction::outbound);
    const MeshPlan p = plan(members, links(100, 20));
    EXPECT_THAT(p.graft, IsEmpty()) << n;
    EXPECT_THAT(p.prune_surplus, IsEmpty()) << n;
    EXPECT_FALSE(mesh_needs_candidates(members, params, Opportunism::no)) << n;
  }
}

TEST_F(GossipMesh, AboveDhiItKeepsTheBestAndEnoughOutboundOnes) {
  for (int round = 0; round < 50; ++round) {
    auto members = links(0, 12, 1.0) + links(50, 2, 0.5, Direction::outbound);
    for (std::uint32_t i = 0; i < 4; ++i) members[i].score = 10.0 + i;
    const MeshPlan p = plan(members, {});
    EXPECT_THAT(p.prune_surplus, SizeIs(members.size() - params.d));
    const auto gone = slots(p.prune_surplus);
    for (std::uint32_t best = 0; best < 4; ++best) EXPECT_FALSE(gone.contains(best));
    EXPECT_FALSE(gone.contains(50));
    EXPECT_FALSE(gone.contains(51));
  }
}

TEST_F(GossipMesh, TheRestIsKeptAtRandomSoThatSybilsWithEqualScoresCannotDisplaceAll) {
  std::set<std::uint32_t> ever_kept;
  for (int round = 0; round < 200; ++round) {
    const auto gone = slots(plan(links(0, 13, 1.0), {}).prune_surplus);
    for (std::uint32_t i = 0; i < 13; ++i)
      if (!gone.contains(i)) ever_kept.insert(i);
  }
  EXPECT_THAT(ever_kept, SizeIs(13));
}

TEST_F(GossipMesh, OutboundLinksWinEvenOverTheBestByScore) {
  params.d_score = params.d;
  const MeshPlan p = plan(links(0, 13, 100.0) + links(50, 2, 0.0, Direction::outbound), {});
  const auto gone = slots(p.prune_surplus);
  EXPECT_FALSE(gone.contains(50));
  EXPECT_FALSE(gone.contains(51));
  EXPECT_THAT(p.prune_surplus, SizeIs(9));
}

TEST_F(GossipMesh, NegativeScoresLeaveAndAreReplaced) {
  const auto members = links(0, 3, -1.0) + links(10, 4);
  EXPECT_TRUE(mesh_needs_candidates(members, params, Opportunism::no));
  const MeshPlan p = plan(members, links(100, 20));
  EXPECT_EQ(slots(p.prune_bad), (std::set<std::uint32_t>{0, 1, 2}));
  EXPECT_THAT(p.graft, SizeIs(2));
}

TEST_F(GossipMesh, WithoutOutboundLinksItGraftsSome) {
  const auto members = links(0, 8);
  EXPECT_TRUE(mesh_needs_candidates(members, params, Opportunism::no));
  const MeshPlan p = plan(members, links(100, 20) + links(200, 5, 0, Direction::outbound));
  EXPECT_THAT(p.graft, SizeIs(2));
  for (const PeerRef ref : p.graft) EXPECT_GE(ref.slot, 200U);
}

TEST_F(GossipMesh, APoorMedianMakesItLookForBetterPeers) {
  const auto members = links(0, 4, 0.1) + links(10, 2, 5, Direction::outbound);
  const auto candidates = links(100, 10, 0.05) + links(200, 3, 2.0);
  EXPECT_THAT(plan(members, candidates).graft, IsEmpty());
  const MeshPlan p = plan(members, candidates, Opportunism::yes);
  EXPECT_THAT(p.graft, SizeIs(params.opportunistic_graft_peers));
  for (const PeerRef ref : p.graft) EXPECT_GE(ref.slot, 200U);
  const auto good = links(0, 4, 3.0) + links(10, 2, 5, Direction::outbound);
  EXPECT_THAT(plan(good, candidates, Opportunism::yes).graft, IsEmpty());
}

TEST_F(GossipMesh, AnyPlanKeepsItsPromises) {
  for (int round = 0; round < 3000; ++round) {
    params.d = 1 + rng.below(10);
    params.d_lo = 1 + rng.below(params.d);
    params.d_hi = params.d + rng.below(8);
    params.d_score = rng.below(params.d + 1);
    params.d_out = std::min<std::size_t>(params.d_lo - 1, rng.below(params.d / 2 + 1));
    std::vector<MeshLink> members;
    std::vector<MeshLink> candidates;
    const auto random_link = [&](std::uint32_t number) {
      return link(number, rng.unit() * 10 - 2, rng.below(3) == 0 ? Direction::outbound : Direction::inbound);
    };
    for (std::uint32_t i = 0; i < rng.below(25); ++i) members.push_back(random_link(i));
    for (std::uint32_t i = 0; i < rng.below(25); ++i) candidates.push_back(random_link(100 + i));
    const auto opportunism = rng.below(2) == 0 ? Opportunism::no : Opportunism::yes;
    const MeshPlan p = plan(members, candidates, opportunism);
    std::set<std::uint32_t> mesh;
    std::size_t outbound = 0;
    for (const MeshLink& m : members) mesh.insert(m.peer.slot);
    for (const PeerRef ref : p.prune_bad) ASSERT_EQ(mesh.erase(ref.slot), 1U);
    for (const PeerRef ref : p.prune_surplus) ASSERT_EQ(mesh.erase(ref.slot), 1U);
    for (const PeerRef ref : p.graft) ASSERT_TRUE(mesh.insert(ref.slot).second);
    for (const MeshLink& m : members)
      if (mesh.contains(m.peer.slot)) {
        ASSERT_GE(m.score, 0.0);
        outbound += m.direction == Direction::outbound ? 1 : 0;
      }
    for (const MeshLink& c : candidates)
      outbound += mesh.contains(c.peer.slot) && c.direction == Direction::outbound ? 1 : 0;
    ASSERT_LE(mesh.size(), params.d_hi + params.d_out + params.opportunistic_graft_peers);
    if (candidates.size() >= params.d) {
      ASSERT_GE(mesh.size(), params.d_lo);
    }
    std::size_t outbound_known = 0;
    for (const auto& all : {members, candidates})
      for (const MeshLink& l : all)
        outbound_known += l.direction == Direction::outbound && (l.score >= 0 || l.peer.slot >= 100) ? 1 : 0;
    if (mesh.size() >= params.d_lo) {
      ASSERT_GE(outbound, std::min(params.d_out, outbound_known));
    }
  }
}

}  // namespace
}  // namespace starling::gossip
