// OpenSSL's side of fixtures.hpp.
#include "tls/fixtures.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "base/assert.hpp"

namespace starling::tls {
namespace {

template <class T, class Encode>
Bytes encoded(T* object, Encode encode) {
  Bytes out(static_cast<std::size_t>(encode(object, nullptr)));
  std::uint8_t* cursor = out.data();
  encode(object, &cursor);
  return out;
}

Bytes der(std::uint8_t tag, ByteView content) {
  Bytes out{tag};
  const std::size_t size = content.size();
  if (size > 0xff) {
    append(out, Bytes{0x82, static_cast<std::uint8_t>(size >> 8)});
  } else if (size > 0x7f) {
    out.push_back(0x81);
  }
  out.push_back(static_cast<std::uint8_t>(size));
  append(out, content);
  return out;
}

void add_extension(X509* certificate, const char* oid, bool critical, const Bytes& value) {
  ASN1_OCTET_STRING* octets = ASN1_OCTET_STRING_new();
  ASN1_OCTET_STRING_set(octets, value.data(), static_cast<int>(value.size()));
  ASN1_OBJECT* object = OBJ_txt2obj(oid, 1);
  X509_EXTENSION* extension = X509_EXTENSION_create_by_OBJ(nullptr, object, critical ? 1 : 0, octets);
  STARLING_ASSERT(X509_add_ext(certificate, extension, -1) == 1);
  X509_EXTENSION_free(extension);
  ASN1_OBJECT_free(object);
  ASN1_OCTET_STRING_free(octets);
}

// Puts `[2] subjectUniqueID` in front of the extensions, which OpenSSL would not write, and signs again.
Bytes with_unique_id(const Bytes& certificate, evp_pkey_st* key) {
  const std::uint8_t* cursor = certificate.data();
  X509* parsed = d2i_X509(nullptr, &cursor, static_cast<long>(certificate.size()));
  const Bytes tbs = encoded(parsed, i2d_re_X509_tbs);
  X509_free(parsed);
  const std::size_t header = tbs[1] == 0x82 ? 4 : 3;
  Bytes content(tbs.begin() + static_cast<std::ptrdiff_t>(header), tbs.end());
  const auto tail = std::find(content.rbegin(), content.rend(), 0xa3);
  // The last 0xa3 that announces exactly the rest is the extensions' tag.
  auto at = content.size();
  for (std::size_t i = content.size(); i-- > 0;)
    if (content[i] == 0xa3 && i + 2 < content.size() &&
        ((content[i + 1] < 0x80 && i + 2 + content[i + 1] == content.size()) ||
         (content[i + 1] == 0x81 && i + 3 + content[i + 2] == content.size())))
      at = i;
  STARLING_ASSERT(tail != content.rend() && at != content.size());
  const Bytes id{0x82, 0x02, 0x00, 0x2a};
  content.insert(content.begin() + static_cast<std::ptrdiff_t>(at), id.begin(), id.end());
  Bytes whole = der(0x30, content);
  const Bytes signature = sign_with(key, "SHA256", whole);
  append(whole, testkit::hex("300a06082a8648ce3d040302"));
  Bytes bits{0};
  append(bits, signature);
  append(whole, der(0x03, bits));
  return der(0x30, whole);
}

int take_any(int, X509_STORE_CTX*) { return 1; }

int answer_first(SSL*, const unsigned char** out, unsigned char* size, const unsigned char*, unsigned,
                 void* argument) {
  const auto& name = *static_cast<const std::string*>(argument);
  *out = as_bytes(name).data();
  *size = static_cast<unsigned char>(name.size());
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace

std::shared_ptr<evp_pkey_st> make_key(const std::string& sort) {
  EVP_PKEY* key = nullptr;
  if (sort.starts_with("RSA-"))
    key = EVP_RSA_gen(static_cast<unsigned>(std::stoul(sort.substr(4))));
  else if (sort.starts_with("ED"))
    key = EVP_PKEY_Q_keygen(nullptr, nullptr, sort.c_str());
  else
    key = EVP_EC_gen(sort.c_str());
  STARLING_ASSERT(key != nullptr);
  return {key, EVP_PKEY_free};
}

Bytes public_der(evp_pkey_st* key) { return encoded(key, i2d_PUBKEY); }

Bytes sign_with(evp_pkey_st* key, const char* digest, ByteView message) {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  std::size_t size = 0;
  STARLING_ASSERT(EVP_DigestSignInit_ex(context, nullptr, digest, nullptr, nullptr, key, nullptr) == 1 &&
                  EVP_DigestSign(context, nullptr, &size, message.data(), message.size()) == 1);
  Bytes out(size);
  STARLING_ASSERT(EVP_DigestSign(context, out.data(), &size, message.data(), message.size()) == 1);
  EVP_MD_CTX_free(context);
  out.resize(size);
  return out;
}

Bytes signed_key(ByteView identity, ByteView signature) {
  Bytes content = der(0x04, identity);
  append(content, der(0x04, signature));
  return der(0x30, content);
}

Bytes signed_key(const crypto::PrivateKey& identity, ByteView spki) {
  Bytes text = to_bytes(kSignaturePrefix);
  append(text, spki);
  return signed_key(format::encode_public_key(identity.public_key()), identity.sign(text));
}

ForgedCertificate forge(const Forged& how) {
  const auto key = make_key(how.key);
  const Bytes spki = public_der(key.get());
  X509* certificate = X509_new();
  X509_set_version(certificate, how.version);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), 42);
  ASN1_TIME_set_string_X509(X509_getm_notBefore(certificate), how.not_before.c_str());
  ASN1_TIME_set_string_X509(X509_getm_notAfter(certificate), how.not_after.c_str());
  X509_set_pubkey(certificate, key.get());
  const Bytes value = how.value ? how.value(spki) : signed_key(host_key(1), spki);
  for (int i = 0; i < (how.extension ? 1 : 0) + (how.twice ? 1 : 0); ++i)
    add_extension(certificate, "1.3.6.1.4.1.53594.1.1", how.critical, value);
  if (how.other_critical)
    add_extension(certificate, "2.16.840.1.113730.1.13", *how.other_critical, Bytes(how.other_bytes, 0x20));
  const auto signer = how.foreign_signature ? make_key(how.key) : key;
  const EVP_MD* digest = how.digest == nullptr ? nullptr : EVP_get_digestbyname(how.digest);
  STARLING_ASSERT(X509_sign(certificate, signer.get(), digest) > 0);
  Bytes der = encoded(certificate, i2d_X509);
  X509_free(certificate);
  if (how.subject_unique_id) der = with_unique_id(der, key.get());
  return {der, key};
}

Stranger::How Stranger::honest(Role role) {
  const auto made = forge();
  How how;
  how.role = role;
  how.certificates = {made.der};
  how.key = made.key;
  return how;
}

Stranger::Stranger(How how) : how_(std::move(how)), context_(SSL_CTX_new(TLS_method())) {
  SSL_CTX_set_security_level(context_, 0);
  SSL_CTX_set_min_proto_version(context_, how_.version);
  SSL_CTX_set_max_proto_version(context_, how_.version);
  if (how_.cipher != nullptr) SSL_CTX_set_ciphersuites(context_, how_.cipher);
  SSL_CTX_set_num_tickets(context_, how_.tickets);
  SSL_CTX_set_verify(context_, how_.demands_certificate ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, take_any);
  for (std::size_t i = 0; i < how_.certificates.size(); ++i) {
    const std::uint8_t* cursor = how_.certificates[i].data();
    X509* certificate = d2i_X509(nullptr, &cursor, static_cast<long>(how_.certificates[i].size()));
    if (i == 0) {
      STARLING_ASSERT(SSL_CTX_use_certificate(context_, certificate) == 1);
      X509_free(certificate);
    } else {
      STARLING_ASSERT(SSL_CTX_add_extra_chain_cert(context_, certificate) == 1);
    }
  }
  if (how_.key) STARLING_ASSERT(SSL_CTX_use_PrivateKey(context_, how_.key.get()) == 1);
  if (how_.role == Role::server && !how_.alpn.empty())
    SSL_CTX_set_alpn_select_cb(context_, answer_first, &how_.alpn.front());
  ssl_ = SSL_new(context_);
  SSL_set_bio(ssl_, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  if (how_.role == Role::server) {
    SSL_set_accept_state(ssl_);
    return;
  }
  SSL_set_connect_state(ssl_);
  Bytes protocols;
  for (const auto& name : how_.alpn) {
    protocols.push_back(static_cast<std::uint8_t>(name.size()));
    append(protocols, as_bytes(name));
  }
  SSL_set_alpn_protos(ssl_, protocols.data(), static_cast<unsigned>(protocols.size()));
}

Stranger::~Stranger() {
  SSL_free(ssl_);
  SSL_CTX_free(context_);
  ERR_clear_error();
}

void Stranger::hear(ByteView bytes) {
  if (!bytes.empty()) BIO_write(SSL_get_rbio(ssl_), bytes.data(), static_cast<int>(bytes.size()));
}

bool Stranger::shake() {
  const bool done = SSL_do_handshake(ssl_) == 1;
  ERR_clear_error();
  return done;
}

Bytes Stranger::say() {
  Bytes out(BIO_ctrl_pending(SSL_get_wbio(ssl_)));
  if (!out.empty()) BIO_read(SSL_get_wbio(ssl_), out.data(), static_cast<int>(out.size()));
  return out;
}

bool Stranger::write(ByteView bytes) {
  const bool good = SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())) > 0;
  ERR_clear_error();
  return good;
}

Bytes Stranger::read() {
  Bytes out;
  Bytes piece(1 << 14);
  for (;;) {
    const int size = SSL_read(ssl_, piece.data(), static_cast<int>(piece.size()));
    ERR_clear_error();
    if (size <= 0) return out;
    append(out, ByteView(piece).first(static_cast<std::size_t>(size)));
  }
}

void Stranger::update_key(bool ask_for_theirs) {
  SSL_key_update(ssl_, ask_for_theirs ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED);
  SSL_do_handshake(ssl_);
}

void Stranger::pad_records(std::size_t bytes) { SSL_set_block_padding(ssl_, bytes); }

bool Stranger::saw_server_name() const {
  return SSL_get_servername(ssl_, TLSEXT_NAMETYPE_host_name) != nullptr;
}
bool Stranger::saw_certificate() const { return SSL_get0_peer_certificate(ssl_) != nullptr; }
bool Stranger::saw_close() const { return (SSL_get_shutdown(ssl_) & SSL_RECEIVED_SHUTDOWN) != 0; }
const std::string& Stranger::cipher() const {
  cipher_ = SSL_CIPHER_get_name(SSL_get_current_cipher(ssl_));
  return cipher_;
}

}  // namespace starling::tls
