#include "node/presence_records.hpp"

namespace starling::node {

Result<void> PresenceRecords::validate(ByteView key, ByteView value, WallTime now) {
  const auto judgement = agent::validate_presence(key, value, trust_, now);
  if (!judgement.verdict.accepted()) return fail(kad::Errc::invalid_record);
  if (keeps_floors_ == KeepsFloors::yes) trust_.floors().meet(judgement.presence->fields.wallet, now);
  return {};
}

std::size_t PresenceRecords::select(ByteView, std::span<const ByteView> values) {
  return agent::select_presence({values.begin(), values.end()}, trust_.network()).value_or(0);
}

std::optional<WallTime> PresenceRecords::expires_at(ByteView, ByteView value) {
  auto container = agent::decode_signed_presence(value);
  if (!container) return std::nullopt;
  const auto presence = agent::decode_presence(container->payload);
  if (!presence) return std::nullopt;
  return presence->expires_at;
}

}  // namespace starling::node
