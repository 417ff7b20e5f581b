#include "agent/dial_policy.hpp"

#include <algorithm>

namespace starling::agent {
namespace {

/// Multicast, broadcast and reserved ranges: no TCP peer lives there.
bool is_unicast(const IpPort& address) noexcept {
  if (!address.v6) return address.ip[0] < 224;
  return address.ip[0] != 0xff;
}

}  // namespace

bool DialClasses::allows(AddrClass address_class) const noexcept {
  switch (address_class) {
    case AddrClass::loopback: return loopback;
    case AddrClass::link_local: return link_local;
    case AddrClass::private_net: return private_net;
    case AddrClass::public_net: return true;
  }
  return false;
}

void DialClasses::add(const Multiaddr& own) {
  const auto address = own.ip_port();
  if (!address) return;
  switch (classify(*address)) {
    case AddrClass::loopback: loopback = true; return;
    case AddrClass::link_local: link_local = true; return;
    case AddrClass::private_net: private_net = true; return;
    case AddrClass::public_net: return;
  }
}

bool may_dial(const IpPort& address, const DialClasses& classes) noexcept {
  return address.port != 0 && is_unicast(address) && classes.allows(classify(address));
}

std::vector<std::size_t> select_dialable(std::span<const Bytes> addrs, const DialClasses& classes) {
  std::vector<std::size_t> out;
  std::vector<IpPort> taken;
  std::vector<Multiaddr> taken_names;
  for (std::size_t i = 0; i < addrs.size() && out.size() < kDialAddrsMax; ++i) {
    const auto addr = Multiaddr::from_bytes(addrs[i]);
    if (!addr) continue;
    if (const auto tcp = addr->as_tcp()) {
      if (!may_dial(*tcp, classes) || std::ranges::find(taken, *tcp) != taken.end()) continue;
      taken.push_back(*tcp);
    } else if (const auto named = addr->as_dns_tcp()) {
      const Multiaddr name = addr->without_peer_id();
      if (named->port == 0 || std::ranges::find(taken_names, name) != taken_names.end()) continue;
      taken_names.push_back(name);
    } else {
      continue;
    }
    out.push_back(i);
  }
  return out;
}

bool DialMemory::take(const crypto::Hash256& record, const IpPort& address, Instant now) {
  Bytes port;
  put_u16_be(port, address.port);
  const auto key = crypto::sha256({record, address.ip_bytes(), port});
  if (const Instant* last = last_.find(key); last != nullptr && now < *last + kDialPause) return false;
  last_.put(key, now);
  return true;
}

}  // namespace starling::agent
