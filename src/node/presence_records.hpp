#pragma once
#include "agent/presence_validator.hpp"
#include "kad/validator.hpp"

namespace starling::node {

/// The DHT's `/eth` namespace: PROTOCOL.md §3's validator and selector behind kad's interface.
///
/// One per node, on the brain's shard; `trust` outlives it. Valid records make their wallets *met* when
/// `keeps_floors` says so (a DHT server keeps the floors of the addresses it stores on disk).
class PresenceRecords final : public kad::RecordValidator {
 public:
  enum class KeepsFloors : std::uint8_t { no, yes };
  PresenceRecords(agent::Trust& trust, KeepsFloors keeps_floors)
      : trust_(trust), keeps_floors_(keeps_floors) {}

  Result<void> validate(ByteView key, ByteView value, WallTime now) override;
  std::size_t select(ByteView key, std::span<const ByteView> values) override;
  std::optional<WallTime> expires_at(ByteView key, ByteView value) override;

 private:
  agent::Trust& trust_;
  KeepsFloors keeps_floors_;
};

}  // namespace starling::node
