#pragma once
// The self-signed certificate that carries a libp2p identity. Spec: libp2p/specs tls/tls.md, Peer
// Authentication.
#include "base/rng.hpp"
#include "base/time.hpp"
#include "crypto/evp.hpp"
#include "crypto/keys.hpp"
#include "tls/errors.hpp"
#include "tls/limits.hpp"

namespace starling::tls {

/// The text that an identity key signs in front of the certificate's key.
inline constexpr std::string_view kSignaturePrefix = "libp2p-tls-handshake:";

/// A certificate in DER and the P-256 key that it names and that signed it.
struct Certificate {
  Bytes der;
  crypto::evp::Pkey key;
};

/// Makes a key and its certificate, valid from 1975 to 4096: a node whose clock is wrong is not locked out,
/// and nothing is gained by an end, because the identity key that vouches for it has none.
Certificate make_certificate(const crypto::PrivateKey& identity, Rng& rng);

/// The identity that a certificate proves at `now`. Errc::bad_certificate, certificate_not_valid_now,
/// unsupported_certificate, unknown_critical_extension, no_extension, bad_extension, bad_identity_key,
/// bad_certificate_signature, bad_identity_signature. Costs two signature checks at the most.
Result<crypto::PublicKey> read_certificate(ByteView der, WallTime now);

}  // namespace starling::tls
