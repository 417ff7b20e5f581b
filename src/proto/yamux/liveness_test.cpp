#include "proto/yamux/liveness.hpp"

#include <gtest/gtest.h>

#include "proto/yamux/frames_for_tests.hpp"

namespace starling::yamux {
namespace {

using testing::at;
constexpr Liveness::Times kTimes{30s, 20s};

TEST(YamuxLiveness, WantsAPingAtTheStart) {
  Liveness liveness(at(0s));
  EXPECT_TRUE(liveness.ping_wanted());
  EXPECT_FALSE(liveness.rtt());
  liveness.send_ping(at(1ms));
  EXPECT_FALSE(liveness.ping_wanted());
}

TEST(YamuxLiveness, MeasuresFromWhenThePingLeft) {
  Liveness liveness(at(0s));
  const std::uint32_t value = liveness.send_ping(at(5s));
  EXPECT_EQ(liveness.on_pong(value, at(5s + 40ms)), Duration(40ms));
  EXPECT_EQ(liveness.rtt(), Duration(40ms));
}

TEST(YamuxLiveness, OnlyTheAwaitedValueCounts) {
  Liveness liveness(at(0s));
  EXPECT_FALSE(liveness.on_pong(0, at(1ms)));  // not sent yet
  const std::uint32_t value = liveness.send_ping(at(0s));
  EXPECT_FALSE(liveness.on_pong(value + 1, at(1ms)));
  EXPECT_TRUE(liveness.on_pong(value, at(2ms)));
  EXPECT_FALSE(liveness.on_pong(value, at(3ms)));  // a second answer
  liveness.want_ping(at(4ms));
  EXPECT_NE(liveness.send_ping(at(4ms)), value);
}

TEST(YamuxLiveness, RttIsTheSmallestAndForgottenAfterItsMemory) {
  Liveness liveness(at(0s));
  const auto measure = [&](Duration when, Duration sample) {
    liveness.want_ping(at(when));
    (void)liveness.on_pong(liveness.send_ping(at(when)), at(when + sample));
  };
  measure(1s, 10ms);
  for (int i = 0; i < 20; ++i) measure(2s, 40ms);
  EXPECT_EQ(liveness.rtt(), Duration(10ms));
  EXPECT_EQ(liveness.samples(), 21u);
  measure(kRttMemory + 1s, 60ms);
  EXPECT_EQ(liveness.rtt(), Duration(10ms));
  measure(2 * kRttMemory + 2s, 70ms);
  EXPECT_EQ(liveness.rtt(), Duration(60ms));
}

TEST(YamuxLiveness, PingsAfterSilenceAndGivesUpAfterMore) {
  Liveness liveness(at(0s));
  (void)liveness.on_pong(liveness.send_ping(at(0s)), at(1s));
  liveness.on_received(at(1s));
  EXPECT_EQ(liveness.deadline(kTimes), at(31s));
  EXPECT_TRUE(liveness.on_deadline(kTimes, at(30s)));  // early: nothing happens
  EXPECT_FALSE(liveness.ping_wanted());
  EXPECT_TRUE(liveness.on_deadline(kTimes, at(31s)));
  EXPECT_TRUE(liveness.ping_wanted());
  EXPECT_EQ(liveness.deadline(kTimes), at(51s));
  liveness.send_ping(at(32s));
  EXPECT_EQ(liveness.deadline(kTimes), at(52s));
  EXPECT_FALSE(liveness.on_deadline(kTimes, at(52s)));
}

TEST(YamuxLiveness, AnyByteProvesThePeerAlive) {
  Liveness liveness(at(0s));
  liveness.send_ping(at(0s));
  liveness.on_received(at(19s));
  EXPECT_EQ(liveness.deadline(kTimes), at(39s));
  EXPECT_TRUE(liveness.on_deadline(kTimes, at(20s)));
}

TEST(YamuxLiveness, APingThatCannotLeaveTimesOutToo) {
  Liveness liveness(at(0s));
  EXPECT_FALSE(liveness.on_deadline(kTimes, at(20s)));
}

TEST(YamuxLiveness, DataRenewsAnOldMeasurement) {
  Liveness liveness(at(0s));
  (void)liveness.on_pong(liveness.send_ping(at(0s)), at(10ms));
  liveness.on_data(at(29s), 30s);
  EXPECT_FALSE(liveness.ping_wanted());
  liveness.on_data(at(30s), 30s);
  EXPECT_TRUE(liveness.ping_wanted());
}

TEST(YamuxLiveness, CanBeSwitchedOff) {
  const Liveness liveness(at(0s));
  EXPECT_TRUE(liveness.deadline({Duration::max(), 20s}).is_never());
}

TEST(YamuxLiveness, TimesAtTheEndOfTheRangeDoNotWrap) {
  Liveness liveness(Instant::from_ns(std::numeric_limits<std::int64_t>::max() - 1));
  liveness.send_ping(Instant::from_ns(std::numeric_limits<std::int64_t>::max() - 1));
  EXPECT_TRUE(liveness.deadline(kTimes).is_never());
}

}  // namespace
}  // namespace starling::yamux
