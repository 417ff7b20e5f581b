#include "proto/kad/answer_time.hpp"

#include <gtest/gtest.h>

namespace starling::kad {
namespace {

TEST(KadAnswerTime, WaitsTheLongestUntilEnoughHaveAnswered) {
  AnswerTime times;
  for (std::size_t i = 0; i + 1 < kAnswerSamplesMin; ++i) {
    times.note(20ms);
    EXPECT_EQ(times.stall_after(3s), 3s);
  }
  times.note(20ms);
  EXPECT_LT(times.stall_after(3s), 3s);
}

TEST(KadAnswerTime, FollowsTheAnswersBetweenItsBounds) {
  AnswerTime times;
  for (int i = 0; i < 100; ++i) times.note(20ms);
  EXPECT_EQ(times.stall_after(3s), kStallAfterMin);
  EXPECT_EQ(times.stall_after(100ms), 100ms) << "the caller's bound is the last word";
  for (int i = 0; i < 100; ++i) times.note(800ms);
  EXPECT_GE(times.stall_after(3s), 800ms);
  EXPECT_LE(times.stall_after(3s), 1s) << "steady answers leave little to allow for";
  for (int i = 0; i < 100; ++i) times.note(i % 2 == 0 ? 100ms : 1500ms);
  EXPECT_EQ(times.stall_after(3s), 3s) << "what varies so much may take longer still";
}

TEST(KadAnswerTime, AbsurdTimesDoNotSpoilIt) {
  AnswerTime times;
  for (int i = 0; i < 20; ++i) times.note(-5s);
  EXPECT_EQ(times.stall_after(3s), kStallAfterMin);
  times.note(Duration::max());
  for (int i = 0; i < 200; ++i) times.note(50ms);
  EXPECT_EQ(times.stall_after(3s), kStallAfterMin);
}

}  // namespace
}  // namespace starling::kad
