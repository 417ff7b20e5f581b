#include "agent/outgoing.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "agent/agent_fixtures.hpp"

namespace starling::agent {
namespace {

using fixtures::kNow;
using fixtures::kStart;
using fixtures::now_at;

/// Runs the machine to its end; the times of its publications after the start.
std::vector<Duration> publications(Outgoing& machine) {
  std::vector<Duration> out;
  Instant now = kStart;
  for (int i = 0; i < 10'000; ++i) {
    while (const auto action = machine.poll())
      if (*action == Outgoing::Action::publish) out.push_back(now - kStart);
    if (machine.deadline().is_never()) return out;
    now = machine.deadline();
    machine.on_deadline(now);
  }
  return out;
}

TEST(OutgoingSchedule, AtOnceThenAfterAMinuteDoublingToAnHour) {
  Outgoing machine(kNow + 5h, now_at());
  const std::vector<Duration> wanted{0min, 1min, 3min, 7min, 15min, 31min, 63min, 123min, 183min, 243min};
  EXPECT_EQ(publications(machine), wanted);
  EXPECT_EQ(machine.publications(), wanted.size());
}

TEST(OutgoingSchedule, EndsAtTheVeryExpiry) {
  Outgoing machine(kNow + 90s, now_at());
  EXPECT_EQ(machine.poll(), Outgoing::Action::publish);
  machine.on_deadline(kStart + 60s);
  EXPECT_EQ(machine.poll(), Outgoing::Action::publish);
  EXPECT_EQ(machine.deadline(), kStart + 90s);
  machine.on_deadline(kStart + 90s);
  EXPECT_EQ(machine.poll(), Outgoing::Action::end);
  EXPECT_EQ(machine.poll(), std::nullopt);
  EXPECT_TRUE(machine.deadline().is_never());
}

TEST(OutgoingSchedule, ADeadlineTooEarlyDoesNothing) {
  Outgoing machine(kNow + 1h, now_at());
  machine.poll();
  machine.on_deadline(kStart + 59s);
  EXPECT_EQ(machine.poll(), std::nullopt);
  EXPECT_EQ(machine.deadline(), kStart + 60s);
}

TEST(OutgoingSchedule, WhatHasExpiredIsNeverPublished) {
  Outgoing machine(kNow, now_at());
  EXPECT_EQ(machine.poll(), Outgoing::Action::end);
  EXPECT_EQ(machine.publications(), 0U);
}

TEST(OutgoingSchedule, StopsForGood) {
  Outgoing machine(kNow + 1h, now_at());
  machine.stop();
  EXPECT_EQ(machine.poll(), std::nullopt);
  EXPECT_TRUE(machine.deadline().is_never());
  machine.on_deadline(kStart + 2h);
  EXPECT_EQ(machine.poll(), std::nullopt);
}

TEST(OutgoingSchedule, ANodeThatSleptDoesNotCatchUpWithABurst) {
  Outgoing machine(kNow + 5h, now_at());
  machine.poll();
  machine.on_deadline(kStart + 2h);
  EXPECT_EQ(machine.poll(), Outgoing::Action::publish);
  EXPECT_EQ(machine.poll(), std::nullopt);
  EXPECT_EQ(machine.deadline(), kStart + 2h + 2min);
}

TEST(OutgoingSchedule, AnExpiryBeyondTheClockDoesNotWrap) {
  Outgoing machine(WallTime::from_ms(UINT64_MAX), now_at());
  EXPECT_EQ(machine.poll(), Outgoing::Action::publish);
  EXPECT_EQ(machine.deadline(), kStart + 1min);
}

}  // namespace
}  // namespace starling::agent
