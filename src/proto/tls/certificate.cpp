#include "tls/certificate.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

#include "base/assert.hpp"
#include "format/peer_id.hpp"

namespace starling::tls {
namespace {

namespace evp = crypto::evp;

constexpr const char* kExtensionOid = "1.3.6.1.4.1.53594.1.1";
constexpr const char* kNotBefore = "19750101000000Z";
constexpr const char* kNotAfter = "40960101000000Z";
constexpr std::uint8_t kSequence = 0x30;
constexpr std::uint8_t kOctetString = 0x04;
constexpr int kVersion3 = 2;
// A SubjectPublicKeyInfo of an Ed25519 key is these bytes and then the key.
constexpr std::uint8_t kEd25519Prefix[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
                                           0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};

struct Free {
  void operator()(X509* object) const noexcept { X509_free(object); }
  void operator()(X509_EXTENSION* object) const noexcept { X509_EXTENSION_free(object); }
  void operator()(ASN1_OBJECT* object) const noexcept { ASN1_OBJECT_free(object); }
  void operator()(ASN1_OCTET_STRING* object) const noexcept { ASN1_OCTET_STRING_free(object); }
  void operator()(EC_GROUP* object) const noexcept { EC_GROUP_free(object); }
  void operator()(EC_POINT* object) const noexcept { EC_POINT_free(object); }
  void operator()(BIGNUM* object) const noexcept { BN_clear_free(object); }
  void operator()(OSSL_PARAM_BLD* object) const noexcept { OSSL_PARAM_BLD_free(object); }
  void operator()(OSSL_PARAM* object) const noexcept { OSSL_PARAM_free(object); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

// Of calls that fail for lack of memory or of an algorithm that every OpenSSL has.
template <class T>
T* required(T* object) {
  STARLING_ASSERT(object != nullptr);
  return object;
}
void must(bool good) { STARLING_ASSERT(good); }

// DER of a thing that OpenSSL encodes.
template <class T, class Encode>
Bytes encoded(T* object, Encode encode) {
  const int size = encode(object, nullptr);
  must(size > 0);
  Bytes out(static_cast<std::size_t>(size));
  std::uint8_t* cursor = out.data();
  must(encode(object, &cursor) == size);
  return out;
}

const ASN1_OBJECT* extension_oid() {
  static const ASN1_OBJECT* const kOid = required(OBJ_txt2obj(kExtensionOid, 1));
  return kOid;
}

// The scalar comes from our generator: OpenSSL's own would make two runs with one seed differ.
evp::Pkey make_p256_key(Rng& rng) {
  const Owned<EC_GROUP> group(required(EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1)));
  Owned<BIGNUM> scalar(required(BN_secure_new()));
  do {
    auto bytes = rng.bytes<32>();
    must(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), scalar.get()) != nullptr);
    OPENSSL_cleanse(bytes.data(), bytes.size());
  } while (BN_is_zero(scalar.get()) || BN_cmp(scalar.get(), EC_GROUP_get0_order(group.get())) >= 0);
  const Owned<EC_POINT> point(required(EC_POINT_new(group.get())));
  must(EC_POINT_mul(group.get(), point.get(), scalar.get(), nullptr, nullptr, nullptr) == 1);
  FixedBytes<65> public_key{};
  must(EC_POINT_point2oct(group.get(), point.get(), POINT_CONVERSION_UNCOMPRESSED, public_key.data(),
                          public_key.size(), nullptr) == public_key.size());
  const Owned<OSSL_PARAM_BLD> builder(required(OSSL_PARAM_BLD_new()));
  must(OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, SN_X9_62_prime256v1, 0) ==
           1 &&
       OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, public_key.data(),
                                        public_key.size()) == 1 &&
       OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, scalar.get()) == 1);
  const Owned<OSSL_PARAM> params(required(OSSL_PARAM_BLD_to_param(builder.get())));
  const evp::PkeyContext context(required(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr)));
  EVP_PKEY* key = nullptr;
  must(EVP_PKEY_fromdata_init(context.get()) == 1 &&
       EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_KEYPAIR, params.get()) == 1);
  return evp::Pkey(key);
}

Bytes signed_bytes(ByteView certificate_key) {
  Bytes out = to_bytes(kSignaturePrefix);
  append(out, certificate_key);
  return out;
}

void put_der(Bytes& out, std::uint8_t tag, ByteView content) {
  out.push_back(tag);
  const std::size_t size = content.size();
  STARLING_ASSERT(size <= 0xffff);
  if (size > 0xff) {
    out.push_back(0x82);
    out.push_back(static_cast<std::uint8_t>(size >> 8));
  } else if (size > 0x7f) {
    out.push_back(0x81);
  }
  out.push_back(static_cast<std::uint8_t>(size & 0xff));
  append(out, content);
}

// Takes an element of this tag from the front: its content; nothing when it does not stand there in DER.
std::optional<ByteView> take_der(ByteView& bytes, std::uint8_t tag) noexcept {
  if (bytes.size() < 2 || bytes[0] != tag) return std::nullopt;
  std::size_t size = bytes[1];
  std::size_t header = 2;
  if (size > 0x7f) {
    const std::size_t digits = size & 0x7f;
    if (digits == 0 || digits > 2 || bytes.size() < 2 + digits) return std::nullopt;
    size = 0;
    for (std::size_t i = 0; i < digits; ++i) size = size << 8 | bytes[2 + i];
    if (size < (digits == 1 ? 0x80u : 0x100u)) return std::nullopt;
    header += digits;
  }
  if (bytes.size() - header < size) return std::nullopt;
  const ByteView content = bytes.subspan(header, size);
  bytes = bytes.subspan(header + size);
  return content;
}

// SignedKey ::= SEQUENCE { publicKey OCTET STRING, signature OCTET STRING }
struct SignedKey {
  ByteView key;
  ByteView signature;
};
std::optional<SignedKey> read_signed_key(ByteView bytes) noexcept {
  auto sequence = take_der(bytes, kSequence);
  if (!sequence || !bytes.empty()) return std::nullopt;
  const auto key = take_der(*sequence, kOctetString);
  if (!key) return std::nullopt;
  const auto signature = take_der(*sequence, kOctetString);
  if (!signature || !sequence->empty()) return std::nullopt;
  return SignedKey{*key, *signature};
}

Result<void> check_time(const X509* certificate, WallTime now) {
  auto seconds = static_cast<time_t>(now.ms() / 1000);
  // -1: at or before that second, 1: after it, 0: no time at all.
  const int begin = X509_cmp_time(X509_get0_notBefore(certificate), &seconds);
  const int end = X509_cmp_time(X509_get0_notAfter(certificate), &seconds);
  if (begin == 0 || end == 0) return fail(Errc::bad_certificate);
  if (begin > 0 || end < 0) return fail(Errc::certificate_not_valid_now);
  return {};
}

// The key by the rules that hold for identities too (RSA of 2048 to 8192 bits with a small exponent, the NIST
// curves by name), before OpenSSL computes with it.
Result<void> check_certificate_key(int key_type, ByteView spki) {
  Result<crypto::PublicKey> key = fail(Errc::unsupported_certificate);
  if (key_type == NID_X9_62_id_ecPublicKey) {
    key = crypto::PublicKey::from_data(crypto::KeyType::ecdsa, spki);
  } else if (key_type == NID_rsaEncryption || key_type == NID_rsassaPss) {
    key = crypto::PublicKey::from_data(crypto::KeyType::rsa, spki);
  } else if (key_type == NID_ED25519 && spki.size() > std::size(kEd25519Prefix) &&
             equal(spki.first(std::size(kEd25519Prefix)), kEd25519Prefix)) {
    key = crypto::PublicKey::from_data(crypto::KeyType::ed25519, spki.subspan(std::size(kEd25519Prefix)));
  }
  if (!key) return fail(Errc::unsupported_certificate);
  return {};
}

Result<void> check_algorithms(X509* certificate, ByteView spki) {
  int digest = NID_undef;
  int key_type = NID_undef;
  if (X509_get_signature_info(certificate, &digest, &key_type, nullptr, nullptr) != 1)
    return fail(Errc::unsupported_certificate);
  const bool sha2 = digest == NID_sha256 || digest == NID_sha384 || digest == NID_sha512;
  if (!sha2 && key_type != NID_ED25519) return fail(Errc::unsupported_certificate);
  return check_certificate_key(key_type, spki);
}

// The libp2p extension's value. Every other one is ignored, or refused when it is critical.
Result<ByteView> find_extension(const X509* certificate) {
  std::optional<ByteView> found;
  for (int i = 0; i < X509_get_ext_count(certificate); ++i) {
    X509_EXTENSION* extension = X509_get_ext(certificate, i);
    if (OBJ_cmp(X509_EXTENSION_get_object(extension), extension_oid()) != 0) {
      if (X509_EXTENSION_get_critical(extension) != 0) return fail(Errc::unknown_critical_extension);
      continue;
    }
    if (found) return fail(Errc::bad_extension);
    const ASN1_OCTET_STRING* value = X509_EXTENSION_get_data(extension);
    found.emplace(ASN1_STRING_get0_data(value), static_cast<std::size_t>(ASN1_STRING_length(value)));
  }
  if (!found) return fail(Errc::no_extension);
  return *found;
}

bool has_deprecated_ids(const X509* certificate) {
  const ASN1_BIT_STRING* issuer = nullptr;
  const ASN1_BIT_STRING* subject = nullptr;
  X509_get0_uids(certificate, &issuer, &subject);
  return issuer != nullptr || subject != nullptr;
}

}  // namespace

Certificate make_certificate(const crypto::PrivateKey& identity, Rng& rng) {
  const evp::ErrorQueueGuard guard;
  evp::Pkey key = make_p256_key(rng);
  Bytes content;
  put_der(content, kOctetString, format::encode_public_key(identity.public_key()));
  put_der(content, kOctetString, identity.sign(signed_bytes(encoded(key.get(), i2d_PUBKEY))));
  Bytes signed_key;
  put_der(signed_key, kSequence, content);

  const Owned<ASN1_OCTET_STRING> value(required(ASN1_OCTET_STRING_new()));
  must(ASN1_OCTET_STRING_set(value.get(), signed_key.data(), static_cast<int>(signed_key.size())) == 1);
  const Owned<X509_EXTENSION> extension(
      required(X509_EXTENSION_create_by_OBJ(nullptr, extension_oid(), 0, value.get())));
  const Owned<X509> certificate(required(X509_new()));
  X509_NAME* name = X509_get_subject_name(certificate.get());
  must(X509_set_version(certificate.get(), kVersion3) == 1 &&
       ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate.get()), rng.u64() >> 1) == 1 &&
       ASN1_TIME_set_string_X509(X509_getm_notBefore(certificate.get()), kNotBefore) == 1 &&
       ASN1_TIME_set_string_X509(X509_getm_notAfter(certificate.get()), kNotAfter) == 1 &&
       X509_NAME_add_entry_by_NID(name, NID_organizationName, MBSTRING_ASC, as_bytes("libp2p.io").data(), 9,
                                  -1, 0) == 1 &&
       X509_set_issuer_name(certificate.get(), name) == 1 &&
       X509_set_pubkey(certificate.get(), key.get()) == 1 &&
       X509_add_ext(certificate.get(), extension.get(), -1) == 1 &&
       X509_sign(certificate.get(), key.get(), evp::sha256()) > 0);
  return {encoded(certificate.get(), i2d_X509), std::move(key)};
}

Result<crypto::PublicKey> read_certificate(ByteView der, WallTime now) {
  if (der.empty() || der.size() > kCertificateBytesMax) return fail(Errc::bad_certificate);
  const evp::ErrorQueueGuard guard;
  const std::uint8_t* cursor = der.data();
  const Owned<X509> certificate(d2i_X509(nullptr, &cursor, static_cast<long>(der.size())));
  if (certificate == nullptr || cursor != der.data() + der.size() ||
      X509_get_version(certificate.get()) != kVersion3 || has_deprecated_ids(certificate.get())) {
    return fail(Errc::bad_certificate);
  }
  STARLING_TRY(check_time(certificate.get(), now));
  const Bytes spki = encoded(X509_get_X509_PUBKEY(certificate.get()), i2d_X509_PUBKEY);
  STARLING_TRY(check_algorithms(certificate.get(), spki));
  STARLING_ASSIGN(const ByteView value, find_extension(certificate.get()));
  const auto signed_key = read_signed_key(value);
  if (!signed_key) return fail(Errc::bad_extension);
  auto identity = format::decode_public_key(signed_key->key);
  if (!identity) return fail(Errc::bad_identity_key);
  EVP_PKEY* key = X509_get0_pubkey(certificate.get());
  if (key == nullptr || X509_verify(certificate.get(), key) != 1)
    return fail(Errc::bad_certificate_signature);
  if (!identity->verify(signed_bytes(spki), signed_key->signature)) return fail(Errc::bad_identity_signature);
  return *std::move(identity);
}

}  // namespace starling::tls
