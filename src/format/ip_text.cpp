#include "format/ip_text.hpp"

#include <array>

namespace starling::format {
namespace {

constexpr std::size_t kGroups = 8;
constexpr std::uint8_t kMappedPrefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

using Groups = std::array<std::uint16_t, kGroups>;

std::optional<std::uint16_t> parse_group(std::string_view text) noexcept {
  if (text.empty() || text.size() > 4) return std::nullopt;
  unsigned value = 0;
  for (const char c : text) {
    unsigned digit = 0;
    if (c >= '0' && c <= '9')
      digit = static_cast<unsigned>(c - '0');
    else if (c >= 'a' && c <= 'f')
      digit = static_cast<unsigned>(c - 'a' + 10);
    else if (c >= 'A' && c <= 'F')
      digit = static_cast<unsigned>(c - 'A' + 10);
    else
      return std::nullopt;
    value = value * 16 + digit;
  }
  return static_cast<std::uint16_t>(value);
}

// Reads groups separated by single colons into `out`; how many there were, nothing when malformed or more
// than eight. A dotted IPv4 address counts as two groups and may only stand last.
std::optional<std::size_t> parse_groups(std::string_view text, Groups& out) noexcept {
  std::size_t count = 0;
  if (text.empty()) return count;
  for (;;) {
    const auto colon = text.find(':');
    const auto piece = text.substr(0, colon);
    if (colon == std::string_view::npos && piece.find('.') != std::string_view::npos) {
      const auto ip4 = parse_ip4(piece);
      if (!ip4 || count + 2 > kGroups) return std::nullopt;
      out[count++] = static_cast<std::uint16_t>((*ip4)[0] << 8 | (*ip4)[1]);
      out[count++] = static_cast<std::uint16_t>((*ip4)[2] << 8 | (*ip4)[3]);
      return count;
    }
    const auto group = parse_group(piece);
    if (!group || count == kGroups) return std::nullopt;
    out[count++] = *group;
    if (colon == std::string_view::npos) return count;
    text.remove_prefix(colon + 1);
  }
}

struct Run {
  std::size_t begin = 0;
  std::size_t size = 0;
};

// The first longest run of zero groups, if it has at least two (RFC 5952 §4.2).
Run longest_zero_run(const Groups& groups) noexcept {
  Run best;
  Run current;
  for (std::size_t i = 0; i < kGroups; ++i) {
    current = groups[i] != 0 ? Run{i + 1, 0} : Run{current.begin, current.size + 1};
    if (current.size > best.size) best = current;
  }
  return best.size >= 2 ? best : Run{};
}

void append_hex_group(std::string& out, unsigned group) {
  static constexpr char kDigits[] = "0123456789abcdef";
  bool started = false;
  for (int shift = 12; shift >= 0; shift -= 4) {
    const unsigned digit = (group >> shift) & 15;
    started = started || digit != 0 || shift == 0;
    if (started) out.push_back(kDigits[digit]);
  }
}

}  // namespace

std::optional<std::uint64_t> parse_decimal(std::string_view text, std::uint64_t max) noexcept {
  if (text.empty() || (text[0] == '0' && text.size() > 1)) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (digit > max || value > (max - digit) / 10) return std::nullopt;
    value = value * 10 + digit;
  }
  return value;
}

std::optional<FixedBytes<4>> parse_ip4(std::string_view text) noexcept {
  FixedBytes<4> out;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto dot = text.find('.');
    const bool is_last = i == out.size() - 1;
    if (is_last != (dot == std::string_view::npos)) return std::nullopt;
    const auto value = parse_decimal(text.substr(0, dot), 255);
    if (!value) return std::nullopt;
    out[i] = static_cast<std::uint8_t>(*value);
    if (!is_last) text.remove_prefix(dot + 1);
  }
  return out;
}

std::optional<FixedBytes<16>> parse_ip6(std::string_view text) noexcept {
  Groups groups{};
  const auto gap = text.find("::");
  if (gap == std::string_view::npos) {
    if (parse_groups(text, groups) != kGroups) return std::nullopt;
  } else {
    Groups tail{};
    const auto head_text = text.substr(0, gap);
    if (head_text.find('.') != std::string_view::npos) return std::nullopt;
    const auto head_count = parse_groups(head_text, groups);
    const auto tail_count = parse_groups(text.substr(gap + 2), tail);
    // The gap stands for at least one group.
    if (!head_count || !tail_count || *head_count + *tail_count >= kGroups) return std::nullopt;
    std::copy_n(tail.begin(), *tail_count, groups.end() - static_cast<std::ptrdiff_t>(*tail_count));
  }
  FixedBytes<16> out;
  for (std::size_t i = 0; i < kGroups; ++i) {
    out[2 * i] = static_cast<std::uint8_t>(groups[i] >> 8);
    out[2 * i + 1] = static_cast<std::uint8_t>(groups[i]);
  }
  return out;
}

std::string ip4_text(std::span<const std::uint8_t, 4> ip) {
  std::string out;
  for (const auto byte : ip) {
    if (!out.empty()) out.push_back('.');
    out += std::to_string(byte);
  }
  return out;
}

std::string ip6_text(std::span<const std::uint8_t, 16> ip) {
  if (equal(ip.first<12>(), kMappedPrefix)) return "::ffff:" + ip4_text(ip.last<4>());
  Groups groups;
  for (std::size_t i = 0; i < kGroups; ++i)
    groups[i] = static_cast<std::uint16_t>(ip[2 * i] << 8 | ip[2 * i + 1]);
  const Run zeros = longest_zero_run(groups);
  std::string out;
  for (std::size_t i = 0; i < kGroups;) {
    if (zeros.size > 0 && i == zeros.begin) {
      out += "::";
      i += zeros.size;
      continue;
    }
    if (!out.empty() && out.back() != ':') out.push_back(':');
    append_hex_group(out, groups[i]);
    ++i;
  }
  return out;
}

}  // namespace starling::format
