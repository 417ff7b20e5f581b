// Two sessions over a wire that cuts bytes anywhere: upgrade, identify, ping, DHT, gossip, presence and
// application streams, and what happens when the other side is hostile.
#include "node/session.hpp"

#include <gmock/gmock.h>

#include "gossip/strict_sign.hpp"
#include "node/limits.hpp"
#include "testkit/testkit.hpp"

namespace starling::node {
namespace {

std::shared_ptr<LocalInfo> local_info(Rng& rng, crypto::KeyType type) {
  auto info = std::make_shared<LocalInfo>(crypto::PrivateKey::generate(type, rng));
  info->agent_version = "test/" + std::string(to_string(type));
  info->listen_addrs = {*Multiaddr::parse("/ip4/1.2.3.4/tcp/4001")};
  info->kad_protocol = "/starling/kad/1.0.0";
  info->gossip = true;
  info->protocols = {"/ipfs/id/1.0.0", "/ipfs/id/push/1.0.0",      "/ipfs/ping/1.0.0", "/starling/kad/1.0.0",
                     "/meshsub/1.1.0", "/starling/presence/1.0.0", "/echo/1.0.0"};
  return info;
}

constexpr WallTime kWall = WallTime::from_ms(1'790'000'000'000);  // 2026

/// One end with everything it has told so far.
struct End {
  End(std::uint64_t seed, crypto::KeyType type, std::vector<Security> dial = {Security::noise})
      : env(seed), shared({}, kConnectionsBytesMax, std::move(dial)), local(local_info(env.rng, type)) {}
  void open(Direction direction, std::optional<PeerId> expected, Instant now) {
    Session::Setup setup{ConnId(direction == Direction::outbound ? 1 : 2),
                         direction == Direction::outbound ? DialId(7) : DialId(),
                         direction,
                         *Multiaddr::parse("/ip4/5.6.7.8/tcp/1000"),
                         std::move(expected),
                         local,
                         &shared};
    session = std::make_unique<Session>(std::move(setup), env.env, Now{now, kWall});
  }
  void collect() {
    while (auto event = session->poll()) {
      if (auto* edge = std::get_if<EdgeEvent>(&*event))
        edge_events.push_back(std::move(*edge));
      else
        app_events.push_back(std::move(std::get<app_stream::Event>(*event)));
    }
  }
  template <class T>
  std::vector<T*> heard() {
    std::vector<T*> out;
    for (auto& event : edge_events)
      if (auto* wanted = std::get_if<T>(&event)) out.push_back(wanted);
    return out;
  }
  template <class T>
  std::vector<T> app() {
    std::vector<T> out;
    for (auto& event : app_events)
      if (auto* wanted = std::get_if<T>(&event)) out.push_back(*wanted);
    return out;
  }
  testkit::TestEnv env;
  ConnectionsShared shared;
  std::shared_ptr<LocalInfo> local;
  std::unique_ptr<Session> session;
  std::vector<EdgeEvent> edge_events;
  std::vector<app_stream::Event> app_events;
};

class SessionTest : public ::testing::Test {
 protected:
  explicit SessionTest(std::vector<Security> dial = {Security::noise})
      : dialler{11, crypto::KeyType::ed25519, std::move(dial)} {}
  void connect(std::optional<PeerId> expected = std::nullopt) {
    dialler.open(Direction::outbound, expected, now);
    listener.open(Direction::inbound, std::nullopt, now);
    run();
  }
  /// Moves bytes both ways until nothing moves; true while both ends live.
  bool run(std::size_t piece_max = 700) {
    for (int turn = 0; turn < 20'000; ++turn) {
      const bool a = carry(dialler, listener, piece_max);
      const bool b = carry(listener, dialler, piece_max);
      if (!error && !a && !b) return true;
      if (error) return false;
    }
    ADD_FAILURE() << "never quiet";
    return false;
  }
  bool carry(End& from, End& to, std::size_t piece_max) {
    from.collect();
    if (!from.session->has_output()) return false;
    Bytes wire;
    EXPECT_TRUE(from.session->produce(wire, 1 << 16, now).has_value());
    testkit::in_random_pieces(cuts, wire, piece_max, [&](ByteView piece) {
      if (error) return;
      Bytes copy = to_bytes(piece);
      if (const auto received = to.session->receive(copy, now); !received) {
        error = received.error();
        to.session->close(*error, now);
      }
    });
    to.collect();
    return !wire.empty();
  }

  Instant now = Instant::from_ns(0);
  SeededRng cuts{testkit::seed(99)};
  End dialler;
  End listener{12, crypto::KeyType::secp256k1};
  std::optional<Error> error;
};

TEST_F(SessionTest, BothSidesConnectAndIdentifyEachOther) {
  connect(listener.local->id);
  ASSERT_EQ(dialler.heard<up::Connected>().size(), 1u);
  EXPECT_EQ(dialler.heard<up::Connected>()[0]->peer, listener.local->id);
  EXPECT_EQ(dialler.heard<up::Connected>()[0]->dial, DialId(7));
  ASSERT_EQ(listener.heard<up::Connected>().size(), 1u);
  EXPECT_EQ(listener.heard<up::Connected>()[0]->peer, dialler.local->id);
  for (End* end : {&dialler, &listener}) {
    ASSERT_EQ(end->heard<up::Identified>().size(), 1u);
    EXPECT_EQ(end->heard<up::Identified>()[0]->info->observed_addr->to_string(), "/ip4/5.6.7.8/tcp/1000");
  }
  EXPECT_EQ(dialler.heard<up::Identified>()[0]->info->agent_version, "test/secp256k1");
}

TEST_F(SessionTest, AnotherPeerThanTheOneDialledIsRefused) {
  connect(PeerId::of(crypto::PrivateKey::generate(crypto::KeyType::ed25519, cuts).public_key()));
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(dialler.heard<up::DialFailed>().size(), 1u);
  EXPECT_TRUE(dialler.heard<up::Connected>().empty());
}

/// The same over TLS.
class TlsSessionTest : public SessionTest {
 protected:
  TlsSessionTest() : SessionTest({Security::tls}) {}
};

TEST_F(TlsSessionTest, BothSidesConnectAndIdentifyEachOther) {
  connect(listener.local->id);
  ASSERT_FALSE(error.has_value()) << error->to_string();
  ASSERT_EQ(dialler.heard<up::Connected>().size(), 1u);
  EXPECT_EQ(dialler.heard<up::Connected>()[0]->peer, listener.local->id);
  ASSERT_EQ(listener.heard<up::Connected>().size(), 1u);
  EXPECT_EQ(listener.heard<up::Connected>()[0]->peer, dialler.local->id);
  for (End* end : {&dialler, &listener}) EXPECT_EQ(end->heard<up::Identified>().size(), 1u);
  dialler.session->apply(down::Ping{ConnId(1), AskId(5)}, now);
  ASSERT_TRUE(run(3)) << "in small pieces too";
  EXPECT_EQ(dialler.heard<up::Pinged>().size(), 1u);
}

TEST_F(TlsSessionTest, AnotherPeerThanTheOneDialledIsRefusedAndToldSo) {
  dialler.open(Direction::outbound,
               PeerId::of(crypto::PrivateKey::generate(crypto::KeyType::ed25519, cuts).public_key()), now);
  listener.open(Direction::inbound, std::nullopt, now);
  run();
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(*error, tls::make_error(tls::Errc::wrong_peer));
  ASSERT_EQ(dialler.heard<up::DialFailed>().size(), 1u);
  error.reset();
  carry(dialler, listener, 700);  // the alert
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(*error, tls::make_error(tls::Errc::refused_by_peer));
  EXPECT_TRUE(listener.heard<up::Connected>().empty());
}

TEST_F(TlsSessionTest, ItsEndIsTold) {
  connect();
  dialler.session->close(make_error(Errc::connection_closed), now);
  carry(dialler, listener, 700);
  ASSERT_TRUE(error.has_value()) << "close_notify came behind the GoAway";
  EXPECT_EQ(*error, make_error(Errc::connection_closed));
  EXPECT_EQ(listener.heard<up::Disconnected>().size(), 1u);
}

/// Prefers TLS and takes Noise.
class BothSessionTest : public SessionTest {
 protected:
  BothSessionTest() : SessionTest({Security::tls, Security::noise}) {}
  Bytes flight() {
    Bytes out;
    EXPECT_TRUE(dialler.session->produce(out, 1 << 16, now).has_value());
    return out;
  }
  void answer(std::string_view text) {
    Bytes bytes{static_cast<std::uint8_t>(text.size() + 1)};
    append(bytes, as_bytes(text));
    bytes.push_back('\n');
    EXPECT_TRUE(dialler.session->receive(bytes, now).has_value());
  }
};

TEST_F(BothSessionTest, WhatIsPreferredIsUsedWhereBothSpeakIt) {
  connect(listener.local->id);
  EXPECT_EQ(dialler.heard<up::Connected>().size(), 1u);
  dialler.session->close(make_error(Errc::connection_closed), now);
  carry(dialler, listener, 700);
  EXPECT_TRUE(error.has_value()) << "only TLS tells its end";
}

// A message of a handshake behind a proposal that is refused would be read as a proposal.
TEST_F(BothSessionTest, ProposesTheNextWhenTheFirstIsRefused) {
  dialler.open(Direction::outbound, std::nullopt, now);
  EXPECT_EQ(as_text(flight()), "\x13/multistream/1.0.0\n\x0b/tls/1.0.0\n");
  answer("/multistream/1.0.0");
  answer("na");
  EXPECT_EQ(as_text(flight()), "\x07/noise\n");
  answer("/noise");
  EXPECT_EQ(flight().size(), 34u) << "message 1";
}

TEST_F(SessionTest, TheOnlyProposalLeavesWithTheFirstMessage) {
  dialler.open(Direction::outbound, std::nullopt, now);
  Bytes first;
  ASSERT_TRUE(dialler.session->produce(first, 1 << 16, now).has_value());
  EXPECT_EQ(first.size(), 20u + 8u + 34u);
}

TEST(Security, WhatHandshakesShowIsSignedOnce) {
  SeededRng rng(1);
  const auto key = crypto::PrivateKey::generate(crypto::KeyType::ed25519, rng);
  SharedProof<tls::Identity> certificate;
  const tls::Identity& first = certificate.get(key, rng);
  EXPECT_EQ(&certificate.get(key, rng), &first);
  EXPECT_EQ(first.key(), key.public_key());
  SharedProof<noise::StaticKey> static_key;
  const noise::StaticKey& made = static_key.get(key, rng);
  EXPECT_EQ(&static_key.get(key, rng), &made);
  EXPECT_EQ(made.identity(), key.public_key());
}

TEST_F(SessionTest, HandshakesUseTheStaticKeyOfTheNode) {
  connect();
  for (auto* side : {&dialler, &listener}) {
    SeededRng never_asked(1);
    SeededRng as_made(1);
    side->shared.noise.get(side->local->key, never_asked);
    EXPECT_EQ(never_asked.bytes<32>(), as_made.bytes<32>()) << "the handshake had made it";
  }
}

TEST(Security, ListsAreReadAndWrongOnesRefused) {
  using List = std::vector<Security>;
  EXPECT_EQ(parse_security({"tls", "noise"}), List({Security::tls, Security::noise}));
  EXPECT_EQ(parse_security({"noise"}), List({Security::noise}));
  EXPECT_EQ(parse_security({}), std::nullopt);
  EXPECT_EQ(parse_security({"tls", "tls"}), std::nullopt);
  EXPECT_EQ(parse_security({"plaintext"}), std::nullopt);
}

TEST_F(SessionTest, PingMeasuresARoundTrip) {
  connect();
  dialler.session->apply(down::Ping{ConnId(1), AskId(5)}, now);
  run();
  ASSERT_EQ(dialler.heard<up::Pinged>().size(), 1u);
  EXPECT_TRUE(dialler.heard<up::Pinged>()[0]->rtt.has_value());
}

TEST_F(SessionTest, DhtRequestsAreAnsweredInOrderOnOneStream) {
  connect();
  for (std::uint64_t i = 1; i <= 5; ++i) {
    kad::SendRequest request;
    request.id = kad::RequestId(i);
    request.message = {kad::MessageType::find_node, {static_cast<std::uint8_t>(i)}, {}, {}, {}};
    dialler.session->apply(down::AskKad{ConnId(1), request}, now);
  }
  std::size_t answered = 0;
  for (int turn = 0; turn < 10; ++turn) {
    run();
    const auto asked = listener.heard<up::KadAsked>();
    for (; answered < asked.size(); ++answered) {
      kad::Message answer{kad::MessageType::find_node, {}, {}, {}, {}};
      answer.closer_peers.push_back({listener.local->id, listener.local->listen_addrs, {}});
      listener.session->apply(down::AnswerKad{asked[answered]->from, std::optional(answer)}, now);
    }
  }
  const auto answers = dialler.heard<up::KadAnswered>();
  ASSERT_EQ(answers.size(), 5u);
  for (std::uint64_t i = 0; i < 5; ++i) {
    EXPECT_EQ(answers[i]->request, kad::RequestId(i + 1));
    ASSERT_TRUE(answers[i]->answer.has_value());
    EXPECT_EQ((**answers[i]->answer).closer_peers.size(), 1u);
  }
}

TEST_F(SessionTest, ADhtRequestThatItsStreamDidNotOutliveIsAskedAgainOnAFreshOne) {
  connect();
  const auto ask = [&](std::uint64_t id) {
    kad::SendRequest request;
    request.id = kad::RequestId(id);
    request.message = {kad::MessageType::find_node, {static_cast<std::uint8_t>(id)}, {}, {}, {}};
    dialler.session->apply(down::AskKad{ConnId(1), request}, now);
    run();
  };
  const auto answer = [&](std::size_t which, bool good) {
    Result<std::optional<kad::Message>> message = fail(Errc::bad_answer);
    if (good) message = std::optional(kad::Message{kad::MessageType::find_node, {}, {}, {}, {}});
    listener.session->apply(down::AnswerKad{listener.heard<up::KadAsked>()[which]->from, message}, now);
    run();
  };
  ask(1);
  answer(0, true);
  ASSERT_EQ(dialler.heard<up::KadAnswered>().size(), 1u);
  ask(2);
  answer(1, false);  // the stream is reset
  ASSERT_EQ(listener.heard<up::KadAsked>().size(), 3u) << "asked again by itself";
  EXPECT_EQ(listener.heard<up::KadAsked>()[2]->request.key, Bytes{2});
  EXPECT_NE(listener.heard<up::KadAsked>()[2]->from.stream, listener.heard<up::KadAsked>()[1]->from.stream);
  EXPECT_EQ(dialler.heard<up::KadAnswered>().size(), 1u);
  answer(2, false);  // and the fresh one too: that is an answer
  EXPECT_EQ(listener.heard<up::KadAsked>().size(), 3u);
  ASSERT_EQ(dialler.heard<up::KadAnswered>().size(), 2u);
  EXPECT_EQ(dialler.heard<up::KadAnswered>()[1]->request, kad::RequestId(2));
  EXPECT_FALSE(dialler.heard<up::KadAnswered>()[1]->answer.has_value());
}

TEST_F(SessionTest, AnUnansweredDhtRequestFailsWhenTheConnectionEnds) {
  connect();
  kad::SendRequest request;
  request.id = kad::RequestId(8);
  request.message = {kad::MessageType::find_node, {1}, {}, {}, {}};
  dialler.session->apply(down::AskKad{ConnId(1), request}, now);
  run();
  dialler.session->close(make_error(Errc::connection_closed), now);
  dialler.collect();
  ASSERT_EQ(dialler.heard<up::KadAnswered>().size(), 1u);
  EXPECT_FALSE(dialler.heard<up::KadAnswered>()[0]->answer.has_value());
  ASSERT_EQ(dialler.heard<up::Disconnected>().size(), 1u);
}

TEST_F(SessionTest, GossipCrossesTheWireWithItsSignature) {
  connect();
  dialler.session->apply(down::OpenGossip{ConnId(1), gossip::Protocol::meshsub_1_1}, now);
  run();
  ASSERT_EQ(dialler.heard<up::GossipOpened>().size(), 1u);
  gossip::Rpc rpc;
  rpc.messages.push_back(std::make_shared<const gossip::Message>(gossip::strict_sign::make_signed(
      dialler.local->key, "agent-messages", Slice::copy(as_bytes("hi")), 1)));
  dialler.session->apply(down::SendGossip{ConnId(1), rpc, gossip::Lane::own}, now);
  run();
  ASSERT_EQ(listener.heard<up::GossipReceived>().size(), 1u);
  const auto& received = listener.heard<up::GossipReceived>()[0]->rpc.messages;
  ASSERT_EQ(received.size(), 1u);
  EXPECT_EQ(*gossip::strict_sign::check(*received[0]), dialler.local->id);
}

TEST_F(SessionTest, PresenceQuestionsAreAnsweredInOrder) {
  connect();
  for (std::uint8_t i = 1; i <= 3; ++i)
    dialler.session->apply(down::AskPresence{ConnId(1), AskId(i), EthAddress(FixedBytes<20>{i})}, now);
  std::size_t answered = 0;
  for (int turn = 0; turn < 6; ++turn) {
    run();
    const auto asked = listener.heard<up::PresenceAsked>();
    for (; answered < asked.size(); ++answered)
      listener.session->apply(
          down::AnswerPresence{asked[answered]->from, Bytes{asked[answered]->wallet.array()[0]}}, now);
  }
  const auto answers = dialler.heard<up::PresenceAnswered>();
  ASSERT_EQ(answers.size(), 3u);
  for (std::uint8_t i = 1; i <= 3; ++i) EXPECT_EQ(*answers[i - 1u]->record, Bytes{i});
}

TEST_F(SessionTest, ApplicationStreamsCarryBytesBothWaysAndHalfClose) {
  connect();
  dialler.session->open_stream(42, {"/echo/1.0.0"}, multistream::Lazy::yes, now);
  dialler.collect();
  ASSERT_EQ(dialler.app<app_stream::Opened>().size(), 1u);
  const auto ours = dialler.app<app_stream::Opened>()[0].stream;
  EXPECT_EQ(dialler.session->write(ours, as_bytes("echo this")), 9u);
  dialler.session->finish(ours, now);
  run();
  ASSERT_EQ(listener.app<app_stream::Opened>().size(), 1u);
  const auto theirs = listener.app<app_stream::Opened>()[0].stream;
  const Bytes got = to_bytes(listener.session->readable(theirs));
  EXPECT_EQ(as_text(got), "echo this");
  listener.session->consume(theirs, got.size(), now);
  listener.collect();
  EXPECT_EQ(listener.app<app_stream::Ended>().size(), 1u);
  listener.session->write(theirs, got);
  listener.session->finish(theirs, now);
  run();
  EXPECT_EQ(as_text(dialler.session->readable(ours)), "echo this");
  dialler.session->consume(ours, 9, now);
  run();
  EXPECT_EQ(dialler.app<app_stream::Closed>().size(), 1u);
  EXPECT_EQ(listener.app<app_stream::Closed>().size(), 1u);
}

/// Bytes for `to` that are lent, read in parts, and overwritten as soon as they were settled.
void lend(Session& to, ByteView wire, Rng& rng, yamux::StreamId stream, Bytes& got, Instant now) {
  Bytes lent = to_bytes(wire);
  ASSERT_TRUE(to.lend(lent, now).has_value());
  while (to.poll()) continue;
  const ByteView there = to.readable(stream);
  const std::size_t count = rng.below(there.size() + 1);
  append(got, there.first(count));
  to.consume(stream, count, now);
  to.settle();
  std::fill(lent.begin(), lent.end(), std::uint8_t{0xee});
}

TEST_F(SessionTest, WhatIsLentIsReadWholeHoweverItIsCut) {
  connect();
  dialler.session->open_stream(42, {"/echo/1.0.0"}, multistream::Lazy::yes, now);
  dialler.collect();
  const auto ours = dialler.app<app_stream::Opened>()[0].stream;
  run();
  const auto theirs = listener.app<app_stream::Opened>()[0].stream;
  Bytes sent(3 << 20);
  cuts.fill(sent);
  Bytes got;
  for (std::size_t written = 0; got.size() < sent.size();) {
    written += dialler.session->write(ours, ByteView(sent).subspan(written));
    dialler.collect();
    Bytes wire;
    ASSERT_TRUE(dialler.session->produce(wire, 1 << 17, now).has_value());
    testkit::in_random_pieces(
        cuts, wire, 150'000, [&](ByteView piece) { lend(*listener.session, piece, cuts, theirs, got, now); });
    if (wire.empty()) lend(*listener.session, {}, cuts, theirs, got, now);
    carry(listener, dialler, 700);
  }
  EXPECT_EQ(got, sent);
}

TEST_F(SessionTest, AnEagerStreamOfOneProtocolIsToldWhenThePeerHasAgreed) {
  connect();
  dialler.session->open_stream(1, {"/echo/1.0.0"}, multistream::Lazy::no, now);
  dialler.session->open_stream(2, {"/nobody/has/this"}, multistream::Lazy::no, now);
  dialler.collect();
  EXPECT_TRUE(dialler.app<app_stream::Opened>().empty());
  run();
  ASSERT_EQ(dialler.app<app_stream::Opened>().size(), 1u);
  EXPECT_EQ(dialler.app<app_stream::Opened>()[0].token, 1u);
  ASSERT_EQ(dialler.app<app_stream::OpenFailed>().size(), 1u);
  EXPECT_EQ(dialler.app<app_stream::OpenFailed>()[0].token, 2u);
}

TEST_F(SessionTest, AProtocolThatThePeerLacksEndsTheStreamAndNotTheConnection) {
  connect();
  dialler.session->open_stream(1, {"/nobody/has/this"}, multistream::Lazy::yes, now);
  dialler.session->open_stream(2, {"/nor/this", "/echo/1.0.0"}, multistream::Lazy::yes, now);
  run();
  EXPECT_EQ(dialler.app<app_stream::Gone>().size(), 1u);
  const auto opened = dialler.app<app_stream::Opened>();
  ASSERT_EQ(opened.size(), 2u);
  EXPECT_EQ(opened[1].protocol, "/echo/1.0.0");
  dialler.session->apply(down::Ping{ConnId(1), AskId(1)}, now);
  EXPECT_TRUE(run());
  EXPECT_EQ(dialler.heard<up::Pinged>().size(), 1u);
}

TEST_F(SessionTest, GarbageInPlaceOfTheUpgradeIsAnErrorWithoutAConnection) {
  listener.open(Direction::inbound, std::nullopt, now);
  Bytes garbage(600, 0xee);
  const auto received = listener.session->receive(garbage, now);
  ASSERT_FALSE(received.has_value());
  listener.session->close(received.error(), now);
  listener.collect();
  EXPECT_EQ(listener.heard<up::AcceptFailed>().size(), 1u);
  EXPECT_TRUE(listener.heard<up::Disconnected>().empty());
}

TEST_F(SessionTest, AnUpgradeThatNeverEndsIsCutAtItsDeadline) {
  listener.open(Direction::inbound, std::nullopt, now);
  Bytes one{0x13};
  EXPECT_TRUE(listener.session->receive(one, now).has_value());
  EXPECT_LE(listener.session->deadline(), now + kUpgradeTimeout);
  EXPECT_FALSE(listener.session->on_deadline(now + kUpgradeTimeout).has_value());
}

TEST_F(SessionTest, AnyFlippedBitOfARecordEndsTheConnection) {
  connect();
  dialler.session->apply(down::Ping{ConnId(1), AskId(1)}, now);
  Bytes wire;
  ASSERT_TRUE(dialler.session->produce(wire, 1 << 16, now).has_value());
  wire[wire.size() / 2] ^= 1;
  EXPECT_FALSE(listener.session->receive(wire, now).has_value());
}

TEST_F(SessionTest, StreamsOfOneKindAreLimited) {
  connect();
  for (std::uint64_t i = 1; i <= 6; ++i) dialler.session->apply(down::Ping{ConnId(1), AskId(i)}, now);
  run();
  std::size_t good = 0;
  for (const auto* pinged : dialler.heard<up::Pinged>()) good += pinged->rtt.has_value();
  EXPECT_EQ(dialler.heard<up::Pinged>().size(), 6u);
  EXPECT_GE(good, kPingStreamsMax);
  EXPECT_TRUE(run());
}

TEST_F(SessionTest, HalfAGossipMessageIsReservedFromTheNodesBudgetAndGivenBack) {
  connect();
  dialler.session->apply(down::OpenGossip{ConnId(1), gossip::Protocol::meshsub_1_1}, now);
  run();
  const std::size_t before = listener.shared.budget.used();
  gossip::Rpc rpc;
  rpc.messages.push_back(std::make_shared<const gossip::Message>(gossip::strict_sign::make_signed(
      dialler.local->key, "agent-messages", Slice::copy(Bytes(150'000)), 1)));
  dialler.session->apply(down::SendGossip{ConnId(1), rpc, gossip::Lane::own}, now);
  Bytes wire;
  ASSERT_TRUE(dialler.session->produce(wire, 1 << 20, now).has_value());
  ASSERT_TRUE(listener.session->receive(MutableByteView(wire).first(100'000), now).has_value());
  EXPECT_GT(listener.shared.budget.used(), before + 60'000);
  ASSERT_TRUE(listener.session->receive(MutableByteView(wire).subspan(100'000), now).has_value());
  listener.collect();
  EXPECT_EQ(listener.heard<up::GossipReceived>().size(), 1u);
  EXPECT_EQ(listener.shared.budget.used(), before);
}

TEST_F(SessionTest, AMessageThatTheNodeCannotHoldEndsItsStreamAndNotTheConnection) {
  connect();
  ByteAccount others(listener.shared.budget);
  while (others.reserve(1 << 20)) {
  }
  ByteAccount more(listener.shared.budget);
  while (more.reserve(kConnectionBytesFloor)) {
  }
  dialler.session->apply(down::OpenGossip{ConnId(1), gossip::Protocol::meshsub_1_1}, now);
  run();
  std::vector<std::unique_ptr<ByteAccount>> rest;
  while (listener.shared.budget.used() < listener.shared.budget.bytes_max()) {
    rest.push_back(std::make_unique<ByteAccount>(listener.shared.budget));
    ASSERT_TRUE(rest.back()->reserve(kConnectionBytesFloor));
  }
  const auto send = [&](std::size_t bytes, std::uint64_t seqno) {
    gossip::Rpc rpc;
    rpc.messages.push_back(std::make_shared<const gossip::Message>(gossip::strict_sign::make_signed(
        dialler.local->key, "agent-messages", Slice::copy(Bytes(bytes)), seqno)));
    dialler.session->apply(down::SendGossip{ConnId(1), rpc, gossip::Lane::own}, now);
    EXPECT_TRUE(run());
  };
  send(50'000, 1);  // the floor is enough for it
  EXPECT_EQ(listener.heard<up::GossipReceived>().size(), 1u);
  send(400'000, 2);
  EXPECT_EQ(listener.heard<up::GossipReceived>().size(), 1u);
  EXPECT_GE(listener.env.metrics.value("streams_evicted"), 1u);
  EXPECT_FALSE(dialler.heard<up::GossipClosed>().empty());
  dialler.session->apply(down::Ping{ConnId(1), AskId(1)}, now);
  EXPECT_TRUE(run());
  EXPECT_EQ(dialler.heard<up::Pinged>().size(), 1u);
}

TEST_F(SessionTest, AStreamThatNeverNegotiatesIsResetAtItsDeadline) {
  connect();
  const auto silent = dialler.session->connection().peer();
  ASSERT_TRUE(silent.has_value());
  dialler.session->open_stream(9, {"/a/1", "/b/1"}, multistream::Lazy::yes, now);
  now = now + kStreamNegotiationTimeout + 1s;
  ASSERT_TRUE(dialler.session->on_deadline(now).has_value());
  dialler.collect();
  EXPECT_EQ(dialler.app<app_stream::OpenFailed>().size(), 1u);
}

}  // namespace
}  // namespace starling::node
