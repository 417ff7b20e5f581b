#include "proto/kad/server.hpp"

#include <algorithm>

#include "proto/kad/address.hpp"
#include "proto/kad/timestamp.hpp"

namespace starling::kad {

Server::Server(const Config& config, const PeerId& self, const Validators& validators,
               std::unique_ptr<RecordStore> records, Rng& rng)
    : config_(config),
      self_(self),
      validators_(validators),
      rng_(rng),
      records_(std::move(records)),
      providers_(config.stores),
      rates_(config.rates) {}

Result<std::optional<Message>> Server::answer(const PeerId& from, const Message& request,
                                              const RoutingTable& table, Now now) {
  if (!rates_.take_request(from, now.mono)) return fail(Errc::over_rate);
  if (request.type == MessageType::ping) {
    Message out;
    out.type = MessageType::ping;
    return out;
  }
  if (request.key.empty()) return fail(Errc::key_missing);
  if (request.key.size() > kKeyBytesMax) return fail(Errc::key_too_long);
  switch (request.type) {
    case MessageType::put_value: return put_value(from, request, now);
    case MessageType::get_value: return get_value(from, request, table, now);
    case MessageType::add_provider: return add_provider(from, request, now);
    case MessageType::get_providers: return get_providers(from, request, table, now);
    default: return find_node(from, request, table);
  }
}

// --- closer peers ---

std::vector<PeerInfo> Server::closer(const PeerId& from, ByteView key, const RoutingTable& table) const {
  return table.nearest(KadId::of(key), config_.k, &from);
}

Result<std::optional<Message>> Server::find_node(const PeerId& from, const Message& request,
                                                 const RoutingTable& table) {
  Message out;
  out.type = MessageType::find_node;
  out.closer_peers = closer(from, request.key, table);
  // The key may be any bytes. When it is the id of a client that we are connected with, nobody else can name
  // it better; a server in the table is the first of the nearest anyway.
  const auto target = PeerId::from_bytes(request.key);
  if (!target || *target == from || *target == self_) return out;
  auto named = knows_client(*target) ? connected(*target) : std::nullopt;
  if (!named) return out;
  if (out.closer_peers.size() >= config_.k && !out.closer_peers.empty()) out.closer_peers.pop_back();
  out.closer_peers.insert(out.closer_peers.begin(), *std::move(named));
  return out;
}

void Server::know(const PeerId& peer, std::span<const Multiaddr> addrs, Offers offers) {
  if (connected_.size() >= kConnectedPeersMax && !connected_.contains(peer)) return;
  connected_[peer] = Connected{PackedAddrs(addrs), offers};
}

bool Server::knows_client(const PeerId& peer) const {
  const Connected* known = connected_.find(peer);
  return known != nullptr && known->offers == Offers::nothing;
}

std::optional<PeerInfo> Server::connected(const PeerId& peer) const {
  const Connected* known = connected_.find(peer);
  if (known == nullptr || known->addrs.empty()) return std::nullopt;
  return PeerInfo{peer, known->addrs.unpacked(), ConnectionType::connected};
}

// --- records ---

WallTime Server::end_of(ByteView key, ByteView value, WallTime now) const {
  const WallTime latest = now + config_.record_validity;
  return std::min(validators_.expires_at(key, value).value_or(latest), latest);
}

std::optional<StoredRecord> Server::valid_record(ByteView key, Now now) {
  auto record = records_->find(key);
  if (!record) return std::nullopt;
  if (record->expires <= now.wall || !validators_.validate(key, record->value, now.wall)) {
    records_->erase(key);
    return std::nullopt;
  }
  return record;
}

Result<std::optional<Message>> Server::put_value(const PeerId& from, const Message& request, Now now) {
  if (!request.record) return fail(Errc::record_missing);
  if (request.record->key != request.key) return fail(Errc::record_key_mismatch);
  if (!rates_.take_put(from, now.mono)) return fail(Errc::over_rate);
  const ByteView value = request.record->value;
  STARLING_TRY(validators_.validate(request.key, value, now.wall));

  Message out;
  out.type = MessageType::put_value;
  out.key = request.key;
  if (auto held = valid_record(request.key, now);
      held && validators_.better(request.key, held->value, value)) {
    out.record = Record{request.key, std::move(held->value), rfc3339(held->received)};
    return out;
  }
  STARLING_TRY(records_->put(
      request.key, StoredRecord{to_bytes(value), now.wall, end_of(request.key, value, now.wall), from}));
  // The echo is built from known fields: py refuses its own extra ones when they come back.
  out.record = Record{request.key, request.record->value, rfc3339(now.wall)};
  return out;
}

Result<void> Server::put_own(ByteView key, ByteView value, Now now) {
  STARLING_TRY(validators_.validate(key, value, now.wall));
  if (const auto held = valid_record(key, now); held && validators_.better(key, held->value, value))
    return fail(Errc::invalid_record);
  return records_->put(key, StoredRecord{to_bytes(value), now.wall, end_of(key, value, now.wall), PeerId{}});
}

Result<std::optional<Message>> Server::get_value(const PeerId& from, const Message& request,
                                                 const RoutingTable& table, Now now) {
  Message out;
  out.type = MessageType::get_value;
  out.key = request.key;
  if (auto held = valid_record(request.key, now))
    out.record = Record{request.key, std::move(held->value), rfc3339(held->received)};
  out.closer_peers = closer(from, request.key, table);
  return out;
}

// --- providers ---

Result<std::optional<Message>> Server::add_provider(const PeerId& from, const Message& request, Now now) {
  if (request.key.size() > kProviderKeyBytesMax) return fail(Errc::key_too_long);
  for (const PeerInfo& provider : request.provider_peers)
    if (provider.id != from) return fail(Errc::provider_not_sender);
  if (!rates_.take_put(from, now.mono)) return fail(Errc::over_rate);
  if (request.provider_peers.empty()) return std::nullopt;
  PeerInfo provider = request.provider_peers.front();
  keep_usable(provider.addrs, config_.scope, kAddrsPerPeerSentMax);
  provider.connection = ConnectionType::not_connected;
  // A rust peer without confirmed addresses sends none, an honest mistake: there is just nothing to store.
  if (provider.addrs.empty()) return std::nullopt;
  STARLING_TRY(
      providers_.add(request.key, std::move(provider), now.mono, now.mono + config_.provider_validity));
  return std::nullopt;
}

std::vector<PeerInfo> Server::providers(ByteView key, std::size_t count, Now now) {
  return providers_.find(key, count, now.mono, rng_);
}

void Server::provide_own(ByteView key, PeerInfo self, Now now) {
  // A full store is no error here: the other servers have the entry.
  (void)providers_.add(key, std::move(self), now.mono, now.mono + config_.provider_validity);
}

Result<std::optional<Message>> Server::get_providers(const PeerId& from, const Message& request,
                                                     const RoutingTable& table, Now now) {
  if (request.key.size() > kProviderKeyBytesMax) return fail(Errc::key_too_long);
  Message out;
  out.type = MessageType::get_providers;
  out.key = request.key;
  out.provider_peers = providers(request.key, config_.k, now);
  out.closer_peers = closer(from, request.key, table);
  return out;
}

void Server::sweep(Now now) {
  (void)records_->expire(now.wall);
  (void)providers_.expire(now.mono);
  rates_.sweep(now.mono);
}

}  // namespace starling::kad
