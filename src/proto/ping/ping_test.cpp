#include <gtest/gtest.h>

#include "ping/pinger.hpp"
#include "ping/responder.hpp"
#include "testkit/testkit.hpp"

namespace starling::ping {
namespace {

constexpr Instant kStart = Instant::from_ns(5'000'000'000);

Bytes random_bytes(Rng& rng, std::size_t count) {
  Bytes out(count);
  rng.fill(out);
  return out;
}

template <class Machine>
Bytes drain(Machine& machine) {
  Bytes out = to_bytes(machine.to_send());
  machine.sent(out.size());
  return out;
}

TEST(PingResponder, EchoesWhatItGetsWhateverTheCuts) {
  SeededRng rng(testkit::seed(201));
  for (int round = 0; round < 200; ++round) {
    const Bytes stream = random_bytes(rng, kPingBytes * rng.below(20));
    Responder responder(kStart);
    Bytes echoed;
    testkit::in_random_pieces(rng, stream, 1 + rng.below(100), [&](ByteView piece) {
      while (!piece.empty()) {
        piece = piece.subspan(responder.receive(piece, kStart));
        const std::size_t sent = rng.below(responder.to_send().size() + 1);
        append(echoed, responder.to_send().first(sent));
        responder.sent(sent);
      }
    });
    append(echoed, drain(responder));
    EXPECT_EQ(echoed, stream);
  }
}

// threats E.2 #8: 31 bytes.
TEST(PingResponder, AnswersOnlyWholePings) {
  SeededRng rng(1);
  const Bytes ping = random_bytes(rng, kPingBytes);
  Responder responder(kStart);
  EXPECT_EQ(responder.receive(ByteView(ping).first(31), kStart), 31u);
  EXPECT_TRUE(responder.to_send().empty());
  EXPECT_EQ(responder.receive(ByteView(ping).last(1), kStart), 1u);
  EXPECT_EQ(drain(responder), ping);
}

// threats E.2 #8: oversize, never reading.
TEST(PingResponder, StopsTakingPingsWhenThePeerDoesNotRead) {
  SeededRng rng(2);
  const Bytes flood = random_bytes(rng, 1 << 20);
  Responder responder(kStart);
  EXPECT_EQ(responder.receive(flood, kStart), kAnswerBytesMax);
  EXPECT_EQ(responder.receive(ByteView(flood).subspan(kAnswerBytesMax), kStart), 0u);
  EXPECT_EQ(responder.to_send().size(), kAnswerBytesMax);
  responder.sent(kPingBytes - 1);
  EXPECT_EQ(responder.receive(flood, kStart), 0u) << "not before a whole answer fits";
  responder.sent(1);
  EXPECT_EQ(responder.receive(flood, kStart), kPingBytes);
}

TEST(PingResponder, ClosesAnIdleStreamAndIsNotKeptByCrumbs) {
  const Bytes ping(kPingBytes, 7);
  Responder responder(kStart);
  EXPECT_EQ(responder.deadline(), kStart + kIdleTimeMax);
  responder.receive(ByteView(ping).first(31), kStart + 50s);
  EXPECT_EQ(responder.deadline(), kStart + kIdleTimeMax);
  responder.receive(ByteView(ping).last(1), kStart + 50s);
  EXPECT_EQ(responder.deadline(), kStart + 50s + kIdleTimeMax);
  EXPECT_TRUE(responder.on_deadline(kStart + kIdleTimeMax).has_value());
  EXPECT_TRUE(responder.on_deadline(kStart + 50s + kIdleTimeMax).error().is(Errc::timed_out));
}

TEST(PingPinger, MeasuresTheRoundTrip) {
  testkit::TestEnv env(testkit::seed(202));
  Pinger pinger;
  Responder responder(kStart);
  EXPECT_FALSE(pinger.waiting());
  EXPECT_TRUE(pinger.deadline().is_never());
  for (int i = 0; i < 5; ++i) {
    const Instant now = kStart + i * 1s;
    pinger.start(env.rng, now);
    EXPECT_EQ(pinger.deadline(), now + kAnswerTimeMax);
    const Bytes ping = drain(pinger);
    EXPECT_EQ(ping.size(), kPingBytes);
    responder.receive(ping, now + 20ms);
    const Bytes answer = drain(responder);
    EXPECT_EQ(pinger.receive(ByteView(answer).first(10), now + 30ms).value(), std::nullopt);
    EXPECT_EQ(pinger.receive(ByteView(answer).subspan(10), now + 42ms).value(), 42ms);
    EXPECT_FALSE(pinger.waiting());
  }
}

TEST(PingPinger, SendsOtherBytesEachTime) {
  testkit::TestEnv env(3);
  Pinger pinger;
  pinger.start(env.rng, kStart);
  const Bytes first = drain(pinger);
  ASSERT_TRUE(pinger.receive(first, kStart));
  pinger.start(env.rng, kStart);
  EXPECT_NE(drain(pinger), first);
}

TEST(PingPinger, RefusesAnyWrongByte) {
  for (std::size_t i = 0; i < kPingBytes; ++i) {
    testkit::TestEnv env(4);
    Pinger pinger;
    pinger.start(env.rng, kStart);
    Bytes answer = drain(pinger);
    answer[i] ^= 1;
    const auto result = pinger.receive(answer, kStart);
    ASSERT_FALSE(result.has_value());
    EXPECT_TRUE(result.error().is(Errc::wrong_answer)) << i;
    EXPECT_EQ(result.error().kind(), Kind::misbehaviour);
  }
}

TEST(PingPinger, RefusesSurplusAndEarlyAnswers) {
  testkit::TestEnv env(5);
  Pinger idle;
  EXPECT_TRUE(idle.receive(Bytes(1), kStart).error().is(Errc::unasked_answer));
  EXPECT_TRUE(idle.receive({}, kStart).has_value());

  Pinger surplus;
  surplus.start(env.rng, kStart);
  Bytes answer = drain(surplus);
  answer.push_back(0);
  EXPECT_TRUE(surplus.receive(answer, kStart).error().is(Errc::unasked_answer));

  Pinger early;
  early.start(env.rng, kStart);
  const Bytes known = to_bytes(early.to_send());  // as if the peer could know our generator
  early.sent(4);
  EXPECT_TRUE(early.receive(ByteView(known).first(4), kStart).has_value());
  EXPECT_TRUE(early.receive(ByteView(known).subspan(4), kStart).error().is(Errc::unasked_answer));
}

TEST(PingPinger, GivesUpAtItsDeadline) {
  testkit::TestEnv env(6);
  Pinger pinger;
  EXPECT_TRUE(pinger.on_deadline(kStart + 1h).has_value()) << "idle";
  pinger.start(env.rng, kStart);
  EXPECT_TRUE(pinger.on_deadline(kStart + kAnswerTimeMax - 1ns).has_value());
  const auto result = pinger.on_deadline(kStart + kAnswerTimeMax);
  ASSERT_FALSE(result.has_value());
  EXPECT_TRUE(result.error().is(Errc::timed_out));
  EXPECT_EQ(result.error().kind(), Kind::timeout);
}

TEST(PingErrors, HaveATextEach) {
  for (std::uint16_t code = 1; code <= static_cast<std::uint16_t>(Errc::timed_out); ++code)
    EXPECT_NE(make_error(static_cast<Errc>(code)).message(), "unknown error");
}

}  // namespace
}  // namespace starling::ping
