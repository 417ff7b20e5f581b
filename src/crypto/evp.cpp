#include "crypto/evp.hpp"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "base/assert.hpp"

namespace starling::crypto::evp {

void Free::operator()(evp_cipher_ctx_st* object) const noexcept { EVP_CIPHER_CTX_free(object); }
void Free::operator()(evp_kdf_ctx_st* object) const noexcept { EVP_KDF_CTX_free(object); }
void Free::operator()(evp_md_ctx_st* object) const noexcept { EVP_MD_CTX_free(object); }
void Free::operator()(evp_pkey_ctx_st* object) const noexcept { EVP_PKEY_CTX_free(object); }
void Free::operator()(evp_pkey_st* object) const noexcept { EVP_PKEY_free(object); }

namespace {

// An OpenSSL without SHA-256 or ChaCha20-Poly1305 is an installation we cannot run on, not an error to
// handle.
template <class T>
T* required(T* object) {
  STARLING_ASSERT(object != nullptr);
  return object;
}

struct Algorithms {
  EVP_MD* sha256 = required(EVP_MD_fetch(nullptr, "SHA256", nullptr));
  EVP_CIPHER* chacha20_poly1305 = required(EVP_CIPHER_fetch(nullptr, "ChaCha20-Poly1305", nullptr));
  EVP_CIPHER* aes_128_ctr = required(EVP_CIPHER_fetch(nullptr, "AES-128-CTR", nullptr));
  EVP_KDF* scrypt = required(EVP_KDF_fetch(nullptr, "SCRYPT", nullptr));
  EVP_KDF* pbkdf2 = required(EVP_KDF_fetch(nullptr, "PBKDF2", nullptr));
};

// Written once, before its first use, and never given back: a constant that only has to be computed.
const Algorithms& algorithms() {
  static const Algorithms kAlgorithms;
  return kAlgorithms;
}

}  // namespace

const evp_md_st* sha256() { return algorithms().sha256; }
const evp_cipher_st* chacha20_poly1305() { return algorithms().chacha20_poly1305; }
const evp_cipher_st* aes_128_ctr() { return algorithms().aes_128_ctr; }

KdfContext new_scrypt() { return KdfContext(required(EVP_KDF_CTX_new(algorithms().scrypt))); }
KdfContext new_pbkdf2() { return KdfContext(required(EVP_KDF_CTX_new(algorithms().pbkdf2))); }
MdContext new_md_context() { return MdContext(required(EVP_MD_CTX_new())); }
CipherContext new_cipher_context() { return CipherContext(required(EVP_CIPHER_CTX_new())); }

ErrorQueueGuard::~ErrorQueueGuard() { ERR_clear_error(); }

}  // namespace starling::crypto::evp
