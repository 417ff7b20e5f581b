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

Result<ByteView> multihash_of_cid(ByteView cid) noexcept {
  constexpr std::uint64_t kCidVersion = 1;
  constexpr std::size_t kSha256Bytes = 32;
  if (const auto bare = parse_multihash(cid);
      bare && bare->code == kHashSha256 && bare->digest.size() == kSha256Bytes)
    return cid;
  const auto version = read_minimal_varint(cid);
  if (!version || version->value != kCidVersion) return fail(Errc::bad_multihash);
  const ByteView rest = cid.subspan(version->size);
  const auto codec = read_minimal_varint(rest);
  if (!codec || !parse_multihash(rest.subspan(codec->size))) return fail(Errc::bad_multihash);
  return rest.subspan(codec->size);
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
