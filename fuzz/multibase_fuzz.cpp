// fuzz-depends: format
// What is decoded is what would be written, in every base; a multihash that is read is the one that would be
// made.
#include <cstddef>
#include <cstdint>

#include "base/assert.hpp"
#include "format/multihash.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using starling::format::Base;
  const starling::ByteView input(data, size);
  const auto text = starling::as_text(input);
  if (const auto bytes = starling::format::decode_multibase(text))
    STARLING_ASSERT(starling::format::encode_multibase(static_cast<Base>(text[0]), *bytes) == text);
  if (size <= 128) {
    for (const auto base :
         {Base::base16, Base::base32, Base::base36, Base::base58btc, Base::base64, Base::base64url}) {
      const auto encoded = starling::format::encode_multibase(base, input);
      const auto decoded = starling::format::decode_multibase(encoded);
      STARLING_ASSERT(decoded.has_value() && starling::equal(*decoded, input));
    }
  }
  if (const auto hash = starling::format::parse_multihash(input))
    STARLING_ASSERT(starling::equal(starling::format::make_multihash(hash->code, hash->digest), input));
  return 0;
}
