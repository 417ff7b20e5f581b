#include "base/fifo.hpp"

#include <gtest/gtest.h>

#include <deque>

#include "testkit/testkit.hpp"

namespace starling {
namespace {

TEST(BaseFifo, BehavesLikeADequeUnderRandomOperations) {
  SeededRng rng(testkit::seed(1));
  Fifo<std::uint64_t> fifo;
  std::deque<std::uint64_t> model;
  for (int i = 0; i < 20000; ++i) {
    // Long runs of growth and of decline.
    if (rng.below(100) < ((i / 1000) % 2 == 0 ? 60U : 40U)) {
      const std::uint64_t value = rng.u64();
      fifo.push(value);
      model.push_back(value);
      ASSERT_EQ(fifo.back(), value);
    } else if (!model.empty()) {
      ASSERT_EQ(fifo.pop(), model.front());
      model.pop_front();
    }
    ASSERT_EQ(fifo.size(), model.size());
    ASSERT_EQ(fifo.empty(), model.empty());
    if (!model.empty()) {
      ASSERT_EQ(fifo.front(), model.front());
    }
  }
  EXPECT_TRUE(std::equal(fifo.begin(), fifo.end(), model.begin(), model.end()));
}

TEST(BaseFifo, GivesALargeBufferBackWhenEmpty) {
  Fifo<std::uint64_t> fifo;
  EXPECT_EQ(fifo.capacity_bytes(), 0U);
  for (std::uint64_t i = 0; i < 1000; ++i) fifo.push(i);
  EXPECT_GE(fifo.capacity_bytes(), 8000U);
  for (std::uint64_t i = 0; i < 1000; ++i) fifo.pop();
  EXPECT_EQ(fifo.capacity_bytes(), 0U);
}

TEST(BaseFifo, WhatWasMovedFromIsEmptyAndUsable) {
  Fifo<std::string> from;
  for (const char* text : {"a", "b", "c"}) from.push(text);
  from.pop();
  Fifo<std::string> to(std::move(from));
  EXPECT_EQ(to.size(), 2u);
  EXPECT_TRUE(from.empty());  // NOLINT(bugprone-use-after-move): that is the question
  from.push("d");
  from.push("e");
  from.pop();
  to = std::move(from);
  EXPECT_EQ(to.pop(), "e");
  EXPECT_TRUE(to.empty());
  EXPECT_TRUE(from.empty());  // NOLINT(bugprone-use-after-move)
}

}  // namespace
}  // namespace starling
