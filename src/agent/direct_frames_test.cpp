#include "agent/direct_frames.hpp"

#include <gtest/gtest.h>

#include "agent/agent_fixtures.hpp"
#include "testkit/testkit.hpp"

namespace starling::agent {
namespace {

using fixtures::kStart;

EthAddress wallet(std::uint8_t number) {
  FixedBytes<20> bytes{};
  bytes[0] = number;
  return EthAddress(bytes);
}

TEST(PresenceExchange, AnswersComeInTheOrderOfTheQuestionsHoweverTheyAreCut) {
  SeededRng rng(testkit::seed(5));
  for (int round = 0; round < 50; ++round) {
    PresenceAnswerer answerer(kStart);
    Bytes requests;
    for (std::uint8_t i = 0; i < 10; ++i) append(requests, presence_request(wallet(i)));
    std::vector<Bytes> answers;
    format::FrameReader reader(kPresenceAnswerFrameMax);
    const auto drain = [&] {
      while (const auto asked = answerer.poll(kStart).value()) {
        const std::uint8_t number = asked->bytes()[0];
        answerer.answer(number % 3 == 0 ? Bytes{} : Bytes(number, number));
      }
      const std::size_t count = rng.below(answerer.to_send().size() + 1);
      reader.receive(answerer.to_send().first(count));
      answerer.sent(count, kStart);
      while (const auto frame = reader.next().value()) answers.push_back(to_bytes(*frame));
    };
    testkit::in_random_pieces(rng, requests, 40, [&](ByteView piece) {
      answerer.receive(piece);
      drain();
    });
    while (answers.size() < 10) drain();
    for (std::uint8_t i = 0; i < 10; ++i) EXPECT_EQ(answers[i], i % 3 == 0 ? Bytes{} : Bytes(i, i));
  }
}

TEST(PresenceExchange, ARequestThatIsNotAnAddressBreaksTheStream) {
  for (const std::size_t size : {0U, 1U, 19U, 21U}) {
    PresenceAnswerer answerer(kStart);
    answerer.receive(format::make_frame(Bytes(size, 1)));
    EXPECT_FALSE(answerer.poll(kStart)) << size;
  }
}

TEST(PresenceExchange, APeerThatDoesNotReadStopsItself) {
  PresenceAnswerer answerer(kStart);
  std::size_t asked_count = 0;
  std::size_t received = 0;
  while (answerer.wants_bytes() && received < 10'000) {
    answerer.receive(presence_request(wallet(1)));
    ++received;
    while (answerer.poll(kStart).value()) {
      ++asked_count;
      answerer.answer(Bytes(kPresenceBytesMax, 7));
    }
  }
  EXPECT_LT(received, 10'000U);
  EXPECT_EQ(asked_count, 1U);
  EXPECT_LE(answerer.to_send().size(), kPresenceBytesMax + 2);
  answerer.sent(answerer.to_send().size(), kStart);
  EXPECT_TRUE(answerer.wants_bytes());
}

TEST(PresenceExchange, RequestsInOneReadAreNotAllTakenAtOnce) {
  PresenceAnswerer answerer(kStart);
  Bytes many;
  for (int i = 0; i < 100; ++i) append(many, presence_request(wallet(1)));
  answerer.receive(many);
  EXPECT_FALSE(answerer.wants_bytes());
}

TEST(PresenceExchange, TenSecondsWithoutProgressEndIt) {
  PresenceAnswerer answerer(kStart);
  answerer.receive(presence_request(wallet(1)));
  ASSERT_TRUE(answerer.poll(kStart + 5s).value());
  EXPECT_EQ(answerer.deadline(), kStart + 15s);
  answerer.on_deadline(kStart + 15s - 1ns);
  EXPECT_FALSE(answerer.expired());
  answerer.on_deadline(kStart + 15s);
  EXPECT_TRUE(answerer.expired());
  EXPECT_TRUE(answerer.deadline().is_never());
}

TEST(PresenceExchange, TheAskerGetsOneAnswer) {
  PresenceAsker asker(wallet(1), kStart);
  EXPECT_EQ(to_bytes(asker.to_send()), presence_request(wallet(1)));
  asker.sent(5);
  EXPECT_EQ(asker.to_send().size(), 16U);
  const Bytes answer = presence_answer(Bytes(300, 9));
  for (const std::uint8_t byte : answer) ASSERT_TRUE(asker.receive({&byte, 1}));
  EXPECT_EQ(asker.poll(), Bytes(300, 9));
  EXPECT_EQ(asker.poll(), std::nullopt);
  EXPECT_TRUE(asker.done());
  EXPECT_TRUE(asker.deadline().is_never());
  EXPECT_TRUE(asker.receive(answer)) << "what comes later is ignored";
  EXPECT_EQ(asker.poll(), std::nullopt);
}

TEST(PresenceExchange, TheAskerTellsNothingFromNoAnswer) {
  PresenceAsker nothing(wallet(1), kStart);
  ASSERT_TRUE(nothing.receive(presence_answer({})));
  EXPECT_EQ(nothing.poll(), Bytes{});
  PresenceAsker late(wallet(1), kStart);
  EXPECT_EQ(late.deadline(), kStart + kPresenceExchangeTimeout);
  late.on_deadline(late.deadline());
  EXPECT_TRUE(late.done());
  EXPECT_EQ(late.poll(), std::nullopt);
  PresenceAsker ended(wallet(1), kStart);
  ended.on_end();
  EXPECT_TRUE(ended.done());
  EXPECT_EQ(ended.poll(), std::nullopt);
}

TEST(PresenceExchange, AnAnswerOverTheLimitBreaksTheStream) {
  PresenceAsker asker(wallet(1), kStart);
  EXPECT_FALSE(asker.receive(format::make_frame(Bytes(kPresenceBytesMax + 1, 1))));
}

}  // namespace
}  // namespace starling::agent
