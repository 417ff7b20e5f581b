#pragma once
// IP addresses as text. Internal to format; others use Multiaddr and IpPort. Written here because the
// functions of the C library come with the socket headers, which have no place below the purity line.
#include <optional>
#include <string>

#include "base/bytes.hpp"

namespace starling::format {

/// Four decimal numbers 0 to 255 without leading zeros.
std::optional<FixedBytes<4>> parse_ip4(std::string_view text) noexcept;
/// RFC 4291 §2.2: eight groups, `::` at most once, the last 32 bits possibly dotted. No zone, no brackets.
std::optional<FixedBytes<16>> parse_ip6(std::string_view text) noexcept;
std::string ip4_text(std::span<const std::uint8_t, 4> ip);
/// RFC 5952; IPv4-mapped addresses end in dotted form.
std::string ip6_text(std::span<const std::uint8_t, 16> ip);
/// A decimal number up to `max`, digits only, no leading zeros.
std::optional<std::uint64_t> parse_decimal(std::string_view text, std::uint64_t max) noexcept;

}  // namespace starling::format
