#pragma once
// Time as machines see it: a monotonic Instant that the driver hands in, a WallTime for what people and
// records say. Only drivers read clocks. All arithmetic saturates: a duration from a peer can never wrap.
#include <chrono>
#include <compare>
#include <cstdint>
#include <limits>

namespace starling {

using Duration = std::chrono::nanoseconds;
using std::chrono_literals::operator""h;
using std::chrono_literals::operator""min;
using std::chrono_literals::operator""s;
using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""us;
using std::chrono_literals::operator""ns;

/// A point of monotonic time in nanoseconds since the node's own epoch. `never()` is later than every other.
class Instant {
 public:
  constexpr Instant() noexcept = default;
  static constexpr Instant never() noexcept { return Instant(std::numeric_limits<std::int64_t>::max()); }
  static constexpr Instant from_ns(std::int64_t ns) noexcept { return Instant(ns); }
  constexpr std::int64_t ns() const noexcept { return ns_; }
  constexpr bool is_never() const noexcept { return *this == never(); }
  friend constexpr auto operator<=>(Instant, Instant) noexcept = default;

  friend constexpr Instant operator+(Instant t, Duration d) noexcept {
    if (t.is_never()) return t;
    std::int64_t out = 0;
    if (__builtin_add_overflow(t.ns_, static_cast<std::int64_t>(d.count()), &out))
      return d.count() > 0 ? never() : Instant(std::numeric_limits<std::int64_t>::min());
    return Instant(out);
  }
  /// The time from `b` to `a`, saturated.
  friend constexpr Duration operator-(Instant a, Instant b) noexcept {
    std::int64_t out = 0;
    if (__builtin_sub_overflow(a.ns_, b.ns_, &out)) return a > b ? Duration::max() : Duration::min();
    return Duration(out);
  }
  friend constexpr Instant operator-(Instant t, Duration d) noexcept {
    if (t.is_never()) return t;
    std::int64_t out = 0;
    if (__builtin_sub_overflow(t.ns_, static_cast<std::int64_t>(d.count()), &out))
      return d.count() < 0 ? never() : Instant(std::numeric_limits<std::int64_t>::min());
    return Instant(out);
  }

 private:
  constexpr explicit Instant(std::int64_t ns) noexcept : ns_(ns) {}
  std::int64_t ns_ = 0;
};

/// Unix time in milliseconds, as every Starling record states it (PROTOCOL.md §0).
class WallTime {
 public:
  constexpr WallTime() noexcept = default;
  static constexpr WallTime from_ms(std::uint64_t ms) noexcept { return WallTime(ms); }
  constexpr std::uint64_t ms() const noexcept { return ms_; }
  friend constexpr auto operator<=>(WallTime, WallTime) noexcept = default;
  /// Saturates at both ends of the range; durations below a millisecond are dropped.
  friend constexpr WallTime operator+(WallTime t, Duration d) noexcept {
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(d).count();
    if (ms < 0) {
      const auto back = static_cast<std::uint64_t>(-(ms + 1)) + 1;
      return WallTime(t.ms_ < back ? 0 : t.ms_ - back);
    }
    const auto ahead = static_cast<std::uint64_t>(ms);
    const auto max = std::numeric_limits<std::uint64_t>::max();
    return WallTime(t.ms_ > max - ahead ? max : t.ms_ + ahead);
  }

 private:
  constexpr explicit WallTime(std::uint64_t ms) noexcept : ms_(ms) {}
  std::uint64_t ms_ = 0;
};

/// Both clocks as the driver read them once for this turn.
struct Now {
  Instant mono;
  WallTime wall;
};

/// Multiplies a duration by a non-negative factor, saturated at both ends.
constexpr Duration saturating_scale(Duration d, double factor) noexcept {
  const double ns = static_cast<double>(d.count()) * factor;
  if (ns >= 9.2e18) return Duration::max();
  if (ns <= -9.2e18) return Duration::min();
  return Duration(static_cast<std::int64_t>(ns));
}

}  // namespace starling
