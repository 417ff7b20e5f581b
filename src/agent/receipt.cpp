#include "agent/receipt.hpp"

#include <algorithm>

#include "agent/limits.hpp"
#include "agent/names.hpp"
#include "agent/times.hpp"
#include "format/protobuf.hpp"

namespace starling::agent {
namespace {

template <std::size_t N>
Result<FixedBytes<N>> fixed_of(const pb::Field& field, Errc wrong_size) {
  STARLING_ASSIGN(const ByteView bytes, pb::as_bytes(field));
  const auto fixed = to_fixed<N>(bytes);
  if (!fixed) return fail(wrong_size);
  return *fixed;
}

Result<void> set_field(Receipt& out, const pb::Field& field) {
  switch (field.id) {
    case 1: {
      STARLING_ASSIGN(out.id, fixed_of<kEnvelopeIdBytes>(field, Errc::bad_id));
      return {};
    }
    case 2: {
      STARLING_ASSIGN(const auto from, fixed_of<20>(field, Errc::bad_from));
      out.from = EthAddress(from);
      return {};
    }
    case 3: {
      STARLING_ASSIGN(const auto to, fixed_of<20>(field, Errc::bad_to));
      out.to = EthAddress(to);
      return {};
    }
    case 4: {
      STARLING_ASSIGN(const std::int32_t state, pb::as_i32(field));
      out.state = static_cast<DeliveryState>(state);
      return {};
    }
    case 5: {
      STARLING_ASSIGN(const auto ms, pb::as_u64(field));
      out.at = WallTime::from_ms(ms);
      return {};
    }
    case 6: {
      STARLING_ASSIGN(out.code, pb::as_u32(field));
      return {};
    }
    case 7: {
      STARLING_ASSIGN(const ByteView hint, pb::as_bytes(field));
      if (hint.size() > kReceiptHintBytesMax) return fail(Errc::text_too_long);
      STARLING_ASSIGN(out.hint, pb::as_string(field));
      return {};
    }
    default: {
      STARLING_ASSIGN(out.digest, fixed_of<32>(field, Errc::bad_digest));
      return {};
    }
  }
}

bool counts_on_the_wire(DeliveryState state) noexcept {
  switch (state) {
    case DeliveryState::received:
    case DeliveryState::delivered:
    case DeliveryState::acked:
    case DeliveryState::rejected:
    case DeliveryState::expired: return true;
    default: return false;
  }
}

/// Rows 6 to 8.
Verdict judge_checked(const CheckedReceipt& receipt, Trust& trust, WallTime now) {
  const Verdict delegation = trust.judge(receipt.delegation, now);
  if (!delegation.accepted() && delegation.row < 8) return delegation;
  if (!trust.signatures().verify(receipt.delegation.fields.node_key, kReceiptPrefix, receipt.wire.payload,
                                 receipt.wire.signature))
    return Verdict::of(Reason::bad_node_signature, make_error(Errc::bad_node_signature));
  return delegation;
}

Result<CheckedReceipt> check_fields(SignedReceipt wire, const NetworkName& network) {
  STARLING_ASSIGN(CheckedDelegation delegation, agent::check_fields(wire.delegation, network));
  STARLING_ASSIGN(Receipt fields, decode_receipt(wire.payload));
  return CheckedReceipt{std::move(fields), std::move(delegation), std::move(wire)};
}

}  // namespace

std::string_view to_string(DeliveryState state) noexcept {
  switch (state) {
    case DeliveryState::none: return "none";
    case DeliveryState::accepted: return "accepted";
    case DeliveryState::sent: return "sent";
    case DeliveryState::received: return "received";
    case DeliveryState::delivered: return "delivered";
    case DeliveryState::acked: return "acked";
    case DeliveryState::rejected: return "rejected";
    case DeliveryState::expired: return "expired";
    case DeliveryState::failed: return "failed";
    case DeliveryState::stored: return "stored";
  }
  return "other";
}

std::string_view to_string(ReceiptCode code) noexcept {
  switch (code) {
    case ReceiptCode::none: return "none";
    case ReceiptCode::unknown_seal_key: return "unknown_seal_key";
    case ReceiptCode::cannot_open: return "cannot_open";
    case ReceiptCode::not_for_this_node: return "not_for_this_node";
    case ReceiptCode::policy: return "policy";
    case ReceiptCode::over_rate: return "over_rate";
    case ReceiptCode::storage_full: return "storage_full";
    case ReceiptCode::too_big: return "too_big";
    case ReceiptCode::content_type: return "content_type";
    case ReceiptCode::revoked_delegation: return "revoked_delegation";
  }
  return "none";  // unknown codes are like none
}

bool is_retriable(ReceiptCode code) noexcept {
  return code == ReceiptCode::unknown_seal_key || code == ReceiptCode::over_rate ||
         code == ReceiptCode::storage_full;
}

Receipt receipt_for(const Envelope& envelope, DeliveryState state, WallTime now, ReceiptCode code,
                    std::string hint) {
  return {envelope.id,
          envelope.from,
          envelope.to.value_or(EthAddress{}),
          state,
          now,
          static_cast<std::uint32_t>(code),
          std::move(hint),
          digest_of(envelope)};
}

Bytes encode(const Receipt& receipt) {
  Bytes out;
  pb::Writer writer(out);
  writer.bytes(1, receipt.id);
  writer.bytes(2, receipt.from.bytes());
  writer.bytes(3, receipt.to.bytes());
  if (receipt.state != DeliveryState::none) writer.int32(4, static_cast<std::int32_t>(receipt.state));
  writer.varint_if(5, receipt.at.ms());
  writer.varint_if(6, receipt.code);
  writer.string_if(7, receipt.hint);
  writer.bytes(8, receipt.digest);
  return out;
}

Result<Receipt> decode_receipt(ByteView bytes) {
  Receipt out;
  std::uint32_t seen = 0;
  STARLING_TRY(pb::each_field(bytes, pb::field_range(1, 8), 0, [&](const pb::Field& field) {
    seen |= 1U << field.id;
    return set_field(out, field);
  }));
  if ((seen & (1U << 1)) == 0) return fail(Errc::bad_id);
  if ((seen & (1U << 2)) == 0) return fail(Errc::bad_from);
  if ((seen & (1U << 3)) == 0) return fail(Errc::bad_to);
  if ((seen & (1U << 8)) == 0) return fail(Errc::bad_digest);
  return out;
}

Bytes make_receipt(const Receipt& receipt, const SignedDelegation& delegation,
                   const crypto::PrivateKey& node_key, const Signatures& signatures) {
  SignedReceipt wire{delegation, encode(receipt), {}};
  wire.signature = signatures.sign(node_key, kReceiptPrefix, wire.payload);
  return encode(wire);
}

Result<SignedReceipt> decode_signed_receipt(ByteView bytes) {
  if (bytes.size() > kReceiptBytesMax) return fail(Errc::too_large);
  return decode_node_signed(bytes);
}

ReceiptJudgement judge_receipt(ByteView signed_receipt, Trust& trust, WallTime now) {
  auto wire = decode_signed_receipt(signed_receipt);
  if (!wire) {
    const bool large = wire.error().is(Errc::too_large);
    return {Verdict::of(large ? Reason::too_large : Reason::malformed, wire.error()), std::nullopt};
  }
  auto checked = check_fields(std::move(*wire), trust.network());
  if (!checked) return {Verdict::of(Reason::bad_fields, checked.error()), std::nullopt};
  const Verdict verdict = judge_checked(*checked, trust, now);
  return {verdict, std::move(*checked)};
}

bool counts_for(const CheckedReceipt& receipt, const Awaited& message) noexcept {
  const Receipt& fields = receipt.fields;
  return fields.id == message.id && fields.from == message.from && fields.to == message.to &&
         receipt.delegation.fields.wallet == message.to && counts_on_the_wire(fields.state) &&
         std::ranges::find(message.digests, fields.digest) != message.digests.end();
}

Envelope receipt_envelope(Envelope carrier, const Envelope& about, ByteView signed_receipt) {
  carrier.kind = MessageKind::receipt;
  carrier.in_reply_to = about.id;
  carrier.body = Slice::copy(signed_receipt);
  carrier.expires_at = earlier(carrier.expires_at, carrier.sent_at + kReceiptEnvelopeLifeMax);
  return carrier;
}

Result<ByteView> receipt_in(const Envelope& envelope) {
  if (envelope.kind != MessageKind::receipt || !envelope.body) return fail(Errc::not_a_receipt);
  if (!envelope.to) return fail(Errc::bad_to);
  if (!envelope.in_reply_to) return fail(Errc::bad_in_reply_to);
  if (envelope.body->size() > kReceiptBytesMax) return fail(Errc::too_large);
  if (envelope.expires_at > envelope.sent_at + kReceiptEnvelopeLifeMax) return fail(Errc::bad_life);
  return envelope.body->view();
}

}  // namespace starling::agent
