#include "sim/event_queue.hpp"

#include <gtest/gtest.h>

#include <map>

#include "testkit/testkit.hpp"

namespace starling::sim {
namespace {

Instant at(std::int64_t ns) { return Instant::from_ns(ns); }

TEST(EventQueue, GivesEventsInTheOrderOfTheirTimesAndThenOfTheirMaking) {
  EventQueue queue;
  std::multimap<std::int64_t, std::uint32_t> model;  // equal keys keep their order of insertion
  SeededRng rng(testkit::seed(1));
  std::uint32_t next = 0;
  for (int step = 0; step < 20'000; ++step) {
    if (rng.below(5) < 3 || model.empty()) {
      const auto time = static_cast<std::int64_t>(rng.below(50));
      queue.push(at(time), next, 0, {});
      model.emplace(time, next++);
    } else {
      ASSERT_EQ(queue.size(), model.size());
      const auto entry = queue.pop();
      ASSERT_EQ(entry.at, at(model.begin()->first));
      ASSERT_EQ(entry.node, model.begin()->second);
      model.erase(model.begin());
    }
  }
}

TEST(EventQueue, KeepsEachPayloadApartAndUsesFreedPlacesAgain) {
  EventQueue queue;
  std::vector<int> ran;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 100; ++i) queue.push(at(i), 0, 0, Task{[&ran, i] { ran.push_back(i); }});
    queue.push(at(1000), 7, 0, {});
    for (int i = 0; i < 100; ++i) {
      const auto entry = queue.pop();
      EXPECT_LT(entry.slot, 100u);  // no more places than were ever taken at once
      auto payload = queue.take(entry);
      std::get<Task>(payload).action();
      EXPECT_EQ(ran.back(), i);
    }
    const auto deadline = queue.pop();
    EXPECT_EQ(deadline.slot, EventQueue::kDeadline);
    EXPECT_EQ(queue.take(deadline).index(), 0u);
    EXPECT_TRUE(queue.empty());
  }
  EXPECT_EQ(ran.size(), 300u);
}

}  // namespace
}  // namespace starling::sim
