// fuzz-depends: format
// Whatever parses, as bytes or as text, has one binary form and one text, and every question may be asked of
// it.
#include <cstddef>
#include <cstdint>

#include "base/assert.hpp"
#include "format/multiaddr.hpp"

namespace {

using starling::Multiaddr;

void check(const Multiaddr& addr) {
  STARLING_ASSERT(!addr.empty() && addr.bytes().size() <= starling::kMultiaddrBytesMax);
  const auto text = addr.to_string();
  STARLING_ASSERT(text.size() <= starling::kMultiaddrTextMax);
  STARLING_ASSERT(Multiaddr::parse(text) == addr);
  STARLING_ASSERT(Multiaddr::from_bytes(addr.bytes()) == addr);
  STARLING_ASSERT(addr.parts().size() <= starling::kMultiaddrPartsMax);
  if (const auto ip = addr.as_tcp()) {
    (void)classify(*ip);
    STARLING_ASSERT(Multiaddr::tcp(*ip) == addr.without_peer_id());
  }
  (void)addr.ip_port();
  (void)addr.as_dns_tcp();
  (void)addr.as_dnsaddr();
  if (const auto id = addr.peer_id()) {
    STARLING_ASSERT(addr.with_peer_id(*id) == addr);
    const auto bare = addr.without_peer_id();
    // Two ids in a row mean nothing, but they are an address: there, adding one replaces the other.
    STARLING_ASSERT(bare.peer_id().has_value() || bare.with_peer_id(*id) == addr);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const starling::ByteView input(data, size);
  if (const auto addr = Multiaddr::from_bytes(input)) check(*addr);
  if (const auto addr = Multiaddr::parse(starling::as_text(input))) check(*addr);
  return 0;
}
