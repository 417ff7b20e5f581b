// Membership, serving, the ends of queries, upkeep.
#include <gtest/gtest.h>

#include "proto/kad/kad.hpp"
#include "proto/kad/kad_brain_fixture.hpp"

namespace starling::kad {
namespace {

using testing::at;
using testing::info;
using testing::ip4;
using testing::KadBrain;
using testing::peer;
using testing::public_addr;
using testing::seq_key;
using testing::seq_value;

// --- membership ---

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

// --- serving ---

TEST_F(KadBrain, AClientServesNothing) {
  const auto answer = kad->on_request(peer(1), {MessageType::find_node, to_bytes("x"), {}, {}, {}}, now);
  EXPECT_EQ(answer.error(), make_error(Errc::not_serving));
  kad->set_mode(Mode::server);
  EXPECT_TRUE(kad->on_request(peer(1), {MessageType::find_node, to_bytes("x"), {}, {}, {}}, now));
}

TEST_F(KadBrain, SweepsItsStores) {
  start(Mode::server);
  seq.hint = at(2h).wall;
  ASSERT_TRUE(kad->on_request(
      peer(1), {MessageType::put_value, seq_key(1), Record{seq_key(1), seq_value(1), {}}, {}, {}}, now));
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
  const auto providers =
      kad->on_request(peer(1), {MessageType::get_providers, to_bytes("k"), {}, {}, {}}, now);
  EXPECT_EQ((**providers).provider_peers.at(0).id, peer(0));
  kad->stop_providing(to_bytes("k"));
  EXPECT_EQ(kad->provider_count(), 0u);
  kad->get_value(seq_key(2), {}, now);
  EXPECT_EQ(error(4), make_error(Errc::no_peers));
}

// --- queries: ends ---

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

TEST_F(KadBrain, AQueryWaitsForTheFirstServerToProveItself) {
  kad->on_peer_supports_kad({peer(1), {public_addr(1)}, public_addr(1)}, now);
  const SendRequest probe = take();
  kad->closest_peers(to_bytes("x"), now);
  drain();
  EXPECT_TRUE(requests.empty());
  EXPECT_TRUE(dones.empty());
  answer(probe);
  answer(take());
  EXPECT_EQ(result<ClosestDone>().peers.at(0).id, peer(1));
}

TEST_F(KadBrain, AQueryFailsWhenTheFirstServerFails) {
  kad->on_peer_supports_kad({peer(1), {public_addr(1)}, public_addr(1)}, now);
  (void)take();
  kad->closest_peers(to_bytes("x"), now);
  pass(config.request_timeout - 1ms);
  EXPECT_TRUE(dones.empty());
  pass(1ms);
  EXPECT_EQ(error(), make_error(Errc::no_peers));
}

TEST_F(KadBrain, IsSmallWhileIdle) { EXPECT_LE(sizeof(Kad), 1920u); }

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

// --- upkeep ---

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
