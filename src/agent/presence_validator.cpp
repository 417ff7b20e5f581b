#include "agent/presence_validator.hpp"

#include "agent/names.hpp"
#include "agent/times.hpp"

namespace starling::agent {
namespace {

std::optional<Verdict> check_times(const CheckedPresence& presence, WallTime now) {
  if (!end_is_good(presence.fields.expires_at, now)) return Verdict::of(Reason::ended);
  if (!start_is_good(presence.fields.issued_at, now)) return Verdict::of(Reason::from_the_future);
  return check_window(presence.delegation.fields, now);
}

/// Rows 6 to 8.
Verdict judge_checked(const CheckedPresence& presence, Trust& trust, WallTime now) {
  if (const auto failed = check_times(presence, now)) return *failed;
  const Verdict delegation = trust.judge(presence.delegation, now);
  if (!delegation.accepted() && delegation.row < 8) return delegation;
  // Row 7 ends with the node signature, before the floor of row 8.
  if (const auto signed_by_node = verify_node(presence, trust.signatures()); !signed_by_node)
    return Verdict::of(Reason::bad_node_signature, signed_by_node.error());
  return delegation;
}

PresenceJudgement validate(ByteView value, const EthAddress* key_wallet, Trust& trust, WallTime now) {
  auto wire = decode_signed_presence(value);
  if (!wire) {
    const bool large = wire.error().is(Errc::too_large);
    return {Verdict::of(large ? Reason::too_large : Reason::malformed, wire.error()), std::nullopt};
  }
  auto checked = check_fields(std::move(*wire), value, trust.network());
  if (!checked) return {Verdict::of(Reason::bad_fields, checked.error()), std::nullopt};
  if (key_wallet != nullptr && checked->fields.wallet != *key_wallet)
    return {Verdict::of(Reason::bad_fields, make_error(Errc::key_of_another_wallet)), std::nullopt};
  const Verdict verdict = judge_checked(*checked, trust, now);
  return {verdict, std::move(*checked)};
}

}  // namespace

PresenceJudgement validate_presence(ByteView key, ByteView value, Trust& trust, WallTime now) {
  const auto wallet = parse_presence_key(key);
  if (!wallet) return {Verdict::of(Reason::bad_key, wallet.error()), std::nullopt};
  return validate(value, &*wallet, trust, now);
}

PresenceJudgement validate_presence(ByteView value, Trust& trust, WallTime now) {
  return validate(value, nullptr, trust, now);
}

}  // namespace starling::agent
