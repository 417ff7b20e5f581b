#include "base/bounded.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "base/rng.hpp"
#include "testkit/testkit.hpp"

namespace starling {
namespace {

TEST(BoundedQueue, RefusesPastItsCapacityAndLeavesTheItemAlone) {
  BoundedQueue<std::unique_ptr<int>> queue(2);
  EXPECT_TRUE(queue.push(std::make_unique<int>(1)));
  EXPECT_TRUE(queue.push(std::make_unique<int>(2)));
  auto third = std::make_unique<int>(3);
  EXPECT_FALSE(queue.push(std::move(third)));
  ASSERT_NE(third, nullptr);  // NOLINT(bugprone-use-after-move): untouched is what the interface says
  EXPECT_EQ(queue.size(), 2u);
  EXPECT_EQ(**queue.pop(), 1);
  EXPECT_TRUE(queue.push(std::move(third)));
  EXPECT_EQ(**queue.pop(), 2);
  EXPECT_EQ(**queue.pop(), 3);
  EXPECT_EQ(queue.pop(), std::nullopt);
  EXPECT_TRUE(queue.empty());
}

TEST(BoundedQueue, OfCapacityZeroTakesNothing) {
  BoundedQueue<int> queue(0);
  EXPECT_FALSE(queue.push(1));
}

// Naive: a vector, most recent first.
class ModelLru {
 public:
  explicit ModelLru(std::size_t capacity) : capacity_(capacity) {}
  std::vector<std::pair<int, int>>::iterator at(int key) {
    return std::find_if(items.begin(), items.end(), [key](const auto& item) { return item.first == key; });
  }
  std::optional<int> find(int key) {
    const auto it = at(key);
    if (it == items.end()) return std::nullopt;
    const auto item = *it;
    items.erase(it);
    items.insert(items.begin(), item);
    return item.second;
  }
  std::optional<std::pair<int, int>> put(int key, int value) {
    std::optional<std::pair<int, int>> evicted;
    if (const auto it = at(key); it != items.end()) {
      items.erase(it);
    } else if (items.size() == capacity_) {
      evicted = items.back();
      items.pop_back();
    }
    items.insert(items.begin(), {key, value});
    return evicted;
  }
  bool erase(int key) {
    const auto it = at(key);
    if (it == items.end()) return false;
    items.erase(it);
    return true;
  }
  std::vector<std::pair<int, int>> items;

 private:
  std::size_t capacity_;
};

class LruMapModel : public testing::TestWithParam<std::size_t> {};

TEST_P(LruMapModel, BehavesLikeAListSearchedFromTheFront) {
  SeededRng rng(testkit::seed(2));
  LruMap<int, int> map(GetParam());
  ModelLru model(GetParam());
  for (int step = 0; step < 20'000; ++step) {
    const int key = static_cast<int>(rng.below(2 * GetParam() + 3));
    const auto operation = rng.below(10);
    if (operation < 4) {
      const int value = static_cast<int>(rng.below(1'000));
      ASSERT_EQ(map.put(key, value), model.put(key, value));
    } else if (operation < 7) {
      const int* found = map.find(key);
      const auto expected = model.find(key);
      ASSERT_EQ(found != nullptr, expected.has_value());
      if (found != nullptr) {
        ASSERT_EQ(*found, *expected);
      }
    } else if (operation < 8) {
      ASSERT_EQ(map.erase(key), model.erase(key));
    } else if (operation < 9) {
      const int* seen = map.peek(key);
      const auto expected = model.at(key);
      ASSERT_EQ(seen != nullptr, expected != model.items.end());
      ASSERT_EQ(map.contains(key), seen != nullptr);
      if (seen != nullptr) {
        ASSERT_EQ(*seen, expected->second);
      }
    } else if (rng.below(200) == 0) {
      map.clear();
      model.items.clear();
    }
    ASSERT_EQ(map.size(), model.items.size());
    ASSERT_EQ(map.oldest() == nullptr, model.items.empty());
    if (!model.items.empty()) {
      ASSERT_EQ(*map.oldest(), model.items.back());
    }
    ASSERT_TRUE(std::equal(map.begin(), map.end(), model.items.begin(), model.items.end()));
  }
}

INSTANTIATE_TEST_SUITE_P(Capacities, LruMapModel, testing::Values(1, 2, 3, 17));

TEST(LruMap, SurvivesBeingMoved) {
  LruMap<std::string, int> map(2);
  (void)map.put("a", 1);
  (void)map.put("b", 2);
  LruMap<std::string, int> moved = std::move(map);
  ASSERT_NE(moved.find("a"), nullptr);
  const auto evicted = moved.put("c", 3);
  ASSERT_TRUE(evicted.has_value());
  EXPECT_EQ(evicted->first, "b");
}

TEST(TokenBucket, StartsFullAndRefillsWithTime) {
  TokenBucket bucket(10.0, 3.0);
  const auto t0 = Instant::from_ns(5'000'000'000);
  EXPECT_TRUE(bucket.take(t0));
  EXPECT_TRUE(bucket.take(t0, 2.0));
  EXPECT_FALSE(bucket.take(t0));
  EXPECT_FALSE(bucket.take(t0 + 99ms));
  EXPECT_TRUE(bucket.take(t0 + 101ms));
  EXPECT_FALSE(bucket.take(t0 + 101ms));
}

TEST(TokenBucket, NeverHoldsMoreThanItsBurst) {
  TokenBucket bucket(1'000.0, 5.0);
  const auto t0 = Instant::from_ns(0);
  EXPECT_TRUE(bucket.has(t0, 5.0));
  const auto later = t0 + 24h;
  EXPECT_FALSE(bucket.has(later, 5.1));
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(bucket.take(later));
  EXPECT_FALSE(bucket.take(later));
}

TEST(TokenBucket, TimeThatRunsBackwardsGivesNothing) {
  TokenBucket bucket(1.0, 1.0);
  const auto t0 = Instant::from_ns(10'000'000'000);
  EXPECT_TRUE(bucket.take(t0));
  EXPECT_FALSE(bucket.take(t0 - 5s));
  EXPECT_FALSE(bucket.take(t0 + 500ms));
  EXPECT_TRUE(bucket.take(t0 + 1s));
}

TEST(TokenBucket, AFailedTakeCostsNothing) {
  TokenBucket bucket(1.0, 10.0);
  const auto t0 = Instant::from_ns(0);
  EXPECT_FALSE(bucket.take(t0, 11.0));
  EXPECT_TRUE(bucket.take(t0, 10.0));
}

TEST(TokenBucket, DrainEmptiesIt) {
  TokenBucket bucket(1.0, 10.0);
  bucket.drain(Instant::from_ns(0));
  EXPECT_FALSE(bucket.has(Instant::from_ns(0), 0.5));
  EXPECT_TRUE(bucket.has(Instant::from_ns(2'000'000'000), 2.0));
}

TEST(TokenBucket, FarApartInstantsDoNotOverflow) {
  TokenBucket bucket(1.0, 2.0);
  EXPECT_TRUE(bucket.take(Instant::from_ns(std::numeric_limits<std::int64_t>::min()), 2.0));
  EXPECT_TRUE(bucket.take(Instant::never(), 2.0));
  EXPECT_FALSE(bucket.take(Instant::never(), 1.0));
}

}  // namespace
}  // namespace starling
