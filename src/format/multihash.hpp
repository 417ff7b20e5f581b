#pragma once
// Multihash and multibase, as far as peer ids, CIDs and provider keys need them.
#include <string>

#include "base/bytes.hpp"
#include "format/errors.hpp"
#include "format/limits.hpp"

namespace starling::format {

inline constexpr std::uint64_t kHashIdentity = 0x00;
inline constexpr std::uint64_t kHashSha256 = 0x12;

struct Multihash {
  std::uint64_t code;
  ByteView digest;  ///< view into the bytes that were parsed
};
/// Exactly one multihash, nothing behind it. Varints minimal. Errc::bad_multihash, Errc::truncated.
Result<Multihash> parse_multihash(ByteView bytes) noexcept;
/// The multihash inside a binary CID: version 1 with any codec, or version 0, which is a bare SHA-256
/// multihash. View into `cid`. Errc::bad_multihash.
Result<ByteView> multihash_of_cid(ByteView cid) noexcept;
Bytes make_multihash(std::uint64_t code, ByteView digest);
/// Multihash of the SHA-256 of `content`.
Bytes sha256_multihash(ByteView content);

enum class Base : char {
  base16 = 'f',
  base32 = 'b',
  base36 = 'k',
  base58btc = 'z',
  base64 = 'm',
  base64url = 'u',
};
/// Without and with the multibase prefix. Decoding is strict: alphabet, padding bits. Errc::bad_multibase.
std::string encode_base(Base base, ByteView bytes);
Result<Bytes> decode_base(Base base, std::string_view text);
std::string encode_multibase(Base base, ByteView bytes);
Result<Bytes> decode_multibase(std::string_view text);

}  // namespace starling::format
