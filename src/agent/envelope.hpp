#pragma once
// Envelope (PROTOCOL.md §4): what agents send, on gossip and on streams.
#include <optional>
#include <string>

#include "agent/delegation.hpp"
#include "agent/message_key.hpp"
#include "base/slice.hpp"
#include "crypto/x25519.hpp"

namespace starling::agent {

/// The number on the wire is an int32; unknown ones are kept.
enum class MessageKind : std::int32_t { message = 0, receipt = 1, request = 2, response = 3 };
/// "other" for a number that we do not know.
std::string_view to_string(MessageKind kind) noexcept;

/// Ciphertext for one seal key of the addressee.
struct Sealed {
  crypto::X25519Key seal_key;  ///< the public key it was sealed to
  crypto::X25519Key enc;       ///< the ephemeral public key
  Slice ciphertext;
};

/// An envelope whose bytes keep every rule that bytes alone can keep. Body and ciphertext share the memory of
/// what was decoded.
struct Envelope {
  std::uint32_t version = kEnvelopeVersion;
  EnvelopeId id{};
  EthAddress from;
  std::optional<EthAddress> to;  ///< none: a broadcast
  WallTime sent_at;
  WallTime expires_at;
  std::string content_type;   ///< empty means text/plain
  std::optional<Slice> body;  ///< exactly one of body and sealed
  std::optional<Sealed> sealed;
  Bytes conversation;
  std::optional<EnvelopeId> in_reply_to;
  MessageKind kind = MessageKind::message;
  WallTime published_at;  ///< gossip only; 0 = absent
  SignedDelegation delegation;

  MessageKey key() const noexcept { return {from, id}; }
  bool is_broadcast() const noexcept { return !to.has_value(); }
};

/// The fields as they stand on the wire, of any length: the outcome of row 3. Views into the message.
struct EnvelopeFields {
  std::uint32_t version = 0;
  ByteView id, from, to;
  std::uint64_t sent_at = 0, expires_at = 0;
  std::string content_type;
  std::optional<ByteView> body;
  struct SealedFields {
    ByteView seal_key, enc, ciphertext;
  };
  std::optional<SealedFields> sealed;
  ByteView conversation, in_reply_to;
  std::int32_t kind = 0;
  std::uint64_t published_at = 0;
  std::optional<SignedDelegation> delegation;
};

/// Where an envelope travels decides about published_at.
enum class Path : std::uint8_t { gossip, stream };

/// Row 3 without the size: strict decoding of the message and its embedded messages. Format errors.
Result<EnvelopeFields> decode_envelope_fields(ByteView data);

struct CheckedEnvelope {
  Envelope fields;
  CheckedDelegation delegation;
};
/// Row 5: sizes, limits and fixed relations, delegation included. `fields` views `data`. Rows 3 and 4 about
/// `version` come first and are check_version()'s.
Result<CheckedEnvelope> check_fields(const EnvelopeFields& fields, const Slice& data, Path path,
                                     const NetworkName& network);
/// The part of check_fields() that looks at no delegation, for an addressee that judges the content alone:
/// sizes, one of body and sealed, what stands where. `version` and `from` are taken as they are.
Result<Envelope> check_content_fields(const EnvelopeFields& fields, const Slice& data);
/// Errc::no_version (row 3), Errc::later_version (row 4).
Result<void> check_version(const EnvelopeFields& fields) noexcept;

/// The bytes that travel. `published_at` 0 leaves it out.
Bytes encode(const Envelope& envelope);
/// The data of one publication on gossip: the envelope with this published_at. Errc::too_large over 32 KiB.
Result<Bytes> make_publication(Envelope envelope, WallTime published_at);

/// `starling-aad/1` ‖ version ‖ id ‖ from ‖ to ‖ sent_at ‖ expires_at: what sealing binds and receipts
/// digest.
Bytes aad_of(const Envelope& envelope);
/// SHA-256(aad ‖ SHA-256(body, or ciphertext when sealed)): what a receipt acknowledges.
crypto::Hash256 digest_of(const Envelope& envelope);

/// Off gossip an envelope travels signed by itself.
struct SignedEnvelope {
  Slice envelope;
  Bytes signature;
};
/// The whole SignedEnvelope; published_at is left out, whatever `envelope` says. Errc::too_large over 1 MiB.
Result<Bytes> make_signed_envelope(const Envelope& envelope, const crypto::PrivateKey& node_key,
                                   const Signatures& signatures);
/// Row 3 of the container: Errc::too_large for an envelope over 1 MiB, format errors. Shares memory with
/// `frame`.
Result<SignedEnvelope> decode_signed_envelope(const Slice& frame);

}  // namespace starling::agent
