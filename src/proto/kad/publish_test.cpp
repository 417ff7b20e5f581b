// Publishing without waiting for the last server, and publishing again.
#include "proto/kad/kad_brain_fixture.hpp"
#include "proto/kad/simulated_network.hpp"

namespace starling::kad {
namespace {

using testing::at;
using testing::info;
using testing::KadBrain;
using testing::peer;
using testing::seq_key;
using testing::seq_value;
using testing::SimulatedNetwork;
using Member = SimulatedNetwork::Member;

std::size_t holders_anywhere(SimulatedNetwork& net, const Bytes& key, const Bytes& value) {
  std::size_t out = 0;
  for (std::size_t i = 0; i < net.size(); ++i)
    out += net.at_index(i).kad->stored_value(key, at(net.now())) == value ? 1u : 0u;
  return out;
}
std::size_t holders_nearest(SimulatedNetwork& net, const Bytes& key, const Bytes& value) {
  std::size_t out = 0;
  for (const PeerId& id : net.nearest(key, 20))
    out += net.member(id).kad->stored_value(key, at(net.now())) == value ? 1u : 0u;
  return out;
}
void learn_size(SimulatedNetwork& net, Member& member) {
  for (std::uint64_t n = 0; n < 8; ++n)
    (void)net.run_query(member, [&](Kad& kad, Now now) {
      return kad.closest_peers(to_bytes("size " + std::to_string(n)), now);
    });
  ASSERT_TRUE(member.kad->network_size(at(net.now())));
}

struct Cost {
  double seconds = 0;
  double requests = 0;
};

TEST(KadOptimisticNetwork, PublishingTakesALookupAndAtMostOneRoundTripAndLeavesNoReplicaOut) {
  constexpr std::uint64_t kKeys = 40;
  SimulatedNetwork net(testkit::seed(133));
  net.grow(150);
  Member& writer = net.at_index(17);
  learn_size(net, writer);
  Cost lookup;
  Cost classic;
  Cost optimistic;
  const auto add = [](Cost& cost, const QueryDone& done) {
    cost.seconds += std::chrono::duration<double>(done.stats.took).count() / kKeys;
    cost.requests += static_cast<double>(done.stats.requests) / kKeys;
  };
  std::size_t fewest = 20;
  for (std::uint64_t key = 0; key < kKeys; ++key) {
    add(lookup,
        net.run_query(writer, [&](Kad& kad, Now now) { return kad.closest_peers(seq_key(key), now); }));
    for (const Publish publish : {Publish::classic, Publish::optimistic}) {
      const Bytes name = seq_key(1000 + 2 * key + (publish == Publish::classic ? 0 : 1));
      QueryOptions options;
      options.publish = publish;
      const std::size_t before = net.messages;
      QueryDone done = net.run_query(
          writer, [&](Kad& kad, Now now) { return kad.put_value(name, seq_value(7), now, options); });
      ASSERT_TRUE(done.result);
      const auto put = std::get<PutDone>(*done.result);
      // Only echoes count, and there are never fewer copies than it says.
      EXPECT_GE(put.stored, publish == Publish::classic ? 19u : 15u);
      EXPECT_GE(holders_anywhere(net, name, seq_value(7)), put.stored);
      EXPECT_EQ(put.rest, publish == Publish::optimistic ? Rest::in_background : Rest::none);
      net.run(2s);
      done.stats.requests = net.messages - before;
      add(publish == Publish::classic ? classic : optimistic, done);
      // The k nearest have it afterwards, whatever was known when it was reported.
      fewest = std::min(fewest, holders_nearest(net, name, seq_value(7)));
    }
  }
  std::printf("lookup %.0f ms, %.0f messages; classic put %.0f ms, %.0f; optimistic put %.0f ms, %.0f\n",
              1000 * lookup.seconds, lookup.requests, 1000 * classic.seconds, classic.requests,
              1000 * optimistic.seconds, optimistic.requests);
  EXPECT_GE(fewest, 19u);
  EXPECT_LE(optimistic.seconds, lookup.seconds + 0.16);  // a round trip takes 160 ms at most
  EXPECT_LT(optimistic.seconds, classic.seconds);
  EXPECT_LE(optimistic.requests, classic.requests + 5);
}

TEST(KadOptimisticNetwork, ProvidersArePublishedTheSameWay) {
  SimulatedNetwork net(testkit::seed(134));
  net.grow(100);
  Member& writer = net.at_index(17);
  learn_size(net, writer);
  const Bytes key = to_bytes("content");
  const auto done = net.run_query(writer, [&](Kad& kad, Now now) { return kad.provide(key, now); });
  const auto provided = std::get<ProvideDone>(*done.result);
  EXPECT_GE(provided.sent, 15u);
  net.run(2s);
  std::size_t holders = 0;
  for (const PeerId& id : net.nearest(key, 20)) holders += net.member(id).kad->provider_count();
  EXPECT_GE(holders, 19u);
}

class KadPublish : public KadBrain {
 protected:
  /// An answer to a FIND_NODE from the k-th on does not come; everything else is answered.
  std::size_t answer_all_but(std::size_t silent) {
    std::size_t stores = 0;
    drain();
    std::vector<SendRequest> kept;
    while (!requests.empty()) {
      const SendRequest request = take();
      if (request.message.type == MessageType::put_value) {
        ++stores;
        answer_with(request, 7);
      } else if (kept.size() < silent) {
        kept.push_back(request);
      } else {
        answer(request);
      }
      drain();
    }
    requests = kept;
    return stores;
  }
};

/// A query of its own, with an estimate of its own.
Query make_query(double servers, Publish publish) {
  QuerySpec spec;
  spec.goal = Goal::put_value;
  spec.key = seq_key(1);
  spec.value = seq_value(7);
  Query::Settings settings;
  settings.publish = publish;
  settings.size = SizeEstimate{servers, 0.1, 20};
  return Query(std::move(spec), peer(0), settings, {}, Instant{} + 1min);
}

TEST(KadOptimisticQuery, AWrongEstimateCostsNoReplica) {
  Validators validators;
  testing::SequenceValidator seq;
  validators.add("seq", seq);
  for (const double servers : {1.0, 1e9}) {  // everybody looks near, nobody does
    Query query = make_query(servers, Publish::optimistic);
    const KadId target = KadId::of(ByteView(seq_key(1)));
    std::vector<PeerInfo> all;
    for (std::uint64_t n = 1; n <= 60; ++n) all.push_back(info(n));
    std::sort(all.begin(), all.end(), [&](const PeerInfo& a, const PeerInfo& b) {
      return nearer(target, KadId::of(a.id), KadId::of(b.id));
    });
    query.seed({all.begin() + 40, all.end()});  // the farthest first
    std::vector<PeerId> stored;
    while (!query.finished()) {
      const auto request = query.next();
      ASSERT_TRUE(request);
      Message answer{request->message.type, seq_key(1), {}, {}, {}};
      if (request->message.type == MessageType::put_value) {
        stored.push_back(request->peer.id);
        answer.record = request->message.record;
      } else {
        answer.closer_peers.assign(all.begin(), all.begin() + 40);
      }
      query.on_response(request->peer, answer, WallTime{}, validators);
    }
    for (std::size_t i = 0; i < 20; ++i)
      EXPECT_EQ(std::count(stored.begin(), stored.end(), all[i].id), 1) << i;
    EXPECT_LE(stored.size(), servers < 2 ? 40u : 20u);  // at most k on trust, and the k nearest
    const auto done = std::get<PutDone>(*query.result(false));
    EXPECT_EQ(done.stored, stored.size());
    EXPECT_EQ(done.rest, Rest::none);
  }
}

TEST(KadOptimisticQuery, DoesNotReportBeforeTheNearestHaveIt) {
  Validators validators;
  testing::SequenceValidator seq;
  validators.add("seq", seq);
  Query query = make_query(20, Publish::optimistic);
  const KadId target = KadId::of(ByteView(seq_key(1)));
  std::vector<PeerInfo> all;
  for (std::uint64_t n = 1; n <= 20; ++n) all.push_back(info(n));
  std::sort(all.begin(), all.end(), [&](const PeerInfo& a, const PeerInfo& b) {
    return nearer(target, KadId::of(a.id), KadId::of(b.id));
  });
  query.seed(all);
  std::vector<Query::Request> first_two;
  for (int round = 0; round < 100; ++round) {
    ASSERT_FALSE(query.finished());
    const auto request = query.next();
    if (!request) break;
    const bool put = request->message.type == MessageType::put_value;
    if (put && (request->peer.id == all[0].id || request->peer.id == all[1].id)) {
      first_two.push_back(*request);
      continue;
    }
    Message answer{request->message.type, seq_key(1), {}, {}, {}};
    if (put) answer.record = request->message.record;
    query.on_response(request->peer, answer, WallTime{}, validators);
    EXPECT_FALSE(query.may_report());
  }
  ASSERT_EQ(first_two.size(), 2u);
  // Fourteen and more have stored it, but not the two that every reader asks first.
  for (const auto& request : first_two) {
    EXPECT_FALSE(query.may_report());
    Message answer{request.message.type, seq_key(1), request.message.record, {}, {}};
    query.on_response(request.peer, answer, WallTime{}, validators);
  }
  const bool over = query.finished();
  EXPECT_TRUE(over || query.may_report());
}

TEST_F(KadPublish, IsClassicWithoutAnEstimate) {
  admit(1, 25);
  kad->put_value(seq_key(1), seq_value(7), now);
  ASSERT_FALSE(kad->network_size(now));
  EXPECT_EQ(answer_all_but(1), 0u);  // one of the nearest has not answered: nothing is stored yet
  answer(take());
  EXPECT_EQ(answer_all_but(0), 20u);
  EXPECT_EQ(result<PutDone>().rest, Rest::none);
}

TEST_F(KadPublish, ReportsWhileASlowServerIsStillWaitedForAndServesItLater) {
  admit(1, 20);
  for (std::uint64_t n = 0; n < 6; ++n) {
    kad->closest_peers(to_bytes("size " + std::to_string(n)), now);
    settle();
  }
  ASSERT_TRUE(kad->network_size(now));
  dones.clear();
  const QueryId id = kad->put_value(seq_key(1), seq_value(7), now);
  drain();
  const KadId target = KadId::of(ByteView(seq_key(1)));
  std::vector<PeerInfo> all;
  for (std::uint64_t n = 1; n <= 20; ++n) all.push_back(info(n));
  std::sort(all.begin(), all.end(), [&](const PeerInfo& a, const PeerInfo& b) {
    return nearer(target, KadId::of(a.id), KadId::of(b.id));
  });
  std::optional<SendRequest> slow;
  std::size_t stores = 0;
  while (!requests.empty()) {
    const SendRequest request = take();
    if (request.peer == all[15].id) {
      slow = request;
    } else if (request.message.type == MessageType::put_value) {
      ++stores;
      answer_with(request, 7);
    } else {
      answer(request);
    }
    drain();
  }
  ASSERT_TRUE(slow);
  EXPECT_EQ(stores, 15u);  // three quarters of k: those that are likely without the slow one's answer
  ASSERT_EQ(dones.size(), 1u);
  EXPECT_EQ(result<PutDone>().rest, Rest::in_background);
  EXPECT_EQ(kad->query_count(), 1u);
  kad->cancel(id, now);  // it has ended as far as anybody is concerned
  EXPECT_EQ(kad->query_count(), 1u);
  answer(*slow);
  EXPECT_EQ(requests.size(), 5u);  // the walk is over: it and the four behind it are served as well
  EXPECT_EQ(take().peer, all[15].id);
  pass(15s);
  EXPECT_EQ(kad->query_count(), 0u);
  EXPECT_EQ(dones.size(), 1u);
}

// --- publishing again ---

TEST_F(KadPublish, RecordsArePutAgainUntilTheOwnerStops) {
  config.liveness_after = 1000h;
  config.refresh_interval = 1000h;
  start(Mode::client);
  admit(1, 3);
  QueryOptions options;
  options.upkeep = QueryOptions::Upkeep::publish_again;
  kad->put_value(seq_key(1), seq_value(7), now, options);
  const auto serve = [this] {
    std::size_t puts = 0;
    drain();
    while (!requests.empty()) {
      const SendRequest request = take();
      if (request.message.type == MessageType::put_value) {
        ++puts;
        answer_with(request, 7);
      } else {
        answer(request);
      }
      drain();
    }
    return puts;
  };
  EXPECT_EQ(serve(), 3u);
  pass(21h);
  EXPECT_EQ(serve(), 0u);
  pass(1h);
  EXPECT_EQ(serve(), 3u);
  kad->stop_publishing(seq_key(1));
  pass(48h);
  EXPECT_EQ(serve(), 0u);
}

TEST_F(KadPublish, ARecordThatHasEndedOrWasBeatenIsNotPutAgain) {
  config.liveness_after = 1000h;
  config.refresh_interval = 1000h;
  start(Mode::client);
  admit(1, 3);
  QueryOptions options;
  options.upkeep = QueryOptions::Upkeep::publish_again;
  kad->put_value(seq_key(1), seq_value(7), now, options);
  for (int i = 0; i < 3; ++i) answer(take());
  for (int i = 0; i < 3; ++i) answer_with(take(), 9);  // everybody has a better one
  EXPECT_EQ(result<PutDone>().better, seq_value(9));
  kad->put_value(seq_key(2), seq_value(7), now, options);
  settle();
  seq.ends = now.wall + 10h;
  pass(50h);
  for (const SendRequest& request : requests) EXPECT_NE(request.message.type, MessageType::put_value);
}

TEST_F(KadPublish, ABoundedNumberOfRecordsIsPutAgain) {
  QueryOptions options;
  options.upkeep = QueryOptions::Upkeep::publish_again;
  for (std::size_t i = 0; i < kOwnRecordsMax; ++i) kad->put_value(seq_key(i), seq_value(1), now, options);
  drain();
  dones.clear();
  kad->put_value(seq_key(kOwnRecordsMax), seq_value(1), now, options);
  EXPECT_EQ(error(), make_error(Errc::store_full));
}

}  // namespace
}  // namespace starling::kad
