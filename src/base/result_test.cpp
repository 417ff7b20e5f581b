#include "base/result.hpp"

#include <gtest/gtest.h>

#include <set>

#include "base/env.hpp"
#include "base/machine.hpp"

namespace starling {
namespace {

enum class Code : std::uint16_t { lost = 1, broken = 2 };

std::string_view message(std::uint16_t code) noexcept { return code == 1 ? "it is lost" : "it is broken"; }
constexpr ErrorCategory kCategory{"things", message};
constexpr ErrorCategory kOtherCategory{"others", message};

Error make_error(Code code) noexcept {
  return {kCategory, static_cast<std::uint16_t>(code),
          code == Code::lost ? Kind::not_found : Kind::malformed};
}

Result<int> half(int n) {
  if (n % 2 != 0) return fail(Code::broken);
  return n / 2;
}
Result<int> quarter(int n) {
  STARLING_ASSIGN(const int once, half(n));
  STARLING_ASSIGN(const int twice, half(once));
  return twice;
}
Result<void> must_divide(int n) {
  STARLING_TRY(quarter(n));
  return {};
}

TEST(Error, IsSmallAndTriviallyCopyable) {
  static_assert(std::is_trivially_copyable_v<Error>);
  static_assert(sizeof(Error) <= 16);
}

TEST(Error, KnowsItsKindCodeAndText) {
  const Error error = make_error(Code::lost);
  EXPECT_EQ(error.kind(), Kind::not_found);
  EXPECT_EQ(error.code(), 1);
  EXPECT_EQ(error.message(), "it is lost");
  EXPECT_EQ(error.to_string(), "things: it is lost");
  EXPECT_TRUE(error.is(Code::lost));
  EXPECT_FALSE(error.is(Code::broken));
}

TEST(Error, OfAnotherCategoryIsAnotherErrorWithTheSameCode) {
  EXPECT_FALSE(make_error(Code::lost) == Error(kOtherCategory, 1, Kind::not_found));
}

TEST(Result, MacrosHandErrorsUpAndValuesDown) {
  EXPECT_EQ(quarter(12), 3);
  EXPECT_TRUE(quarter(6).error().is(Code::broken));
  EXPECT_TRUE(quarter(3).error().is(Code::broken));
  EXPECT_TRUE(must_divide(8).has_value());
  EXPECT_TRUE(must_divide(2).error().is(Code::broken));
}

TEST(Kind, EveryKindHasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(Kind::internal); ++i) names.insert(to_string(static_cast<Kind>(i)));
  EXPECT_EQ(names.size(), static_cast<std::size_t>(Kind::internal) + 1);
}

TEST(Metrics, CountersKeepTheirAddressAndLabelsAreApart) {
  Metrics metrics;
  std::uint64_t& plain = metrics.counter("frames_total");
  std::uint64_t& labelled = metrics.counter("frames_total", "type=\"data\"");
  for (int i = 0; i < 100; ++i) metrics.add("other_" + std::to_string(i));
  plain += 2;
  labelled += 3;
  metrics.add("frames_total", "type=\"data\"", 4);
  metrics.set("gauge", 9);
  EXPECT_EQ(metrics.value("frames_total"), 2u);
  EXPECT_EQ(metrics.value("frames_total", "type=\"data\""), 7u);
  EXPECT_EQ(metrics.value("gauge"), 9u);
  EXPECT_EQ(metrics.value("absent"), 0u);
  EXPECT_TRUE(metrics.all().contains("frames_total{type=\"data\"}"));
}

struct Timer {
  Instant deadline() const { return Instant::never(); }
  void on_deadline(Instant) {}
  std::optional<int> poll() { return std::nullopt; }
};
struct Clockless {
  void on_deadline(Instant) {}
  std::optional<int> poll() { return std::nullopt; }
};

TEST(Machine, TheConceptAsksForADeadline) {
  static_assert(Machine<Timer>);
  static_assert(!Machine<Clockless>);
}

}  // namespace
}  // namespace starling
