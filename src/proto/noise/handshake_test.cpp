// The handshake between honest peers: what it agrees on, how it is cut, what it costs.
#include <set>

#include "noise/fixtures.hpp"

namespace starling::noise {
namespace {

TEST(NoiseHandshake, ProvesBothPeersAndTheirKeys) {
  for (const auto type : {crypto::KeyType::ed25519, crypto::KeyType::secp256k1}) {
    SeededRng rng(11);
    const auto a = identity(1, type);
    const auto b = identity(2, type);
    Config config;
    config.expected_peer = PeerId::of(b.public_key());
    Handshake initiator(Role::initiator, a, rng, config, kStart);
    Handshake responder(Role::responder, b, rng, {}, kStart);
    ASSERT_TRUE(responder.receive(drain(initiator)));
    ASSERT_TRUE(initiator.receive(drain(responder)));
    EXPECT_TRUE(initiator.complete()) << "the initiator is done when message 3 is queued";
    EXPECT_FALSE(responder.complete());
    ASSERT_TRUE(responder.receive(drain(initiator)));
    ASSERT_TRUE(responder.complete());
    const auto at_initiator = initiator.take();
    const auto at_responder = responder.take();
    EXPECT_EQ(at_initiator.peer, PeerId::of(b.public_key()));
    EXPECT_EQ(at_initiator.key, b.public_key());
    EXPECT_EQ(at_responder.peer, PeerId::of(a.public_key()));
    EXPECT_EQ(at_responder.key, a.public_key());
    EXPECT_EQ(at_initiator.muxer, std::nullopt);
    EXPECT_TRUE(initiator.complete()) << "also after take()";
  }
}

TEST(NoiseHandshake, FirstMessageIsAnEphemeralKeyAndNothingElse) {
  SeededRng rng(12);
  const auto a = identity(1);
  Config config;
  config.muxers = {std::string(kYamux)};
  Handshake initiator(Role::initiator, a, rng, config, kStart);
  const Bytes first = drain(initiator);
  ASSERT_EQ(first.size(), 34u);
  EXPECT_EQ(to_hex(ByteView(first).first(2)), "0020");
}

TEST(NoiseHandshake, UsesFreshKeysEachTime) {
  SeededRng rng(13);
  const auto a = identity(1);
  const auto b = identity(2);
  std::set<Bytes> seen;
  for (int i = 0; i < 3; ++i) {
    Handshake initiator(Role::initiator, a, rng, {}, kStart);
    Handshake responder(Role::responder, b, rng, {}, kStart);
    const Bytes first = drain(initiator);
    ASSERT_TRUE(responder.receive(first));
    EXPECT_TRUE(seen.insert(first).second);
    EXPECT_TRUE(seen.insert(Bytes(responder.to_send().begin(), responder.to_send().end())).second);
  }
}

TEST(NoiseHandshake, MaySpareItsOwnStaticKeyForTheNodes) {
  SeededRng rng(testkit::seed(302));
  for (const auto type : {crypto::KeyType::ed25519, crypto::KeyType::secp256k1}) {
    const auto a = identity(1, type);
    const auto b = identity(2);
    const StaticKey node_key(a, rng);
    Config config;
    config.static_key = &node_key;
    config.muxers = {std::string(kYamux)};
    std::set<Bytes> seen;
    for (const auto role : {Role::initiator, Role::responder, Role::initiator, Role::responder}) {
      Config plain;
      plain.muxers = config.muxers;
      plain.expected_peer = PeerId::of(a.public_key());
      const bool initiates = role == Role::initiator;
      Handshake own(role, a, rng, config, kStart);
      Handshake other(initiates ? Role::responder : Role::initiator, b, rng, plain, kStart);
      Handshake& first = initiates ? own : other;
      Handshake& second = initiates ? other : own;
      const Bytes hello = drain(first);
      ASSERT_TRUE(second.receive(hello));
      const Bytes answer = drain(second);
      ASSERT_TRUE(first.receive(answer));
      const Bytes last = drain(first);
      ASSERT_TRUE(second.receive(last));
      ASSERT_TRUE(own.complete() && other.complete());
      EXPECT_EQ(other.take().key, a.public_key());
      EXPECT_EQ(own.take().muxer, kYamux);
      for (const auto& message : {hello, answer, last})
        EXPECT_TRUE(seen.insert(message).second) << "fresh bytes";
    }
  }
}

// Random cuts, application data right behind the last message, in both directions.
TEST(NoiseHandshake, ConsumesItsOwnBytesAndNoMoreWhateverTheCuts) {
  SeededRng rng(testkit::seed(301));
  for (int round = 0; round < 60; ++round) {
    const auto a =
        identity(rng.u64(), rng.below(2) == 0 ? crypto::KeyType::ed25519 : crypto::KeyType::secp256k1);
    const auto b = identity(rng.u64());
    Config config;
    if (rng.below(2) == 0) config.muxers = {std::string(kYamux)};
    Handshake initiator(Role::initiator, a, rng, config, kStart);
    Handshake responder(Role::responder, b, rng, config, kStart);
    Bytes behind_responder;
    Bytes behind_initiator;
    const auto deliver = [&](Handshake& to, ByteView bytes, Bytes& behind) {
      testkit::in_random_pieces(rng, bytes, 1 + rng.below(300), [&](ByteView piece) {
        const auto consumed = to.receive(piece);
        ASSERT_TRUE(consumed.has_value());
        append(behind, piece.subspan(*consumed));
      });
    };
    deliver(responder, drain(initiator), behind_responder);
    Bytes second = drain(responder);
    deliver(initiator, second, behind_initiator);
    ASSERT_TRUE(initiator.complete());
    Bytes third = drain(initiator);
    auto secured = initiator.take();
    const Bytes data(1 + rng.below(200), 0x5a);
    const ByteView part = data;
    ASSERT_TRUE(secured.transport.seal(std::span(&part, 1), third));
    deliver(responder, third, behind_responder);
    ASSERT_TRUE(responder.complete());
    EXPECT_TRUE(behind_initiator.empty());
    auto at_responder = responder.take();
    const auto opened = at_responder.transport.open_next(behind_responder);
    ASSERT_TRUE(opened.has_value() && *opened);
    EXPECT_TRUE(equal((*opened)->plaintext, data));
    EXPECT_EQ((*opened)->consumed, behind_responder.size());
    EXPECT_EQ(responder.receive(data), 0u) << "nothing is consumed after completion";
  }
}

TEST(NoiseHandshake, SendsInPieces) {
  SeededRng rng(14);
  const auto a = identity(1);
  const auto b = identity(2);
  Handshake initiator(Role::initiator, a, rng, {}, kStart);
  Handshake responder(Role::responder, b, rng, {}, kStart);
  const auto trickle = [](Handshake& from, Handshake& to) {
    while (!from.to_send().empty()) {
      ASSERT_TRUE(to.receive(from.to_send().first(1)));
      from.sent(1);
    }
  };
  trickle(initiator, responder);
  trickle(responder, initiator);
  trickle(initiator, responder);
  EXPECT_TRUE(initiator.complete() && responder.complete());
}

TEST(NoiseHandshake, FailsAtItsDeadline) {
  SeededRng rng(15);
  const auto a = identity(1);
  for (const auto role : {Role::initiator, Role::responder}) {
    Handshake handshake(role, a, rng, {}, kStart);
    EXPECT_EQ(handshake.deadline(), kStart + kHandshakeTimeMax);
    EXPECT_TRUE(handshake.on_deadline(kStart + kHandshakeTimeMax - 1ns).has_value());
    const auto result = handshake.on_deadline(kStart + kHandshakeTimeMax);
    ASSERT_FALSE(result.has_value());
    EXPECT_TRUE(result.error().is(Errc::timed_out));
    EXPECT_TRUE(handshake.deadline().is_never());
    EXPECT_TRUE(handshake.receive(Bytes(1)).error().is(Errc::broken));
  }
}

TEST(NoiseHandshake, HasNoDeadlineWhenComplete) {
  SeededRng rng(16);
  const auto a = identity(1);
  const auto b = identity(2);
  Handshake initiator(Role::initiator, a, rng, {}, kStart);
  Handshake responder(Role::responder, b, rng, {}, kStart);
  ASSERT_TRUE(responder.receive(drain(initiator)));
  ASSERT_TRUE(initiator.receive(drain(responder)));
  EXPECT_TRUE(initiator.deadline().is_never());
  EXPECT_TRUE(initiator.on_deadline(kStart + 1h).has_value());
}

TEST(NoiseHandshake, SpendsNoRandomnessOnAPeerThatOnlyConnects) {
  class CountingRng final : public Rng {
   public:
    void fill(MutableByteView out) override { count += out.size(); }
    std::size_t count = 0;
  };
  CountingRng rng;
  const auto b = identity(2);
  Handshake responder(Role::responder, b, rng, {}, kStart);
  ASSERT_TRUE(responder.receive(testkit::hex("0020aabbcc")));
  EXPECT_EQ(rng.count, 0u);
  EXPECT_TRUE(responder.to_send().empty());
}

struct MuxerCase {
  std::vector<std::string> initiator;
  std::vector<std::string> responder;
  std::optional<std::string> expected;
};

TEST(NoiseMuxer, IsTheFirstOfTheInitiatorsThatBothKnow) {
  const MuxerCase cases[] = {
      {{"/yamux/1.0.0"}, {"/yamux/1.0.0"}, "/yamux/1.0.0"},
      {{"/a", "/b"}, {"/b", "/a"}, "/a"},
      {{"/x", "/b", "/a"}, {"/a", "/b"}, "/b"},
      {{}, {"/a"}, std::nullopt},
      {{"/a"}, {}, std::nullopt},
      {{}, {}, std::nullopt},
  };
  for (const auto& test : cases) {
    Config initiator;
    Config responder;
    initiator.muxers = test.initiator;
    responder.muxers = test.responder;
    const auto channels = connect(17, initiator, responder);
    EXPECT_EQ(channels.initiator.muxer, test.expected);
    EXPECT_EQ(channels.responder.muxer, test.expected);
  }
}

TEST(NoiseMuxer, FailsTheHandshakeWhenThereIsNoneInCommon) {
  SeededRng rng(18);
  const auto a = identity(1);
  const auto b = identity(2);
  Config yamux;
  Config mplex;
  yamux.muxers = {std::string(kYamux)};
  mplex.muxers = {"/mplex/6.7.0"};
  Handshake initiator(Role::initiator, a, rng, yamux, kStart);
  Handshake responder(Role::responder, b, rng, mplex, kStart);
  ASSERT_TRUE(responder.receive(drain(initiator)));
  const auto result = initiator.receive(drain(responder));
  ASSERT_FALSE(result.has_value());
  EXPECT_TRUE(result.error().is(Errc::no_common_muxer));
  EXPECT_EQ(result.error().kind(), Kind::unsupported);
  EXPECT_TRUE(initiator.to_send().empty()) << "no message 3";
}

TEST(NoiseMuxer, FailsAtTheResponderToo) {
  SeededRng rng(19);
  const auto b = identity(2);
  Config yamux;
  yamux.muxers = {std::string(kYamux)};
  Handshake responder(Role::responder, b, rng, yamux, kStart);
  Liar initiator(Role::initiator, 20);
  ASSERT_TRUE(responder.receive(initiator.speak({})));
  ASSERT_TRUE(initiator.listen(drain(responder)));
  const Bytes payload = make_payload(identity(1), initiator.static_key.public_key, {"/mplex/6.7.0"});
  EXPECT_TRUE(responder.receive(initiator.speak(payload)).error().is(Errc::no_common_muxer));
}

TEST(NoiseErrors, HaveATextEach) {
  for (std::uint16_t code = 1; code <= static_cast<std::uint16_t>(Errc::broken); ++code)
    EXPECT_NE(make_error(static_cast<Errc>(code)).message(), "unknown error");
}

}  // namespace
}  // namespace starling::noise
