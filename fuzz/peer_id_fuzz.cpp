// fuzz-depends: format
// A peer id that is read, from bytes or from any text form, has one text and one binary form. Ethereum
// addresses too.
#include <cstddef>
#include <cstdint>

#include "base/assert.hpp"
#include "format/eth_address.hpp"
#include "format/peer_id.hpp"

namespace {

void check(const starling::PeerId& id) {
  STARLING_ASSERT(!id.empty());
  STARLING_ASSERT(starling::PeerId::parse(id.to_string()) == id);
  STARLING_ASSERT(starling::PeerId::from_bytes(id.bytes()) == id);
  STARLING_ASSERT(id.short_string().size() <= 12);
  if (const auto key = id.inline_key()) STARLING_ASSERT(starling::PeerId::of(*key) == id);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const starling::ByteView input(data, size);
  if (const auto id = starling::PeerId::from_bytes(input)) {
    STARLING_ASSERT(starling::equal(id->bytes(), input));
    check(*id);
  }
  if (const auto id = starling::PeerId::parse(starling::as_text(input))) check(*id);
  if (const auto address = starling::EthAddress::parse(starling::as_text(input))) {
    STARLING_ASSERT(starling::EthAddress::parse(address->to_string()) == address);
    STARLING_ASSERT(starling::EthAddress::parse(address->to_lower_hex()) == address);
  }
  return 0;
}
