#pragma once
// ChaCha20-Poly1305 (RFC 8439), the AEAD of Noise and of sealed messages.
#include <initializer_list>
#include <memory>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace starling::crypto {

inline constexpr std::size_t kAeadTagBytes = 16;
using AeadKey = FixedBytes<32>;
using AeadNonce = FixedBytes<12>;

/// One key, many messages. The context is prepared once, because preparing costs more than a small message.
/// Not thread-safe. The caller guarantees that a nonce is used once per key.
class ChaChaPoly {
 public:
  explicit ChaChaPoly(const AeadKey& key);
  ChaChaPoly(ChaChaPoly&&) noexcept;
  ChaChaPoly& operator=(ChaChaPoly&&) noexcept;
  ~ChaChaPoly();

  /// Encrypts the concatenation of `parts` into `out`, ciphertext then tag. out.size() = sum of the parts
  /// + 16. One pass over the payload; `out` overlaps no part.
  void seal(const AeadNonce& nonce, ByteView aad, std::span<const ByteView> parts, MutableByteView out);
  /// Decrypts in place: `sealed` is ciphertext then tag; on success its first size−16 bytes are the
  /// plaintext. Errc::open_failed leaves the content unspecified.
  Result<MutableByteView> open_in_place(const AeadNonce& nonce, ByteView aad, MutableByteView sealed);

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

}  // namespace starling::crypto
