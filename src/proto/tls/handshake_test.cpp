// The handshake between honest peers, and with an OpenSSL that knows nothing of us.
#include "tls/fixtures.hpp"

namespace starling::tls {
namespace {

TEST(TlsHandshake, ProvesBothPeersAndTheirKeys) {
  for (const auto type : {crypto::KeyType::ed25519, crypto::KeyType::secp256k1}) {
    const auto a = identity(1, type);
    const auto b = identity(2, type);
    Config config;
    config.expected_peer = peer_of(*b);
    Handshake client(Role::client, *a, config, kStart);
    Handshake server(Role::server, *b, {}, kStart);
    ASSERT_TRUE(server.receive(drain(client), kStart.mono));
    ASSERT_TRUE(client.receive(drain(server), kStart.mono));
    EXPECT_TRUE(client.complete()) << "the client is done when its certificate is queued";
    EXPECT_FALSE(server.complete());
    ASSERT_TRUE(server.receive(drain(client), kStart.mono));
    ASSERT_TRUE(server.complete());
    EXPECT_TRUE(server.to_send().empty()) << "no tickets";
    const auto at_client = client.take();
    const auto at_server = server.take();
    EXPECT_EQ(at_client.peer, peer_of(*b));
    EXPECT_EQ(at_client.key, b->key());
    EXPECT_EQ(at_server.peer, peer_of(*a));
    EXPECT_EQ(at_server.key, a->key());
    EXPECT_EQ(at_client.muxer, std::nullopt);
    EXPECT_TRUE(client.complete()) << "also after take()";
  }
}

TEST(TlsHandshake, TakesTheFirstMuxerOfTheClientThatBothKnow) {
  using Names = std::vector<std::string>;
  const auto a = identity(1);
  const auto b = identity(2);
  const auto agreed = [&](Names client, Names server) {
    Config client_config;
    client_config.muxers = std::move(client);
    Config server_config;
    server_config.muxers = std::move(server);
    auto channels = connect(*a, *b, client_config, server_config);
    EXPECT_EQ(channels.client.muxer, channels.server.muxer);
    return channels.client.muxer;
  };
  EXPECT_EQ(agreed({"/x", "/y"}, {"/y", "/x"}), "/x");
  EXPECT_EQ(agreed({"/z", "/y"}, {"/x", "/y"}), "/y");
  EXPECT_EQ(agreed({"/z"}, {"/x", "/y"}), std::nullopt);
  EXPECT_EQ(agreed({}, {"/x"}), std::nullopt);
  EXPECT_EQ(agreed({"/x"}, {}), std::nullopt);
}

TEST(TlsHandshake, OffersItsMuxersThenLibp2pAndNamesNoServer) {
  const auto a = identity(1);
  Handshake client(Role::client, *a, with_yamux(), kStart);
  const Bytes hello = drain(client);
  // extension 16, its length, the list's length, the names behind theirs
  const Bytes list = testkit::hex(
      "00100016"
      "0014"
      "0c2f79616d75782f312e302e30"
      "066c6962703270");
  EXPECT_NE(std::search(hello.begin(), hello.end(), list.begin(), list.end()), hello.end());
  Stranger server(Stranger::honest(Role::server));
  server.hear(hello);
  server.shake();
  ASSERT_TRUE(client.receive(server.say(), kStart.mono));
  server.hear(drain(client));
  EXPECT_TRUE(server.shake());
  EXPECT_FALSE(server.saw_server_name());
}

// Random cuts, application data right behind the last message, in both directions.
TEST(TlsHandshake, ConsumesItsOwnBytesAndNoMoreWhateverTheCuts) {
  SeededRng rng(testkit::seed(401));
  const auto a = identity(1);
  const auto b = identity(2, crypto::KeyType::secp256k1);
  for (int round = 0; round < 20; ++round) {
    const Config config = rng.below(2) == 0 ? with_yamux() : Config{};
    Handshake client(Role::client, *a, config, kStart);
    Handshake server(Role::server, *b, config, kStart);
    Bytes behind_server;
    Bytes behind_client;
    const auto deliver = [&](Handshake& to, ByteView bytes, Bytes& behind) {
      testkit::in_random_pieces(rng, bytes, 1 + rng.below(300), [&](ByteView piece) {
        const auto consumed = to.receive(piece, kStart.mono);
        ASSERT_TRUE(consumed.has_value());
        append(behind, piece.subspan(*consumed));
      });
    };
    deliver(server, drain(client), behind_server);
    deliver(client, drain(server), behind_client);
    ASSERT_TRUE(client.complete());
    Bytes last = drain(client);
    auto at_client = client.take();
    const Bytes data(1 + rng.below(40'000), 0x5a);
    append(last, sealed(at_client.transport, data));
    deliver(server, last, behind_server);
    ASSERT_TRUE(server.complete());
    EXPECT_TRUE(behind_client.empty());
    auto at_server = server.take();
    EXPECT_EQ(open_all(at_server.transport, behind_server), data);
    EXPECT_EQ(server.receive(data, kStart.mono), 0u) << "nothing is consumed after completion";
    Bytes answer = sealed(at_server.transport, data);
    EXPECT_EQ(open_all(at_client.transport, answer), data);
  }
}

TEST(TlsHandshake, SpeaksEveryCipherSuiteOfTls13) {
  const auto b = identity(2);
  for (const char* cipher :
       {"TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_256_GCM_SHA384"}) {
    auto how = Stranger::honest(Role::client);
    how.cipher = cipher;
    Stranger client(how);
    Handshake server(Role::server, *b, with_yamux(), kStart);
    client.shake();
    ASSERT_TRUE(server.receive(client.say(), kStart.mono));
    client.hear(drain(server));
    ASSERT_TRUE(client.shake());
    ASSERT_TRUE(server.receive(client.say(), kStart.mono));
    ASSERT_TRUE(server.complete());
    EXPECT_EQ(client.cipher(), cipher);
    auto secured = server.take();
    EXPECT_EQ(secured.peer, PeerId::of(host_key(1).public_key()));
    EXPECT_EQ(secured.muxer, kYamux);
    client.write(as_bytes("hello"));
    EXPECT_EQ(open_all(secured.transport, client.say()), to_bytes("hello"));
    client.hear(sealed(secured.transport, as_bytes("and you")));
    EXPECT_EQ(client.read(), to_bytes("and you"));
  }
}

TEST(TlsHandshake, FailsAtItsDeadline) {
  const auto a = identity(1);
  Config config;
  config.time = 5s;
  for (const auto role : {Role::client, Role::server}) {
    Handshake machine(role, *a, config, kStart);
    EXPECT_EQ(machine.deadline(), kStart.mono + 5s);
    EXPECT_TRUE(machine.on_deadline(kStart.mono + 4999ms).has_value());
    EXPECT_EQ(machine.on_deadline(kStart.mono + 5s).error(), make_error(Errc::timed_out));
    EXPECT_TRUE(machine.deadline().is_never());
    EXPECT_EQ(machine.receive(Bytes{22}, kStart.mono).error(), make_error(Errc::broken));
  }
}

// The wall clock moves on while the handshake runs.
TEST(TlsHandshake, JudgesCertificatesByTheTimeThatHasPassed) {
  const auto b = identity(2);
  Forged forged;
  forged.not_before = "20260101000000Z";
  forged.not_after = "20260102000000Z";
  const auto made = forge(forged);
  const auto run = [&](Duration later) {
    auto how = Stranger::honest(Role::client);
    how.certificates = {made.der};
    how.key = made.key;
    Stranger client(how);
    const Now began{kStart.mono, WallTime::from_ms(1'767'225'598'000)};  // two seconds before
    Handshake server(Role::server, *b, with_yamux(), began);
    client.shake();
    EXPECT_TRUE(server.receive(client.say(), began.mono));
    client.hear(drain(server));
    EXPECT_TRUE(client.shake());
    const auto received = server.receive(client.say(), began.mono + later);
    return received ? std::optional<Error>() : received.error();
  };
  EXPECT_EQ(run(1s), make_error(Errc::certificate_not_valid_now));
  EXPECT_EQ(run(3s), std::nullopt);
}

}  // namespace
}  // namespace starling::tls
