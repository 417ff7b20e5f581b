#include "tls/identity.hpp"

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "base/assert.hpp"
#include "tls/channel.hpp"

namespace starling::tls {
namespace {

constexpr const char* kCipherSuites =
    "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384";
constexpr const char* kGroups = "X25519:P-256:P-384";
// Of handshakes and certificates, what check_algorithms() takes.
constexpr const char* kSignatureAlgorithms =
    "ecdsa_secp256r1_sha256:ed25519:ecdsa_secp384r1_sha384:ecdsa_secp521r1_sha512:"
    "rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:rsa_pss_rsae_sha512:"
    "rsa_pkcs1_sha256:rsa_pkcs1_sha384:rsa_pkcs1_sha512";
// Below it are algorithms of less than 112 bits. Said here, so that the machine's settings do not matter.
constexpr int kSecurityLevel = 2;
constexpr std::string_view kSessionContext = "libp2p";

Judge* judge_of(SSL* ssl) { return static_cast<Channel*>(SSL_get_app_data(ssl))->judge(); }

int refuse(Judge& judge, Error error) {
  judge.verdict = error;
  return 0;
}

// In the place of OpenSSL's check of chains, which asks the clock and knows nothing of libp2p.
int judge_certificate(X509_STORE_CTX* store, void*) {
  X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);  // the alert that a refusal sends
  auto* ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  Judge* judge = judge_of(ssl);
  if (judge == nullptr) return 0;  // after the handshake nobody may show a certificate
  const auto* chain = X509_STORE_CTX_get0_untrusted(store);
  if (chain != nullptr && sk_X509_num(chain) > 1)
    return refuse(*judge, make_error(Errc::several_certificates));
  Bytes der(kCertificateBytesMax);
  X509* certificate = X509_STORE_CTX_get0_cert(store);
  const int size = certificate == nullptr ? 0 : i2d_X509(certificate, nullptr);
  if (size <= 0 || static_cast<std::size_t>(size) > der.size())
    return refuse(*judge, make_error(Errc::bad_certificate));
  std::uint8_t* cursor = der.data();
  i2d_X509(certificate, &cursor);
  der.resize(static_cast<std::size_t>(size));
  auto key = read_certificate(der, judge->now);
  if (!key) return refuse(*judge, key.error());
  judge->peer = PeerId::of(*key);
  if (judge->expected_peer && *judge->expected_peer != judge->peer)
    return refuse(*judge, make_error(Errc::wrong_peer));
  judge->key = *std::move(key);
  X509_STORE_CTX_set_error(store, X509_V_OK);
  return 1;
}

// The first of the client's list that we know too, as the specification of the early muxer wants it.
int choose_protocol(SSL* ssl, const unsigned char** out, unsigned char* out_size,
                    const unsigned char* offered, unsigned offered_size, void*) {
  Judge* judge = judge_of(ssl);
  ByteView rest(offered, offered_size);
  while (!rest.empty() && rest.size() > rest[0]) {
    const ByteView name = rest.subspan(1, rest[0]);
    rest = rest.subspan(1 + name.size());
    const std::string_view text = as_text(name);
    const auto& muxers = judge->muxers;
    if (text != kNoMuxer && std::find(muxers.begin(), muxers.end(), text) == muxers.end()) continue;
    *out = name.data();
    *out_size = static_cast<unsigned char>(name.size());
    return SSL_TLSEXT_ERR_OK;
  }
  judge->verdict = make_error(Errc::no_common_muxer);
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

SSL_CTX* make_context(const Certificate& certificate) {
  SSL_CTX* context = SSL_CTX_new(TLS_method());
  STARLING_ASSERT(context != nullptr);
  const bool good = SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) == 1 &&
                    SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) == 1 &&
                    SSL_CTX_set_ciphersuites(context, kCipherSuites) == 1 &&
                    SSL_CTX_set1_groups_list(context, kGroups) == 1 &&
                    SSL_CTX_set1_sigalgs_list(context, kSignatureAlgorithms) == 1 &&
                    SSL_CTX_set_session_id_context(context, as_bytes(kSessionContext).data(),
                                                   kSessionContext.size()) == 1 &&
                    SSL_CTX_set_num_tickets(context, 0) == 1 && SSL_CTX_set_max_early_data(context, 0) == 1 &&
                    SSL_CTX_use_certificate_ASN1(context, static_cast<int>(certificate.der.size()),
                                                 certificate.der.data()) == 1 &&
                    SSL_CTX_use_PrivateKey(context, certificate.key.get()) == 1;
  STARLING_ASSERT(good);
  SSL_CTX_set_security_level(context, kSecurityLevel);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(context, 0);
  SSL_CTX_set_max_cert_list(context, kCertificateBytesMax);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_cert_verify_callback(context, judge_certificate, nullptr);
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
  return context;
}

}  // namespace

Identity::Identity(const crypto::PrivateKey& identity, Rng& rng) : key_(identity.public_key()) {
  const crypto::evp::ErrorQueueGuard guard;
  Certificate certificate = make_certificate(identity, rng);
  context_ = make_context(certificate);
  certificate_ = std::move(certificate.der);
}

Identity::~Identity() { SSL_CTX_free(context_); }

}  // namespace starling::tls
