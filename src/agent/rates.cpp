#include "agent/rates.hpp"

namespace starling::agent {
namespace {
TokenBucket bucket_of(const Rate& rate) noexcept { return {rate.per_s, rate.burst}; }
}  // namespace

WalletRates::WalletRates(const RateLimits& limits, std::size_t wallets_max)
    : limits_(limits), wallets_(wallets_max), strangers_(bucket_of(limits.strangers)) {}

WalletRates::Buckets& WalletRates::buckets_of(const EthAddress& wallet) {
  if (Buckets* known = wallets_.find(wallet)) return *known;
  wallets_.put(wallet, Buckets{bucket_of(limits_.envelopes), bucket_of(limits_.broadcasts),
                               bucket_of(limits_.announcements), bucket_of(limits_.statuses)});
  return *wallets_.find(wallet);
}

RateAnswer WalletRates::take(const EthAddress& wallet, RateClass what, bool met, Instant now) {
  Buckets& own = buckets_of(wallet);
  TokenBucket* first = &own.envelopes;
  TokenBucket* second = nullptr;
  switch (what) {
    case RateClass::envelope: break;
    case RateClass::broadcast: second = &own.broadcasts; break;
    case RateClass::announcement: first = &own.announcements; break;
    case RateClass::status: first = &own.statuses; break;
  }
  // All or nothing: a message that one bucket refuses must not drain another.
  if (!first->has(now) || (second != nullptr && !second->has(now))) return RateAnswer::wallet_over;
  if (!met && !strangers_.take(now)) return RateAnswer::strangers_over;
  const bool first_taken = first->take(now);
  const bool second_taken = second == nullptr || second->take(now);
  STARLING_ASSERT(first_taken && second_taken);
  return RateAnswer::within;
}

void WalletRates::drain(const EthAddress& wallet, RateClass what, Instant now) {
  Buckets& own = buckets_of(wallet);
  switch (what) {
    case RateClass::envelope: own.envelopes.drain(now); return;
    case RateClass::broadcast: own.broadcasts.drain(now); return;
    case RateClass::announcement: own.announcements.drain(now); return;
    case RateClass::status: own.statuses.drain(now); return;
  }
}

ForwarderRates::ForwarderRates(const RateLimits& limits, std::size_t forwarders_max)
    : limits_(limits), forwarders_(forwarders_max) {}

ForwarderRates::Buckets& ForwarderRates::buckets_of(const PeerId& forwarder) {
  if (Buckets* known = forwarders_.find(forwarder)) return *known;
  forwarders_.put(forwarder,
                  Buckets{bucket_of(limits_.forwarder_messages), bucket_of(limits_.forwarder_recovers)});
  return *forwarders_.find(forwarder);
}

bool ForwarderRates::take_message(const PeerId& forwarder, Instant now) {
  return buckets_of(forwarder).messages.take(now);
}
bool ForwarderRates::take_recover(const PeerId& forwarder, Instant now) {
  return buckets_of(forwarder).recovers.take(now);
}
void ForwarderRates::drain_messages(const PeerId& forwarder, Instant now) {
  buckets_of(forwarder).messages.drain(now);
}
void ForwarderRates::drain_recovers(const PeerId& forwarder, Instant now) {
  buckets_of(forwarder).recovers.drain(now);
}

}  // namespace starling::agent
