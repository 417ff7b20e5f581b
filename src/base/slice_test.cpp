#include "base/slice.hpp"

#include <gtest/gtest.h>

#include "base/rng.hpp"
#include "testkit/testkit.hpp"

namespace starling {
namespace {

TEST(Slice, CopiesShareTheSameMemory) {
  const Slice first = Slice::copy(as_bytes("payload"));
  const Slice second =
      first;  // NOLINT(performance-unnecessary-copy-initialization): the copy is what is looked at
  EXPECT_EQ(first.data(), second.data());
  EXPECT_EQ(as_text(second), "payload");
}

TEST(Slice, APartOutlivesTheWhole) {
  Slice part;
  {
    const Slice whole = Slice::copy(as_bytes("hello world"));
    part = whole.sub(6, 5);
    EXPECT_EQ(part.data(), whole.data() + 6);
  }
  EXPECT_EQ(as_text(part), "world");
}

TEST(Slice, ConcatJoinsPartsAndSkipsEmptyOnes) {
  EXPECT_EQ(as_text(Slice::concat({as_bytes("a"), {}, as_bytes("bc"), {}})), "abc");
  EXPECT_TRUE(Slice::concat({}).empty());
  EXPECT_TRUE(Slice::concat({{}, {}}).empty());
}

TEST(Slice, EmptyOwnsNothing) {
  const Slice none;
  EXPECT_TRUE(none.empty());
  EXPECT_EQ(none.data(), nullptr);
  EXPECT_EQ(Slice::copy({}).data(), nullptr);
  EXPECT_EQ(Slice::copy(as_bytes("x")).sub(1, 0).data(), nullptr);
}

TEST(Slice, MovingLeavesTheSourceEmpty) {
  Slice source = Slice::copy(as_bytes("moved"));
  const Slice target = std::move(source);
  EXPECT_EQ(as_text(target), "moved");
  EXPECT_TRUE(source.empty());  // NOLINT(bugprone-use-after-move): that it is empty is the point
  EXPECT_EQ(source.data(), nullptr);
}

TEST(Slice, AssigningToItselfKeepsTheBytes) {
  Slice slice = Slice::copy(as_bytes("same"));
  const Slice& alias = slice;
  slice = alias;
  EXPECT_EQ(as_text(slice), "same");
}

TEST(SliceDeathTest, APartPastTheEndIsOurMistake) {
  const Slice slice = Slice::copy(as_bytes("abc"));
  EXPECT_DEATH((void)slice.sub(2, 2), "assertion failed");
  EXPECT_DEATH((void)slice.sub(4, 0), "assertion failed");
  EXPECT_DEATH((void)slice.sub(1, ~std::size_t{0}), "assertion failed");
}

// The model is a plain string; the real thing is cut and refilled at random places.
TEST(Chain, ReadsTheSameBytesAsAStringWhateverTheCuts) {
  SeededRng rng(testkit::seed(1));
  Chain chain;
  std::string model;
  for (int step = 0; step < 5'000; ++step) {
    switch (rng.below(3)) {
      case 0: {
        Bytes piece(rng.below(20));
        rng.fill(piece);
        model += as_text(piece);
        chain.push(Slice::copy(piece));
        break;
      }
      case 1: {
        const std::size_t n = rng.below(chain.size() + 1);
        chain.consume(n);
        model.erase(0, n);
        break;
      }
      default: {
        const std::size_t limit = rng.below(12);
        const Slice taken = chain.take_front(limit);
        ASSERT_LE(taken.size(), limit);
        ASSERT_EQ(as_text(taken), model.substr(0, taken.size()));
        model.erase(0, taken.size());
      }
    }
    ASSERT_EQ(chain.size(), model.size());
    ASSERT_EQ(chain.empty(), model.empty());
    std::string joined;
    for (const auto& slice : chain.slices()) {
      ASSERT_FALSE(slice.empty());
      joined += as_text(slice);
    }
    ASSERT_EQ(joined, model);
    ASSERT_EQ(as_text(chain.front()), model.substr(0, chain.front().size()));
  }
}

TEST(Chain, TakingFromTheFrontSharesMemory) {
  Chain chain;
  const Slice slice = Slice::copy(as_bytes("abcdef"));
  chain.push(slice);
  EXPECT_EQ(chain.take_front(2).data(), slice.data());
  EXPECT_EQ(chain.front().data(), slice.data() + 2);
  chain.clear();
  EXPECT_EQ(chain.size(), 0u);
  EXPECT_TRUE(chain.front().empty());
  EXPECT_TRUE(chain.take_front(5).empty());
}

TEST(ChainDeathTest, ConsumingMoreThanThereIsIsOurMistake) {
  Chain chain;
  chain.push(Slice::copy(as_bytes("abc")));
  EXPECT_DEATH(chain.consume(4), "assertion failed");
}

}  // namespace
}  // namespace starling
