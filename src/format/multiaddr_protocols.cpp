#include "format/multiaddr_protocols.hpp"

#include <limits>

#include "base/assert.hpp"
#include "format/ip_text.hpp"
#include "format/multihash.hpp"
#include "format/utf8.hpp"

namespace starling::format {
namespace {

constexpr std::size_t kOnionBytes = 35;
constexpr std::uint64_t kPortMax = 65535;

constexpr AddrProtocolInfo kProtocols[] = {
    {AddrProtocol::ip4, "ip4", AddrValue::ip4},
    {AddrProtocol::tcp, "tcp", AddrValue::port},
    {AddrProtocol::ip6, "ip6", AddrValue::ip6},
    {AddrProtocol::ip6zone, "ip6zone", AddrValue::name},
    {AddrProtocol::ipcidr, "ipcidr", AddrValue::u8},
    {AddrProtocol::dns, "dns", AddrValue::name},
    {AddrProtocol::dns4, "dns4", AddrValue::name},
    {AddrProtocol::dns6, "dns6", AddrValue::name},
    {AddrProtocol::dnsaddr, "dnsaddr", AddrValue::name},
    {AddrProtocol::udp, "udp", AddrValue::port},
    {AddrProtocol::webrtc_direct, "webrtc-direct", AddrValue::none},
    {AddrProtocol::webrtc, "webrtc", AddrValue::none},
    {AddrProtocol::p2p_circuit, "p2p-circuit", AddrValue::none},
    {AddrProtocol::unix, "unix", AddrValue::path},
    {AddrProtocol::p2p, "p2p", AddrValue::peer_id},
    {AddrProtocol::https, "https", AddrValue::none},
    {AddrProtocol::onion3, "onion3", AddrValue::onion3},
    {AddrProtocol::tls, "tls", AddrValue::none},
    {AddrProtocol::sni, "sni", AddrValue::name},
    {AddrProtocol::noise, "noise", AddrValue::none},
    {AddrProtocol::quic, "quic", AddrValue::none},
    {AddrProtocol::quic_v1, "quic-v1", AddrValue::none},
    {AddrProtocol::webtransport, "webtransport", AddrValue::none},
    {AddrProtocol::certhash, "certhash", AddrValue::certhash},
    {AddrProtocol::ws, "ws", AddrValue::none},
    {AddrProtocol::wss, "wss", AddrValue::none},
    {AddrProtocol::http, "http", AddrValue::none},
    {AddrProtocol::memory, "memory", AddrValue::u64},
};

std::uint64_t big_endian(ByteView bytes) noexcept {
  std::uint64_t value = 0;
  for (const auto byte : bytes) value = (value << 8) | byte;
  return value;
}

Bytes big_endian(std::uint64_t value, std::size_t size) {
  Bytes out(size);
  for (std::size_t i = size; i-- > 0; value >>= 8) out[i] = static_cast<std::uint8_t>(value);
  return out;
}

// These texts end up in logs and terminals and come from peers: no control characters. A slash would end the
// part.
bool is_plain_text(ByteView text, bool slash_allowed) noexcept {
  while (!text.empty()) {
    const auto point = read_utf8(text);
    if (!point || point->value < 0x20 || (point->value >= 0x7f && point->value < 0xa0)) return false;
    if (point->value == '/' && !slash_allowed) return false;
    text = text.subspan(point->size);
  }
  return true;
}

std::optional<Bytes> parse_onion3(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  auto host = decode_base(Base::base32, text.substr(0, colon));
  const auto port = parse_decimal(text.substr(colon + 1), kPortMax);
  if (!host || host->size() != kOnionBytes || !port) return std::nullopt;
  put_u16_be(*host, static_cast<std::uint16_t>(*port));
  return *std::move(host);
}

std::optional<Bytes> parse_number(std::string_view text, std::uint64_t max, std::size_t size) {
  const auto number = parse_decimal(text, max);
  if (!number) return std::nullopt;
  return big_endian(*number, size);
}

template <std::size_t N>
std::optional<Bytes> to_optional_bytes(const std::optional<FixedBytes<N>>& fixed) {
  if (!fixed) return std::nullopt;
  return to_bytes(*fixed);
}

std::optional<Bytes> decode_text(AddrValue value, std::string_view text) {
  switch (value) {
    case AddrValue::none: return std::nullopt;
    case AddrValue::ip4: return to_optional_bytes(parse_ip4(text));
    case AddrValue::ip6: return to_optional_bytes(parse_ip6(text));
    case AddrValue::u8: return parse_number(text, 255, 1);
    case AddrValue::port: return parse_number(text, kPortMax, 2);
    case AddrValue::u64: return parse_number(text, std::numeric_limits<std::uint64_t>::max(), 8);
    case AddrValue::name:
    case AddrValue::path: return to_bytes(text);
    case AddrValue::peer_id: {
      const auto id = PeerId::parse(text);
      if (!id) return std::nullopt;
      return to_bytes(id->bytes());
    }
    case AddrValue::certhash: {
      auto hash = decode_multibase(text);
      if (!hash) return std::nullopt;
      return *std::move(hash);
    }
    case AddrValue::onion3: return parse_onion3(text);
  }
  return std::nullopt;
}

}  // namespace

const AddrProtocolInfo* find_protocol(std::string_view name) noexcept {
  if (name == "ipfs") name = "p2p";
  for (const auto& info : kProtocols)
    if (info.name == name) return &info;
  return nullptr;
}

const AddrProtocolInfo* find_protocol(std::uint64_t code) noexcept {
  for (const auto& info : kProtocols)
    if (static_cast<std::uint64_t>(info.protocol) == code) return &info;
  return nullptr;
}

std::optional<std::size_t> fixed_size(AddrValue value) noexcept {
  switch (value) {
    case AddrValue::none: return 0;
    case AddrValue::u8: return 1;
    case AddrValue::port: return 2;
    case AddrValue::ip4: return 4;
    case AddrValue::u64: return 8;
    case AddrValue::ip6: return 16;
    case AddrValue::onion3: return kOnionBytes + 2;
    case AddrValue::name:
    case AddrValue::path:
    case AddrValue::peer_id:
    case AddrValue::certhash: return std::nullopt;
  }
  return std::nullopt;
}

bool is_valid_value(AddrValue value, ByteView bytes) noexcept {
  if (const auto size = fixed_size(value)) {
    if (bytes.size() != *size) return false;
    return value != AddrValue::onion3 || big_endian(bytes.last(2)) != 0;
  }
  switch (value) {
    case AddrValue::name:
      return !bytes.empty() && bytes.size() <= kMultiaddrNameBytesMax && is_plain_text(bytes, false);
    case AddrValue::path: return bytes.size() > 1 && bytes[0] == '/' && is_plain_text(bytes, true);
    case AddrValue::peer_id: return PeerId::from_bytes(bytes).has_value();
    case AddrValue::certhash: return parse_multihash(bytes).has_value();
    default: return false;
  }
}

std::optional<Bytes> parse_value(AddrValue value, std::string_view text) {
  auto bytes = decode_text(value, text);
  if (!bytes || !is_valid_value(value, *bytes)) return std::nullopt;
  return bytes;
}

std::string value_text(AddrValue value, ByteView bytes) {
  switch (value) {
    case AddrValue::none: return {};
    case AddrValue::ip4: return ip4_text(bytes.first<4>());
    case AddrValue::ip6: return ip6_text(bytes.first<16>());
    case AddrValue::u8:
    case AddrValue::port:
    case AddrValue::u64: return std::to_string(big_endian(bytes));
    case AddrValue::name:
    case AddrValue::path: return to_text(bytes);
    case AddrValue::peer_id: return encode_base(Base::base58btc, bytes);
    case AddrValue::certhash: return encode_multibase(Base::base64url, bytes);
    case AddrValue::onion3:
      return encode_base(Base::base32, bytes.first<kOnionBytes>()) + ":" +
             std::to_string(big_endian(bytes.last<2>()));
  }
  return {};
}

}  // namespace starling::format
