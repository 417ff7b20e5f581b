#pragma once
// What the DHT thinks of addresses: which are worth passing on, and which belong to one operator.
#include <cstdint>
#include <span>
#include <vector>

#include "format/multiaddr.hpp"
#include "proto/kad/config.hpp"

namespace starling::kad {

/// The addresses that are in scope, without duplicates and without a trailing own `/p2p/…`, in their order,
/// at most `count`. With AddressScope::public_only everything on a loopback, link-local or private IP goes,
/// and so does a relayed address; names (`/dns…`) stay.
std::vector<Multiaddr> usable_addrs(std::span<const Multiaddr> addrs, AddressScope scope, std::size_t count);
/// The same in place: a list that is in order already, as most are, costs no copy.
void keep_usable(std::vector<Multiaddr>& addrs, AddressScope scope, std::size_t count);

/// The group whose members one operator can cheaply own: IPv4 /16, IPv6 /32. 0 = not counted: no IP, or
/// loopback and private when they are not to count.
std::uint32_t address_group(const Multiaddr& addr, const Diversity& diversity);

}  // namespace starling::kad
