#pragma once
// The table of multiaddr protocols: names, sizes, values as text and bytes. Internal to format; others use
// Multiaddr.
#include <optional>
#include <string>

#include "format/multiaddr.hpp"

namespace starling::format {

/// How the value of a protocol is written in both forms.
enum class AddrValue : std::uint8_t {
  none,
  ip4,
  ip6,
  u8,
  port,
  u64,
  name,
  path,
  peer_id,
  certhash,
  onion3,
};

struct AddrProtocolInfo {
  AddrProtocol protocol;
  std::string_view name;
  AddrValue value;
};

/// Nothing: not a protocol of ours. `ipfs` finds p2p.
const AddrProtocolInfo* find_protocol(std::string_view name) noexcept;
const AddrProtocolInfo* find_protocol(std::uint64_t code) noexcept;

/// Bytes of a value without a prefix; nothing when the value has a length prefix.
std::optional<std::size_t> fixed_size(AddrValue value) noexcept;
/// True when `bytes` is a value that value_text() writes and parse_value() reads back unchanged.
bool is_valid_value(AddrValue value, ByteView bytes) noexcept;
/// The bytes of a value; nothing when malformed. A path comes with its leading slash.
std::optional<Bytes> parse_value(AddrValue value, std::string_view text);
/// Of a value that is_valid_value() accepts.
std::string value_text(AddrValue value, ByteView bytes);

}  // namespace starling::format
