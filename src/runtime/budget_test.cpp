// The byte budget is the one thing below the drivers that shards write at the same time.
#include "base/budget.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace starling {
namespace {

TEST(RuntimeBudget, ShardsMayReserveAtTheSameTime) {
  ByteBudget budget(std::size_t{1} << 20, 100);
  std::vector<std::thread> shards;
  for (int i = 0; i < 4; ++i) {
    shards.emplace_back([&budget] {
      ByteAccount account(budget);
      for (int turn = 0; turn < 20'000; ++turn) {
        if (account.reserve(1000) && account.held() > 50'000) account.release(account.held());
      }
    });
  }
  for (auto& shard : shards) shard.join();
  EXPECT_EQ(budget.used(), 0U);
}

}  // namespace
}  // namespace starling
