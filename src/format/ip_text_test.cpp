#include "format/ip_text.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "testkit/testkit.hpp"

namespace starling::format {
namespace {

std::string canonical(std::string_view text) {
  const auto ip = parse_ip6(text);
  return ip ? ip6_text(*ip) : "refused";
}

// RFC 5952 section 4 and 5, and RFC 4291 section 2.2.
TEST(IpText, Ipv6IsWrittenAsRfc5952Recommends) {
  const std::pair<const char*, const char*> cases[] = {
      {"2001:0db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
      {"2001:db8:0:0:0:0:2:1", "2001:db8::2:1"},
      {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
      {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
      {"2001:db8:aaaa:bbbb:cccc:dddd:eeee:AAAA", "2001:db8:aaaa:bbbb:cccc:dddd:eeee:aaaa"},
      {"0:0:0:0:0:0:0:0", "::"},
      {"0:0:0:0:0:0:0:1", "::1"},
      {"1:0:0:0:0:0:0:0", "1::"},
      {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
      {"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
      {"1:0:0:4:5:0:0:8", "1::4:5:0:0:8"},
      {"::ffff:192.0.2.1", "::ffff:192.0.2.1"},
      {"::ffff:c000:201", "::ffff:192.0.2.1"},
      {"::192.0.2.1", "::c000:201"},
      {"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
      {"FF01::101", "ff01::101"},
      {"0001:0020:0300:4000::", "1:20:300:4000::"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(canonical(text), expected) << text;
}

TEST(IpText, RandomAddressesGoThereAndBack) {
  SeededRng rng(testkit::seed(100));
  for (int round = 0; round < 5'000; ++round) {
    auto ip = rng.bytes<16>();
    for (std::size_t group = 0; group < 8; ++group)
      if (rng.below(2) == 0) ip[2 * group] = ip[2 * group + 1] = 0;
    ASSERT_EQ(parse_ip6(ip6_text(ip)), ip) << ip6_text(ip);
    const auto four = rng.bytes<4>();
    ASSERT_EQ(parse_ip4(ip4_text(four)), four);
  }
}

TEST(IpText, DecimalsAreStrictAndBounded) {
  EXPECT_EQ(parse_decimal("0", 255), 0u);
  EXPECT_EQ(parse_decimal("255", 255), 255u);
  EXPECT_EQ(parse_decimal("256", 255), std::nullopt);
  EXPECT_EQ(parse_decimal("300", 255), std::nullopt);
  EXPECT_EQ(parse_decimal("7", 5), std::nullopt);
  constexpr auto kMax = std::numeric_limits<std::uint64_t>::max();
  EXPECT_EQ(parse_decimal("18446744073709551615", kMax), kMax);
  EXPECT_EQ(parse_decimal("18446744073709551616", kMax), std::nullopt);
  EXPECT_EQ(parse_decimal("99999999999999999999", kMax), std::nullopt);
  for (const char* text : {"", "00", "01", "+1", "-1", " 1", "1 ", "1.", "a", "0x1"})
    EXPECT_EQ(parse_decimal(text, kMax), std::nullopt) << text;
}

}  // namespace
}  // namespace starling::format
