#include "crypto/aead.hpp"

#include <openssl/evp.h>
#include <climits>

#include "base/assert.hpp"
#include "crypto/errors.hpp"
#include "crypto/evp.hpp"

namespace starling::crypto {

// One OpenSSL context serves both directions: the key schedule of ChaCha20 is the same, and a message sets
// nonce and direction only. A Noise session uses an object for one direction, so a context per direction
// would double its memory.
struct ChaChaPoly::Context {
  evp::CipherContext cipher = evp::new_cipher_context();

  void start(const AeadNonce& nonce, ByteView aad, int encrypt) {
    bool good = EVP_CipherInit_ex2(cipher.get(), nullptr, nullptr, nonce.data(), encrypt, nullptr) == 1;
    if (!aad.empty()) good = good && update(nullptr, aad);
    STARLING_ASSERT(good);
  }
  // True when all of `in` was taken; `out` is null for additional data.
  bool update(std::uint8_t* out, ByteView in) {
    STARLING_ASSERT(in.size() <= INT_MAX);
    int written = 0;
    return EVP_CipherUpdate(cipher.get(), out, &written, in.data(), static_cast<int>(in.size())) == 1 &&
           static_cast<std::size_t>(written) == in.size();
  }
};

ChaChaPoly::ChaChaPoly(const AeadKey& key) : context_(std::make_unique<Context>()) {
  const int good =
      EVP_CipherInit_ex2(context_->cipher.get(), evp::chacha20_poly1305(), key.data(), nullptr, 1, nullptr);
  STARLING_ASSERT(good == 1);
}
ChaChaPoly::ChaChaPoly(ChaChaPoly&&) noexcept = default;
ChaChaPoly& ChaChaPoly::operator=(ChaChaPoly&&) noexcept = default;
ChaChaPoly::~ChaChaPoly() = default;  // EVP_CIPHER_CTX_free cleanses the key

void ChaChaPoly::seal(const AeadNonce& nonce, ByteView aad, std::span<const ByteView> parts,
                      MutableByteView out) {
  context_->start(nonce, aad, 1);
  for (const auto part : parts) {
    STARLING_ASSERT(part.size() + kAeadTagBytes <= out.size());
    if (part.empty()) continue;
    const bool good = context_->update(out.data(), part);
    STARLING_ASSERT(good);
    out = out.subspan(part.size());
  }
  STARLING_ASSERT(out.size() == kAeadTagBytes);
  EVP_CIPHER_CTX* const cipher = context_->cipher.get();
  int written = 0;
  const bool good = EVP_CipherFinal_ex(cipher, out.data(), &written) == 1 && written == 0 &&
                    EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, kAeadTagBytes, out.data()) == 1;
  STARLING_ASSERT(good);
}

Result<MutableByteView> ChaChaPoly::open_in_place(const AeadNonce& nonce, ByteView aad,
                                                  MutableByteView sealed) {
  if (sealed.size() < kAeadTagBytes) return fail(Errc::open_failed);
  const MutableByteView text = sealed.first(sealed.size() - kAeadTagBytes);
  const MutableByteView tag = sealed.last(kAeadTagBytes);
  context_->start(nonce, aad, 0);
  EVP_CIPHER_CTX* const cipher = context_->cipher.get();
  bool good = EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_SET_TAG, kAeadTagBytes, tag.data()) == 1;
  if (!text.empty()) good = good && context_->update(text.data(), text);
  STARLING_ASSERT(good);
  std::uint8_t rest[kAeadTagBytes];
  int written = 0;
  if (EVP_CipherFinal_ex(cipher, rest, &written) != 1) {
    const evp::ErrorQueueGuard guard;
    return fail(Errc::open_failed);
  }
  return text;
}

}  // namespace starling::crypto
