#include "proto/kad/address.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace starling::kad {
namespace {

/// The IP that an address begins with, port unset.
std::optional<IpPort> leading_ip(const Multiaddr::Part& first) {
  const bool v4 = first.protocol == AddrProtocol::ip4;
  if (!v4 && first.protocol != AddrProtocol::ip6) return std::nullopt;
  IpPort out;
  out.v6 = !v4;
  std::copy_n(first.value.begin(), std::min(first.value.size(), out.ip.size()), out.ip.begin());
  return out;
}

bool is_public(const Multiaddr& addr) {
  const auto parts = addr.parts();
  for (const Multiaddr::Part& part : parts)
    if (part.protocol == AddrProtocol::p2p_circuit) return false;
  if (parts.empty() || parts[0].protocol == AddrProtocol::ip6zone) return false;
  const auto ip = leading_ip(parts[0]);
  return !ip || classify(*ip) == AddrClass::public_net;
}

bool in_scope(const Multiaddr& addr, AddressScope scope) {
  if (addr.empty() || addr.bytes().size() > kAddrBytesMax) return false;
  return scope == AddressScope::any || is_public(addr);
}

/// Whether the bytes of `/p2p/` occur at all: most addresses of a DHT have none, and need no copy to lose it.
bool may_have_peer_id(const Multiaddr& addr) {
  constexpr std::array<std::uint8_t, 2> kP2pCode{0xa5, 0x03};
  const ByteView bytes = addr.bytes();
  return std::search(bytes.begin(), bytes.end(), kP2pCode.begin(), kP2pCode.end()) != bytes.end();
}

/// The IPv4 address inside `::ffff:a.b.c.d`, so that one host has one group.
bool is_mapped_v4(const IpPort& ip) {
  if (!ip.v6) return false;
  for (std::size_t i = 0; i < 10; ++i)
    if (ip.ip[i] != 0) return false;
  return ip.ip[10] == 0xff && ip.ip[11] == 0xff;
}

}  // namespace

std::vector<Multiaddr> usable_addrs(std::span<const Multiaddr> addrs, AddressScope scope, std::size_t count) {
  std::vector<Multiaddr> out;
  out.reserve(std::min(addrs.size(), count));
  for (const Multiaddr& addr : addrs) {
    if (out.size() == count) break;
    if (!in_scope(addr, scope)) continue;
    Multiaddr bare = may_have_peer_id(addr) ? addr.without_peer_id() : addr;
    if (bare.empty() || std::find(out.begin(), out.end(), bare) != out.end()) continue;
    out.push_back(std::move(bare));
  }
  return out;
}

void keep_usable(std::vector<Multiaddr>& addrs, AddressScope scope, std::size_t count) {
  bool in_order = addrs.size() <= count;
  for (auto it = addrs.begin(); in_order && it != addrs.end(); ++it)
    in_order = in_scope(*it, scope) && !may_have_peer_id(*it) && std::find(addrs.begin(), it, *it) == it;
  if (!in_order) addrs = usable_addrs(addrs, scope, count);
}

std::uint32_t address_group(const Multiaddr& addr, const Diversity& diversity) {
  const auto ip = addr.ip_port();
  if (!ip) return 0;
  if (!diversity.private_too && classify(*ip) != AddrClass::public_net) return 0;
  // IPv4 groups lie in 0x00010000–0x0001ffff, where no IPv6 prefix of the public internet begins.
  if (!ip->v6) return 0x00010000u | (std::uint32_t{ip->ip[0]} << 8) | ip->ip[1];
  if (is_mapped_v4(*ip)) return 0x00010000u | (std::uint32_t{ip->ip[12]} << 8) | ip->ip[13];
  return get_u32_be(std::span<const std::uint8_t, 4>(ip->ip.data(), 4));
}

}  // namespace starling::kad
