#include "base/rng.hpp"

#include <gtest/gtest.h>

#include <map>

#include "testkit/testkit.hpp"

namespace starling {
namespace {

// Hands out the words it was given, so that the rejection of modulo bias can be seen.
class ScriptedRng final : public Rng {
 public:
  explicit ScriptedRng(std::vector<std::uint64_t> words) : words_(std::move(words)) {}
  void fill(MutableByteView out) override {
    ASSERT_EQ(out.size(), 8u);
    ASSERT_LT(used, words_.size());
    std::memcpy(out.data(), &words_[used++], 8);
  }
  std::size_t used = 0;

 private:
  std::vector<std::uint64_t> words_;
};

TEST(SeededRng, TheSameSeedGivesTheSameBytes) {
  SeededRng a(42);
  SeededRng b(42);
  SeededRng c(43);
  const auto from_a = a.bytes<100>();
  EXPECT_EQ(from_a, b.bytes<100>());
  EXPECT_NE(from_a, c.bytes<100>());
}

// xoshiro256** 1.0 (Blackman, Vigna), state from splitmix64(0): the published generators run by hand in
// Python.
TEST(SeededRng, IsXoshiro256StarStarSeededBySplitmix64) {
  SeededRng rng(0);
  EXPECT_EQ(rng.u64(), 0x99ec5f36cb75f2b4u);
  EXPECT_EQ(rng.u64(), 0xbf6e1f784956452au);
  EXPECT_EQ(rng.u64(), 0x1a5f849d4933e6e0u);
}

TEST(SeededRng, FillsEverySizeCompletely) {
  for (std::size_t size = 0; size < 40; ++size) {
    SeededRng rng(7);
    Bytes sum(size);
    for (int round = 0; round < 64; ++round) {
      Bytes out(size);
      rng.fill(out);
      for (std::size_t i = 0; i < size; ++i) sum[i] |= out[i];
    }
    EXPECT_EQ(sum, Bytes(size, 0xff)) << size;  // each bit is set at least once in 64 rounds
  }
}

TEST(Rng, BelowStaysBelowAndReachesEveryValue) {
  SeededRng rng(testkit::seed(3));
  for (const std::uint64_t bound : {1u, 2u, 3u, 7u, 10u}) {
    std::map<std::uint64_t, int> counts;
    for (int i = 0; i < 5'000; ++i) ++counts[rng.below(bound)];
    EXPECT_EQ(counts.size(), bound);
    EXPECT_LT(counts.rbegin()->first, bound);
  }
}

TEST(Rng, BelowZeroAndOneIsZeroWithoutAsking) {
  ScriptedRng rng({});
  EXPECT_EQ(rng.below(0), 0u);
  EXPECT_EQ(rng.below(1), 0u);
  EXPECT_EQ(rng.used, 0u);
}

TEST(Rng, BelowRejectsWordsThatWouldBiasTheResult) {
  const std::uint64_t bound = (std::uint64_t{1} << 63) + 1;
  ScriptedRng rng({bound, ~std::uint64_t{0}, 5});
  EXPECT_EQ(rng.below(bound), 5u);
  EXPECT_EQ(rng.used, 3u);
}

TEST(Rng, UnitIsInTheHalfOpenInterval) {
  ScriptedRng rng({0, ~std::uint64_t{0}, std::uint64_t{1} << 63});
  EXPECT_EQ(rng.unit(), 0.0);
  const double highest = rng.unit();
  EXPECT_LT(highest, 1.0);
  EXPECT_GT(highest, 0.9999999);
  EXPECT_EQ(rng.unit(), 0.5);
}

TEST(Rng, ShuffleKeepsEveryItemAndReachesEveryOrder) {
  SeededRng rng(testkit::seed(4));
  std::map<std::vector<int>, int> counts;
  for (int i = 0; i < 6'000; ++i) {
    std::vector<int> items{1, 2, 3};
    rng.shuffle(items);
    ++counts[items];
  }
  ASSERT_EQ(counts.size(), 6u);
  for (const auto& [order, count] : counts) {
    EXPECT_GT(count, 800);
    EXPECT_LT(count, 1'200);
  }
}

}  // namespace
}  // namespace starling
