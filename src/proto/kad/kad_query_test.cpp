// What queries find, store and believe.
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

// --- queries: values ---

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
  kad->on_response(
      first.id,
      {MessageType::get_value, seq_key(1), Record{seq_key(1), to_bytes("forged"), {}}, {info(50)}, {}}, now);
  const SendRequest second = take();  // right value, under another key
  kad->on_response(
      second.id, {MessageType::get_value, seq_key(1), Record{seq_key(2), seq_value(99), {}}, {info(51)}, {}},
      now);
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
  for (int i = 0; i < 20; ++i) answer_with(take(), std::uint64_t{100} + static_cast<std::uint64_t>(i));
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
    EXPECT_EQ(request.message,
              (Message{MessageType::put_value, seq_key(1), Record{seq_key(1), seq_value(7), {}}, {}, {}}));
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

// --- queries: providers and peers ---

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
  const auto request =
      std::find_if(requests.begin(), requests.end(), [](const SendRequest& r) { return r.peer == peer(77); });
  ASSERT_NE(request, requests.end());
  answer(SendRequest(*request));
  const auto done = result<PeerDone>();
  EXPECT_TRUE(done.answered);
  EXPECT_EQ(done.peer, info(77));
}

TEST_F(KadBrain, AConnectedPeerIsFoundWithoutALookup) {
  admit(1, 3);
  kad->on_peer_unsupported(peer(77), {public_addr(77)}, now);
  kad->find_peer(peer(77), now);
  drain();
  EXPECT_TRUE(requests.empty());
  const auto client = result<PeerDone>();
  EXPECT_TRUE(client.answered);
  EXPECT_EQ(client.peer.addrs, std::vector{public_addr(77)});
  // A server too, whether its bucket has room for it or not: here it has not been probed yet.
  kad->on_peer_supports_kad({peer(78), {public_addr(78)}, public_addr(78)}, now);
  drain();
  requests.clear();
  dones.clear();
  kad->find_peer(peer(78), now);
  drain();
  EXPECT_TRUE(requests.empty());
  EXPECT_EQ(result<PeerDone>().peer.addrs, std::vector{public_addr(78)});
  kad->on_disconnected(peer(77), now);
  kad->find_peer(peer(77), now);
  drain();
  EXPECT_FALSE(requests.empty()) << "gone: others may know where it is now";
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

}  // namespace
}  // namespace starling::kad
