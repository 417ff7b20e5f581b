#pragma once
#include "tls/certificate.hpp"

struct ssl_ctx_st;

namespace starling::tls {

/// The protocol id that multistream-select negotiates.
inline constexpr std::string_view kProtocolId = "/tls/1.0.0";
/// What ALPN says when the muxer is left to multistream-select.
inline constexpr std::string_view kNoMuxer = "libp2p";

/// A certificate and the settings of TLS, shared by all handshakes of a node.
///
/// What for: a handshake that makes its own pays a key, two signatures and a table of algorithms each time.
/// Lifetime: made once, outlives every handshake that uses it; not changed afterwards, so that every shard
/// may use it at the same time. The certificate's key is never stored; it lives as long as this object.
/// Settings: TLS 1.3 only; X25519, P-256, P-384; the three cipher suites of TLS 1.3; a certificate demanded
/// of both sides; no tickets, no resumption, no early data, no SNI.
/// Spec: libp2p/specs tls/tls.md allows one certificate for many connections.
class Identity {
 public:
  Identity(const crypto::PrivateKey& identity, Rng& rng);
  Identity(const Identity&) = delete;
  Identity& operator=(const Identity&) = delete;
  ~Identity();

  /// Whose signature the certificate carries.
  const crypto::PublicKey& key() const noexcept { return key_; }
  ByteView certificate() const noexcept { return certificate_; }
  /// Internal to this module.
  ssl_ctx_st* context() const noexcept { return context_; }

 private:
  crypto::PublicKey key_;
  Bytes certificate_;
  ssl_ctx_st* context_;
};

}  // namespace starling::tls
