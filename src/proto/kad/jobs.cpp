#include "proto/kad/jobs.hpp"

#include <algorithm>

namespace starling::kad {
namespace {

constexpr Duration kRefreshPause = 30s;

}  // namespace

Jobs::Jobs(const Config& config, Rng& rng, Instant now)
    : config_(config),
      rng_(rng),
      refresh_at_(Instant::never()),
      refreshed_(now - config.refresh_interval),
      sweep_at_(now + config.sweep_interval) {}

void Jobs::refresh_soon(Instant now) {
  refresh_at_ = std::min(refresh_at_, std::max(now, refreshed_ + kRefreshPause));
}

bool Jobs::refresh_due(Instant now) {
  if (refresh_at_ > now) return false;
  note_refresh(now);
  return true;
}

void Jobs::note_refreshed(std::size_t table_size, Instant now) {
  if (table_size >= config_.k) {
    thin_pause_ = kThinRefreshFirst;
    return;
  }
  refresh_at_ = std::min(refresh_at_, now + saturating_scale(thin_pause_, 0.9 + 0.2 * rng_.unit()));
  thin_pause_ = std::min(2 * thin_pause_, config_.refresh_interval);
}

void Jobs::note_refresh(Instant now) {
  refreshed_ = now;
  refresh_at_ = now + saturating_scale(config_.refresh_interval, 0.9 + 0.2 * rng_.unit());
}

bool Jobs::sweep_due(Instant now) {
  if (sweep_at_ > now) return false;
  sweep_at_ = now + config_.sweep_interval;
  return true;
}

void Jobs::find_next_republish() {
  republish_at_ = Instant::never();
  for (const auto& [key, due] : provided_) republish_at_ = std::min(republish_at_, due);
  for (const auto& [key, own] : published_) republish_at_ = std::min(republish_at_, own.due);
}

bool Jobs::keep_publishing(Bytes key, Bytes value, Instant now) {
  if (published_.size() >= kOwnRecordsMax && !published_.contains(key)) return false;
  published_.insert_or_assign(std::move(key), Published{std::move(value), now + config_.record_republish});
  find_next_republish();
  return true;
}

void Jobs::stop_publishing(ByteView key) {
  if (published_.erase(to_bytes(key)) > 0) find_next_republish();
}

std::optional<Jobs::OwnRecord> Jobs::put_due(Instant now) {
  if (republish_at_ > now) return std::nullopt;
  std::optional<OwnRecord> out;
  for (auto& [key, own] : published_) {
    if (own.due > now) continue;
    own.due = now + config_.record_republish;
    out = OwnRecord{key, own.value};
    break;
  }
  find_next_republish();
  return out;
}

bool Jobs::keep_providing(Bytes key, Instant now) {
  if (provided_.size() >= kOwnProvidedKeysMax && !provided_.contains(key)) return false;
  note(key);
  provided_.insert_or_assign(std::move(key), now + config_.provider_republish);
  find_next_republish();
  return true;
}

bool Jobs::restore_providing(Bytes key, Instant due) {
  if (provided_.size() >= kOwnProvidedKeysMax && !provided_.contains(key)) return false;
  provided_.insert_or_assign(std::move(key), due);
  find_next_republish();
  return true;
}

std::optional<Instant> Jobs::provided_due(const Bytes& key) const {
  const auto it = provided_.find(key);
  if (it == provided_.end()) return std::nullopt;
  return it->second;
}

void Jobs::stop_providing(ByteView key) {
  const auto it = provided_.find(to_bytes(key));
  if (it == provided_.end()) return;
  note(it->first);
  provided_.erase(it);
  find_next_republish();
}

std::optional<Bytes> Jobs::republish_due(Instant now) {
  if (republish_at_ > now) return std::nullopt;
  std::optional<Bytes> out;
  for (auto& [key, due] : provided_) {
    if (due > now) continue;
    due = now + config_.provider_republish;
    note(key);
    out = key;
    break;
  }
  find_next_republish();
  return out;
}

void Jobs::hold_republish(Instant until) { republish_at_ = std::max(republish_at_, until); }

std::vector<Bytes> Jobs::refresh_keys(const RoutingTable& table, const KadId& self, Instant now) {
  std::vector<bool> wanted(std::min(table.depth(), kRefreshBucketsMax));
  std::size_t open = 0;
  std::size_t inwards = 0;
  for (std::size_t i = table.depth(); i-- > 0;) {
    inwards += table.bucket_size(i);
    if (i >= wanted.size() || table.bucket_size(i) >= config_.k || inwards < config_.k) continue;
    wanted[i] = table.looked_up(i) == Instant{} || table.looked_up(i) + config_.refresh_interval <= now;
    open += wanted[i] ? 1u : 0u;
  }
  std::vector<Bytes> out;
  for (std::size_t tries = 0; tries < kRefreshHashesMax && open > 0; ++tries) {
    const auto key = rng_.bytes<32>();
    const std::size_t bucket = common_prefix_bits(self, KadId::of(ByteView(key)));
    if (bucket >= wanted.size() || !wanted[bucket]) continue;
    wanted[bucket] = false;
    --open;
    out.emplace_back(key.begin(), key.end());
  }
  return out;
}

void Jobs::save_soon(Instant now) {
  if (tracked_) save_at_ = std::min(save_at_, std::max(now + kTableSaveDelay, save_not_before_));
}

bool Jobs::save_due(Instant now) {
  if (save_at_ > now) return false;
  save_at_ = Instant::never();
  save_not_before_ = now + kTableSavePause;
  return true;
}

Instant Jobs::deadline() const { return std::min({refresh_at_, sweep_at_, republish_at_, save_at_}); }

}  // namespace starling::kad
