#include "format/packed_addrs.hpp"

namespace starling {

PackedAddrs::PackedAddrs(std::span<const Multiaddr> addrs) {
  Bytes packed;
  for (const Multiaddr& addr : addrs) {
    put_u16_be(packed, static_cast<std::uint16_t>(addr.bytes().size()));
    append(packed, addr.bytes());
  }
  bytes_ = ShortBytes(packed);
}

std::vector<Multiaddr> PackedAddrs::unpacked() const {
  std::vector<Multiaddr> out;
  for (ByteView rest = bytes_.view(); !rest.empty();) {
    const std::size_t size = get_u16_be(rest.first<2>());
    out.push_back(Multiaddr::from_own_bytes(rest.subspan(2, size)));
    rest = rest.subspan(2 + size);
  }
  return out;
}

}  // namespace starling
