#include "crypto/hash.hpp"

#include <cryptopp/hmac.h>
#include <cryptopp/keccak.h>
#include <cryptopp/sha.h>
#include <openssl/crypto.h>

#include "base/assert.hpp"
#include "crypto/limits.hpp"

namespace starling::crypto {

// Crypto++ here and not OpenSSL, whose contexts live on the heap: the DHT hashes some forty bytes for every
// peer that an answer names, and a handshake makes a dozen MACs; the allocations cost more than the hashes.
Hash256 sha256(std::initializer_list<ByteView> parts) noexcept {
  CryptoPP::SHA256 sha;
  for (const auto part : parts)
    if (!part.empty()) sha.Update(part.data(), part.size());
  Hash256 out;
  sha.Final(out.data());
  return out;
}

Hash256 keccak256(std::initializer_list<ByteView> parts) noexcept {
  CryptoPP::Keccak_256 keccak;
  for (const auto part : parts)
    if (!part.empty()) keccak.Update(part.data(), part.size());
  Hash256 out;
  keccak.Final(out.data());
  return out;
}

Hash256 hmac_sha256(ByteView key, std::initializer_list<ByteView> parts) noexcept {
  CryptoPP::HMAC<CryptoPP::SHA256> hmac(key.data(), key.size());
  for (const auto part : parts)
    if (!part.empty()) hmac.Update(part.data(), part.size());
  Hash256 out;
  hmac.Final(out.data());
  return out;
}

Hash256 hkdf_extract(ByteView salt, ByteView key_material) noexcept {
  // RFC 5869: no salt means 32 zero bytes; HMAC pads a shorter key with zeros, so empty is the same.
  return hmac_sha256(salt, {key_material});
}

Bytes hkdf_expand(ByteView pseudo_random_key, std::initializer_list<ByteView> info, std::size_t length) {
  STARLING_ASSERT(length <= kHkdfOutputBytesMax);
  Bytes joined;
  for (const auto part : info) append(joined, part);
  Bytes out;
  out.reserve(length);
  Hash256 block{};
  ByteView previous;
  for (std::uint8_t counter = 1; out.size() < length; ++counter) {
    block = hmac_sha256(pseudo_random_key, {previous, joined, ByteView(&counter, 1)});
    previous = block;
    append(out, previous.first(std::min(previous.size(), length - out.size())));
  }
  wipe(block);
  return out;
}

bool constant_time_equal(ByteView a, ByteView b) noexcept {
  return a.size() == b.size() && (a.empty() || CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0);
}

void wipe(MutableByteView secret) noexcept {
  if (!secret.empty()) OPENSSL_cleanse(secret.data(), secret.size());
}

}  // namespace starling::crypto
