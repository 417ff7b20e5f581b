#include "proto/kad/timestamp.hpp"

#include <algorithm>

namespace starling::kad {
namespace {

void put_digits(std::string& out, std::uint64_t value, std::size_t width) {
  std::string digits(width, '0');
  for (std::size_t i = width; i-- > 0; value /= 10) digits[i] = static_cast<char>('0' + value % 10);
  out += digits;
}

}  // namespace

std::string rfc3339(WallTime time) {
  constexpr std::uint64_t kLastMs = 253'402'300'799'999;  // 9999-12-31T23:59:59.999Z
  const std::uint64_t ms = std::min(time.ms(), kLastMs);
  const auto days = std::chrono::sys_days(std::chrono::days(static_cast<std::int32_t>(ms / 86'400'000)));
  const std::chrono::year_month_day date(days);
  const std::uint64_t of_day = ms % 86'400'000;
  std::string out;
  out.reserve(24);
  put_digits(out, static_cast<std::uint64_t>(static_cast<int>(date.year())), 4);
  out += '-';
  put_digits(out, static_cast<unsigned>(date.month()), 2);
  out += '-';
  put_digits(out, static_cast<unsigned>(date.day()), 2);
  out += 'T';
  put_digits(out, of_day / 3'600'000, 2);
  out += ':';
  put_digits(out, of_day / 60'000 % 60, 2);
  out += ':';
  put_digits(out, of_day / 1000 % 60, 2);
  out += '.';
  put_digits(out, of_day % 1000, 3);
  out += 'Z';
  return out;
}

}  // namespace starling::kad
