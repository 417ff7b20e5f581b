#include "format/multiaddr.hpp"

#include "base/assert.hpp"
#include "format/multiaddr_protocols.hpp"
#include "format/varint.hpp"

namespace starling {
namespace {

using format::AddrProtocolInfo;
using format::AddrValue;
using format::Errc;

struct Component {
  const AddrProtocolInfo* info;
  ByteView value;
};

// Takes one component from the front of an address.
Result<Component> take_component(ByteView& rest) noexcept {
  const auto code = format::read_minimal_varint(rest);
  if (!code) return fail(Errc::bad_multiaddr);
  const AddrProtocolInfo* info = format::find_protocol(code->value);
  if (info == nullptr) return fail(Errc::unknown_protocol);
  rest = rest.subspan(code->size);
  std::size_t size = 0;
  if (const auto fixed = format::fixed_size(info->value)) {
    size = *fixed;
  } else {
    const auto length = format::read_minimal_varint(rest);
    if (!length || length->value > kMultiaddrBytesMax) return fail(Errc::bad_multiaddr);
    rest = rest.subspan(length->size);
    size = static_cast<std::size_t>(length->value);
  }
  if (rest.size() < size || !format::is_valid_value(info->value, rest.first(size)))
    return fail(Errc::bad_multiaddr);
  const Component component{info, rest.first(size)};
  rest = rest.subspan(size);
  // A path takes the rest of the text form, so nothing can stand behind it.
  if (info->value == AddrValue::path && !rest.empty()) return fail(Errc::bad_multiaddr);
  return component;
}

void put_component(Bytes& out, const AddrProtocolInfo& info, ByteView value) {
  format::put_varint(out, static_cast<std::uint32_t>(info.protocol));
  if (!format::fixed_size(info.value)) format::put_varint(out, value.size());
  append(out, value);
}

// Takes everything up to the next slash, which goes too.
std::string_view take_segment(std::string_view& text) noexcept {
  const auto slash = text.find('/');
  const auto segment = text.substr(0, slash);
  text.remove_prefix(slash == std::string_view::npos ? text.size() : slash + 1);
  return segment;
}

std::uint16_t port_of(ByteView value) noexcept { return get_u16_be(value.first<2>()); }

std::optional<IpPort> ip_port_of(const std::vector<Multiaddr::Part>& parts, AddrProtocol transport) {
  if (parts.size() < 2 || parts[1].protocol != transport) return std::nullopt;
  if (parts[0].protocol != AddrProtocol::ip4 && parts[0].protocol != AddrProtocol::ip6) return std::nullopt;
  IpPort out;
  out.v6 = parts[0].protocol == AddrProtocol::ip6;
  std::copy(parts[0].value.begin(), parts[0].value.end(), out.ip.begin());
  out.port = port_of(parts[1].value);
  return out;
}

// True when `count` parts are all there are, but for a /p2p behind them.
bool ends_after(const std::vector<Multiaddr::Part>& parts, std::size_t count) noexcept {
  return parts.size() == count || (parts.size() == count + 1 && parts[count].protocol == AddrProtocol::p2p);
}

}  // namespace

Result<Multiaddr> Multiaddr::parse(std::string_view text) {
  if (text.size() > kMultiaddrTextMax || !text.starts_with('/')) return fail(Errc::bad_multiaddr);
  text.remove_prefix(1);
  Bytes out;
  std::size_t count = 0;
  do {
    const auto name = take_segment(text);
    const AddrProtocolInfo* info = format::find_protocol(name);
    if (info == nullptr) return fail(name.empty() ? Errc::bad_multiaddr : Errc::unknown_protocol);
    Bytes value;
    if (info->value == AddrValue::path) {
      const auto path = format::parse_value(AddrValue::path, "/" + std::string(text));
      if (!path) return fail(Errc::bad_multiaddr);
      value = *path;
      text = {};
    } else if (info->value != AddrValue::none) {
      auto parsed = format::parse_value(info->value, take_segment(text));
      if (!parsed) return fail(Errc::bad_multiaddr);
      value = *std::move(parsed);
    }
    put_component(out, *info, value);
    if (++count > kMultiaddrPartsMax || out.size() > kMultiaddrBytesMax) return fail(Errc::bad_multiaddr);
  } while (!text.empty());
  return Multiaddr(ByteView(out));
}

Result<Multiaddr> Multiaddr::from_bytes(ByteView bytes) {
  if (bytes.empty() || bytes.size() > kMultiaddrBytesMax) return fail(Errc::bad_multiaddr);
  std::size_t count = 0;
  for (ByteView rest = bytes; !rest.empty();) {
    if (++count > kMultiaddrPartsMax) return fail(Errc::bad_multiaddr);
    STARLING_TRY(take_component(rest));
  }
  return Multiaddr(bytes);
}

Multiaddr Multiaddr::tcp(const IpPort& address) {
  Bytes out;
  put_component(out, *format::find_protocol(address.v6 ? "ip6" : "ip4"), address.ip_bytes());
  const std::uint8_t port[] = {static_cast<std::uint8_t>(address.port >> 8),
                               static_cast<std::uint8_t>(address.port)};
  put_component(out, *format::find_protocol("tcp"), port);
  return Multiaddr(ByteView(out));
}

std::string Multiaddr::to_string() const {
  std::string out;
  for (ByteView rest = bytes(); !rest.empty();) {
    const auto component = take_component(rest);
    STARLING_ASSERT(component.has_value());  // an address is validated when it is made
    out += '/';
    out += component->info->name;
    if (component->info->value == AddrValue::none) continue;
    if (component->info->value != AddrValue::path) out += '/';
    out += format::value_text(component->info->value, component->value);
  }
  return out;
}

std::vector<Multiaddr::Part> Multiaddr::parts() const {
  std::vector<Part> out;
  for (ByteView rest = bytes(); !rest.empty();) {
    const auto component = take_component(rest);
    STARLING_ASSERT(component.has_value());
    out.push_back({component->info->protocol, component->value});
  }
  return out;
}

std::optional<ByteView> Multiaddr::value_of(AddrProtocol protocol) const {
  for (const auto& part : parts())
    if (part.protocol == protocol) return part.value;
  return std::nullopt;
}

std::optional<IpPort> Multiaddr::as_tcp() const {
  const auto all = parts();
  if (!ends_after(all, 2)) return std::nullopt;
  return ip_port_of(all, AddrProtocol::tcp);
}

std::optional<IpPort> Multiaddr::ip_port() const {
  const auto all = parts();
  const auto tcp = ip_port_of(all, AddrProtocol::tcp);
  return tcp ? tcp : ip_port_of(all, AddrProtocol::udp);
}

std::optional<Multiaddr::DnsTcp> Multiaddr::as_dns_tcp() const {
  const auto all = parts();
  if (all.size() < 2 || !ends_after(all, 2) || all[1].protocol != AddrProtocol::tcp) return std::nullopt;
  const auto kind = all[0].protocol;
  if (kind != AddrProtocol::dns && kind != AddrProtocol::dns4 && kind != AddrProtocol::dns6)
    return std::nullopt;
  return DnsTcp{kind, to_text(all[0].value), port_of(all[1].value)};
}

std::optional<std::string> Multiaddr::as_dnsaddr() const {
  const auto all = parts();
  if (all.empty() || !ends_after(all, 1) || all[0].protocol != AddrProtocol::dnsaddr) return std::nullopt;
  return to_text(all[0].value);
}

std::optional<PeerId> Multiaddr::peer_id() const {
  const auto all = parts();
  if (all.empty() || all.back().protocol != AddrProtocol::p2p) return std::nullopt;
  const auto id = PeerId::from_bytes(all.back().value);
  return id ? std::optional(*id) : std::nullopt;
}

Multiaddr Multiaddr::with_peer_id(const PeerId& id) const {
  Bytes out = to_bytes(without_peer_id().bytes());
  if (id.empty()) return Multiaddr(ByteView(out));
  put_component(out, *format::find_protocol("p2p"), id.bytes());
  if (!from_bytes(out)) return *this;
  return Multiaddr(ByteView(out));
}

Multiaddr Multiaddr::without_peer_id() const {
  Bytes out;
  for (ByteView rest = bytes(); !rest.empty();) {
    const ByteView before = rest;
    const auto component = take_component(rest);
    STARLING_ASSERT(component.has_value());
    if (rest.empty() && component->info->protocol == AddrProtocol::p2p) break;
    append(out, before.first(before.size() - rest.size()));
  }
  return Multiaddr(ByteView(out));
}

}  // namespace starling
