#include "base/budget.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace starling {
namespace {

TEST(ByteBudget, AHolderIsGrantedNoMoreThanItLeavesFree) {
  ByteBudget budget(1000, 0);
  ByteAccount hog(budget);
  while (hog.reserve(10)) {
  }
  EXPECT_EQ(hog.held(), 500U);
  EXPECT_EQ(budget.used(), 500U);
  EXPECT_EQ(budget.refused_count(), 1U);
  EXPECT_FALSE(hog.would_grant(10));
  ByteAccount next(budget);
  EXPECT_TRUE(next.would_grant(250));
  EXPECT_FALSE(next.would_grant(510));
  EXPECT_TRUE(next.reserve(250));
}

TEST(ByteBudget, ManyHogsLeaveRoomForWhoComesNext) {
  ByteBudget budget(100'000, 0);
  std::vector<std::unique_ptr<ByteAccount>> hogs;
  for (int i = 0; i < 9; ++i) hogs.push_back(std::make_unique<ByteAccount>(budget));
  for (bool any = true; any;) {
    any = false;
    for (auto& hog : hogs) any = hog->reserve(10) || any;
  }
  for (const auto& hog : hogs) EXPECT_NEAR(static_cast<double>(hog->held()), 10'000, 20);
  ByteAccount late(budget);
  EXPECT_TRUE(late.reserve(4'000));
}

TEST(ByteBudget, TheFloorIsGrantedEvenWhenNothingIsFree) {
  ByteBudget budget(100, 64);
  std::vector<std::unique_ptr<ByteAccount>> holders;
  for (int i = 0; i < 10; ++i) {
    holders.push_back(std::make_unique<ByteAccount>(budget));
    EXPECT_TRUE(holders.back()->reserve(64));
    EXPECT_FALSE(holders.back()->reserve(64));
  }
  EXPECT_EQ(budget.used(), 640U);
}

TEST(ByteBudget, WhatIsReleasedOrAbandonedIsFreeAgain) {
  ByteBudget budget(1000, 0);
  {
    ByteAccount account(budget);
    EXPECT_TRUE(account.reserve(400));
    account.release(150);
    EXPECT_EQ(budget.used(), 250U);
    EXPECT_TRUE(account.reserve(250));
  }
  EXPECT_EQ(budget.used(), 0U);
}

}  // namespace
}  // namespace starling
