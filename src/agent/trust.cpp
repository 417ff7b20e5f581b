#include "agent/trust.hpp"

#include "agent/times.hpp"

namespace starling::agent {

void Trust::verified(const CheckedDelegation& delegation, WallTime now) {
  cache_.insert(cache_key(delegation.wire));
  if (start_is_good(delegation.fields.not_before, now))
    floors_.saw(delegation.fields.wallet, delegation.fields.epoch, now);
}

Verdict Trust::judge(const CheckedDelegation& delegation, WallTime now) {
  if (const auto failed = check_window(delegation.fields, now)) return *failed;
  if (!is_verified(delegation)) {
    if (const auto checked = verify_wallet(delegation, signatures_); !checked)
      return Verdict::of(Reason::forged_delegation, checked.error());
  }
  verified(delegation, now);
  if (floors_.is_revoked(delegation.fields.wallet, delegation.fields.epoch))
    return Verdict::of(Reason::revoked, make_error(Errc::revoked));
  return Verdict::of(Reason::accepted);
}

std::optional<Verdict> check_window(const Delegation& delegation, WallTime now) noexcept {
  if (!end_is_good(delegation.not_after, now))
    return Verdict::of(Reason::ended, make_error(Errc::delegation_ended));
  if (!start_is_good(delegation.not_before, now))
    return Verdict::of(Reason::from_the_future, make_error(Errc::delegation_not_started));
  return std::nullopt;
}

Verdict judge_delegation(ByteView signed_delegation, Trust& trust, WallTime now) {
  auto wire = decode_signed_delegation(signed_delegation);
  if (!wire) return Verdict::of(Reason::malformed, wire.error());
  const auto checked = check_fields(std::move(*wire), trust.network());
  if (!checked) return Verdict::of(Reason::bad_fields, checked.error());
  return trust.judge(*checked, now);
}

}  // namespace starling::agent
