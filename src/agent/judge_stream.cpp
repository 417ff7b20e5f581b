// Judge's half for streams: /starling/message/1.0.0 (PROTOCOL.md §6).
#include "agent/judge.hpp"
#include "agent/limits.hpp"
#include "agent/times.hpp"

namespace starling::agent {
namespace {

StreamJudgement answer(const Verdict& verdict, CheckedEnvelope envelope, DeliveryState state,
                       ReceiptCode code = ReceiptCode::none) {
  return {StreamRuling::receipt, verdict, state, code, std::move(envelope), {}};
}

/// Rows 3 to 5 of a SignedEnvelope.
struct Opened {
  Verdict verdict;
  std::optional<CheckedEnvelope> envelope;
};
Opened open_frame(const SignedEnvelope& wire, const NetworkName& network) {
  const auto fields = decode_envelope_fields(wire.envelope);
  if (!fields) return {Verdict::of(Reason::malformed, fields.error()), std::nullopt};
  if (const auto version = check_version(*fields); !version) {
    const bool none = version.error().is(Errc::no_version);
    return {Verdict::of(none ? Reason::no_version : Reason::later_version, version.error()), std::nullopt};
  }
  auto checked = check_fields(*fields, wire.envelope, Path::stream, network);
  if (!checked) return {Verdict::of(Reason::bad_fields, checked.error()), std::nullopt};
  if (checked->fields.is_broadcast())
    return {Verdict::of(Reason::bad_fields, make_error(Errc::broadcast_on_stream)), std::nullopt};
  return {Verdict::of(Reason::accepted), std::move(*checked)};
}

bool starts_in_the_future(const CheckedEnvelope& envelope, WallTime now) noexcept {
  return !start_is_good(envelope.fields.sent_at, now) ||
         !start_is_good(envelope.delegation.fields.not_before, now);
}

}  // namespace

std::string_view to_string(StreamRuling ruling) noexcept {
  switch (ruling) {
    case StreamRuling::accept: return "accept";
    case StreamRuling::repeat: return "repeat";
    case StreamRuling::receipt: return "receipt";
    case StreamRuling::reset: return "reset";
  }
  return "unknown";
}

StreamJudgement Judge::reset(Verdict verdict, std::optional<CheckedEnvelope> envelope) {
  count(verdict.reason);
  return {StreamRuling::reset, verdict, DeliveryState::none, ReceiptCode::none, std::move(envelope), {}};
}

std::optional<Verdict> Judge::check_stream_signatures(const CheckedEnvelope& envelope,
                                                      const SignedEnvelope& wire, const PeerId& peer,
                                                      Now now) {
  const Signatures& signatures = trust_.signatures();
  if (!trust_.is_verified(envelope.delegation)) {
    if (!forwarder_rates_.take_recover(peer, now.mono)) return Verdict::of(Reason::recovers_spent);
    if (const auto checked = verify_wallet(envelope.delegation, signatures); !checked)
      return Verdict::of(Reason::forged_delegation, checked.error());
  }
  trust_.verified(envelope.delegation, now.wall);
  if (!signatures.verify(envelope.delegation.fields.node_key, kEnvelopePrefix, wire.envelope, wire.signature))
    return Verdict::of(Reason::bad_node_signature, make_error(Errc::bad_node_signature));
  return std::nullopt;
}

StreamJudgement Judge::judge_stream(const Slice& frame, const PeerId& peer, Now now) {
  const auto wire = decode_signed_envelope(frame);
  if (!wire) {
    const bool large = wire.error().is(Errc::too_large);
    return reset(Verdict::of(large ? Reason::too_large : Reason::malformed, wire.error()));
  }
  Opened opened = open_frame(*wire, trust_.network());
  if (!opened.envelope) return reset(opened.verdict);
  CheckedEnvelope& envelope = *opened.envelope;
  if (starts_in_the_future(envelope, now.wall))
    return reset(Verdict::of(Reason::from_the_future), std::move(envelope));
  if (const auto failed = check_stream_signatures(envelope, *wire, peer, now))
    return reset(*failed, std::move(envelope));

  // From here on the sender is who it says: it gets an answer.
  const Envelope& fields = envelope.fields;
  const auto decide = [this](const Verdict& verdict) {
    count(verdict.reason);
    return verdict;
  };
  if (!serves(*fields.to))
    return answer(decide(Verdict::of(Reason::accepted)), std::move(envelope), DeliveryState::rejected,
                  ReceiptCode::not_for_this_node);
  if (!end_is_good(fields.expires_at, now.wall))
    return answer(decide(Verdict::of(Reason::ended)), std::move(envelope), DeliveryState::expired);
  if (trust_.floors().is_revoked(fields.from, envelope.delegation.fields.epoch))
    return answer(decide(Verdict::of(Reason::revoked, make_error(Errc::revoked))), std::move(envelope),
                  DeliveryState::rejected, ReceiptCode::revoked_delegation);
  if (const auto failed = check_rates(fields.from, RateClass::envelope, now.mono))
    return answer(decide(*failed), std::move(envelope), DeliveryState::rejected, ReceiptCode::over_rate);

  StreamJudgement out{StreamRuling::accept,    decide(Verdict::of(Reason::accepted)),
                      DeliveryState::received, ReceiptCode::none,
                      std::move(envelope),     {}};
  if (delivered_.contains(out.envelope->fields.key(), now.wall)) {
    out.ruling = StreamRuling::repeat;
    out.last_receipt = delivered_.last_receipt(out.envelope->fields.key());
  }
  return out;
}

}  // namespace starling::agent
