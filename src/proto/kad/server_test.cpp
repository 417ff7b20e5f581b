#include "proto/kad/server.hpp"

#include <gtest/gtest.h>

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

class KadServer : public ::testing::Test {
 protected:
  KadServer() : env(1), table(KadId::of(peer(0)), 20, Diversity{}) {
    validators.add("seq", seq);
    server = make();
  }
  std::unique_ptr<Server> make() {
    return std::make_unique<Server>(config, peer(0), validators,
                                    std::make_unique<MemoryRecordStore>(KadId::of(peer(0)), config.stores),
                                    env.rng);
  }
  Result<std::optional<Message>> ask(const Message& message, const PeerId& from = peer(1), Now now = at(0s)) {
    return server->answer(from, message, table, now);
  }
  static Message put(std::uint64_t key, std::uint64_t value) {
    return {MessageType::put_value, seq_key(key), Record{seq_key(key), seq_value(value), {}}, {}, {}};
  }
  static Message get(std::uint64_t key) { return {MessageType::get_value, seq_key(key), {}, {}, {}}; }
  static Message find(ByteView key) { return {MessageType::find_node, to_bytes(key), {}, {}, {}}; }
  static Message add_provider(Bytes key, PeerInfo who) {
    return {MessageType::add_provider, std::move(key), {}, {}, {std::move(who)}};
  }
  static Message get_providers(Bytes key) { return {MessageType::get_providers, std::move(key), {}, {}, {}}; }
  void fill_table(std::uint64_t count) {
    for (std::uint64_t i = 100; i < 100 + count; ++i) (void)table.add(info(i), {}, Instant{}, 1h);
  }

  testkit::TestEnv env;
  Config config;
  testing::SequenceValidator seq;
  Validators validators;
  RoutingTable table;
  std::unique_ptr<Server> server;
};

TEST_F(KadServer, AnswersAPing) {
  EXPECT_EQ(ask({MessageType::ping, {}, {}, {}, {}})->value().type, MessageType::ping);
}

TEST_F(KadServer, NeedsAKeyOfBoundedLength) {
  for (const auto type : {MessageType::put_value, MessageType::get_value, MessageType::add_provider,
                          MessageType::get_providers, MessageType::find_node}) {
    EXPECT_EQ(ask({type, {}, {}, {}, {}}).error(), make_error(Errc::key_missing));
    EXPECT_EQ(ask({type, Bytes(kKeyBytesMax + 1), {}, {}, {}}).error(), make_error(Errc::key_too_long));
  }
}

TEST_F(KadServer, NamesTheNearestButNeverTheAskerOrItself) {
  fill_table(60);
  const auto answer = **ask(find(peer(101).bytes()), peer(101));
  EXPECT_EQ(answer.type, MessageType::find_node);
  EXPECT_TRUE(answer.key.empty());
  EXPECT_EQ(answer.closer_peers.size(), config.k);
  for (const PeerInfo& named : answer.closer_peers) {
    EXPECT_NE(named.id, peer(101));
    EXPECT_NE(named.id, peer(0));
    EXPECT_FALSE(named.addrs.empty());
  }
  const auto other = **ask(find(peer(101).bytes()), peer(102));
  EXPECT_EQ(other.closer_peers.at(0), info(101));  // the exact target first
  const auto about_itself = **ask(find(peer(0).bytes()));
  for (const PeerInfo& named : about_itself.closer_peers) EXPECT_NE(named.id, peer(0));
}

// Wire notes §3.11 trap 4: the key may be any preimage.
TEST_F(KadServer, FindsNodesNearAnyBytes) {
  fill_table(5);
  EXPECT_EQ((**ask(find(as_bytes("no peer id")))).closer_peers.size(), 5u);
}

TEST_F(KadServer, NamesAConnectedClientToWhoLooksForExactlyIt) {
  fill_table(60);
  server->know(peer(7), std::vector{public_addr(7)}, Server::Offers::nothing);
  auto answer = **ask(find(peer(7).bytes()));
  EXPECT_EQ(answer.closer_peers.at(0), (PeerInfo{peer(7), {public_addr(7)}, ConnectionType::connected}));
  EXPECT_EQ(answer.closer_peers.size(), config.k);
  EXPECT_NE((**ask(find(peer(7).bytes()), peer(7))).closer_peers.at(0).id, peer(7));
  EXPECT_NE((**ask(find(peer(8).bytes()))).closer_peers.at(0).id, peer(7));
  server->know(peer(7), std::vector{public_addr(7)}, Server::Offers::dht);
  EXPECT_NE((**ask(find(peer(7).bytes()))).closer_peers.at(0).id, peer(7))
      << "servers are named by the table";
  EXPECT_EQ(server->connected(peer(7))->addrs, std::vector{public_addr(7)});
  server->forget(peer(7));
  EXPECT_FALSE(server->connected(peer(7)));
  EXPECT_NE((**ask(find(peer(7).bytes()))).closer_peers.at(0).id, peer(7));
}

TEST_F(KadServer, KnowsABoundedNumberOfConnectedPeers) {
  for (std::uint64_t i = 0; i < kConnectedPeersMax + 5; ++i)
    server->know(peer(1000 + i), std::vector{public_addr(i)}, Server::Offers::nothing);
  EXPECT_TRUE(server->knows_client(peer(1000 + kConnectedPeersMax - 1)));
  EXPECT_FALSE(server->knows_client(peer(1000 + kConnectedPeersMax)));
  server->know(peer(1000), std::vector{public_addr(1)}, Server::Offers::dht);
  EXPECT_FALSE(server->knows_client(peer(1000))) << "who is known already can change";
}

TEST_F(KadServer, StoresAndEchoesAndServes) {
  fill_table(3);
  const auto none = **ask(get(1));
  EXPECT_FALSE(none.record);
  EXPECT_EQ(none.closer_peers.size(), 3u);
  const auto echo = **ask(put(1, 7));
  EXPECT_EQ(echo, (Message{MessageType::put_value,
                           seq_key(1),
                           Record{seq_key(1), seq_value(7), "2025-06-15T15:06:40.000Z"},
                           {},
                           {}}));
  const auto found = **ask(get(1), peer(2), at(5s));
  EXPECT_EQ(found.record, echo.record);
  EXPECT_EQ(found.closer_peers.size(), 3u);
}

// E.2 #9: an older record over a newer.
TEST_F(KadServer, AnswersAPutThatLosesWithTheRecordThatWins) {
  (void)ask(put(1, 7));
  EXPECT_EQ((**ask(put(1, 6))).record->value, seq_value(7));
  EXPECT_EQ((**ask(get(1))).record->value, seq_value(7));
  EXPECT_EQ((**ask(put(1, 8))).record->value, seq_value(8));
  EXPECT_EQ((**ask(get(1))).record->value, seq_value(8));
}

TEST_F(KadServer, RefusesRecordsThatAreNotRight) {
  Message message = put(1, 7);
  message.record.reset();
  EXPECT_EQ(ask(message).error(), make_error(Errc::record_missing));
  message = put(1, 7);
  message.record->key = seq_key(2);
  EXPECT_EQ(ask(message).error(), make_error(Errc::record_key_mismatch));
  message.record->key.clear();
  EXPECT_EQ(ask(message).error(), make_error(Errc::record_key_mismatch));
  message = put(1, 7);
  message.record->value = to_bytes("not a number");
  EXPECT_EQ(ask(message).error(), make_error(Errc::invalid_record));
  message.record->value = Bytes(kValueBytesMax + 1, '0');
  EXPECT_EQ(ask(message).error(), make_error(Errc::value_too_long));
  EXPECT_EQ(server->records().size(), 0u);
}

// E.3 #28: what skipped validation in js went to disk.
TEST_F(KadServer, StoresNothingUnderAKeyWithoutAKnownNamespace) {
  for (const std::string_view key : {"x", "/x", "/seq", "/seq/", "//x", "/ipns/x"}) {
    const Message message{
        MessageType::put_value, to_bytes(key), Record{to_bytes(key), seq_value(1), {}}, {}, {}};
    EXPECT_EQ(ask(message).error(), make_error(Errc::bad_namespace)) << key;
  }
  EXPECT_EQ(server->records().size(), 0u);
}

// Wire notes §3.11 trap 8: on put, on get and from the store.
TEST_F(KadServer, DoesNotServeARecordThatHasBecomeInvalid) {
  (void)ask(put(1, 7));
  seq.ends = at(1h).wall;
  EXPECT_TRUE((**ask(get(1), peer(1), at(59min))).record);
  EXPECT_FALSE((**ask(get(1), peer(1), at(1h))).record);
  EXPECT_EQ(server->records().size(), 0u);
}

TEST_F(KadServer, KeepsARecordUntilItsOwnEndOrTwoDays) {
  (void)ask(put(1, 7));
  seq.hint = at(2h).wall;
  (void)ask(put(2, 7));
  seq.hint = WallTime::from_ms(~std::uint64_t{0});  // E.2 #12: an end beyond all time
  (void)ask(put(3, 7));
  seq.hint = WallTime::from_ms(0);
  (void)ask(put(4, 7));
  EXPECT_TRUE((**ask(get(2), peer(1), at(2h - 1ms))).record);
  server->sweep(at(2h));
  EXPECT_EQ(server->records().size(), 2u);
  EXPECT_TRUE((**ask(get(1), peer(1), at(48h - 1ms))).record);
  EXPECT_TRUE((**ask(get(3), peer(1), at(48h - 1ms))).record);
  EXPECT_FALSE((**ask(get(1), peer(1), at(48h))).record);
  server->sweep(at(48h));
  EXPECT_EQ(server->records().size(), 0u);
}

TEST_F(KadServer, SaysWhenItsStoreIsFull) {
  config.stores.records_per_peer_max = 2;
  server = make();
  EXPECT_TRUE(ask(put(1, 1)));
  EXPECT_TRUE(ask(put(2, 1)));
  EXPECT_EQ(ask(put(3, 1)).error(), make_error(Errc::store_full));
  EXPECT_TRUE(ask(put(3, 1), peer(2)));
}

TEST_F(KadServer, OurOwnPutObeysTheSameRules) {
  EXPECT_TRUE(server->put_own(seq_key(1), seq_value(7), at(0s)));
  EXPECT_EQ(server->put_own(seq_key(1), seq_value(6), at(0s)).error(), make_error(Errc::invalid_record));
  EXPECT_FALSE(server->put_own(seq_key(1), as_bytes("x"), at(0s)));
  EXPECT_EQ((**ask(get(1))).record->value, seq_value(7));
}

// Wire notes §4: an answer to ADD_PROVIDER makes go panic.
TEST_F(KadServer, NeverAnswersAddProvider) {
  const auto answer = ask(add_provider(to_bytes("k"), info(1)));
  ASSERT_TRUE(answer);
  EXPECT_FALSE(*answer);
  const auto found = **ask(get_providers(to_bytes("k")), peer(2));
  EXPECT_EQ(found.provider_peers, std::vector<PeerInfo>{info(1)});
  EXPECT_EQ(found.key, to_bytes("k"));
}

// E.2 #9: ADD_PROVIDER for another peer id.
TEST_F(KadServer, LetsNobodyProvideForOthers) {
  EXPECT_EQ(ask(add_provider(to_bytes("k"), info(2))).error(), make_error(Errc::provider_not_sender));
  Message both = add_provider(to_bytes("k"), info(1));
  both.provider_peers.push_back(info(2));
  EXPECT_EQ(ask(both).error(), make_error(Errc::provider_not_sender));
  EXPECT_TRUE((**ask(get_providers(to_bytes("k")))).provider_peers.empty());
}

TEST_F(KadServer, StoresNoProviderThatCannotBeDialled) {
  const auto none = ask(add_provider(to_bytes("k"), {peer(1), {}, {}}));
  ASSERT_TRUE(none);  // honest rust peers do this: no reason to reset the stream
  EXPECT_TRUE(ask(add_provider(to_bytes("k"), {peer(1), {ip4(127, 0, 0, 1)}, {}})));
  EXPECT_TRUE(ask(Message{MessageType::add_provider, to_bytes("k"), {}, {}, {}}));
  EXPECT_EQ(server->provider_store().size(), 0u);
}

// Wire notes §3.11 trap 1: any key of 1 to 80 bytes. E.2 #9: key > 80 bytes.
TEST_F(KadServer, TakesAnyProviderKeyUpToEightyBytes) {
  for (const std::size_t size : {std::size_t{1}, std::size_t{34}, kProviderKeyBytesMax})
    EXPECT_TRUE(ask(add_provider(Bytes(size, 'x'), info(1)))) << size;
  EXPECT_EQ(server->provider_store().size(), 3u);
  EXPECT_EQ(ask(add_provider(Bytes(kProviderKeyBytesMax + 1, 'x'), info(1))).error(),
            make_error(Errc::key_too_long));
  EXPECT_EQ(ask(get_providers(Bytes(kProviderKeyBytesMax + 1, 'x'))).error(), make_error(Errc::key_too_long));
}

TEST_F(KadServer, ForgetsProvidersAfterTwoDays) {
  (void)ask(add_provider(to_bytes("k"), info(1)));
  EXPECT_EQ((**ask(get_providers(to_bytes("k")), peer(2), at(48h - 1s))).provider_peers.size(), 1u);
  EXPECT_TRUE((**ask(get_providers(to_bytes("k")), peer(2), at(48h))).provider_peers.empty());
  server->sweep(at(48h));
  EXPECT_EQ(server->provider_store().size(), 0u);
}

// E.2 #9: per-peer rate limit.
TEST_F(KadServer, LimitsHowFastEachPeerAsks) {
  config.rates.requests_per_s = 10;
  config.rates.request_burst = 20;
  server = make();
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(ask(get(1)));
  EXPECT_EQ(ask(get(1)).error(), make_error(Errc::over_rate));
  EXPECT_TRUE(ask(get(1), peer(2)));
  EXPECT_TRUE(ask(get(1), peer(1), at(100ms)));
  EXPECT_EQ(ask(get(1), peer(1), at(100ms)).error(), make_error(Errc::over_rate));
}

TEST_F(KadServer, LimitsHowFastEachPeerStores) {
  config.rates.puts_per_s = 1;
  config.rates.put_burst = 3;
  server = make();
  for (std::uint64_t i = 0; i < 2; ++i) EXPECT_TRUE(ask(put(i, 1)));
  EXPECT_TRUE(ask(add_provider(to_bytes("k"), info(1))));
  EXPECT_EQ(ask(put(9, 1)).error(), make_error(Errc::over_rate));
  EXPECT_EQ(ask(add_provider(to_bytes("l"), info(1))).error(), make_error(Errc::over_rate));
  EXPECT_TRUE(ask(get(9)));
  EXPECT_TRUE(ask(put(9, 1), peer(1), at(1s)));
}

TEST(KadPeerRates, ForgetsWhoHasBeenQuietAndBoundsTheRest) {
  PeerRates rates(ServerRates{10, 20, 1, 3});
  for (std::uint64_t i = 0; i < kRatedPeersMax; ++i) EXPECT_TRUE(rates.take_request(peer(i), Instant{}));
  // Beyond the bound newcomers share one bucket, whoever they are.
  std::size_t served = 0;
  for (std::uint64_t i = 0; i < 100; ++i)
    served += rates.take_request(peer(1'000'000 + i), Instant{}) ? 1u : 0u;
  EXPECT_EQ(served, 20u);
  EXPECT_EQ(rates.size(), kRatedPeersMax + 1);
  EXPECT_TRUE(rates.take_request(peer(5), Instant{}));  // those known are not hurt by the crowd
  rates.sweep(Instant{} + 50ms);
  EXPECT_EQ(rates.size(), kRatedPeersMax + 1);
  rates.sweep(Instant{} + 10s);
  EXPECT_EQ(rates.size(), 0u);
}

}  // namespace
}  // namespace starling::kad
