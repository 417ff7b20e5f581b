// The part of the brain that lets a restart go unnoticed: what it tells to be kept, and what it takes back.
#include <algorithm>

#include "proto/kad/address.hpp"
#include "proto/kad/kad.hpp"

namespace starling::kad {
namespace {

/// The value under which an entry is to be kept; empty when there is no such entry.
Bytes as_it_is(Server& server, const Jobs& jobs, Durable what, const Bytes& key, Now now) {
  switch (what) {
    case Durable::record: {
      const auto record = server.records().find(key);
      return record ? encode_record_entry(*record) : Bytes();
    }
    case Durable::provider: {
      const auto about = parse_provider_entry_key(key);
      const auto* entry = about ? server.provider_store().find_entry(about->first, about->second) : nullptr;
      return entry == nullptr ? Bytes()
                              : encode_provider_entry(entry->provider, to_wall(entry->expires, now));
    }
    case Durable::provided_key: {
      const auto due = jobs.provided_due(key);
      return due ? encode_due(to_wall(*due, now)) : Bytes();
    }
    case Durable::table: break;
  }
  return {};
}

}  // namespace

// --- telling ---

bool Kad::has_persists() {
  if (config_.keep == Keep::nothing) return false;
  if (next_persist_ < persists_.size()) return true;
  persists_ = {};  // no room is kept for the bursts that have been
  next_persist_ = 0;
  tell_changes();
  return !persists_.empty();
}

/// Whatever changed since the last call, as it is now: a key that changed twice is told once more, with the
/// same value.
void Kad::tell_changes() {
  const auto tell = [this](Durable what, Bytes key) {
    Bytes value = as_it_is(server_, jobs_, what, key, clock_);
    persists_.push_back({what, std::move(key), std::move(value)});
  };
  for (Bytes& key : server_.records().take_changes()) tell(Durable::record, std::move(key));
  for (const auto& [key, provider] : server_.provider_store().take_changes())
    tell(Durable::provider, provider_entry_key(key, provider));
  for (Bytes& key : jobs_.take_changes()) tell(Durable::provided_key, std::move(key));
}

/// An empty table is no news worth keeping, and one that is still being put together would lose the rest.
void Kad::save_table(Now now) {
  if (config_.keep == Keep::nothing || table_.size() == 0) return;
  if (!saved_.empty() || prober_.saved_running() > 0) return jobs_.save_soon(now.mono);
  Bytes bytes = encode_peers(table_.sample(kSavedPeersMax));
  if (bytes == saved_table_) return;
  saved_table_ = bytes;
  persists_.push_back({Durable::table, {}, std::move(bytes)});
}

// --- taking back ---

Result<void> Kad::restore(Durable what, ByteView key, ByteView value, Now now) {
  clock_ = now;
  auto restored = restore_entry(what, key, value, now);
  forget_what_is_kept(key);
  if (!restored) {
    Bytes owned = to_bytes(key);
    Bytes held = as_it_is(server_, jobs_, what, owned, now);
    if (config_.keep == Keep::everything) persists_.push_back({what, std::move(owned), std::move(held)});
    env_.metrics.add("kad_restore_dropped_count");
  } else if (what == Durable::record) {
    replicator_.note_restored(now.mono);
  }
  show_sizes();
  return restored;
}

/// What was put back stands where it came from; what had to make room for it does not stay there.
void Kad::forget_what_is_kept(ByteView restored) {
  for (Bytes& key : server_.records().take_changes())
    if (!equal(key, restored)) persists_.push_back({Durable::record, std::move(key), {}});
  for (const auto& [key, provider] : server_.provider_store().take_changes())
    if (Bytes entry = provider_entry_key(key, provider); !equal(entry, restored))
      persists_.push_back({Durable::provider, std::move(entry), {}});
}

Result<void> Kad::restore_entry(Durable what, ByteView key, ByteView value, Now now) {
  switch (what) {
    case Durable::record: {
      STARLING_ASSIGN(auto record, decode_record_entry(value));
      return server_.restore_record(key, std::move(record), now);
    }
    case Durable::provider: {
      STARLING_ASSIGN(auto about, parse_provider_entry_key(key));
      STARLING_ASSIGN(auto entry, decode_provider_entry(value));
      PeerInfo provider{about.second, std::move(entry.addrs), ConnectionType::not_connected};
      return server_.restore_provider(about.first, std::move(provider), to_mono(entry.expires, now), now);
    }
    case Durable::provided_key: {
      STARLING_ASSIGN(const WallTime due, decode_due(value));
      if (key.empty() || key.size() > kProviderKeyBytesMax) return fail(Errc::bad_entry);
      const Instant latest = now.mono + config_.provider_republish;
      if (!jobs_.restore_providing(to_bytes(key), std::clamp(to_mono(due, now), now.mono, latest)))
        return fail(Errc::store_full);
      return {};
    }
    case Durable::table: {
      STARLING_ASSIGN(saved_, decode_peers(value));
      std::reverse(saved_.begin(), saved_.end());
      return {};
    }
  }
  return fail(Errc::bad_entry);
}

Result<void> Server::restore_record(ByteView key, StoredRecord record, Now now) {
  if (key.size() > kKeyBytesMax) return fail(Errc::key_too_long);
  if (record.expires <= now.wall) return fail(Errc::bad_entry);
  STARLING_TRY(validators_.validate(key, record.value, now.wall));
  record.expires = std::min(record.expires, end_of(key, record.value, now.wall));
  record.received = std::min(record.received, now.wall);
  return records_->put(key, std::move(record));
}

Result<void> Server::restore_provider(ByteView key, PeerInfo provider, Instant expires, Now now) {
  if (key.empty() || key.size() > kProviderKeyBytesMax) return fail(Errc::bad_entry);
  keep_usable(provider.addrs, config_.scope, kAddrsPerPeerSentMax);
  if (provider.addrs.empty() || expires <= now.mono) return fail(Errc::bad_entry);
  return providers_.add(key, std::move(provider), now.mono,
                        std::min(expires, now.mono + config_.provider_validity));
}

// --- the saved table ---

void Kad::start(Now now) {
  clock_ = now;
  if (saved_.empty()) return;
  saved_wait_until_ = now.mono + kSavedWaitMax;
  run_probes(now);
}

void Kad::ask_saved(Now now) {
  if (saved_wait_until_ == Instant{}) return;
  if (config_.mode == Mode::client && table_.size() >= config_.k) saved_.clear();
  while (!saved_.empty() && prober_.saved_running() < kSavedProbesMax) {
    PeerInfo peer = std::move(saved_.back());
    saved_.pop_back();
    keep_usable(peer.addrs, config_.scope, kAddrsPerPeerMax);
    if (peer.id == self_ || peer.addrs.empty() || table_.contains(peer.id) || !prober_.start_saved(peer))
      continue;
    start_probe({std::move(peer), std::nullopt, Prober::Origin::saved}, now);
  }
}

/// Whether an empty table may soon not be empty any more.
bool Kad::may_find_somebody(Now now) const {
  const bool asking_saved = prober_.saved_running() > 0 || !saved_.empty();
  return prober_.running() + prober_.waiting() > prober_.saved_running() ||
         (asking_saved && now.mono < saved_wait_until_);
}

}  // namespace starling::kad
