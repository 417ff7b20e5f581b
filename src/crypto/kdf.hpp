#pragma once
// What a Web3 Secret Storage V3 keystore needs: scrypt, PBKDF2 (import only), AES-128-CTR.
#include "base/bytes.hpp"
#include "base/result.hpp"

namespace starling::crypto {

struct ScryptCost {
  std::uint64_t n;  // a power of two
  std::uint32_t r;
  std::uint32_t p;
};
/// Errc::bad_parameter when the cost is not a valid scrypt cost or needs over 1 GiB of memory.
Result<Bytes> scrypt(ByteView password, ByteView salt, ScryptCost cost, std::size_t length);
/// PBKDF2-HMAC-SHA-256. Errc::bad_parameter for 0 or over 10,000,000 rounds.
Result<Bytes> pbkdf2_sha256(ByteView password, ByteView salt, std::uint32_t rounds, std::size_t length);
/// AES-128-CTR: encryption and decryption are the same. key and iv are 16 bytes.
Result<Bytes> aes128_ctr(ByteView key, ByteView iv, ByteView data);

}  // namespace starling::crypto
