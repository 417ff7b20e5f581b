// Records outlive the servers that hold them.
#include "proto/kad/kad_brain_fixture.hpp"
#include "proto/kad/simulated_network.hpp"

namespace starling::kad {
namespace {

using testing::at;
using testing::KadBrain;
using testing::peer;
using testing::public_addr;
using testing::seq_key;
using testing::seq_value;
using testing::SimulatedNetwork;
using Member = SimulatedNetwork::Member;
using Life = SimulatedNetwork::Life;

std::size_t holders(SimulatedNetwork& net) {
  std::size_t out = 0;
  for (const PeerId& id : net.nearest(seq_key(1), 20))
    out += net.member(id).kad->stored_value(seq_key(1), at(net.now())) == seq_value(7) ? 1u : 0u;
  return out;
}

struct Churned {
  bool found = false;
  std::size_t fewest_holders = 20;  ///< of the k nearest, at the end of a round
  std::uint64_t replications = 0;
};

constexpr std::uint64_t kRounds = 5;

/// Every round half of the k nearest die at once, as many newcomers arrive, and a time passes in which every
/// holder's turn to replicate has come. The owner is gone from the start.
Churned churn(std::uint64_t seed_value, Duration replicate_interval) {
  SimulatedNetwork net(seed_value);
  Config config;
  config.replicate_interval = replicate_interval;
  net.seq.hint = at(net.now()).wall + 47h;
  net.grow(45, config);
  Member& owner = net.add(Mode::client, config);
  net.connect(owner, net.at_index(1));
  net.run(5s);
  EXPECT_TRUE(
      net.run_query(owner, [&](Kad& kad, Now now) { return kad.put_value(seq_key(1), seq_value(7), now); })
          .result);
  net.run(5s);
  owner.life = Life::silent;
  Churned out;
  for (std::uint64_t round = 0; round < kRounds; ++round) {
    // The nearest half, the farthest half, every other one.
    const auto nearest = net.nearest(seq_key(1), 20);
    for (std::size_t i = 0; i < nearest.size(); ++i)
      if (round % 3 == 0 ? i < 10 : round % 3 == 1 ? i >= 10 : i % 2 == 0)
        net.member(nearest[i]).life = Life::silent;
    Member* alive = nullptr;
    for (std::size_t i = 0; i < net.size() && alive == nullptr; ++i)
      if (net.at_index(i).life == Life::up) alive = &net.at_index(i);
    for (std::size_t i = 0; i < 10; ++i) net.connect(net.add(Mode::server, config), *alive);
    net.run(80min);
    out.fewest_holders = std::min(out.fewest_holders, holders(net));
  }
  Member& reader = net.add(Mode::client, config);
  for (const PeerId& id : net.nearest(seq_key(2), 20)) net.connect(reader, net.member(id));
  net.run(5s);
  const auto done =
      net.run_query(reader, [&](Kad& kad, Now now) { return kad.get_value(seq_key(1), {}, now); });
  out.found = done.result && std::get<ValueDone>(*done.result).value == seq_value(7);
  out.replications = net.metrics.value("kad_records_replicated_count");
  return out;
}

TEST(KadReplicationNetwork, RecordsSurviveTheLossOfAnyHalfOfTheirHoldersAgainAndAgain) {
  for (std::uint64_t i = 0; i < 2; ++i) {
    const Churned with = churn(testkit::seed(140) + i, 1h);
    std::printf("%s, at least %zu of 20 holders, %llu replications in %llu rounds\n",
                with.found ? "found" : "lost", with.fewest_holders,
                static_cast<unsigned long long>(with.replications), static_cast<unsigned long long>(kRounds));
    EXPECT_TRUE(with.found);
    EXPECT_GE(with.fewest_holders, 17u);
    // About one server works per round, not twenty: suppression.
    EXPECT_GE(with.replications, kRounds);
    EXPECT_LE(with.replications, 5 * kRounds);
  }
  const Churned without = churn(testkit::seed(140), Duration::zero());
  EXPECT_LE(without.fewest_holders, 3u);
  EXPECT_EQ(without.replications, 0u);
}

TEST(KadReplicationNetwork, ANewcomerGetsTheRecordsItIsNearTo) {
  SimulatedNetwork net(testkit::seed(141));
  net.seq.hint = at(net.now()).wall + 47h;
  net.grow(40);
  for (std::uint64_t key = 0; key < 5; ++key)
    ASSERT_TRUE(
        net.run_query(net.at_index(3),
                      [&](Kad& kad, Now now) { return kad.put_value(seq_key(key), seq_value(7), now); })
            .result);
  for (std::uint64_t key = 0; key < 5; ++key) {
    const PeerId id = testing::peer_sharing(KadId::of(ByteView(seq_key(key))), 9, 50 + key);
    Member& newcomer = net.add(Mode::server, {}, id);
    net.connect(newcomer, net.at_index(0));
    net.run(30s);  // far less than the interval
    EXPECT_EQ(newcomer.kad->stored_value(seq_key(key), at(net.now())), seq_value(7)) << key;
  }
  EXPECT_EQ(net.metrics.value("kad_records_replicated_count"), 0u);
  const auto handed = net.metrics.value("kad_records_handed_over_count");
  EXPECT_GE(handed, 5u);
  EXPECT_LE(handed, 60u);
}

/// A server whose walk and store requests are answered.
class KadReplication : public KadBrain {
 protected:
  KadReplication() {
    config.liveness_after = 1000h;
    config.refresh_interval = 1000h;
    config.sweep_interval = 1000h;
    seq.hint = now.wall + 40h;
    start(Mode::server);
    admit(1, 5);
  }
  void receive_put(std::uint64_t key, std::uint64_t value) {
    const auto answer = kad->on_request(
        peer(900), {MessageType::put_value, seq_key(key), Record{seq_key(key), seq_value(value), {}}, {}, {}},
        now);
    ASSERT_TRUE(answer);
  }
  /// Runs for a while, answering everything; how many PUTs there were of which key.
  std::map<Bytes, std::size_t> serve(Duration time) {
    std::map<Bytes, std::size_t> puts;
    const Instant end = now.mono + time;
    for (;;) {
      drain();
      while (!requests.empty()) {
        const SendRequest request = take();
        if (request.message.type == MessageType::put_value) {
          ++puts[request.message.key];
          kad->on_response(
              request.id, {MessageType::put_value, request.message.key, request.message.record, {}, {}}, now);
          drain();
        } else {
          answer(request);
        }
      }
      if (kad->deadline() > end) break;
      now = at(std::max(now.mono, kad->deadline()));
      kad->on_deadline(now);
    }
    now = at(end);
    return puts;
  }
};

TEST_F(KadReplication, PutsARecordAgainWhenNobodyElseHas) {
  receive_put(1, 7);
  EXPECT_TRUE(serve(44min).empty());
  EXPECT_EQ(serve(32min), (std::map<Bytes, std::size_t>{{seq_key(1), 5}}));  // 45 to 75 minutes
  // And again an interval later, though nobody put it here in between: our own turn counts.
  EXPECT_EQ(serve(75min).at(seq_key(1)), 5u);
}

TEST_F(KadReplication, WhatARestartBroughtBackIsPassedOnAsSoonAsTheTableIsBack) {
  config.keep = Keep::everything;
  start(Mode::server);
  admit(1, 5);
  receive_put(1, 7);
  receive_put(2, 7);
  drain();
  now = at(now.mono + 2h);
  receive_put(2, 8);
  kad->save_table(now);
  drain();
  start(Mode::server);
  for (const auto& [place, value] : disk) ASSERT_TRUE(kad->restore(place.first, place.second, value, now));
  EXPECT_EQ(env.env.metrics.value("kad_records"), 2u);
  kad->start(now);
  // The first has missed its turn; the second came a moment ago. The servers of the saved table have both.
  EXPECT_EQ(serve(10min), (std::map<Bytes, std::size_t>{{seq_key(1), 5}}));
  EXPECT_EQ(serve(80min).at(seq_key(2)), 5u);
}

TEST_F(KadReplication, AServerThatHearsARecordAgainLeavesTheWorkToWhoSentIt) {
  receive_put(1, 7);
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(serve(44min).empty());
    receive_put(1, 7);
  }
}

TEST_F(KadReplication, NeverProlongsALife) {
  receive_put(1, 7);
  (void)serve(39h);
  EXPECT_EQ(kad->stored_value(seq_key(1), now), seq_value(7));
  (void)serve(1h);
  EXPECT_EQ(kad->stored_value(seq_key(1), now), std::nullopt);
  EXPECT_TRUE(serve(10h).empty());
}

TEST_F(KadReplication, RecordsWithoutAnEndOfTheirOwnAreTheirOwnersBusiness) {
  seq.hint.reset();
  receive_put(1, 7);
  EXPECT_TRUE(serve(10h).empty());
}

TEST_F(KadReplication, AClientAndAServerThatIsToldNotToPassNothingOn) {
  receive_put(1, 7);
  kad->set_mode(Mode::client);
  EXPECT_TRUE(serve(3h).empty());
  config.replicate_interval = Duration::zero();
  start(Mode::server);
  admit(1, 5);
  receive_put(1, 7);
  EXPECT_TRUE(serve(3h).empty());
}

TEST_F(KadReplication, ARecordThatIsOthersToKeepIsLeftAlone) {
  config.k = 3;
  start(Mode::server);
  std::uint64_t n = 100;
  const KadId target = KadId::of(ByteView(seq_key(1)));
  const KadId own = KadId::of(peer(0));
  for (int added = 0; added < 3; ++n) {
    if (!nearer(target, KadId::of(peer(n)), own)) continue;
    if (common_prefix_bits(own, KadId::of(peer(n))) != common_prefix_bits(own, target)) continue;
    admit(n, 1);
    ++added;
  }
  ASSERT_EQ(kad->table().count_nearer(target, own), 3u);
  receive_put(1, 7);
  EXPECT_TRUE(serve(5h).empty());
}

TEST_F(KadReplication, ABetterRecordFoundOnTheWayReplacesOurs) {
  receive_put(1, 7);
  now = at(now.mono + 80min);
  kad->on_deadline(now);
  drain();
  while (!requests.empty()) {
    const SendRequest request = take();
    if (request.message.type == MessageType::put_value)
      answer_with(request, 9);
    else
      answer(request);
    drain();
  }
  EXPECT_EQ(kad->stored_value(seq_key(1), now), seq_value(9));
}

TEST_F(KadReplication, AFullStoreIsPassedOnPieceByPiece) {
  config.rates.puts_per_s = 1e6;
  config.rates.put_burst = 1e6;
  config.rates.requests_per_s = 1e6;
  config.rates.request_burst = 1e6;
  start(Mode::server);
  admit(1, 2);
  constexpr std::uint64_t kCount = 3 * kReplicationSlice;
  for (std::uint64_t key = 0; key < kCount; ++key) receive_put(key, 7);
  now = at(now.mono + 80min);
  kad->on_deadline(now);
  drain();
  EXPECT_EQ(env.env.metrics.value("kad_records_replicated_count"), kReplicationsRunningMax);
  const auto puts = serve(5min);
  EXPECT_EQ(puts.size(), kCount);
}

}  // namespace
}  // namespace starling::kad
