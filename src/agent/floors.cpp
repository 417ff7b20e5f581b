#include "agent/floors.hpp"

#include <algorithm>

#include "agent/times.hpp"

namespace starling::agent {
namespace {
constexpr Duration kSightGranularity = Days(1);  // how stale `last_seen` on disk may get
}  // namespace

void Floors::saw(const EthAddress& wallet, std::uint64_t epoch, WallTime now) {
  if (Met* met = met_.find(wallet)) {
    met->last_seen = later(met->last_seen, now);
    const bool raised = epoch > met->epoch;
    met->epoch = std::max(met->epoch, epoch);
    if (raised || met->last_seen > met->noted + kSightGranularity) {
      met->noted = met->last_seen;
      ++revision_;
    }
    return;
  }
  if (std::uint64_t* floor = strangers_.find(wallet)) {
    *floor = std::max(*floor, epoch);
    return;
  }
  strangers_.put(wallet, epoch);
}

void Floors::meet(const EthAddress& wallet, WallTime now) {
  if (Met* met = met_.find(wallet)) {
    met->last_seen = later(met->last_seen, now);
    return;
  }
  const std::uint64_t* floor = strangers_.peek(wallet);
  const std::uint64_t epoch = floor == nullptr ? 0 : *floor;
  strangers_.erase(wallet);
  // What falls out of the table of the met is a stranger again, with its floor.
  if (const auto gone = met_.put(wallet, Met{epoch, now, now}))
    strangers_.put(gone->first, gone->second.epoch);
  ++revision_;
}

std::uint64_t Floors::floor_of(const EthAddress& wallet) const {
  if (const Met* met = met_.peek(wallet)) return met->epoch;
  const std::uint64_t* floor = strangers_.peek(wallet);
  return floor == nullptr ? 0 : *floor;
}

std::vector<FloorEntry> Floors::met_entries(WallTime now) const {
  std::vector<FloorEntry> out;
  out.reserve(met_.size());
  for (const auto& [wallet, met] : met_)
    if (is_fresh(met.last_seen, kFloorKept, now)) out.push_back({wallet, met.epoch, met.last_seen});
  return out;
}

void Floors::restore(const std::vector<FloorEntry>& entries, WallTime now) {
  // Most recent first on disk, most recent last into an LRU.
  for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
    if (!is_fresh(entry->last_seen, kFloorKept, now)) continue;
    const std::uint64_t epoch = std::max(entry->epoch, floor_of(entry->wallet));
    strangers_.erase(entry->wallet);
    met_.put(entry->wallet, Met{epoch, entry->last_seen, entry->last_seen});
  }
}

}  // namespace starling::agent
