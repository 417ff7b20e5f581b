#include "proto/kad/kad.hpp"

#include <gtest/gtest.h>

#include "base/machine.hpp"
#include "proto/kad/kad_testing.hpp"

namespace starling::kad {
namespace {

using testing::at;
using testing::info;
using testing::ip4;
using testing::peer;
using testing::public_addr;
using testing::seq_key;
using testing::seq_value;

/// One brain whose requests the test answers by hand.
class KadBrain : public ::testing::Test {
 protected:
  KadBrain() : env(testkit::seed(1)) {
    validators.add("seq", seq);
    config.scope = AddressScope::public_only;
    start(Mode::client);
  }
  void start(Mode mode) {
    config.mode = mode;
    kad = std::make_unique<Kad>(config, peer(0), validators, env.env, now.mono);
    kad->set_own_addrs({public_addr(0)});
  }
  void drain() {
    while (auto action = kad->poll()) {
      if (auto* request = std::get_if<SendRequest>(&*action)) requests.push_back(std::move(*request));
      if (auto* done = std::get_if<QueryDone>(&*action)) dones.push_back(std::move(*done));
      if (auto* found = std::get_if<ProviderFound>(&*action)) found_providers.push_back(std::move(found->provider));
      if (auto* change = std::get_if<TableChanged>(&*action)) changes.push_back(*change);
    }
  }
  void pass(Duration time) {
    const Instant end = now.mono + time;
    while (kad->deadline() <= end) {
      now = at(std::max(now.mono, kad->deadline()));
      kad->on_deadline(now);
      drain();
    }
    now = at(end);
  }
  SendRequest take() {
    drain();
    EXPECT_FALSE(requests.empty());
    SendRequest out = std::move(requests.front());
    requests.erase(requests.begin());
    return out;
  }
  void answer(const SendRequest& request, std::vector<PeerInfo> closer = {}) {
    kad->on_response(request.id, {request.message.type, request.message.key, {}, std::move(closer), {}}, now);
    drain();
  }
  void answer_with(const SendRequest& request, std::uint64_t value, std::vector<PeerInfo> closer = {}) {
    kad->on_response(request.id, {request.message.type, request.message.key,
                                  Record{request.message.key, seq_value(value), {}}, std::move(closer), {}}, now);
    drain();
  }
  /// Admits servers n … n + count − 1.
  void admit(std::uint64_t n, std::uint64_t count) {
    for (std::uint64_t i = n; i < n + count; ++i) {
      kad->on_peer_supports_kad({peer(i), {public_addr(i)}, public_addr(i)}, now);
      answer(take());
    }
    settle();
    changes.clear();
  }
  /// Answers everything with nothing new until nobody asks.
  void settle() {
    drain();
    while (!requests.empty()) answer(take());
    // The refresh that the first admission causes.
    if (kad->deadline() <= now.mono) {
      kad->on_deadline(now);
      settle();
    }
  }
  template <class T>
  T result(std::size_t index = 0) {
    drain();
    EXPECT_GT(dones.size(), index);
    if (dones.size() <= index || !dones[index].result) return {};
    EXPECT_TRUE(std::holds_alternative<T>(*dones[index].result));
    return std::get<T>(*dones[index].result);
  }
  Error error(std::size_t index = 0) {
    drain();
    EXPECT_GT(dones.size(), index);
    EXPECT_FALSE(dones[index].result);
    return dones[index].result.error();
  }

  testkit::TestEnv env;
  Config config;
  testing::SequenceValidator seq;
  Validators validators;
  Now now = at(1h);
  std::unique_ptr<Kad> kad;
  std::vector<SendRequest> requests;
  std::vector<QueryDone> dones;
  std::vector<PeerInfo> found_providers;
  std::vector<TableChanged> changes;
};

// --- membership ---------------------------------------------------------------------------------------------------

TEST_F(KadBrain, AdmitsAServerOnceItHasAnsweredAProbe) {
  kad->on_peer_supports_kad({peer(1), {public_addr(1), ip4(10, 0, 0, 1)}, public_addr(1)}, now);
  const SendRequest probe = take();
  EXPECT_EQ(probe.peer, peer(1));
  EXPECT_EQ(probe.addrs, std::vector<Multiaddr>{public_addr(1)});
  EXPECT_EQ(probe.message.type, MessageType::find_node);
  EXPECT_EQ(probe.message.key, to_bytes(peer(0).bytes()));
  EXPECT_TRUE(probe.expects_response);
  EXPECT_EQ(kad->table().size(), 0u);
  answer(probe);
  EXPECT_EQ(kad->table().size(), 1u);
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].peer, peer(1));
  EXPECT_EQ(changes[0].what, TableChanged::What::added);
}

TEST_F(KadBrain, AdmitsNobodyWhoFailsTheProbe) {
  kad->on_peer_supports_kad({peer(1), {public_addr(1)}, public_addr(1)}, now);
  kad->on_request_failed(take().id, make_error(Errc::response_timeout), now);
  EXPECT_EQ(kad->table().size(), 0u);
  EXPECT_EQ(kad->request_count(), 0u);
  kad->on_peer_supports_kad({peer(1), {public_addr(1)}, public_addr(1)}, now);
  EXPECT_EQ(take().peer, peer(1));  // it may try again
}

TEST_F(KadBrain, AdmitsNobodyWithoutAPublicAddress) {
  kad->on_peer_supports_kad({peer(1), {ip4(192, 168, 0, 1)}, ip4(192, 168, 0, 1)}, now);
  kad->on_peer_supports_kad({peer(0), {public_addr(1)}, public_addr(1)}, now);
  kad->on_peer_supports_kad({PeerId{}, {public_addr(1)}, public_addr(1)}, now);
  drain();
  EXPECT_TRUE(requests.empty());
}

TEST_F(KadBrain, WhoAsksUsOrIsNamedToUsIsNoMember) {
  start(Mode::server);
  for (std::uint64_t i = 1; i < 50; ++i)
    (void)kad->on_request(peer(i), {MessageType::find_node, to_bytes("x"), {}, {info(i)}, {info(i)}}, now);
  drain();
  EXPECT_EQ(kad->table().size(), 0u);
  EXPECT_TRUE(requests.empty());
}

// E.2 #9: client-mode peers answering.
TEST_F(KadBrain, AClientThatAnswersIsStillNoMember) {
  admit(1, 1);
  kad->on_peer_unsupported(peer(2), {public_addr(2)}, now);
  kad->closest_peers(to_bytes("x"), now);
  answer(take(), {info(2)});
  const SendRequest to_client = take();
  EXPECT_EQ(to_client.peer, peer(2));
  answer(to_client);
  EXPECT_FALSE(kad->table().contains(peer(2)));
  EXPECT_EQ(kad->table().size(), 1u);
}

TEST_F(KadBrain, AServerThatTurnsClientLeavesTheTable) {
  admit(1, 3);
  kad->on_peer_unsupported(peer(2), {}, now);
  drain();
  EXPECT_FALSE(kad->table().contains(peer(2)));
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].what, TableChanged::What::removed);
  // And comes back when identify says so.
  kad->on_peer_supports_kad({peer(2), {public_addr(2)}, public_addr(2)}, now);
  answer(take());
  EXPECT_TRUE(kad->table().contains(peer(2)));
}

TEST_F(KadBrain, AServerThatAnswersAQueryIsOfferedAPlace) {
  admit(1, 1);
  kad->closest_peers(to_bytes("x"), now);
  answer(take(), {{peer(2), {public_addr(2)}, ConnectionType::connected}});
  answer(take());
  EXPECT_EQ(kad->table().info(peer(2)), (PeerInfo{peer(2), {public_addr(2)}, ConnectionType::can_connect}));
}

TEST_F(KadBrain, StaysInTheTableWhenTheConnectionCloses) {
  admit(1, 1);
  EXPECT_EQ(kad->table().info(peer(1))->connection, ConnectionType::connected);
  kad->on_disconnected(peer(1), now);
  EXPECT_EQ(kad->table().info(peer(1))->connection, ConnectionType::not_connected);
}

TEST_F(KadBrain, AnOutageOfOurOwnDoesNotEmptyTheTable) {
  admit(1, 10);
  pass(31s);
  for (int i = 0; i < 5; ++i) {
    kad->closest_peers(seq_key(static_cast<std::uint64_t>(i)), now);
    drain();
    while (!requests.empty()) {
      kad->on_request_failed(take().id, make_error(Errc::response_timeout), now);
      drain();
    }
    pass(1s);
  }
  EXPECT_EQ(kad->table().size(), 10u);
  // Once somebody answers again, those who do not are dropped.
  for (int i = 0; i < 2; ++i) {
    kad->closest_peers(seq_key(9), now);
    drain();
    while (!requests.empty()) {
      const SendRequest request = take();
      if (request.peer == peer(1)) {
        kad->on_request_failed(request.id, make_error(Errc::response_timeout), now);
        drain();
      } else {
        answer(request);
      }
    }
  }
  EXPECT_EQ(kad->table().size(), 9u);
}

TEST_F(KadBrain, APeerThatDoesNotSpeakOurProtocolLeavesAtOnce) {
  admit(1, 3);
  kad->closest_peers(to_bytes("x"), now);
  const SendRequest request = take();
  kad->on_request_failed(request.id, Error(make_error(Errc::not_serving)), now);  // Kind::unsupported
  EXPECT_FALSE(kad->table().contains(request.peer));
}

TEST_F(KadBrain, ChecksSilentEntriesAndDropsTheDead) {
  admit(1, 3);
  pass(config.liveness_after + config.refresh_interval * 2);
  drain();
  std::set<PeerId> probed;
  for (const SendRequest& request : requests) probed.insert(request.peer);
  EXPECT_EQ(probed.size(), 3u);
}

// --- serving ------------------------------------------------------------------------------------------------------

TEST_F(KadBrain, AClientServesNothing) {
  const auto answer = kad->on_request(peer(1), {MessageType::find_node, to_bytes("x"), {}, {}, {}}, now);
  EXPECT_EQ(answer.error(), make_error(Errc::not_serving));
  kad->set_mode(Mode::server);
  EXPECT_TRUE(kad->on_request(peer(1), {MessageType::find_node, to_bytes("x"), {}, {}, {}}, now));
}

TEST_F(KadBrain, SweepsItsStores) {
  start(Mode::server);
  seq.hint = at(2h).wall;
  ASSERT_TRUE(kad->on_request(peer(1), {MessageType::put_value, seq_key(1), Record{seq_key(1), seq_value(1), {}}, {}, {}}, now));
  EXPECT_EQ(kad->record_count(), 1u);
  EXPECT_EQ(kad->stored_value(seq_key(1), now), seq_value(1));
  EXPECT_EQ(kad->stored_value(seq_key(2), now), std::nullopt);
  pass(2h);
  EXPECT_EQ(kad->record_count(), 0u);
}

TEST_F(KadBrain, ALoneServerServesItself) {
  start(Mode::server);
  kad->put_value(seq_key(1), seq_value(5), now);
  EXPECT_EQ(result<PutDone>(0).stored, 1u);
  kad->put_value(seq_key(1), seq_value(4), now);
  EXPECT_EQ(result<PutDone>(1).better, seq_value(5));
  EXPECT_EQ(result<PutDone>(1).stored, 0u);
  kad->get_value(seq_key(1), {}, now);
  EXPECT_EQ(result<ValueDone>(2).value, seq_value(5));
  kad->provide(to_bytes("k"), now);
  EXPECT_EQ(result<ProvideDone>(3).sent, 1u);
  const auto providers = kad->on_request(peer(1), {MessageType::get_providers, to_bytes("k"), {}, {}, {}}, now);
  EXPECT_EQ((**providers).provider_peers.at(0).id, peer(0));
  kad->stop_providing(to_bytes("k"));
  EXPECT_EQ(kad->provider_count(), 0u);
  kad->get_value(seq_key(2), {}, now);
  EXPECT_EQ(error(4), make_error(Errc::no_peers));
}

// --- queries: ends ------------------------------------------------------------------------------------------------

TEST_F(KadBrain, EveryQueryFailsWithoutPeers) {
  kad->find_peer(peer(5), now);
  kad->closest_peers(to_bytes("x"), now);
  kad->get_value(seq_key(1), {}, now);
  kad->put_value(seq_key(1), seq_value(1), now);
  kad->provide(to_bytes("x"), now);
  kad->find_providers(to_bytes("x"), 3, now);
  kad->bootstrap(now);
  for (std::size_t i = 0; i < 7; ++i) EXPECT_EQ(error(i), make_error(Errc::no_peers)) << i;
  EXPECT_EQ(kad->query_count(), 0u);
}

TEST_F(KadBrain, RefusesQueriesThatMakeNoSense) {
  admit(1, 3);
  kad->closest_peers({}, now);
  EXPECT_EQ(error(0), make_error(Errc::key_missing));
  kad->closest_peers(Bytes(kKeyBytesMax + 1), now);
  EXPECT_EQ(error(1), make_error(Errc::key_too_long));
  kad->get_value(to_bytes("/nobody/knows"), {}, now);
  EXPECT_EQ(error(2), make_error(Errc::bad_namespace));
  kad->put_value(seq_key(1), to_bytes("not a number"), now);
  EXPECT_EQ(error(3), make_error(Errc::invalid_record));
  kad->provide(Bytes(kProviderKeyBytesMax + 1), now);
  EXPECT_EQ(error(4), make_error(Errc::key_too_long));
  kad->find_providers({}, 1, now);
  EXPECT_EQ(error(5), make_error(Errc::key_missing));
  kad->set_own_addrs({ip4(10, 0, 0, 1)});
  kad->provide(to_bytes("x"), now);
  EXPECT_EQ(error(6), make_error(Errc::no_addresses));
  EXPECT_TRUE(requests.empty());
}

TEST_F(KadBrain, RunsABoundedNumberOfQueriesAndQueuesABoundedNumber) {
  admit(1, 3);
  std::vector<QueryId> ids;
  for (std::size_t i = 0; i < kQueriesRunningMax + kQueriesWaitingMax; ++i)
    ids.push_back(kad->closest_peers(seq_key(i), now));
  drain();
  EXPECT_TRUE(dones.empty());
  EXPECT_EQ(requests.size(), 3 * kQueriesRunningMax);
  kad->closest_peers(to_bytes("one more"), now);
  EXPECT_EQ(error(0), make_error(Errc::too_many_queries));
  // A waiting one can be given up; the first to end lets the next waiting one start.
  kad->cancel(ids.back(), now);
  EXPECT_EQ(error(1), make_error(Errc::cancelled));
  kad->cancel(ids.front(), now);
  EXPECT_EQ(error(2), make_error(Errc::cancelled));
  EXPECT_EQ(requests.size(), 3 * kQueriesRunningMax + 3);
  kad->cancel(ids.front(), now);
  drain();
  EXPECT_EQ(dones.size(), 3u);
  settle();
  EXPECT_EQ(dones.size(), ids.size() + 1);
  EXPECT_EQ(kad->query_count(), 0u);
  EXPECT_EQ(kad->request_count(), 0u);
}

TEST_F(KadBrain, ADriverThatSaysNothingHangsNoQuery) {
  admit(1, 5);
  kad->closest_peers(to_bytes("x"), now);
  kad->get_value(seq_key(1), {}, now);
  kad->provide(to_bytes("x"), now);
  pass(config.query_timeout + 1s);
  EXPECT_EQ(dones.size(), 3u);
  EXPECT_EQ(kad->query_count(), 0u);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(error(i).code(), make_error(Errc::no_peers).code());
}

TEST_F(KadBrain, AQueryEndsAtItsTimeWithWhatItKnows) {
  config.query_timeout = 5s;
  start(Mode::client);
  admit(1, 5);
  kad->closest_peers(to_bytes("x"), now);
  const SendRequest first = take();
  answer(first);
  pass(5s);
  EXPECT_EQ(result<ClosestDone>().peers.at(0).id, first.peer);
  kad->get_value(seq_key(1), {}, now);
  requests.clear();
  drain();
  requests.clear();
  pass(5s);
  EXPECT_EQ(error(1), make_error(Errc::query_timeout));
}

TEST_F(KadBrain, IgnoresAnswersToRequestsItDoesNotKnow) {
  admit(1, 2);
  kad->on_response(RequestId(999), {}, now);
  kad->on_request_failed(RequestId(999), make_error(Errc::idle), now);
  kad->on_request_sent(RequestId(999), now);
  kad->cancel(QueryId(999), now);
  kad->closest_peers(to_bytes("x"), now);
  const SendRequest request = take();
  kad->on_request_sent(request.id, now);  // not an answer to this kind
  pass(11s);
  answer(request);  // too late
  drain();
  EXPECT_EQ(dones.size(), 1u);
}

TEST_F(KadBrain, AnAnswerOfAnotherTypeIsAFailure) {
  admit(1, 1);
  kad->get_value(seq_key(1), {}, now);
  const SendRequest request = take();
  kad->on_response(request.id, {MessageType::put_value, {}, {}, {}, {}}, now);
  EXPECT_EQ(error(), make_error(Errc::no_peers));
  EXPECT_EQ(dones[0].stats.failures, 1u);
}

TEST_F(KadBrain, CountsWhatItDoes) {
  admit(1, 3);
  kad->closest_peers(to_bytes("x"), now);
  settle();
  ASSERT_EQ(dones.size(), 1u);
  EXPECT_EQ(dones[0].stats.requests, 3u);
  EXPECT_EQ(dones[0].stats.answers, 3u);
  EXPECT_EQ(env.metrics.value("kad_queries_ended_count"), 1u);
  EXPECT_EQ(env.metrics.value("kad_table_added_count"), 3u);
  EXPECT_GE(env.metrics.value("kad_requests_sent_count"), 6u);
}

// --- queries: values ----------------------------------------------------------------------------------------------

TEST_F(KadBrain, AGetEndsWhenTheThreeNearestAgree) {
  admit(1, 20);
  config.alpha = 10;
  kad->get_value(seq_key(1), {}, now);
  drain();
  ASSERT_EQ(requests.size(), 10u);
  for (int i = 0; i < 3; ++i) answer_with(take(), 7);
  const auto done = result<ValueDone>();
  EXPECT_EQ(done.value, seq_value(7));
  EXPECT_EQ(done.answers, 3u);
  EXPECT_EQ(done.holders, 3u);
  EXPECT_EQ(done.corrected, 0u);
}

TEST_F(KadBrain, AGetGoesOnToAllWhenAnswersDifferAndCorrectsTheWorse) {
  admit(1, 20);
  kad->get_value(seq_key(1), {}, now);
  answer_with(take(), 7);
  answer_with(take(), 8);
  answer_with(take(), 7);
  EXPECT_TRUE(dones.empty());
  std::set<PeerId> lacking;
  for (int i = 3; i < 20; ++i) {
    const SendRequest request = take();
    EXPECT_EQ(request.message.type, MessageType::get_value);
    if (i % 2 == 0) {
      answer_with(request, 8);
    } else {
      lacking.insert(request.peer);
      answer(request);
    }
  }
  const auto done = result<ValueDone>();
  EXPECT_EQ(done.value, seq_value(8));
  EXPECT_EQ(done.answers, 20u);
  EXPECT_EQ(done.holders, 9u);
  EXPECT_EQ(done.corrected, 11u);
  std::size_t corrected = 0;
  drain();
  while (!requests.empty()) {
    const SendRequest request = take();
    EXPECT_EQ(request.message.type, MessageType::put_value);
    EXPECT_EQ(request.message.record, (Record{seq_key(1), seq_value(8), {}}));
    lacking.erase(request.peer);
    ++corrected;
    answer_with(request, 8);
  }
  EXPECT_EQ(corrected, 11u);
  EXPECT_TRUE(lacking.empty());
  EXPECT_EQ(dones.size(), 1u);  // a correction is nobody's query
  EXPECT_EQ(kad->query_count(), 0u);
}

TEST_F(KadBrain, AGetCorrectsWhenOneOfTheThreeNearestLacksTheRecord) {
  admit(1, 20);
  kad->get_value(seq_key(1), {}, now);
  answer_with(take(), 7);
  answer(take());
  answer_with(take(), 7);
  EXPECT_TRUE(dones.empty());
  for (int i = 3; i < 20; ++i) answer_with(take(), 7);
  EXPECT_EQ(result<ValueDone>().corrected, 1u);
}

TEST_F(KadBrain, AGetMayLeaveOthersAsTheyAre) {
  admit(1, 20);
  GetOptions options;
  options.correction = GetOptions::Correction::off;
  kad->get_value(seq_key(1), options, now);
  answer(take());
  for (int i = 1; i < 20; ++i) answer_with(take(), 7);
  EXPECT_EQ(result<ValueDone>().corrected, 0u);
  EXPECT_TRUE(requests.empty());
}

TEST_F(KadBrain, AbsenceIsBelievedOnceAllOfTheNearestSayIt) {
  admit(1, 20);
  kad->get_value(seq_key(1), {}, now);
  for (int i = 0; i < 19; ++i) answer(take());
  EXPECT_TRUE(dones.empty());
  answer(take());
  EXPECT_EQ(result<ValueDone>().value, std::nullopt);
  EXPECT_EQ(result<ValueDone>().answers, 20u);
}

TEST_F(KadBrain, AbsenceMayBeBelievedOfThree) {
  admit(1, 20);
  GetOptions options;
  options.absence = GetOptions::Absence::believe_quorum;
  kad->get_value(seq_key(1), options, now);
  for (int i = 0; i < 3; ++i) answer(take());
  EXPECT_EQ(result<ValueDone>().value, std::nullopt);
  EXPECT_EQ(result<ValueDone>().answers, 3u);
}

// E.2 #9: record poisoning during lookup.
TEST_F(KadBrain, AServerWithAnInvalidRecordHasNotAnswered) {
  admit(1, 4);
  kad->get_value(seq_key(1), {}, now);
  const SendRequest first = take();
  kad->on_response(first.id, {MessageType::get_value, seq_key(1), Record{seq_key(1), to_bytes("forged"), {}}, {info(50)}, {}}, now);
  const SendRequest second = take();  // right value, under another key
  kad->on_response(second.id, {MessageType::get_value, seq_key(1), Record{seq_key(2), seq_value(99), {}}, {info(51)}, {}}, now);
  EXPECT_TRUE(dones.empty());
  answer_with(take(), 7);
  answer_with(take(), 7);
  const auto done = result<ValueDone>();
  EXPECT_EQ(done.value, seq_value(7));
  EXPECT_EQ(done.answers, 2u);
  EXPECT_TRUE(requests.empty());  // whom the poisoners named is not asked
}

TEST_F(KadBrain, OneHonestAnswerDefeatsAnyNumberOfStaleOnes) {
  admit(1, 20);
  kad->get_value(seq_key(1), {}, now);
  for (int i = 0; i < 19; ++i) answer_with(take(), static_cast<std::uint64_t>(i % 5 + 1));
  answer_with(take(), 1000);
  EXPECT_EQ(result<ValueDone>().value, seq_value(1000));
}

TEST_F(KadBrain, ComparesABoundedNumberOfValuesAndStillFindsTheBest) {
  admit(1, 20);
  kad->get_value(seq_key(1), {}, now);
  for (int i = 0; i < 20; ++i) answer_with(take(), static_cast<std::uint64_t>(100 + i));
  const auto done = result<ValueDone>();
  EXPECT_EQ(done.value, seq_value(119));
  EXPECT_EQ(done.holders, 1u);
  EXPECT_EQ(done.corrected, 19u);
}

TEST_F(KadBrain, PutStoresAtTheNearestAndChecksTheEcho) {
  admit(1, 25);
  kad->put_value(seq_key(1), seq_value(7), now);
  for (int i = 0; i < 20; ++i) {
    const SendRequest request = take();
    EXPECT_EQ(request.message.type, MessageType::find_node);
    EXPECT_EQ(request.message.key, seq_key(1));
    answer(request);
  }
  for (int i = 0; i < 20; ++i) {
    const SendRequest request = take();
    EXPECT_EQ(request.message, (Message{MessageType::put_value, seq_key(1), Record{seq_key(1), seq_value(7), {}}, {}, {}}));
    if (i < 10) {
      answer_with(request, 7);
    } else if (i < 13) {
      answer(request);  // no echo: not stored
    } else if (i < 16) {
      kad->on_request_failed(request.id, make_error(Errc::stream_broken), now);
    } else {
      answer_with(request, static_cast<std::uint64_t>(i));  // it has a better one
    }
  }
  const auto done = result<PutDone>();
  EXPECT_EQ(done.tried, 20u);
  EXPECT_EQ(done.stored, 10u);
  EXPECT_EQ(done.better, seq_value(19));
}

TEST_F(KadBrain, PutFailsWhenNobodyStores) {
  admit(1, 2);
  kad->put_value(seq_key(1), seq_value(7), now);
  answer(take());
  answer(take());
  kad->on_request_failed(take().id, make_error(Errc::stream_broken), now);
  answer_with(take(), 6);  // a worse one: no reason to believe anything
  EXPECT_EQ(error(), make_error(Errc::nobody_stored));
}

TEST_F(KadBrain, AServerAmongTheNearestStoresItsOwnPut) {
  start(Mode::server);
  admit(1, 3);
  kad->put_value(seq_key(1), seq_value(7), now);
  for (int i = 0; i < 3; ++i) answer(take());
  for (int i = 0; i < 3; ++i) answer_with(take(), 7);
  EXPECT_EQ(result<PutDone>().stored, 4u);
  EXPECT_EQ(kad->record_count(), 1u);
  // What a GET finds to be better replaces it.
  kad->get_value(seq_key(1), {}, now);
  for (int i = 0; i < 3; ++i) answer_with(take(), 9);
  EXPECT_EQ(result<ValueDone>(1).value, seq_value(9));
  EXPECT_EQ(kad->stored_value(seq_key(1), now), seq_value(9));
}

// --- queries: providers and peers ---------------------------------------------------------------------------------

TEST_F(KadBrain, ProvideDoesNotWaitForAnswers) {
  admit(1, 2);
  const QueryId id = kad->provide(to_bytes("key"), now);
  answer(take());
  answer(take());
  for (int i = 0; i < 2; ++i) {
    const SendRequest request = take();
    EXPECT_FALSE(request.expects_response);
    EXPECT_EQ(request.message.type, MessageType::add_provider);
    ASSERT_EQ(request.message.provider_peers.size(), 1u);
    EXPECT_EQ(request.message.provider_peers[0].id, peer(0));
    EXPECT_EQ(request.message.provider_peers[0].addrs, std::vector<Multiaddr>{public_addr(0)});
    kad->on_request_sent(request.id, now);
  }
  EXPECT_EQ(result<ProvideDone>().sent, 2u);
  EXPECT_EQ(dones[0].id, id);
}

TEST_F(KadBrain, CollectsProvidersAsTheyAreFound) {
  admit(1, 20);
  kad->find_providers(to_bytes("key"), 4, now);
  const auto reply = [&](const SendRequest& request, std::vector<PeerInfo> providers) {
    kad->on_response(request.id, {MessageType::get_providers, {}, {}, {}, std::move(providers)}, now);
    drain();
  };
  // A liar answers first with as many inventions as it can.
  std::vector<PeerInfo> invented;
  for (std::uint64_t i = 0; i < 40; ++i) invented.push_back(info(1000 + i));
  reply(take(), invented);
  EXPECT_EQ(found_providers.size(), kProvidersPerAnswerMax);
  EXPECT_TRUE(dones.empty());
  reply(take(), {info(500), info(501), info(500), {peer(502), {ip4(10, 0, 0, 1)}, {}}});
  reply(take(), {info(500), info(501)});
  const auto providers = result<ProvidersDone>().providers;
  ASSERT_EQ(providers.size(), 4u);
  EXPECT_EQ(providers[0].id, peer(1000));
  EXPECT_EQ(providers[1].id, peer(500));
  EXPECT_EQ(providers[2].id, peer(1001));
  EXPECT_EQ(providers[3].id, peer(501));
}

TEST_F(KadBrain, FindsAPeerThatAnswers) {
  admit(1, 20);
  kad->find_peer(peer(77), now);
  answer(take(), {info(77)});
  drain();
  const auto request = std::find_if(requests.begin(), requests.end(), [](const SendRequest& r) { return r.peer == peer(77); });
  ASSERT_NE(request, requests.end());
  answer(SendRequest(*request));
  const auto done = result<PeerDone>();
  EXPECT_TRUE(done.answered);
  EXPECT_EQ(done.peer, info(77));
}

TEST_F(KadBrain, FindsAClientThatOthersKnow) {
  admit(1, 20);
  kad->find_peer(peer(77), now);
  std::size_t asked = 0;
  drain();
  while (dones.empty()) {
    ASSERT_FALSE(requests.empty());
    const SendRequest request = take();
    if (request.peer == peer(77)) {
      kad->on_request_failed(request.id, make_error(Errc::not_serving), now);
    } else {
      ++asked;
      answer(request, {{peer(77), {public_addr(77 + asked), ip4(10, 0, 0, 1)}, {}}});
    }
    drain();
  }
  const auto done = result<PeerDone>();
  EXPECT_FALSE(done.answered);
  EXPECT_EQ(done.peer.addrs.size(), asked);
  EXPECT_LT(asked, 20u);
}

TEST_F(KadBrain, SaysWhenNobodyKnowsAPeer) {
  admit(1, 3);
  kad->find_peer(peer(77), now);
  settle();
  EXPECT_EQ(error(), make_error(Errc::not_found));
}

TEST_F(KadBrain, DropsAnswersThatNameOnlyPrivateAddresses) {
  admit(1, 1);
  kad->closest_peers(to_bytes("x"), now);
  answer(take(), {{peer(2), {ip4(192, 168, 0, 1)}, {}}, {peer(3), {}, {}}, info(0)});
  EXPECT_EQ(result<ClosestDone>().peers.size(), 1u);
  EXPECT_TRUE(requests.empty());
}

// --- upkeep -------------------------------------------------------------------------------------------------------

TEST_F(KadBrain, LooksItselfUpWhenTheFirstPeerIsIn) {
  kad->on_peer_supports_kad({peer(1), {public_addr(1)}, public_addr(1)}, now);
  answer(take());
  EXPECT_LE(kad->deadline(), now.mono);
  kad->on_deadline(now);
  const SendRequest request = take();
  EXPECT_EQ(request.message.key, to_bytes(peer(0).bytes()));
  answer(request, {info(2)});
  EXPECT_EQ(take().peer, peer(2));
  EXPECT_TRUE(dones.empty());
}

TEST_F(KadBrain, BootstrapTellsHowFullTheTableIs) {
  admit(1, 1);
  kad->bootstrap(now);
  answer(take(), {info(2), info(3)});
  settle();
  EXPECT_EQ(result<BootstrapDone>().table_size, 3u);
}

TEST_F(KadBrain, PublishesWhatItProvidesAgain) {
  admit(1, 2);
  kad->provide(to_bytes("key"), now);
  const auto publish = [&] {
    std::size_t sent = 0;
    drain();
    while (!requests.empty()) {
      const SendRequest request = take();
      if (request.message.type == MessageType::add_provider) {
        ++sent;
        kad->on_request_sent(request.id, now);
        drain();
      } else {
        answer(request);
      }
    }
    return sent;
  };
  EXPECT_EQ(publish(), 2u);
  std::size_t again = 0;
  for (int hour = 0; hour < 22 * 6; ++hour) {
    pass(10min);
    again += publish();
  }
  EXPECT_EQ(again, 2u);
  EXPECT_EQ(dones.size(), 1u);
  kad->stop_providing(to_bytes("key"));
  for (int hour = 0; hour < 23 * 6; ++hour) {
    pass(10min);
    EXPECT_EQ(publish(), 0u);
  }
}

TEST_F(KadBrain, IsIdleWithoutWork) {
  EXPECT_EQ(kad->deadline(), now.mono + config.sweep_interval);
  EXPECT_FALSE(kad->poll());
}

}  // namespace
}  // namespace starling::kad
