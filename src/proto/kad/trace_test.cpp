// What a traced query tells of its steps.
#include "proto/kad/kad_brain_fixture.hpp"
#include "proto/kad/simulated_network.hpp"

namespace starling::kad {
namespace {

using testing::info;
using testing::KadBrain;
using testing::peer;
using testing::seq_key;
using testing::seq_value;
using testing::SimulatedNetwork;
using Verdict = QueryHop::Verdict;

class KadTrace : public KadBrain {
 protected:
  static QueryOptions traced() {
    QueryOptions out;
    out.trace = QueryOptions::Trace::on;
    return out;
  }
};

TEST_F(KadTrace, TellsEachStepWithItsTimeDistanceAndVerdict) {
  admit(1, 3);
  const QueryId id = kad->get_value(seq_key(1), {}, now, traced());
  const SendRequest first = take();
  now = testing::at(now.mono + 40ms);
  answer(first, {info(50)});
  const SendRequest second = take();
  kad->on_response(second.id,
                   {MessageType::get_value, seq_key(1), Record{seq_key(1), to_bytes("forged"), {}}, {}, {}},
                   now);
  kad->on_request_failed(take().id, make_error(Errc::stream_broken), now);
  const SendRequest named = take();
  answer_with(named, 7);
  ASSERT_EQ(hops.size(), 4u);
  const KadId target = KadId::of(ByteView(seq_key(1)));
  EXPECT_EQ(hops[0].query, id);
  EXPECT_EQ(hops[0].peer, first.peer);
  EXPECT_EQ(hops[0].verdict, Verdict::answered);
  EXPECT_EQ(hops[0].request, MessageType::get_value);
  EXPECT_EQ(hops[0].shared_bits, common_prefix_bits(target, KadId::of(first.peer)));
  EXPECT_EQ(hops[0].depth, 1u);
  EXPECT_EQ(hops[0].named, 1u);
  EXPECT_EQ(hops[0].started, Duration{});
  EXPECT_EQ(hops[0].took, 40ms);
  EXPECT_EQ(hops[0].suggested_by, std::nullopt);
  EXPECT_EQ(hops[1].verdict, Verdict::invalid);
  EXPECT_EQ(hops[2].verdict, Verdict::failed);
  EXPECT_EQ(hops[3].peer, peer(50));
  EXPECT_EQ(hops[3].suggested_by, first.peer);
  EXPECT_EQ(hops[3].depth, 2u);
  EXPECT_EQ(hops[3].started, 40ms);
  EXPECT_EQ(result<ValueDone>().value, seq_value(7));
}

TEST_F(KadTrace, TellsWhatWasStoredAndWhatWasRefused) {
  admit(1, 2);
  kad->put_value(seq_key(1), seq_value(7), now, traced());
  answer(take());
  answer(take());
  answer_with(take(), 7);
  answer(take());
  ASSERT_EQ(hops.size(), 4u);
  EXPECT_EQ(hops[2].verdict, Verdict::stored);
  EXPECT_EQ(hops[2].request, MessageType::put_value);
  EXPECT_EQ(hops[3].verdict, Verdict::refused);
  kad->provide(to_bytes("key"), now, traced());
  answer(take());
  answer(take());
  kad->on_request_sent(take().id, now);
  drain();
  EXPECT_EQ(hops.back().verdict, Verdict::stored);
  EXPECT_EQ(hops.back().request, MessageType::add_provider);
}

TEST_F(KadTrace, TellsWhoTimedOut) {
  config.stall_after = 20s;
  start(Mode::client);
  admit(1, 1);
  kad->closest_peers(to_bytes("x"), now, traced());
  pass(15s);
  ASSERT_EQ(hops.size(), 1u);
  EXPECT_EQ(hops[0].verdict, Verdict::timed_out);
  EXPECT_EQ(hops[0].took, 10s);
}

TEST_F(KadTrace, TellsWhoStalledAndWhoseSuggestionsAreForgotten) {
  config.k = 4;
  start(Mode::client);
  admit(1, 1);
  kad->closest_peers(to_bytes("x"), now, traced());
  std::vector<PeerInfo> invented;
  for (std::uint64_t n = 100; n < 120; ++n) invented.push_back(info(n));
  answer(take(), invented);
  pass(15s);
  const auto count = [this](Verdict verdict) {
    return std::count_if(hops.begin(), hops.end(),
                         [&](const QueryHop& hop) { return hop.verdict == verdict; });
  };
  EXPECT_EQ(count(Verdict::stalled), 5);
  ASSERT_EQ(count(Verdict::liar_discarded), 1);
  const auto liar = std::find_if(hops.begin(), hops.end(),
                                 [](const QueryHop& hop) { return hop.verdict == Verdict::liar_discarded; });
  EXPECT_EQ(liar->peer, peer(1));
  EXPECT_EQ(liar->named, 15u);  // two more were asked while the first three stalled
  EXPECT_EQ(dones.size(), 1u);
}

TEST_F(KadTrace, AQueryThatIsNotTracedTellsNothing) {
  admit(1, 3);
  kad->get_value(seq_key(1), {}, now);
  settle();
  EXPECT_TRUE(hops.empty());
  EXPECT_EQ(dones.size(), 1u);
}

TEST(KadTraceQuery, TellsABoundedNumberOfStepsAndCountsTheRest) {
  QuerySpec spec;
  spec.key = to_bytes("x");
  spec.options.trace = QueryOptions::Trace::on;
  Query query(std::move(spec), peer(0), {}, {}, Instant{} + 1min);
  for (std::size_t i = 0; i < kHopsPerQueryMax; ++i) ASSERT_TRUE(query.tells_hop());
  EXPECT_FALSE(query.tells_hop());
  EXPECT_FALSE(query.tells_hop());
  EXPECT_EQ(query.stats().hops_untold, 2u);
}

TEST(KadTraceNetwork, TheStepsOfALookupAddUp) {
  SimulatedNetwork net(testkit::seed(120));
  net.grow(60);
  QueryOptions traced;
  traced.trace = QueryOptions::Trace::on;
  auto& asker = net.at_index(7);
  const auto done = net.run_query(
      asker, [&](Kad& kad, Now now) { return kad.closest_peers(to_bytes("somewhere"), now, traced); });
  EXPECT_EQ(asker.hops.size(), done.stats.requests);
  EXPECT_EQ(done.stats.hops_untold, 0u);
  EXPECT_GE(done.stats.hops, 1u);
  std::map<PeerId, std::size_t> depths;
  for (const QueryHop& hop : asker.hops) {
    EXPECT_EQ(hop.verdict, Verdict::answered);
    EXPECT_GT(hop.took, Duration{});
    EXPECT_EQ(hop.depth, hop.suggested_by ? depths.at(*hop.suggested_by) + 1 : 1u);
    depths[hop.peer] = hop.depth;
  }
  EXPECT_EQ(done.stats.hops, depths.at(std::get<ClosestDone>(*done.result).peers[0].id));
}

}  // namespace
}  // namespace starling::kad
