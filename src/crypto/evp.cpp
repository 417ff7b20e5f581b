#include "crypto/evp.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>

#include "base/assert.hpp"

namespace starling::crypto::evp {

void Free::operator()(evp_cipher_ctx_st* object) const noexcept { EVP_CIPHER_CTX_free(object); }
void Free::operator()(evp_kdf_ctx_st* object) const noexcept { EVP_KDF_CTX_free(object); }
void Free::operator()(evp_mac_ctx_st* object) const noexcept { EVP_MAC_CTX_free(object); }
void Free::operator()(evp_md_ctx_st* object) const noexcept { EVP_MD_CTX_free(object); }
void Free::operator()(evp_pkey_ctx_st* object) const noexcept { EVP_PKEY_CTX_free(object); }
void Free::operator()(evp_pkey_st* object) const noexcept { EVP_PKEY_free(object); }

namespace {

// An OpenSSL without SHA-256 or ChaCha20-Poly1305 is an installation we cannot run on, not an error to handle.
template <class T>
T* required(T* object) {
  STARLING_ASSERT(object != nullptr);
  return object;
}

}  // namespace

const evp_md_st* sha256() {
  static const EVP_MD* const kSha256 = required(EVP_MD_fetch(nullptr, "SHA256", nullptr));
  return kSha256;
}

const evp_cipher_st* chacha20_poly1305() {
  static const EVP_CIPHER* const kCipher = required(EVP_CIPHER_fetch(nullptr, "ChaCha20-Poly1305", nullptr));
  return kCipher;
}

const evp_cipher_st* aes_128_ctr() {
  static const EVP_CIPHER* const kCipher = required(EVP_CIPHER_fetch(nullptr, "AES-128-CTR", nullptr));
  return kCipher;
}

MacContext new_hmac() {
  static EVP_MAC* const kHmac = required(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
  return MacContext(required(EVP_MAC_CTX_new(kHmac)));
}

KdfContext new_scrypt() {
  static EVP_KDF* const kScrypt = required(EVP_KDF_fetch(nullptr, "SCRYPT", nullptr));
  return KdfContext(required(EVP_KDF_CTX_new(kScrypt)));
}

MdContext new_md_context() { return MdContext(required(EVP_MD_CTX_new())); }
CipherContext new_cipher_context() { return CipherContext(required(EVP_CIPHER_CTX_new())); }

ErrorQueueGuard::~ErrorQueueGuard() { ERR_clear_error(); }

}  // namespace starling::crypto::evp
