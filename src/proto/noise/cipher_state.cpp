#include "noise/cipher_state.hpp"

namespace starling::noise {
namespace {

// Noise §12.3: 32 zero bits, then the counter in little-endian order.
crypto::AeadNonce aead_nonce(std::uint64_t counter) noexcept {
  crypto::AeadNonce nonce{};
  for (std::size_t i = 4; i < nonce.size(); ++i, counter >>= 8)
    nonce[i] = static_cast<std::uint8_t>(counter & 0xff);
  return nonce;
}

}  // namespace

Result<void> CipherState::seal(ByteView aad, std::span<const ByteView> parts, MutableByteView out) {
  if (nonce_ == kNonceReserved) return fail(Errc::nonce_exhausted);
  aead_.seal(aead_nonce(nonce_), aad, parts, out);
  ++nonce_;
  return {};
}

Result<MutableByteView> CipherState::open(ByteView aad, MutableByteView sealed) {
  if (sealed.size() < crypto::kAeadTagBytes) return fail(Errc::truncated);
  if (nonce_ == kNonceReserved) return fail(Errc::nonce_exhausted);
  const auto plaintext = aead_.open_in_place(aead_nonce(nonce_), aad, sealed);
  if (!plaintext) return fail(Errc::decrypt_failed);
  ++nonce_;
  return *plaintext;
}

}  // namespace starling::noise
