#include "crypto/kdf.hpp"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <bit>
#include <climits>

#include "crypto/errors.hpp"
#include "crypto/evp.hpp"
#include "crypto/limits.hpp"

namespace starling::crypto {
namespace {

constexpr std::size_t kAesKeyBytes = 16;

// OpenSSL takes a null pointer for "not given", which an empty password or salt is not.
ByteView never_null(ByteView bytes) noexcept {
  static constexpr std::uint8_t kNothing = 0;
  return bytes.data() != nullptr ? bytes : ByteView(&kNothing, 0);
}

bool is_valid(const ScryptCost& cost) noexcept {
  if (cost.n < 2 || !std::has_single_bit(cost.n) || cost.r == 0 || cost.p == 0) return false;
  // Each division keeps the product below 2^64 before it is formed.
  if (cost.n > kScryptMemoryBytesMax / 128 / cost.r) return false;
  if (cost.p > kScryptWorkMax / (cost.n * cost.r)) return false;
  // RFC 7914 §6: N < 2^(128·r/8), p ≤ (2^32 − 1)·32 / (128·r).
  if (cost.r < 4 && cost.n >= std::uint64_t{1} << (16 * cost.r)) return false;
  return cost.p <= ((std::uint64_t{1} << 30) - 1) / cost.r;
}

OSSL_PARAM octets(const char* name, ByteView bytes) {
  // The interface of OpenSSL is not const-correct; it only reads.
  return OSSL_PARAM_construct_octet_string(name, const_cast<std::uint8_t*>(never_null(bytes).data()),
                                           bytes.size());
}

Result<Bytes> derive(const evp::KdfContext& context, const OSSL_PARAM* params, std::size_t length) {
  Bytes out(length);
  if (EVP_KDF_derive(context.get(), out.data(), out.size(), params) != 1) {
    const evp::ErrorQueueGuard guard;
    return fail(Errc::library_failure);
  }
  return out;
}

}  // namespace

Result<Bytes> scrypt(ByteView password, ByteView salt, ScryptCost cost, std::size_t length) {
  if (!is_valid(cost) || length == 0 || length > kDerivedBytesMax) return fail(Errc::bad_parameter);
  std::uint64_t memory_max = 2 * kScryptMemoryBytesMax;  // our own bound was checked above
  const OSSL_PARAM params[] = {octets(OSSL_KDF_PARAM_PASSWORD, password),
                               octets(OSSL_KDF_PARAM_SALT, salt),
                               OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_N, &cost.n),
                               OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_R, &cost.r),
                               OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_P, &cost.p),
                               OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_MAXMEM, &memory_max),
                               OSSL_PARAM_construct_end()};
  return derive(evp::new_scrypt(), params, length);
}

Result<Bytes> pbkdf2_sha256(ByteView password, ByteView salt, std::uint32_t rounds, std::size_t length) {
  if (rounds == 0 || rounds > kPbkdf2RoundsMax || length == 0 || length > kDerivedBytesMax)
    return fail(Errc::bad_parameter);
  char digest[] = "SHA256";
  std::uint64_t rounds_value = rounds;
  int as_pkcs5 = 1;  // without the lower bounds of SP 800-132: we read keystores that others wrote
  const OSSL_PARAM params[] = {octets(OSSL_KDF_PARAM_PASSWORD, password),
                               octets(OSSL_KDF_PARAM_SALT, salt),
                               OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
                               OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_ITER, &rounds_value),
                               OSSL_PARAM_construct_int(OSSL_KDF_PARAM_PKCS5, &as_pkcs5),
                               OSSL_PARAM_construct_end()};
  return derive(evp::new_pbkdf2(), params, length);
}

Result<Bytes> aes128_ctr(ByteView key, ByteView iv, ByteView data) {
  if (key.size() != kAesKeyBytes || iv.size() != kAesKeyBytes || data.size() > INT_MAX)
    return fail(Errc::bad_parameter);
  const auto context = evp::new_cipher_context();
  Bytes out(data.size());
  int written = 0;
  if (EVP_CipherInit_ex2(context.get(), evp::aes_128_ctr(), key.data(), iv.data(), 1, nullptr) != 1 ||
      (!data.empty() && EVP_CipherUpdate(context.get(), out.data(), &written, data.data(),
                                         static_cast<int>(data.size())) != 1)) {
    const evp::ErrorQueueGuard guard;
    return fail(Errc::library_failure);
  }
  return out;
}

}  // namespace starling::crypto
