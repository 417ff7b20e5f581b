#pragma once
// The clock rules of PROTOCOL.md §0. All of them saturate, none wraps.
#include "agent/limits.hpp"
#include "base/time.hpp"

namespace starling::agent {

/// A start (not_before, issued_at, sent_at, published_at) is good when it is not further ahead than the skew.
constexpr bool start_is_good(WallTime start, WallTime now) noexcept { return start <= now + kClockSkewMax; }
/// An end (not_after, expires_at) is good while now is before it. No skew: an end is a promise.
constexpr bool end_is_good(WallTime end, WallTime now) noexcept { return now < end; }
/// Fresh: not older than `age`, the limit included.
constexpr bool is_fresh(WallTime stamp, Duration age, WallTime now) noexcept { return now <= stamp + age; }
constexpr WallTime earlier(WallTime a, WallTime b) noexcept { return a < b ? a : b; }
constexpr WallTime later(WallTime a, WallTime b) noexcept { return a < b ? b : a; }
/// The time from `from` to `to`; zero when it is past. Saturates.
constexpr Duration time_until(WallTime to, WallTime from) noexcept {
  if (to <= from) return Duration::zero();
  constexpr std::uint64_t kMsMax = static_cast<std::uint64_t>(Duration::max().count()) / 1'000'000;
  const std::uint64_t ms = to.ms() - from.ms();
  return ms >= kMsMax ? Duration::max() : Duration(std::chrono::milliseconds(static_cast<std::int64_t>(ms)));
}

}  // namespace starling::agent
