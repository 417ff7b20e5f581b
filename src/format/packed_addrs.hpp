#pragma once
// Addresses of a peer, for tables that keep thousands of such lists.
#include <span>
#include <vector>

#include "base/short_bytes.hpp"
#include "format/multiaddr.hpp"

namespace starling {

/// A list of addresses as (u16 size ‖ address)…, in place when it is one IP with a TCP port, as most are: a
/// vector of them takes as much and an allocation besides. Immutable; the caller bounds the list, to 65,535
/// bytes at most.
class PackedAddrs {
 public:
  PackedAddrs() noexcept = default;
  explicit PackedAddrs(std::span<const Multiaddr> addrs);
  std::vector<Multiaddr> unpacked() const;
  bool empty() const noexcept { return bytes_.empty(); }

 private:
  ShortBytes bytes_;
};

}  // namespace starling
