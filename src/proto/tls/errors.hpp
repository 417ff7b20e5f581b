#pragma once
#include "base/result.hpp"

namespace starling::tls {

enum class Errc : std::uint16_t {
  bad_record = 1,              ///< no TLS record: an unknown type or version, or a length that TLS forbids
  handshake_too_large,         ///< more than kHandshakeBytesMax before the handshake is over
  bad_handshake,               ///< TLS itself is violated, or the two sides have no algorithm in common
  unsupported_version,         ///< the peer does not speak TLS 1.3
  no_certificate,              ///< the peer proves nothing
  several_certificates,        ///< a chain; libp2p certificates stand alone
  bad_certificate,             ///< not one X.509 certificate of version 3, or one with deprecated fields
  certificate_not_valid_now,   ///< before its first or after its last moment
  unsupported_certificate,     ///< its key or signature algorithm is none that TLS 1.3 uses
  bad_certificate_signature,   ///< it is not signed by its own key
  unknown_critical_extension,  ///< an extension that must not be ignored, and that we do not know
  no_extension,                ///< the libp2p extension is missing
  bad_extension,               ///< the libp2p extension is malformed or there twice
  bad_identity_key,            ///< the identity key does not decode or has an unknown type
  bad_identity_signature,      ///< the identity key did not sign this certificate's key
  wrong_peer,                  ///< somebody else than the peer that was dialled
  no_common_muxer,             ///< no application protocol in common, or one that was not offered
  refused_by_peer,             ///< the peer ended the channel with a fatal alert
  decrypt_failed,              ///< a record does not decrypt: altered bytes, another key, a replay
  too_many_control_records,    ///< record after record without a byte of data
  closed,                      ///< used after the peer has closed
  timed_out,                   ///< the handshake did not end within its deadline
  broken,                      ///< used again after it failed
};
Error make_error(Errc code) noexcept;

}  // namespace starling::tls
