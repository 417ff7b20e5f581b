#include "proto/kad/provider_store.hpp"

#include <algorithm>

#include "proto/kad/address.hpp"

namespace starling::kad {
namespace {

/// One operator's addresses; the first public address speaks for the provider. 0 = not counted.
std::uint32_t group_of(const PeerInfo& provider) {
  for (const Multiaddr& addr : provider.addrs)
    if (const auto group = address_group(addr, Diversity{}); group != 0) return group;
  return 0;
}

}  // namespace

void ProviderStore::forget(const PeerId& provider) {
  --count_;
  if (const auto peer = per_peer_.find(provider); peer != per_peer_.end() && --peer->second == 0)
    per_peer_.erase(peer);
}

std::size_t ProviderStore::drop_expired(const Bytes& key, Entries& entries, Instant now) {
  return std::erase_if(entries, [&](const Entry& entry) {
    if (entry.expires > now) return false;
    note(key, entry.provider.id);
    forget(entry.provider.id);
    return true;
  });
}

Result<void> ProviderStore::add(ByteView key, PeerInfo provider, Instant now, Instant expires) {
  Bytes owned = to_bytes(key);
  const auto list = keys_.find(owned);
  if (list != keys_.end()) {
    for (Entry& entry : list->second) {
      if (entry.provider.id != provider.id) continue;
      note(owned, provider.id);
      entry.provider = std::move(provider);
      entry.expires = expires;
      return {};
    }
    drop_expired(owned, list->second, now);
    if (list->second.size() >= limits_.providers_per_key_max) return fail(Errc::store_full);
    if (const std::uint32_t group = group_of(provider); group != 0) {
      const auto same = std::count_if(list->second.begin(), list->second.end(), [group](const Entry& entry) {
        return group_of(entry.provider) == group;
      });
      if (static_cast<std::size_t>(same) >= limits_.providers_per_group_max) return fail(Errc::store_full);
    }
  }
  if (count_ >= limits_.providers_max) return fail(Errc::store_full);
  const auto peer = per_peer_.find(provider.id);
  if (peer != per_peer_.end() && peer->second >= limits_.provided_keys_per_peer_max)
    return fail(Errc::store_full);
  ++per_peer_[provider.id];
  ++count_;
  note(owned, provider.id);
  keys_[std::move(owned)].push_back({std::move(provider), expires});
  return {};
}

void ProviderStore::remove(ByteView key, const PeerId& provider) {
  const auto list = keys_.find(to_bytes(key));
  if (list == keys_.end()) return;
  if (std::erase_if(list->second, [&](const Entry& entry) { return entry.provider.id == provider; }) > 0) {
    note(list->first, provider);
    forget(provider);
  }
  if (list->second.empty()) keys_.erase(list);
}

const ProviderStore::Entry* ProviderStore::find_entry(ByteView key, const PeerId& provider) const {
  const auto list = keys_.find(to_bytes(key));
  if (list == keys_.end()) return nullptr;
  const auto entry = std::find_if(list->second.begin(), list->second.end(),
                                  [&](const Entry& known) { return known.provider.id == provider; });
  return entry == list->second.end() ? nullptr : &*entry;
}

std::vector<PeerInfo> ProviderStore::find(ByteView key, std::size_t count, Instant now, Rng& rng) const {
  std::vector<PeerInfo> out;
  const auto list = keys_.find(to_bytes(key));
  if (list == keys_.end()) return out;
  for (const Entry& entry : list->second)
    if (entry.expires > now) out.push_back(entry.provider);
  if (out.size() > count) {
    rng.shuffle(out);
    out.resize(count);
  }
  return out;
}

std::size_t ProviderStore::expire(Instant now) {
  std::size_t dropped = 0;
  for (auto it = keys_.begin(); it != keys_.end();) {
    dropped += drop_expired(it->first, it->second, now);
    it = it->second.empty() ? keys_.erase(it) : std::next(it);
  }
  return dropped;
}

}  // namespace starling::kad
