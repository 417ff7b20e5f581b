#pragma once
// Sealing (PROTOCOL.md §4): HPKE base mode to the addressee's X25519 key, padded to a few sizes.
#include <optional>
#include <string>

#include "agent/envelope.hpp"
#include "base/rng.hpp"
#include "crypto/x25519.hpp"

namespace starling::agent {

/// What a sealed envelope hides.
struct Inner {
  std::string content_type;
  Bytes body;
  Bytes conversation;
  std::optional<EnvelopeId> in_reply_to;
  MessageKind kind = MessageKind::message;
};

/// Without padding.
Bytes encode(const Inner& inner);
/// The size to which `inner_bytes` are padded: the next of 256 B, 1, 4, 16, 28, 32 KiB, then multiples of 32
/// KiB; one step further where a pad field cannot fill the gap exactly.
std::size_t padded_size(std::size_t inner_bytes) noexcept;
/// Appends the pad field.
Bytes pad_inner(Bytes inner);
/// Strict; the limits of the fields hold inside. Errc::cannot_open for any fault. The padding step is not
/// checked.
Result<Inner> decode_inner(ByteView plaintext);

/// Seals `inner` into `envelope`, whose id, from, to, sent_at and expires_at stand already; its body and the
/// fields that belong inside are emptied. Errc::sealed_without_to, bad_seal_key (a low-order key),
/// bad_in_reply_to.
Result<void> seal_into(Envelope& envelope, const Inner& inner, const crypto::X25519Key& recipient,
                       const crypto::X25519KeyPair& ephemeral);
inline Result<void> seal_into(Envelope& envelope, const Inner& inner, const crypto::X25519Key& recipient,
                              Rng& rng) {
  return seal_into(envelope, inner, recipient, crypto::x25519_generate(rng));
}
/// Errc::cannot_open: altered, sealed to another context, or an Inner that breaks the rules (receipt code 2).
Result<Inner> open_sealed(const Envelope& envelope, const crypto::X25519KeyPair& recipient);

/// The content of any envelope: opened with the right one of our keys, or as it stands when it is plain.
class SealKeys;
/// Errc::unknown_seal_key (receipt code 1), Errc::cannot_open (code 2).
Result<Inner> open_envelope(const Envelope& envelope, const SealKeys& keys);

}  // namespace starling::agent
