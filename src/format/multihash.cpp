#include "format/multihash.hpp"

#include "base/assert.hpp"
#include "crypto/hash.hpp"
#include "format/varint.hpp"

namespace starling::format {

Result<Multihash> parse_multihash(ByteView bytes) noexcept {
  const auto code = read_minimal_varint(bytes);
  if (!code) return fail(code.error().is(Errc::truncated) ? Errc::truncated : Errc::bad_multihash);
  bytes = bytes.subspan(code->size);
  const auto length = read_minimal_varint(bytes);
  if (!length) return fail(length.error().is(Errc::truncated) ? Errc::truncated : Errc::bad_multihash);
  bytes = bytes.subspan(length->size);
  if (length->value > kMultihashDigestBytesMax) return fail(Errc::bad_multihash);
  if (bytes.size() < length->value) return fail(Errc::truncated);
  if (bytes.size() > length->value) return fail(Errc::bad_multihash);
  return Multihash{code->value, bytes};
}

Bytes make_multihash(std::uint64_t code, ByteView digest) {
  STARLING_ASSERT(digest.size() <= kMultihashDigestBytesMax);
  Bytes out;
  out.reserve(varint_size(code) + varint_size(digest.size()) + digest.size());
  put_varint(out, code);
  put_frame(out, digest);
  return out;
}

Bytes sha256_multihash(ByteView content) { return make_multihash(kHashSha256, crypto::sha256(content)); }

}  // namespace starling::format
