#include "base/time.hpp"

#include <gtest/gtest.h>

namespace starling {
namespace {

constexpr auto kMin64 = std::numeric_limits<std::int64_t>::min();
constexpr auto kMax64 = std::numeric_limits<std::int64_t>::max();
constexpr auto kMaxU64 = std::numeric_limits<std::uint64_t>::max();

TEST(Instant, AddsAndSubtractsLikeNumbersInTheMiddleOfTheRange) {
  const auto t = Instant::from_ns(1'000);
  EXPECT_EQ((t + 5ns).ns(), 1'005);
  EXPECT_EQ((t + Duration(-5)).ns(), 995);
  EXPECT_EQ((t - 5ns).ns(), 995);
  EXPECT_EQ(t - Instant::from_ns(400), 600ns);
  EXPECT_EQ(Instant::from_ns(400) - t, Duration(-600));
}

TEST(Instant, AdditionSaturatesAtBothEnds) {
  EXPECT_EQ(Instant::from_ns(kMax64 - 1) + 2ns, Instant::never());
  EXPECT_EQ(Instant::from_ns(1) + Duration::max(), Instant::never());
  EXPECT_EQ((Instant::from_ns(kMin64 + 1) + Duration(-2)).ns(), kMin64);
  EXPECT_EQ((Instant::from_ns(-2) + Duration::min()).ns(), kMin64);
}

TEST(Instant, SubtractionSaturatesAtBothEnds) {
  EXPECT_EQ(Instant::from_ns(0) - Duration::min(), Instant::never());
  EXPECT_EQ((Instant::from_ns(kMin64) - 1ns).ns(), kMin64);
  EXPECT_EQ(Instant::from_ns(kMax64 - 1) - Instant::from_ns(kMin64), Duration::max());
  EXPECT_EQ(Instant::from_ns(kMin64) - Instant::from_ns(kMax64 - 1), Duration::min());
}

TEST(Instant, NeverStaysNeverWhateverIsAdded) {
  EXPECT_TRUE((Instant::never() + 1ns).is_never());
  EXPECT_TRUE((Instant::never() + Duration::min()).is_never());
  EXPECT_TRUE((Instant::never() - 1h).is_never());
  EXPECT_GT(Instant::never(), Instant::from_ns(kMax64 - 1));
  EXPECT_FALSE(Instant().is_never());
}

TEST(Instant, ValuesAroundTheWorstBackoffsOfPeersNeverWrap) {
  const auto now = Instant::from_ns(123'456'789);
  for (const std::int64_t backoff :
       {std::int64_t{0}, std::int64_t{1}, std::int64_t{1} << 31, kMax64 - 123'456'789, kMax64 - 1, kMax64}) {
    EXPECT_GE(now + Duration(backoff), now);
    EXPECT_GE((now + Duration(backoff)) + 1s, now);
  }
}

TEST(WallTime, SaturatesAtBothEndsAndDropsParts) {
  EXPECT_EQ((WallTime::from_ms(1'000) + 2s).ms(), 3'000u);
  EXPECT_EQ((WallTime::from_ms(1'000) + Duration(999'999)).ms(), 1'000u);
  EXPECT_EQ((WallTime::from_ms(1'000) + Duration(-2'000'000)).ms(), 998u);
  EXPECT_EQ((WallTime::from_ms(1'000) + Duration(-2s)).ms(), 0u);
  EXPECT_EQ((WallTime::from_ms(0) + Duration::min()).ms(), 0u);
  EXPECT_EQ((WallTime::from_ms(kMaxU64) + 1ms).ms(), kMaxU64);
  EXPECT_EQ((WallTime::from_ms(kMaxU64 - 1) + Duration::max()).ms(), kMaxU64);
}

TEST(SaturatingScale, MultipliesAndStopsAtTheEnds) {
  EXPECT_EQ(saturating_scale(2s, 1.5), 3s);
  EXPECT_EQ(saturating_scale(2s, 0.0), 0s);
  EXPECT_EQ(saturating_scale(Duration::max(), 2.0), Duration::max());
  EXPECT_EQ(saturating_scale(Duration::max(), 1.0), Duration::max());
  EXPECT_EQ(saturating_scale(Duration::min(), 2.0), Duration::min());
  EXPECT_EQ(saturating_scale(1h, 1e300), Duration::max());
}

}  // namespace
}  // namespace starling
