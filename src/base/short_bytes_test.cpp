#include "base/short_bytes.hpp"

#include <gtest/gtest.h>

namespace starling {
namespace {

Bytes counted(std::size_t size) {
  Bytes out(size);
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::uint8_t>(i + 1);
  return out;
}

TEST(ShortBytes, HoldsWhatItWasGivenWhetherItFitsInPlaceOrNot) {
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, ShortBytes::kInline, ShortBytes::kInline + 1, std::size_t{1024}}) {
    const Bytes bytes = counted(size);
    const ShortBytes held{ByteView(bytes)};
    EXPECT_TRUE(equal(held.view(), bytes)) << size;
    EXPECT_EQ(held.empty(), size == 0);
  }
}

TEST(ShortBytes, CopiesAndMovesKeepTheBytesAndLeaveNothingBehind) {
  for (const std::size_t size : {std::size_t{8}, std::size_t{300}}) {
    const Bytes bytes = counted(size);
    ShortBytes first{ByteView(bytes)};
    ShortBytes copy = first;
    EXPECT_TRUE(equal(copy.view(), first.view()));
    const ShortBytes moved = std::move(first);
    EXPECT_TRUE(equal(moved.view(), bytes));
    EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move): what is left is part of the promise
    copy = ShortBytes{ByteView(counted(3))};
    EXPECT_EQ(copy.size(), 3u);
    copy = moved;
    EXPECT_TRUE(equal(copy.view(), bytes));
    ShortBytes& same = copy;
    copy = same;
    EXPECT_TRUE(equal(copy.view(), bytes));
  }
}

TEST(ShortBytes, TakesNoMoreRoomThanAVector) { EXPECT_EQ(sizeof(ShortBytes), sizeof(Bytes)); }

}  // namespace
}  // namespace starling
