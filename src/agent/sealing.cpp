#include "agent/sealing.hpp"

#include <algorithm>
#include <array>

#include "agent/limits.hpp"
#include "agent/names.hpp"
#include "agent/seal_keys.hpp"
#include "format/protobuf.hpp"
#include "format/varint.hpp"

namespace starling::agent {
namespace {

constexpr std::uint32_t kPadField = 15;
constexpr std::size_t kLargeStep = 32 * 1024;
constexpr std::array<std::size_t, 5> kSteps{256, 1024, 4 * 1024, 16 * 1024, 28 * 1024};

std::size_t step_at_or_above(std::size_t size) noexcept {
  for (const std::size_t step : kSteps)
    if (size <= step) return step;
  return (size + kLargeStep - 1) / kLargeStep * kLargeStep;
}

/// How many pad bytes fill `gap` exactly, tag (one byte) and minimal length included.
std::optional<std::size_t> pad_bytes_for(std::size_t gap) noexcept {
  for (std::size_t length_bytes = 1; length_bytes <= 4; ++length_bytes) {
    if (gap < 1 + length_bytes) return std::nullopt;
    const std::size_t pad = gap - 1 - length_bytes;
    if (format::varint_size(pad) == length_bytes) return pad;
  }
  return std::nullopt;
}

Result<void> set_field(Inner& inner, const pb::Field& field) {
  switch (field.id) {
    case 1: {
      STARLING_ASSIGN(inner.content_type, pb::as_string(field));
      return {};
    }
    case 2: {
      STARLING_ASSIGN(const ByteView body, pb::as_bytes(field));
      inner.body = to_bytes(body);
      return {};
    }
    case 3: {
      STARLING_ASSIGN(const ByteView conversation, pb::as_bytes(field));
      if (conversation.size() > kConversationBytesMax) return fail(Errc::bad_conversation);
      inner.conversation = to_bytes(conversation);
      return {};
    }
    case 4: {
      STARLING_ASSIGN(const ByteView id, pb::as_bytes(field));
      if (id.empty()) return {};
      inner.in_reply_to = to_fixed<kEnvelopeIdBytes>(id);
      if (!inner.in_reply_to) return fail(Errc::bad_in_reply_to);
      return {};
    }
    case 5: {
      STARLING_ASSIGN(const std::int32_t kind, pb::as_i32(field));
      inner.kind = static_cast<MessageKind>(kind);
      return {};
    }
    case kPadField: STARLING_TRY(pb::as_bytes(field)); return {};
    default: return {};
  }
}

Result<void> check(const Inner& inner) {
  if (inner.content_type.size() > kContentTypeBytesMax) return fail(Errc::text_too_long);
  if (inner.conversation.size() > kConversationBytesMax) return fail(Errc::bad_conversation);
  if (inner.kind == MessageKind::response && !inner.in_reply_to) return fail(Errc::bad_in_reply_to);
  return {};
}

Result<Inner> decode_strictly(ByteView plaintext) {
  Inner out;
  STARLING_TRY(pb::each_field(plaintext, pb::field_range(1, 5) | pb::field_bit(kPadField), 0,
                              [&](const pb::Field& field) { return set_field(out, field); }));
  STARLING_TRY(check(out));
  return out;
}

}  // namespace

Bytes encode(const Inner& inner) {
  Bytes out;
  pb::Writer writer(out);
  writer.string_if(1, inner.content_type);
  writer.bytes_if(2, inner.body);
  writer.bytes_if(3, inner.conversation);
  if (inner.in_reply_to) writer.bytes(4, *inner.in_reply_to);
  if (inner.kind != MessageKind::message) writer.int32(5, static_cast<std::int32_t>(inner.kind));
  return out;
}

std::size_t padded_size(std::size_t inner_bytes) noexcept {
  std::size_t step = step_at_or_above(inner_bytes);
  while (step != inner_bytes && !pad_bytes_for(step - inner_bytes)) step = step_at_or_above(step + 1);
  return step;
}

Bytes pad_inner(Bytes inner) {
  const std::size_t target = padded_size(inner.size());
  if (target == inner.size()) return inner;
  const Bytes zeros(*pad_bytes_for(target - inner.size()), 0);
  inner.reserve(target);
  pb::Writer(inner).bytes(kPadField, zeros);
  return inner;
}

Result<Inner> decode_inner(ByteView plaintext) {
  auto inner = decode_strictly(plaintext);
  if (!inner) return fail(Errc::cannot_open);
  return inner;
}

Result<void> seal_into(Envelope& envelope, const Inner& inner, const crypto::X25519Key& recipient,
                       const crypto::X25519KeyPair& ephemeral) {
  if (!envelope.to) return fail(Errc::sealed_without_to);
  STARLING_TRY(check(inner));
  Bytes plaintext = pad_inner(encode(inner));
  auto sealed = crypto::hpke_seal(recipient, as_bytes(kSealInfo), aad_of(envelope), plaintext, ephemeral);
  crypto::wipe(plaintext);
  if (!sealed) return fail(Errc::bad_seal_key);
  envelope.sealed = Sealed{recipient, sealed->enc, Slice::copy(sealed->ciphertext)};
  envelope.body.reset();
  envelope.content_type.clear();
  envelope.conversation.clear();
  envelope.in_reply_to.reset();
  envelope.kind = MessageKind::message;
  return {};
}

Result<Inner> open_sealed(const Envelope& envelope, const crypto::X25519KeyPair& recipient) {
  if (!envelope.sealed) return fail(Errc::cannot_open);
  auto plaintext = crypto::hpke_open(recipient, envelope.sealed->enc, as_bytes(kSealInfo), aad_of(envelope),
                                     envelope.sealed->ciphertext);
  if (!plaintext) return fail(Errc::cannot_open);
  auto inner = decode_inner(*plaintext);
  crypto::wipe(*plaintext);
  return inner;
}

Result<Inner> open_envelope(const Envelope& envelope, const SealKeys& keys) {
  if (envelope.sealed) {
    const crypto::X25519KeyPair* pair = keys.find(envelope.sealed->seal_key);
    if (pair == nullptr) return fail(Errc::unknown_seal_key);
    return open_sealed(envelope, *pair);
  }
  return Inner{envelope.content_type, to_bytes(envelope.body.value_or(Slice{}).view()), envelope.conversation,
               envelope.in_reply_to, envelope.kind};
}

}  // namespace starling::agent
