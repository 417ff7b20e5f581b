#include "format/ip_text.hpp"
#include "format/multiaddr.hpp"

namespace starling {
namespace {

AddrClass classify_ip4(std::span<const std::uint8_t, 4> ip) noexcept {
  if (ip[0] == 0 || ip[0] == 127) return AddrClass::loopback;
  if (ip[0] == 169 && ip[1] == 254) return AddrClass::link_local;
  const bool is_private = ip[0] == 10 || (ip[0] == 172 && (ip[1] & 0xf0) == 16) ||
                          (ip[0] == 192 && ip[1] == 168) || (ip[0] == 100 && (ip[1] & 0xc0) == 64);
  return is_private ? AddrClass::private_net : AddrClass::public_net;
}

bool starts_with(ByteView ip, std::initializer_list<std::uint8_t> prefix) noexcept {
  return std::equal(prefix.begin(), prefix.end(), ip.begin());
}

}  // namespace

std::string IpPort::ip_string() const {
  const std::span all(ip);
  return v6 ? format::ip6_text(all) : format::ip4_text(all.first<4>());
}

AddrClass classify(const IpPort& address) noexcept {
  const std::span all(address.ip);
  if (!address.v6) return classify_ip4(all.first<4>());
  const ByteView ip(all);
  const bool upper_zero =
      std::all_of(ip.begin(), ip.begin() + 15, [](std::uint8_t byte) { return byte == 0; });
  if (upper_zero && ip[15] <= 1) return AddrClass::loopback;
  // Every way of writing an IPv4 address in IPv6: mapped, compatible (deprecated), NAT64, 6to4. Otherwise a
  // record could name the loopback address by another name and have us dial it.
  if (starts_with(ip, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}) ||
      starts_with(ip, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}) ||
      starts_with(ip, {0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0})) {
    return classify_ip4(all.last<4>());
  }
  if (starts_with(ip, {0x20, 0x02})) return classify_ip4(all.subspan<2, 4>());
  if (ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80) return AddrClass::link_local;
  // fc00::/7, and fec0::/10, the site-local range of old.
  if ((ip[0] & 0xfe) == 0xfc || (ip[0] == 0xfe && (ip[1] & 0xc0) == 0xc0)) return AddrClass::private_net;
  return AddrClass::public_net;
}

}  // namespace starling
