#include "proto/kad/replicator.hpp"

#include <algorithm>

namespace starling::kad {
namespace {

constexpr Duration kPause = 1s;
/// From putting records back to the first round: until then the servers of the saved table have answered.
constexpr Duration kRestartPause = 5min;
/// This many of the servers nearest to a record hand it to a newcomer: one may be a liar.
constexpr std::size_t kHandingOver = 2;

}  // namespace

Replicator::Replicator(const Config& config, const PeerId& self, const Validators& validators)
    : config_(config), self_(self), place_(KadId::of(self)), validators_(validators) {}

void Replicator::note_stored(Instant now) {
  if (config_.replicate_interval > Duration::zero())
    round_at_ = std::min(round_at_, now + saturating_scale(config_.replicate_interval, 0.75));
}

void Replicator::note_restored(Instant now) {
  if (config_.replicate_interval > Duration::zero()) round_at_ = std::min(round_at_, now + kRestartPause);
}

void Replicator::note_newcomer(const PeerId& peer, Instant now) {
  if (config_.replicate_interval <= Duration::zero() || newcomers_.size() >= kNewcomersMax) return;
  newcomers_.push_back({peer, {}});
  handover_at_ = std::min(handover_at_, now + kPause);
}

/// Drawn from who we are, the record and when it last came, so that all holders draw differently each round.
WallTime Replicator::due(ByteView key, const StoredRecord& record) const {
  Bytes seed = to_bytes(self_.bytes());
  put_u64_be(seed, record.received.ms());
  seed.insert(seed.end(), key.begin(), key.end());
  const double draw = static_cast<double>(distance_prefix(KadId{}, KadId::of(ByteView(seed))) >> 11) /
                      static_cast<double>(std::uint64_t{1} << 53);
  return record.received + saturating_scale(config_.replicate_interval, 0.75 + 0.5 * draw);
}

bool Replicator::ends_by_itself(ByteView key, const StoredRecord& record, WallTime now) const {
  return record.expires > now && validators_.expires_at(key, record.value).has_value();
}

std::optional<Replicator::Task> Replicator::next(RecordStore& records, const RoutingTable& table, Now now) {
  if (handover_at_ <= now.mono)
    if (auto task = next_handover(records, table, now)) return task;
  if (round_at_ <= now.mono) return next_due(records, table, now);
  return std::nullopt;
}

std::optional<Replicator::Task> Replicator::next_due(RecordStore& records, const RoutingTable& table,
                                                     Now now) {
  if (cursor_.empty()) until_next_ = config_.replicate_interval;
  while (looked_at_ < kReplicationSlice) {
    auto listed = records.next_after(cursor_);
    if (!listed) {
      cursor_.clear();
      looked_at_ = 0;
      round_at_ = records.size() == 0 ? Instant::never() : now.mono + std::max(until_next_, kPause);
      return std::nullopt;
    }
    ++looked_at_;
    cursor_ = listed->key;
    if (!ends_by_itself(listed->key, listed->record, now.wall)) continue;
    if (const WallTime at = due(listed->key, listed->record); at > now.wall) {
      const auto wait = std::chrono::milliseconds(static_cast<std::int64_t>(at.ms() - now.wall.ms()));
      until_next_ = std::min(until_next_, std::max<Duration>(wait, kPause));
      continue;
    }
    const KadId target = KadId::of(ByteView(listed->key));
    if (table.size() == 0 || table.count_nearer(target, place_) >= config_.k) continue;
    return Task{std::move(listed->key), std::move(listed->record.value), std::nullopt};
  }
  looked_at_ = 0;
  round_at_ = now.mono + kPause;
  return std::nullopt;
}

std::optional<Replicator::Task> Replicator::next_handover(RecordStore& records, const RoutingTable& table,
                                                          Now now) {
  for (std::size_t looked_at = 0; !newcomers_.empty() && looked_at < kReplicationSlice; ++looked_at) {
    Newcomer& newcomer = newcomers_.front();
    auto listed = records.next_after(newcomer.cursor);
    if (!listed || !table.contains(newcomer.peer)) {
      newcomers_.pop_front();
      continue;
    }
    newcomer.cursor = listed->key;
    const KadId target = KadId::of(ByteView(listed->key));
    const KadId place = KadId::of(newcomer.peer);
    const bool before_us = nearer(target, place, place_);
    const std::size_t others_before_us = table.count_nearer(target, place_) - (before_us ? 1 : 0);
    if (others_before_us >= kHandingOver) continue;
    if (table.count_nearer(target, place) + (before_us ? 0 : 1) >= config_.k) continue;
    if (!ends_by_itself(listed->key, listed->record, now.wall)) continue;
    auto info = table.info(newcomer.peer);
    if (!info) continue;
    handover_at_ = now.mono + kPause / kHandoversPerSecond;
    return Task{std::move(listed->key), std::move(listed->record.value), std::move(*info)};
  }
  handover_at_ = newcomers_.empty() ? Instant::never() : now.mono + kPause;
  return std::nullopt;
}

}  // namespace starling::kad
