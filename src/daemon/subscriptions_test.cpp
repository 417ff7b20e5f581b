#include "daemon/subscriptions.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "daemon/errors.hpp"

namespace starling::daemon {
namespace {

Message message_of(const std::string& topic) {
  const auto memory = std::make_shared<const std::string>(topic);
  Message message;
  message.topic = *memory;
  message.memory = memory;
  return message;
}

/// With a host that never starts: nobody but the test tells of messages. The loop runs when it is told to.
struct Bench {
  explicit Bench(Limits own_limits = {}) : limits(own_limits) {}
  Host host{HostOptions{}};
  Limits limits;
  ControlLoop loop;
  Subscriptions subscriptions{loop, host, limits};

  Result<Subscriptions::Id> add(const std::string& topic, Subscriptions::Deliver deliver) {
    return subscriptions.add(topic, std::move(deliver), [](const Outcome<void>&) {});
  }
  void run_loop() { loop.context().poll(); }
};

TEST(Subscriptions, MessagesBeyondThoseOnTheWayAreDroppedAndCounted) {
  Limits limits;
  limits.messages_on_the_way = 3;
  Bench bench(limits);
  std::size_t delivered = 0;
  ASSERT_TRUE(bench.add("news", [&](const Subscriptions::Frame&) { return ++delivered > 0; }));
  for (int i = 0; i < 5; ++i) bench.subscriptions.tell(message_of("news"));
  EXPECT_EQ(bench.subscriptions.drops().on_the_way, 2u);
  bench.run_loop();
  EXPECT_EQ(delivered, 3u);
  bench.subscriptions.tell(message_of("news"));  // there is room again
  bench.run_loop();
  EXPECT_EQ(delivered, 4u);
  EXPECT_EQ(bench.subscriptions.drops(), (Drops{2, {}, 0}));
}

TEST(Subscriptions, WhatASubscriberHasNoRoomForIsCountedForItsTopic) {
  Bench bench;
  std::size_t delivered = 0;
  const auto full = [](const Subscriptions::Frame&) { return false; };
  ASSERT_TRUE(bench.add("news", full));
  ASSERT_TRUE(bench.add("news", full));
  ASSERT_TRUE(bench.add("news", [&](const Subscriptions::Frame&) { return ++delivered > 0; }));
  ASSERT_TRUE(bench.add("weather", full));
  bench.subscriptions.tell(message_of("news"));
  bench.subscriptions.tell(message_of("weather"));
  bench.subscriptions.tell(message_of("nobody's"));
  bench.run_loop();
  EXPECT_EQ(delivered, 1u);
  EXPECT_EQ(bench.subscriptions.drops(), (Drops{0, {{"news", 2}, {"weather", 1}}, 0}));
}

TEST(Subscriptions, DropsOfTopicsBeyondTheLimitAreCountedTogether) {
  Bench bench;
  const auto full = [](const Subscriptions::Frame&) { return false; };
  for (std::size_t i = 0; i < kDropTopicsMax + 2; ++i) {
    const auto id = bench.add("topic " + std::to_string(i), full);
    ASSERT_TRUE(id);
    bench.subscriptions.tell(message_of("topic " + std::to_string(i)));
    bench.run_loop();
    bench.subscriptions.remove(*id);
  }
  ASSERT_TRUE(bench.add("topic 0", full));
  bench.subscriptions.tell(message_of("topic 0"));  // one of those that are counted by themselves
  bench.run_loop();
  const auto drops = bench.subscriptions.drops();
  EXPECT_EQ(drops.unread.size(), kDropTopicsMax);
  EXPECT_EQ(drops.unread.at("topic 0"), 2u);
  EXPECT_EQ(drops.unread_elsewhere, 2u);
}

TEST(Subscriptions, AsManyAsMayBeAndAgainWhenOneHasGone) {
  Limits limits;
  limits.subscriptions = 2;
  Bench bench(limits);
  const auto deliver = [](const Subscriptions::Frame&) { return true; };
  const auto first = bench.add("news", deliver);
  ASSERT_TRUE(first);
  ASSERT_TRUE(bench.add("news", deliver));
  const auto refused = bench.add("weather", deliver);
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().is(Errc::too_many_subscriptions));
  bench.subscriptions.remove(*first);
  EXPECT_TRUE(bench.add("weather", deliver));
}

}  // namespace
}  // namespace starling::daemon
