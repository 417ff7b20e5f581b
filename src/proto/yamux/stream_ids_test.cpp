#include "proto/yamux/stream_ids.hpp"

#include <gtest/gtest.h>

namespace starling::yamux {
namespace {

TEST(YamuxStreamIds, KeepTheirParity) {
  StreamIds odd(1);
  StreamIds even(2);
  EXPECT_EQ(odd.take(), 1u);
  EXPECT_EQ(odd.take(), 3u);
  EXPECT_EQ(even.take(), 2u);
  EXPECT_EQ(even.take(), 4u);
}

TEST(YamuxStreamIds, EndWithTheLastIdAndDoNotWrap) {
  StreamIds odd(0xffffffff);
  EXPECT_FALSE(odd.exhausted());
  EXPECT_EQ(odd.take(), 0xffffffffu);
  EXPECT_TRUE(odd.exhausted());
  EXPECT_EQ(odd.take(), std::nullopt);
  StreamIds even(0xfffffffe);
  EXPECT_EQ(even.take(), 0xfffffffeu);
  EXPECT_EQ(even.take(), std::nullopt);
}

}  // namespace
}  // namespace starling::yamux
