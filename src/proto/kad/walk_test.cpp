#include "proto/kad/walk.hpp"

#include <gtest/gtest.h>

#include <set>

#include "proto/kad/simulated_network.hpp"

namespace starling::kad {
namespace {

using testing::info;
using testing::peer;
using testing::seq_key;
using testing::seq_value;
using testing::SimulatedNetwork;

const KadId kTarget = KadId::of(ByteView(seq_key(1)));

std::vector<PeerInfo> sorted(std::uint64_t first, std::uint64_t count) {
  std::vector<PeerInfo> out;
  for (std::uint64_t n = first; n < first + count; ++n) out.push_back(info(n));
  std::sort(out.begin(), out.end(), [](const PeerInfo& a, const PeerInfo& b) {
    return nearer(kTarget, KadId::of(a.id), KadId::of(b.id));
  });
  return out;
}

TEST(KadWalk, NoServerIsAskedByTwoPaths) {
  Walk walk(kTarget, peer(0), {20, 12, 4});
  walk.seed(sorted(1, 20));
  std::map<PeerId, std::size_t> asked;
  std::map<std::size_t, std::size_t> by_path;
  while (auto next = walk.next()) {
    ++asked[next->id];
    ++by_path[walk.origin(next->id)->path];
    // Everybody names the same forty: all paths want the same ones now.
    ASSERT_TRUE(walk.on_answer(next->id, sorted(21, 40)));
  }
  for (const auto& [id, times] : asked) EXPECT_EQ(times, 1u);
  EXPECT_EQ(by_path.size(), 4u);
  EXPECT_TRUE(walk.converged(20));
  EXPECT_EQ(walk.answer_count(), asked.size());
  // The result is that of all paths together, each server once.
  const auto nearest = sorted(1, 60);
  const auto found = walk.answered(20);
  ASSERT_EQ(found.size(), 20u);
  for (std::size_t i = 0; i < 20; ++i) EXPECT_EQ(found[i].id, nearest[i].id) << i;
}

TEST(KadWalk, AlphaIsSharedByThePaths) {
  Walk walk(kTarget, peer(0), {20, 10, 5});
  walk.seed(sorted(1, 20));
  std::size_t under_way = 0;
  while (walk.next()) ++under_way;
  EXPECT_EQ(under_way, 10u);
}

TEST(KadWalk, APathWaitsForWhomAnotherAsksAndLearnsHowItEnded) {
  Walk walk(kTarget, peer(0), {2, 2, 2});
  const auto seeds = sorted(1, 2);
  const auto near = sorted(100, 3);
  walk.seed(seeds);
  ASSERT_TRUE(walk.next());
  ASSERT_TRUE(walk.next());
  walk.on_answer(seeds[0].id, {near[0]});
  walk.on_answer(seeds[1].id, {near[0]});
  const auto asked = walk.next();
  ASSERT_TRUE(asked);
  EXPECT_EQ(asked->id, near[0].id);
  EXPECT_FALSE(walk.next());  // the other path wants the same one and waits
  EXPECT_FALSE(walk.converged(2));
  walk.on_stall(near[0].id);
  EXPECT_TRUE(walk.converged(1));
  walk.on_answer(near[0].id, {near[1]});
  // Only the path that asked hears whom it named.
  EXPECT_TRUE(walk.origin(near[1].id).has_value() || walk.next().has_value());
  EXPECT_EQ(walk.answered_on(0, 1).at(0).id, near[0].id);
  EXPECT_EQ(walk.answered_on(1, 1).at(0).id, near[0].id);
}

TEST(KadWalk, FailuresAreSharedToo) {
  Walk walk(kTarget, peer(0), {2, 2, 2});
  const auto seeds = sorted(1, 2);
  walk.seed(seeds);
  ASSERT_TRUE(walk.next());
  ASSERT_TRUE(walk.next());
  walk.on_answer(seeds[0].id, {info(100)});
  ASSERT_EQ(walk.next()->id, peer(100));
  walk.on_failure(peer(100));
  walk.on_answer(seeds[1].id, {info(100)});
  EXPECT_FALSE(walk.next());  // known to fail: not asked again
  EXPECT_TRUE(walk.converged(2));
  EXPECT_TRUE(walk.exhausted());
}

TEST(KadWalk, PathsWithoutSeedsHoldNobodyUp) {
  Walk walk(kTarget, peer(0), {20, 8, 8});
  walk.seed({info(1)});
  ASSERT_TRUE(walk.next());
  EXPECT_FALSE(walk.converged(20));
  walk.on_answer(peer(1), {});
  EXPECT_TRUE(walk.converged(20));
}

// S/Kademlia: whoever captures one path has not captured the lookup.
TEST(KadWalk, ALiarLeadsOnlyItsOwnPathAstray) {
  Walk walk(kTarget, peer(0), {3, 3, 3});
  const auto seeds = sorted(1, 3);
  // The colluders stand nearer than anybody honest, and they answer.
  std::vector<PeerInfo> colluders;
  for (std::uint64_t salt = 1; salt <= 6; ++salt)
    colluders.push_back({testing::peer_sharing(kTarget, 12, salt), {testing::public_addr(salt)}, {}});
  const auto honest = sorted(200, 5);
  walk.seed(seeds);
  std::set<PeerId> heard;
  while (auto next = walk.next()) {
    heard.insert(next->id);
    const bool liar =
        next->id == seeds[0].id ||
        std::any_of(colluders.begin(), colluders.end(), [&](const PeerInfo& c) { return c.id == next->id; });
    walk.on_answer(next->id, liar ? colluders : honest);
  }
  for (std::size_t i = 0; i < 3; ++i) EXPECT_TRUE(heard.contains(honest[i].id)) << i;
  for (std::size_t path = 1; path < 3; ++path)
    for (const PeerInfo& found : walk.answered_on(path, 3))
      EXPECT_TRUE(std::none_of(colluders.begin(), colluders.end(),
                               [&](const PeerInfo& colluder) { return colluder.id == found.id; }));
}

TEST(KadLookupSpread, CountsFewOfACrowdAndGoesOnToThoseBeyond) {
  Lookup lookup(kTarget, peer(0), {5, 100});
  std::vector<PeerInfo> crowd;
  for (std::uint64_t salt = 1; salt <= 20; ++salt)
    crowd.push_back({testing::peer_sharing(kTarget, 11, salt), {testing::public_addr(salt)}, {}});
  std::vector<PeerInfo> beyond;
  for (std::uint64_t salt = 1; salt <= 4; ++salt)
    beyond.push_back({testing::peer_sharing(kTarget, 6, salt), {testing::public_addr(salt)}, {}});
  lookup.seed(crowd);
  lookup.seed(beyond);
  std::size_t asked = 0;
  while (auto next = lookup.next()) {
    ++asked;
    lookup.on_answer(next->id, {});
  }
  EXPECT_EQ(asked, 5u);
  EXPECT_TRUE(lookup.converged(5));
  // Cells as wide as the crowd; sixty-four reach 5 bits of shared prefix.
  lookup.spread({std::uint64_t{1} << (64 - 11), 64, 3});
  EXPECT_FALSE(lookup.converged(5));
  std::set<PeerId> later;
  while (auto next = lookup.next()) {
    later.insert(next->id);
    lookup.on_answer(next->id, {});
  }
  EXPECT_TRUE(lookup.converged(5));
  for (const PeerInfo& far : beyond) EXPECT_TRUE(later.contains(far.id));
  EXPECT_EQ(later.size(), beyond.size());
  EXPECT_EQ(lookup.answered(5).size(), 3 + beyond.size());
  EXPECT_EQ(lookup.answered(3).size(), 3u);  // the nearest are still the nearest
}

TEST(KadDisjointNetwork, FindsWhatOnePathFindsAndAsksNobodyTwice) {
  SimulatedNetwork net(testkit::seed(130));
  net.grow(80);
  QueryOptions options;
  options.paths = 4;
  options.trace = QueryOptions::Trace::on;
  for (std::uint64_t key = 0; key < 10; ++key) {
    auto& writer = net.at_index(key);
    ASSERT_TRUE(net.run_query(writer, [&](Kad& kad,
                                          Now now) { return kad.put_value(seq_key(key), seq_value(7), now); })
                    .result);
    auto& asker = net.at_index(79 - key);
    asker.hops.clear();
    const auto closest = net.run_query(
        asker, [&](Kad& kad, Now now) { return kad.closest_peers(seq_key(key), now, options); });
    std::vector<PeerId> found;
    for (const PeerInfo& entry : std::get<ClosestDone>(*closest.result).peers) found.push_back(entry.id);
    EXPECT_EQ(found, net.nearest(seq_key(key), 20, &asker));
    std::set<PeerId> asked;
    std::set<std::size_t> paths;
    for (const QueryHop& hop : asker.hops) {
      EXPECT_TRUE(asked.insert(hop.peer).second);
      paths.insert(hop.path);
    }
    EXPECT_EQ(paths.size(), 4u);
    const auto got = net.run_query(
        asker, [&](Kad& kad, Now now) { return kad.get_value(seq_key(key), {}, now, options); });
    EXPECT_EQ(std::get<ValueDone>(*got.result).value, seq_value(7));
  }
}

TEST(KadDisjointNetwork, PathsComeFromTheConfigurationToo) {
  SimulatedNetwork net(testkit::seed(131));
  Config config;
  config.paths = 3;
  net.grow(40, config);
  QueryOptions options;
  options.trace = QueryOptions::Trace::on;
  auto& asker = net.at_index(3);
  (void)net.run_query(asker, [&](Kad& kad, Now now) { return kad.closest_peers(seq_key(1), now, options); });
  std::set<std::size_t> paths;
  for (const QueryHop& hop : asker.hops) paths.insert(hop.path);
  EXPECT_EQ(paths, (std::set<std::size_t>{0, 1, 2}));
}

}  // namespace
}  // namespace starling::kad
