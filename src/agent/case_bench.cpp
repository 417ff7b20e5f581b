#include "agent/case_bench.hpp"

#include <algorithm>

namespace starling::agent::cases {
namespace {

constexpr Instant kStart = Instant::from_ns(3'600'000'000'000);  // an hour, so that "before" has room

/// The instant at which the wall clock of the case stood at `ms`.
Instant instant_at(std::uint64_t ms, WallTime now) {
  const std::uint64_t ago = now.ms() > ms ? now.ms() - ms : 0;
  return kStart - std::chrono::milliseconds(std::min<std::uint64_t>(ago, 3'600'000));
}

}  // namespace

Bench::Bench(const Case& one)
    : case_(one), now_{kStart, one.now}, trust_(one.network, real_signatures()), judge_(trust_, {one.me}) {
  for (const auto& [wallet, epoch] : one.state.floors) trust_.floors().saw(wallet, epoch, one.now);
  for (const EthAddress& wallet : one.state.met) trust_.floors().meet(wallet, one.now);
  for (const crypto::Hash256& key : one.state.cached) trust_.cache().insert(key);
  for (const auto& known : one.state.known)
    judge_.known().learn_rank(known.wallet, {known.epoch, known.seq, known.sha256});
  for (const auto& forwarded : one.state.forwarded)
    judge_.publications().remember({forwarded.from, forwarded.id}, WallTime::from_ms(forwarded.published_at),
                                   instant_at(forwarded.at, one.now));
  // What ended already is not put in, as no node would have it; `until` = now is the interesting case.
  for (const auto& delivered : one.state.delivered) {
    const WallTime until = WallTime::from_ms(delivered.until);
    judge_.delivered().remember({delivered.from, delivered.id}, until, WallTime{});
  }
  if (is_spent("forwarder")) judge_.forwarder_rates().drain_messages(forwarder_, kStart);
  if (is_spent("recovers")) judge_.forwarder_rates().drain_recovers(forwarder_, kStart);
  if (is_spent("strangers")) judge_.wallet_rates().drain_strangers(kStart);
}

bool Bench::is_spent(std::string_view bucket) const {
  return std::ranges::find(case_.state.spent, bucket) != case_.state.spent.end();
}

void Bench::spend(const EthAddress& wallet) {
  WalletRates& rates = judge_.wallet_rates();
  if (is_spent("envelopes")) rates.drain(wallet, RateClass::envelope, kStart);
  if (is_spent("broadcasts")) rates.drain(wallet, RateClass::broadcast, kStart);
  if (is_spent("announcements")) rates.drain(wallet, RateClass::announcement, kStart);
  if (is_spent("statuses")) rates.drain(wallet, RateClass::status, kStart);
}

void Bench::spend_wallet(const Candidate* candidate) {
  if (candidate != nullptr) spend(candidate->wallet());
}

void Bench::spend_sender(const Slice& frame) {
  const auto wire = decode_signed_envelope(frame);
  if (!wire) return;
  const auto fields = decode_envelope_fields(wire->envelope);
  if (!fields) return;
  if (const auto from = to_fixed<20>(fields->from)) spend(EthAddress(*from));
}

}  // namespace starling::agent::cases
