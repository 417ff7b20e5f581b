#include "agent/envelope.hpp"

#include "agent/limits.hpp"
#include "agent/names.hpp"
#include "agent/times.hpp"
#include "format/protobuf.hpp"

namespace starling::agent {
namespace {

/// The part of `data` that `view` shows.
Slice slice_of(const Slice& data, ByteView view) {
  if (view.empty()) return {};
  return data.sub(static_cast<std::size_t>(view.data() - data.data()), view.size());
}

Result<std::optional<EnvelopeFields::SealedFields>> decode_sealed(ByteView payload) {
  if (payload.empty()) return std::nullopt;  // an embedded message of length 0 is absent
  EnvelopeFields::SealedFields out;
  STARLING_TRY(pb::each_field(payload, pb::field_range(1, 3), 0, [&](const pb::Field& field) -> Result<void> {
    STARLING_ASSIGN(const ByteView bytes, pb::as_bytes(field));
    (field.id == 1 ? out.seal_key : field.id == 2 ? out.enc : out.ciphertext) = bytes;
    return {};
  }));
  return out;
}

Result<void> set_field(EnvelopeFields& out, const pb::Field& field) {
  switch (field.id) {
    case 1: {
      STARLING_ASSIGN(out.version, pb::as_u32(field));
      return {};
    }
    case 2: {
      STARLING_ASSIGN(out.id, pb::as_bytes(field));
      return {};
    }
    case 3: {
      STARLING_ASSIGN(out.from, pb::as_bytes(field));
      return {};
    }
    case 4: {
      STARLING_ASSIGN(out.to, pb::as_bytes(field));
      return {};
    }
    case 5: {
      STARLING_ASSIGN(out.sent_at, pb::as_u64(field));
      return {};
    }
    case 6: {
      STARLING_ASSIGN(out.expires_at, pb::as_u64(field));
      return {};
    }
    case 7: {
      STARLING_ASSIGN(out.content_type, pb::as_string(field));
      return {};
    }
    case 8: {
      STARLING_ASSIGN(out.body, pb::as_bytes(field));
      return {};
    }
    case 9: {
      STARLING_ASSIGN(const ByteView payload, pb::as_bytes(field));
      STARLING_ASSIGN(out.sealed, decode_sealed(payload));
      return {};
    }
    case 10: {
      STARLING_ASSIGN(out.conversation, pb::as_bytes(field));
      return {};
    }
    case 11: {
      STARLING_ASSIGN(out.in_reply_to, pb::as_bytes(field));
      return {};
    }
    case 12: {
      STARLING_ASSIGN(out.kind, pb::as_i32(field));
      return {};
    }
    case 13: {
      STARLING_ASSIGN(out.published_at, pb::as_u64(field));
      return {};
    }
    case 15: {
      STARLING_ASSIGN(const ByteView payload, pb::as_bytes(field));
      STARLING_ASSIGN(SignedDelegation delegation, decode_signed_delegation(payload));
      if (!delegation.absent()) out.delegation = std::move(delegation);
      return {};
    }
    default: return {};
  }
}

/// Sizes and the rules among the fields of the envelope itself.
Result<void> check_content(const EnvelopeFields& fields) {
  if (fields.content_type.size() > kContentTypeBytesMax) return fail(Errc::text_too_long);
  if (fields.conversation.size() > kConversationBytesMax) return fail(Errc::bad_conversation);
  if (!fields.in_reply_to.empty() && fields.in_reply_to.size() != kEnvelopeIdBytes)
    return fail(Errc::bad_in_reply_to);
  if (fields.body.has_value() == fields.sealed.has_value()) return fail(Errc::body_and_sealed);
  if (fields.sealed) {
    if (fields.to.empty()) return fail(Errc::sealed_without_to);
    if (!fields.content_type.empty() || !fields.conversation.empty() || !fields.in_reply_to.empty() ||
        fields.kind != 0)
      return fail(Errc::field_outside_seal);
    if (fields.sealed->seal_key.size() != kSealKeyBytes || fields.sealed->enc.size() != kSealKeyBytes ||
        fields.sealed->ciphertext.size() < kCiphertextBytesMin)
      return fail(Errc::bad_sealed);
  }
  const bool is_response = fields.kind == static_cast<std::int32_t>(MessageKind::response);
  if (is_response && fields.in_reply_to.empty()) return fail(Errc::bad_in_reply_to);
  return {};
}

Result<void> check_life(const Envelope& envelope, const Delegation& delegation) {
  if (envelope.expires_at <= envelope.sent_at ||
      envelope.expires_at > earlier(envelope.sent_at + kEnvelopeLifeMax, delegation.not_after))
    return fail(Errc::bad_life);
  return {};
}

Bytes encode_sealed(const Sealed& sealed) {
  Bytes out;
  pb::Writer writer(out);
  writer.bytes(1, sealed.seal_key);
  writer.bytes(2, sealed.enc);
  writer.bytes(3, sealed.ciphertext);
  return out;
}

}  // namespace

std::string_view to_string(MessageKind kind) noexcept {
  switch (kind) {
    case MessageKind::message: return "message";
    case MessageKind::receipt: return "receipt";
    case MessageKind::request: return "request";
    case MessageKind::response: return "response";
  }
  return "other";
}

Result<EnvelopeFields> decode_envelope_fields(ByteView data) {
  EnvelopeFields out;
  STARLING_TRY(pb::each_field(data, pb::field_range(1, 15) & ~pb::field_bit(14), 0,
                              [&](const pb::Field& field) { return set_field(out, field); }));
  return out;
}

Result<void> check_version(const EnvelopeFields& fields) noexcept {
  if (fields.version == 0) return fail(Errc::no_version);
  if (fields.version > kEnvelopeVersion) return fail(Errc::later_version);
  return {};
}

Result<Envelope> check_content_fields(const EnvelopeFields& fields, const Slice& data) {
  Envelope out;
  out.version = fields.version;
  const auto id = to_fixed<kEnvelopeIdBytes>(fields.id);
  if (!id) return fail(Errc::bad_id);
  out.id = *id;
  const auto from = to_fixed<20>(fields.from);
  if (!from) return fail(Errc::bad_from);
  out.from = EthAddress(*from);
  if (!fields.to.empty()) {
    const auto to = to_fixed<20>(fields.to);
    if (!to) return fail(Errc::bad_to);
    out.to = EthAddress(*to);
  }
  STARLING_TRY(check_content(fields));
  out.sent_at = WallTime::from_ms(fields.sent_at);
  out.expires_at = WallTime::from_ms(fields.expires_at);
  out.published_at = WallTime::from_ms(fields.published_at);
  out.content_type = fields.content_type;
  if (fields.body) out.body = slice_of(data, *fields.body);
  if (fields.sealed)
    out.sealed =
        Sealed{*to_fixed<kSealKeyBytes>(fields.sealed->seal_key),
               *to_fixed<kSealKeyBytes>(fields.sealed->enc), slice_of(data, fields.sealed->ciphertext)};
  out.conversation = to_bytes(fields.conversation);
  if (!fields.in_reply_to.empty()) out.in_reply_to = to_fixed<kEnvelopeIdBytes>(fields.in_reply_to);
  out.kind = static_cast<MessageKind>(fields.kind);
  if (fields.delegation) out.delegation = *fields.delegation;
  return out;
}

Result<CheckedEnvelope> check_fields(const EnvelopeFields& fields, const Slice& data, Path path,
                                     const NetworkName& network) {
  STARLING_ASSIGN(Envelope out, check_content_fields(fields, data));
  if (path == Path::stream && fields.published_at != 0) return fail(Errc::published_at_on_stream);
  if (!fields.delegation) return fail(Errc::no_delegation);
  STARLING_ASSIGN(CheckedDelegation delegation, check_fields(*fields.delegation, network));
  if (out.from != delegation.fields.wallet) return fail(Errc::not_the_delegation);
  STARLING_TRY(check_life(out, delegation.fields));
  return CheckedEnvelope{std::move(out), std::move(delegation)};
}

Bytes encode(const Envelope& envelope) {
  Bytes out;
  pb::Writer writer(out);
  writer.varint_if(1, envelope.version);
  writer.bytes(2, envelope.id);
  writer.bytes(3, envelope.from.bytes());
  if (envelope.to) writer.bytes(4, envelope.to->bytes());
  writer.varint_if(5, envelope.sent_at.ms());
  writer.varint_if(6, envelope.expires_at.ms());
  writer.string_if(7, envelope.content_type);
  if (envelope.body) writer.bytes(8, *envelope.body);  // optional: present even with length 0
  if (envelope.sealed) writer.bytes(9, encode_sealed(*envelope.sealed));
  writer.bytes_if(10, envelope.conversation);
  if (envelope.in_reply_to) writer.bytes(11, *envelope.in_reply_to);
  if (envelope.kind != MessageKind::message) writer.int32(12, static_cast<std::int32_t>(envelope.kind));
  writer.varint_if(13, envelope.published_at.ms());
  writer.bytes_if(15, encode(envelope.delegation));
  return out;
}

Bytes aad_of(const Envelope& envelope) {
  Bytes out = to_bytes(kAadName);
  put_u32_be(out, envelope.version);
  append(out, envelope.id);
  append(out, envelope.from.bytes());
  if (envelope.to) append(out, envelope.to->bytes());
  put_u64_be(out, envelope.sent_at.ms());
  put_u64_be(out, envelope.expires_at.ms());
  return out;
}

crypto::Hash256 digest_of(const Envelope& envelope) {
  const Slice content = envelope.sealed ? envelope.sealed->ciphertext : envelope.body.value_or(Slice{});
  return crypto::sha256({aad_of(envelope), crypto::sha256(content.view())});
}

Result<Bytes> make_publication(Envelope envelope, WallTime published_at) {
  envelope.published_at = published_at;
  Bytes data = encode(envelope);
  if (data.size() > kEnvelopeGossipBytesMax) return fail(Errc::too_large);
  return data;
}

Result<Bytes> make_signed_envelope(const Envelope& envelope, const crypto::PrivateKey& node_key,
                                   const Signatures& signatures) {
  Envelope off_gossip = envelope;
  off_gossip.published_at = {};
  const Bytes bytes = encode(off_gossip);
  if (bytes.size() > kEnvelopeStreamBytesMax) return fail(Errc::too_large);
  Bytes out;
  pb::Writer writer(out);
  writer.bytes(1, bytes);
  writer.bytes(2, signatures.sign(node_key, kEnvelopePrefix, bytes));
  return out;
}

Result<SignedEnvelope> decode_signed_envelope(const Slice& frame) {
  if (frame.size() > kSignedEnvelopeBytesMax) return fail(Errc::too_large);
  SignedEnvelope out;
  STARLING_TRY(
      pb::each_field(frame.view(), pb::field_range(1, 2), 0, [&](const pb::Field& field) -> Result<void> {
        STARLING_ASSIGN(const ByteView payload, pb::as_bytes(field));
        if (field.id == 2) {
          out.signature = to_bytes(payload);
          return {};
        }
        if (payload.size() > kEnvelopeStreamBytesMax) return fail(Errc::too_large);
        out.envelope = slice_of(frame, payload);
        return {};
      }));
  return out;
}

}  // namespace starling::agent
