#pragma once
// Ownership of OpenSSL objects and the algorithms we fetch. Internal to crypto: names of OpenSSL types are
// declared, not included, so that its headers stay inside .cpp files.
#include <memory>

#include "base/bytes.hpp"

struct evp_cipher_ctx_st;
struct evp_cipher_st;
struct evp_kdf_ctx_st;
struct evp_md_ctx_st;
struct evp_md_st;
struct evp_pkey_ctx_st;
struct evp_pkey_st;

namespace starling::crypto::evp {

struct Free {
  void operator()(evp_cipher_ctx_st* object) const noexcept;
  void operator()(evp_kdf_ctx_st* object) const noexcept;
  void operator()(evp_md_ctx_st* object) const noexcept;
  void operator()(evp_pkey_ctx_st* object) const noexcept;
  void operator()(evp_pkey_st* object) const noexcept;
};
using CipherContext = std::unique_ptr<evp_cipher_ctx_st, Free>;
using KdfContext = std::unique_ptr<evp_kdf_ctx_st, Free>;
using MdContext = std::unique_ptr<evp_md_ctx_st, Free>;
using PkeyContext = std::unique_ptr<evp_pkey_ctx_st, Free>;
using Pkey = std::unique_ptr<evp_pkey_st, Free>;

/// Algorithms are looked up once per process: a lookup costs more than hashing a small message. They are
/// constants.
const evp_md_st* sha256();
const evp_cipher_st* chacha20_poly1305();
const evp_cipher_st* aes_128_ctr();

KdfContext new_scrypt();
KdfContext new_pbkdf2();
MdContext new_md_context();
CipherContext new_cipher_context();

/// A failed check of a key or signature leaves its reason in OpenSSL's per-thread error queue, which we never
/// read; it would grow stale and confuse whoever reads it next (TLS). Cleared on every way out.
class ErrorQueueGuard {
 public:
  ErrorQueueGuard() = default;
  ErrorQueueGuard(const ErrorQueueGuard&) = delete;
  ErrorQueueGuard& operator=(const ErrorQueueGuard&) = delete;
  ~ErrorQueueGuard();
};

}  // namespace starling::crypto::evp
