#pragma once
#include "base/result.hpp"
#include "crypto/aead.hpp"
#include "noise/errors.hpp"
#include "noise/limits.hpp"

namespace starling::noise {

/// The CipherState of the Noise specification (§5.1) with a key: ChaCha20-Poly1305 under a counter nonce.
///
/// Lifetime: owned by one handshake or one direction of a channel; not thread-safe.
/// A failed open leaves the counter where it was (RUSTSEC-2024-0011: a forged record must not desynchronise
/// the channel), and 2^64 − 1 is never used as a nonce. There is no rekey: libp2p does not use it.
class CipherState {
 public:
  /// `nonce` is where the counter starts; other than 0 in tests only.
  explicit CipherState(const crypto::AeadKey& key, std::uint64_t nonce = 0) : aead_(key), nonce_(nonce) {}

  /// Encrypts the parts, joined, into `out` (their total + 16 bytes). Errc::nonce_exhausted, and then nothing
  /// is written.
  Result<void> seal(ByteView aad, std::span<const ByteView> parts, MutableByteView out);
  /// Decrypts in place and returns the plaintext. Errc::truncated below 16 bytes, Errc::decrypt_failed,
  /// Errc::nonce_exhausted. After an error the content of `sealed` is unspecified and the nonce is unchanged.
  Result<MutableByteView> open(ByteView aad, MutableByteView sealed);
  /// The nonce of the next message.
  std::uint64_t nonce() const noexcept { return nonce_; }

 private:
  crypto::ChaChaPoly aead_;
  std::uint64_t nonce_;
};

}  // namespace starling::noise
