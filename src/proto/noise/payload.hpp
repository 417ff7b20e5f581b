#pragma once
// What libp2p carries inside Noise messages 2 and 3: who owns the static key, and which muxers it speaks.
// Spec: libp2p/specs noise/README.md.
#include <string>
#include <vector>

#include "crypto/keys.hpp"
#include "crypto/x25519.hpp"
#include "noise/errors.hpp"
#include "noise/limits.hpp"

namespace starling::noise {

/// The text that an identity key signs in front of the static key.
inline constexpr std::string_view kSignaturePrefix = "noise-libp2p-static-key:";

/// NoiseHandshakePayload { identity_key = 1; identity_sig = 2; extensions = 4 { stream_muxers = 2 } }. Not
/// length-prefixed. First the part that depends on the keys only: signs `static_public` with `identity`.
Bytes make_proof(const crypto::PrivateKey& identity, const crypto::X25519Key& static_public);
/// The proof with the muxers, in order of preference; none = no extension.
Bytes add_muxers(Bytes proof, const std::vector<std::string>& muxers);
/// Both at once.
inline Bytes make_payload(const crypto::PrivateKey& identity, const crypto::X25519Key& static_public,
                          const std::vector<std::string>& muxers) {
  return add_muxers(make_proof(identity, static_public), muxers);
}

struct Payload {
  crypto::PublicKey identity;
  std::vector<std::string> muxers;
};
/// Decodes a payload and checks that its identity key signed `static_public`. Unknown fields are skipped (old
/// peers send a field 3), webtransport_certhashes too. Errc::bad_payload (also for more than kMuxersMax
/// muxers or a longer one than kMuxerBytesMax), Errc::bad_identity_key, Errc::bad_identity_signature.
Result<Payload> read_payload(ByteView bytes, const crypto::X25519Key& static_public);

}  // namespace starling::noise
