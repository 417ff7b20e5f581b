#include "node/dial_planner.hpp"

#include <gmock/gmock.h>

#include <set>

#include "format/multihash.hpp"

#include "testkit/testkit.hpp"

namespace starling::node {
namespace {

Multiaddr addr(int last, int port = 4001) {
  return *Multiaddr::parse("/ip4/1.2.3." + std::to_string(last) + "/tcp/" + std::to_string(port));
}
Instant at(Duration since_start) { return Instant::from_ns(0) + since_start; }

class DialPlannerTest : public ::testing::Test {
 protected:
  DialPlannerTest() {
    SeededRng rng(1);
    peer = PeerId::of(crypto::PrivateKey::generate(crypto::KeyType::ed25519, rng).public_key());
    other = PeerId::of(crypto::PrivateKey::generate(crypto::KeyType::ed25519, rng).public_key());
  }
  template <class T>
  std::vector<T> drain() {
    std::vector<T> out;
    while (auto action = planner.poll())
      if (auto* wanted = std::get_if<T>(&*action)) out.push_back(std::move(*wanted));
    return out;
  }
  std::vector<DialPlanner::StartDial> starts() { return drain<DialPlanner::StartDial>(); }
  std::vector<DialPlanner::JobDone> dones() { return drain<DialPlanner::JobDone>(); }

  testkit::TestEnv env{1};
  DialPlanner planner{env.env};
  PeerId peer, other;
};

TEST_F(DialPlannerTest, DialsTheNextAddressAfterTheStagger) {
  planner.connect(peer, {addr(1), addr(2)}, DialPlanner::Insist::no, at(0s));
  ASSERT_EQ(starts().size(), 1u);
  EXPECT_EQ(planner.deadline(), at(kDialStagger));
  planner.on_deadline(at(kDialStagger - 1ms));
  EXPECT_TRUE(starts().empty());
  planner.on_deadline(at(kDialStagger));
  const auto second = starts();
  ASSERT_EQ(second.size(), 1u);
  EXPECT_EQ(second[0].address, addr(2));
}

TEST_F(DialPlannerTest, DialsTheNextAddressAtOnceWhenAllEarlierOnesFailed) {
  planner.connect(peer, {addr(1), addr(2)}, DialPlanner::Insist::no, at(0s));
  const auto first = starts();
  planner.on_dial_failed(first[0].dial, make_error(Errc::connection_refused), at(1ms));
  ASSERT_EQ(starts().size(), 1u);
}

TEST_F(DialPlannerTest, TheFirstConnectionWinsAndTheOthersAreCancelled) {
  const auto job = planner.connect(peer, {addr(1), addr(2)}, DialPlanner::Insist::no, at(0s));
  const auto first = starts();
  planner.on_deadline(at(kDialStagger));
  const auto second = starts();
  planner.on_connected(second[0].dial, ConnId(9), peer, at(300ms));
  std::vector<DialId> cancelled;
  std::vector<DialPlanner::JobDone> done;
  while (auto action = planner.poll()) {
    if (auto* cancel = std::get_if<DialPlanner::CancelDial>(&*action)) cancelled.push_back(cancel->dial);
    if (auto* end = std::get_if<DialPlanner::JobDone>(&*action)) done.push_back(*end);
  }
  EXPECT_THAT(cancelled, testing::ElementsAre(first[0].dial));
  ASSERT_EQ(done.size(), 1u);
  EXPECT_THAT(done[0].jobs, testing::ElementsAre(job));
  EXPECT_EQ(*done[0].outcome, ConnId(9));
  EXPECT_TRUE(planner.deadline().is_never());
}

TEST_F(DialPlannerTest, JobsForOnePeerJoin) {
  const auto a = planner.connect(peer, {addr(1)}, DialPlanner::Insist::no, at(0s));
  const auto b = planner.connect(peer, {addr(1), addr(2)}, DialPlanner::Insist::no, at(0s));
  const auto first = starts();
  ASSERT_EQ(first.size(), 1u);
  planner.on_connected(first[0].dial, ConnId(3), peer, at(1ms));
  const auto done = dones();
  ASSERT_EQ(done.size(), 1u);
  EXPECT_THAT(done[0].jobs, testing::ElementsAre(a, b));
}

TEST_F(DialPlannerTest, AFailedAddressIsLeftAloneForADoublingTimeUnlessSomebodyInsists) {
  const auto fails_at = [&](Duration when) {
    planner.connect(peer, {addr(1)}, DialPlanner::Insist::no, at(when));
    const auto dialled = starts();
    if (dialled.empty()) return false;
    planner.on_dial_failed(dialled[0].dial, make_error(Errc::connection_refused), at(when));
    dones();
    return true;
  };
  EXPECT_TRUE(fails_at(0s));
  EXPECT_FALSE(fails_at(kAddressBackoffFirst - 1ms));
  EXPECT_TRUE(fails_at(kAddressBackoffFirst));
  EXPECT_FALSE(fails_at(kAddressBackoffFirst * 3 - 1ms));
  planner.connect(peer, {addr(1)}, DialPlanner::Insist::yes, at(kAddressBackoffFirst * 2));
  EXPECT_EQ(starts().size(), 1u);
}

TEST_F(DialPlannerTest, AJobWhoseAddressesAllBackOffSaysSo) {
  planner.connect(peer, {addr(1)}, DialPlanner::Insist::no, at(0s));
  planner.on_dial_failed(starts()[0].dial, make_error(Errc::connection_refused), at(0s));
  dones();
  planner.connect(peer, {addr(1)}, DialPlanner::Insist::no, at(1ms));
  const auto done = dones();
  ASSERT_EQ(done.size(), 1u);
  EXPECT_TRUE(done[0].outcome.error().is(Errc::backing_off));
}

TEST_F(DialPlannerTest, WithoutAnAddressThatTcpCanDialTheJobEndsAtOnce) {
  planner.connect(peer, {*Multiaddr::parse("/ip4/1.2.3.4/udp/4001/quic-v1")}, DialPlanner::Insist::no,
                  at(0s));
  const auto done = dones();
  ASSERT_EQ(done.size(), 1u);
  EXPECT_TRUE(done[0].outcome.error().is(Errc::no_address));
}

TEST_F(DialPlannerTest, NamesAreResolvedFirst) {
  planner.connect(peer, {*Multiaddr::parse("/dns4/example.org/tcp/4001")}, DialPlanner::Insist::no, at(0s));
  const auto resolves = drain<DialPlanner::Resolve>();
  ASSERT_EQ(resolves.size(), 1u);
  planner.on_resolved(resolves[0].resolve, std::vector{addr(7)}, at(1ms));
  const auto dialled = starts();
  ASSERT_EQ(dialled.size(), 1u);
  EXPECT_EQ(dialled[0].address, addr(7));
}

TEST_F(DialPlannerTest, AnAddressWithSomebodyElsesIdIsSkipped) {
  planner.connect(peer, {addr(1).with_peer_id(other), addr(2).with_peer_id(peer)}, DialPlanner::Insist::no,
                  at(0s));
  const auto dialled = starts();
  ASSERT_EQ(dialled.size(), 1u);
  EXPECT_EQ(dialled[0].address, addr(2));
}

TEST_F(DialPlannerTest, ADialThatNeverEndsIsGivenUp) {
  planner.connect(peer, {addr(1)}, DialPlanner::Insist::no, at(0s));
  starts();
  planner.on_deadline(at(kDialTimeout));
  const auto done = dones();
  ASSERT_EQ(done.size(), 1u);
  EXPECT_TRUE(done[0].outcome.error().is(Errc::dial_timeout));
  EXPECT_EQ(planner.dials_under_way(), 0u);
}

TEST_F(DialPlannerTest, DialsAndJobsAreBounded) {
  SeededRng rng(5);
  std::size_t refused = 0;
  for (std::size_t i = 0; i < kDialJobsMax + 5; ++i) {
    const auto id = PeerId::from_bytes(format::make_multihash(format::kHashSha256, rng.bytes<32>()));
    planner.connect(*id, {addr(static_cast<int>(i % 250), static_cast<int>(1000 + i))},
                    DialPlanner::Insist::no, at(0s));
    EXPECT_LE(planner.dials_under_way(), kDialsAtOnceMax);
  }
  for (const auto& done : dones()) refused += !done.outcome && done.outcome.error().is(Errc::too_many_dials);
  EXPECT_EQ(refused, 5u);
  EXPECT_EQ(planner.jobs_count(), kDialJobsMax);
}

TEST_F(DialPlannerTest, AnInboundConnectionOfThePeerEndsItsJob) {
  planner.connect(peer, {addr(1)}, DialPlanner::Insist::no, at(0s));
  starts();
  planner.on_peer_connected(peer, ConnId(4));
  const auto done = dones();
  ASSERT_EQ(done.size(), 1u);
  EXPECT_EQ(*done[0].outcome, ConnId(4));
}

TEST_F(DialPlannerTest, RandomEventsEndEveryJobExactlyOnce) {
  SeededRng rng(testkit::seed(77));
  std::map<DialPlanner::JobId, int> ends;
  std::vector<DialId> open;
  std::set<DialPlanner::JobId> jobs;
  const auto drain_all = [&] {
    while (auto action = planner.poll()) {
      if (auto* start = std::get_if<DialPlanner::StartDial>(&*action)) open.push_back(start->dial);
      if (auto* cancel = std::get_if<DialPlanner::CancelDial>(&*action)) std::erase(open, cancel->dial);
      if (auto* done = std::get_if<DialPlanner::JobDone>(&*action))
        for (const auto job : done->jobs) ++ends[job];
    }
  };
  Duration now{};
  for (int step = 0; step < 3000; ++step) {
    now += std::chrono::milliseconds(rng.below(200));
    const auto choice = rng.below(4);
    if (choice == 0) {
      std::vector<Multiaddr> addresses;
      for (std::uint64_t i = 0; i <= rng.below(4); ++i)
        addresses.push_back(addr(static_cast<int>(rng.below(20))));
      jobs.insert(
          planner.connect(rng.below(2) == 0 ? peer : other, addresses, DialPlanner::Insist::no, at(now)));
    } else if (choice == 1 && !open.empty()) {
      const auto pick = open[rng.below(open.size())];
      std::erase(open, pick);
      planner.on_dial_failed(pick, make_error(Errc::connection_refused), at(now));
    } else if (choice == 2 && !open.empty()) {
      const auto pick = open[rng.below(open.size())];
      std::erase(open, pick);
      planner.on_connected(pick, ConnId(static_cast<std::uint64_t>(step) + 1),
                           rng.below(2) == 0 ? peer : other, at(now));
    } else {
      planner.on_deadline(at(now));
    }
    drain_all();
  }
  planner.on_deadline(at(now + kDialJobTimeout + kDialTimeout));
  drain_all();
  for (const auto job : jobs) EXPECT_EQ(ends[job], 1) << job.value();
}

}  // namespace
}  // namespace starling::node
