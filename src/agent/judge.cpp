#include "agent/judge.hpp"

#include <algorithm>

#include "agent/limits.hpp"
#include "agent/times.hpp"

namespace starling::agent {
namespace {

RateClass rate_class_of(const Candidate& candidate) noexcept {
  if (candidate.presence() != nullptr) return RateClass::announcement;
  if (candidate.status() != nullptr) return RateClass::status;
  return candidate.envelope()->fields.is_broadcast() ? RateClass::broadcast : RateClass::envelope;
}

/// Row 6 for one start and the freshness counted from it.
std::optional<Verdict> check_stamp(WallTime stamp, Duration fresh_for, WallTime now) noexcept {
  if (!start_is_good(stamp, now)) return Verdict::of(Reason::from_the_future);
  if (!is_fresh(stamp, fresh_for, now)) return Verdict::of(Reason::not_fresh);
  return std::nullopt;
}

}  // namespace

Judge::Judge(Trust& trust, std::vector<EthAddress> served, const RateLimits& rates, const TableLimits& tables)
    : trust_(trust),
      served_(std::move(served)),
      wallet_rates_(rates, tables.rated_wallets),
      forwarder_rates_(rates, tables.rated_forwarders),
      publications_(tables.publications),
      delivered_(tables.delivered, tables.delivered_per_sender),
      known_(tables.known_presences) {}

bool Judge::serves(const EthAddress& wallet) const noexcept {
  return std::ranges::find(served_, wallet) != served_.end();
}

bool Judge::admit(const PeerId& forwarder, Instant now) {
  const bool within = forwarder_rates_.take_message(forwarder, now);
  if (!within) count(Reason::forwarder_over_rate);
  return within;
}

GossipJudgement Judge::decided(Verdict verdict, std::shared_ptr<const Candidate> candidate) {
  count(verdict.reason);
  return {verdict, false, false, std::move(candidate)};
}

GossipJudgement Judge::judge_gossip(Topic topic, const PeerId& author, Slice data, const PeerId& forwarder,
                                    Now now) {
  Begun begun = begin(precheck(topic, author, std::move(data), trust_.network()), forwarder, now);
  if (auto* judgement = std::get_if<GossipJudgement>(&begun)) return std::move(*judgement);
  const auto& work = std::get<SignatureWork>(begun);
  return finish(work, check_signatures(work, trust_.signatures()), now);
}

Judge::Begun Judge::begin(const Prechecked& prechecked, const PeerId& forwarder, Now now) {
  if (prechecked.candidate == nullptr) return decided(prechecked.verdict);
  const Candidate& candidate = *prechecked.candidate;
  if (const auto failed = check_times(candidate, now)) return decided(*failed, prechecked.candidate);

  SignatureWork work{prechecked.candidate, !trust_.is_verified(candidate.delegation()),
                     candidate.presence() != nullptr};
  if (work.wallet && !forwarder_rates_.take_recover(forwarder, now.mono))
    return decided(Verdict::of(Reason::recovers_spent), prechecked.candidate);
  if (!work.wallet && !work.node) return finish(work, {}, now);
  return work;
}

GossipJudgement Judge::finish(const SignatureWork& work, const SignatureOutcome& outcome, Now now) {
  const Candidate& candidate = *work.candidate;
  // Row 7. The floor rises before the node's signature is looked at: whatever becomes of the message.
  if (outcome.wallet) return decided(Verdict::of(Reason::forged_delegation, outcome.wallet), work.candidate);
  trust_.verified(candidate.delegation(), now.wall);
  if (outcome.node) return decided(Verdict::of(Reason::bad_node_signature, outcome.node), work.candidate);
  // Row 6 again, for what was accepted while the signatures were checked elsewhere.
  if (const auto failed = check_times(candidate, now)) return decided(*failed, work.candidate);

  // Row 8.
  const EthAddress& wallet = candidate.wallet();
  if (trust_.floors().is_revoked(wallet, candidate.delegation().fields.epoch))
    return decided(Verdict::of(Reason::revoked, make_error(Errc::revoked)), work.candidate);
  if (const auto* presence = candidate.presence();
      presence != nullptr && known_.loses(wallet, presence->rank))
    return decided(Verdict::of(Reason::outdated_presence), work.candidate);
  if (const auto failed = check_rates(wallet, rate_class_of(candidate), now.mono))
    return decided(*failed, work.candidate);

  // Row 9: only what is accepted is remembered.
  GossipJudgement accepted = decided(Verdict::of(Reason::accepted), work.candidate);
  if (const auto* presence = candidate.presence()) known_.learn(*presence, candidate.data);
  if (const auto* checked = candidate.envelope()) {
    const Envelope& envelope = checked->fields;
    publications_.remember(envelope.key(), envelope.published_at, now.mono);
    const bool addressed = !envelope.is_broadcast() && serves(*envelope.to);
    const bool known = delivered_.contains(envelope.key(), now.wall);
    accepted.deliver = (envelope.is_broadcast() || addressed) && !known;
    accepted.repeat = addressed && known;
  }
  return accepted;
}

std::optional<Verdict> Judge::check_times(const Candidate& candidate, Now now) {
  if (const auto failed = check_window(candidate.delegation().fields, now.wall)) return failed;
  if (const auto* presence = candidate.presence()) {
    if (!end_is_good(presence->fields.expires_at, now.wall)) return Verdict::of(Reason::ended);
    return check_stamp(presence->fields.issued_at, kAnnouncementFreshnessMax, now.wall);
  }
  if (const auto* status = candidate.status())
    return check_stamp(status->fields.sent_at, kFreshnessMax, now.wall);

  const Envelope& envelope = candidate.envelope()->fields;
  if (!end_is_good(envelope.expires_at, now.wall)) return Verdict::of(Reason::ended);
  if (!start_is_good(envelope.sent_at, now.wall)) return Verdict::of(Reason::from_the_future);
  if (const auto failed = check_stamp(envelope.published_at, kFreshnessMax, now.wall)) return failed;
  if (publications_.contains(envelope.key(), envelope.published_at, now.mono))
    return Verdict::of(Reason::seen_before);
  return std::nullopt;
}

std::optional<Verdict> Judge::check_rates(const EthAddress& wallet, RateClass what, Instant now) {
  switch (wallet_rates_.take(wallet, what, trust_.floors().is_met(wallet), now)) {
    case RateAnswer::within: return std::nullopt;
    case RateAnswer::wallet_over: return Verdict::of(Reason::wallet_over_rate);
    case RateAnswer::strangers_over: return Verdict::of(Reason::strangers_over_rate);
  }
  return std::nullopt;
}

}  // namespace starling::agent
