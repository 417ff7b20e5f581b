#include "starling/host.hpp"

#include "crypto/hash.hpp"
#include "format/multihash.hpp"
#include "sdk/host_core.hpp"

namespace starling {
namespace {

std::vector<std::string> ids_of(const std::vector<kad::PeerInfo>& peers) {
  std::vector<std::string> out;
  for (const auto& peer : peers) out.push_back(peer.id.to_string());
  return out;
}

}  // namespace

std::string Message::author() const {
  const auto id = PeerId::from_bytes(author_bytes);
  return id ? id->to_string() : std::string();
}

std::vector<std::uint8_t> sha256_multihash(ByteSpan content) { return format::sha256_multihash(content); }
std::vector<std::uint8_t> sha256(ByteSpan content) { return to_bytes(crypto::sha256(content)); }

Host::Host(HostOptions options) : core_(std::make_unique<sdk::HostCore>(std::move(options))) {}
Host::~Host() = default;

Outcome<void> Host::start() { return core_->start(); }
void Host::stop() { core_->stop(); }
const std::string& Host::peer_id() const noexcept { return core_->peer_id(); }
const std::vector<std::string>& Host::addresses() const noexcept { return core_->addresses(); }

void Host::set_stream_handler(std::string protocol, StreamHandler handler, Done<void> done) {
  core_->set_stream_handler(std::move(protocol), std::move(handler), std::move(done));
}
void Host::connection(std::string_view peer, Done<Connection> done) {
  core_->connection(peer, std::move(done));
}
void Host::open_stream(std::string_view peer, std::vector<std::string> protocols, Connection::OpenDone done,
                       Agreement agreement) {
  core_->connection(peer, [protocols = std::move(protocols), done = std::move(done),
                           agreement](const Outcome<Connection>& found) {
    if (found)
      found->open_stream(protocols, done, agreement);
    else
      done(found.failure());
  });
}
void Host::connect(std::string_view address, Done<std::string> done) {
  core_->connect(address, std::move(done));
}
void Host::connect(std::string_view peer, const std::vector<std::string>& addresses, Done<std::string> done) {
  core_->connect(peer, addresses, std::move(done));
}
void Host::disconnect(std::string_view peer, Done<void> done) { core_->disconnect(peer, std::move(done)); }
void Host::ping(std::string_view peer, Done<std::chrono::nanoseconds> done) {
  core_->ping(peer, std::move(done));
}
void Host::peers(Done<std::vector<std::string>> done) { core_->peers(std::move(done)); }
void Host::connections(Done<std::vector<ConnectionInfo>> done) { core_->connections(std::move(done)); }
void Host::public_key(std::string_view peer, Done<std::vector<std::uint8_t>> done) {
  core_->public_key(peer, std::move(done));
}
void Host::tag_peer(std::string_view peer, std::string_view tag, std::int32_t value, Done<void> done) {
  core_->ask<void>(std::move(done), [id = PeerId::parse(peer), tag = std::string(tag), value](
                                        node::Host& host, sdk::Owed<void> owed, Now) {
    if (!id) return owed.fail(id.error());
    if (const auto tagged = host.tag(*id, tag, value); !tagged) return owed.fail(tagged.error());
    owed({});
  });
}
void Host::trim_connections(Done<std::size_t> done) { core_->trim_connections(std::move(done)); }
void Host::peer_info(std::string_view peer, Done<PeerInfo> done) { core_->peer_info(peer, std::move(done)); }
void Host::subscribe(std::string_view topic, Done<void> done) { core_->subscribe(topic, std::move(done)); }
void Host::unsubscribe(std::string_view topic, Done<void> done) {
  core_->unsubscribe(topic, std::move(done));
}
void Host::publish(std::string_view topic, ByteSpan data, Done<Published> done) {
  core_->publish(topic, data, std::move(done));
}
void Host::mesh_peers(std::string_view topic, Done<std::vector<std::string>> done) {
  core_->mesh_peers(topic, std::move(done));
}
void Host::topics(Done<std::vector<std::string>> done) {
  core_->ask<std::vector<std::string>>(std::move(done),
                                       [](node::Host& host, sdk::Owed<std::vector<std::string>> owed, Now) {
                                         if (host.pubsub() == nullptr)
                                           return owed.fail(node::make_error(node::Errc::gossip_off));
                                         std::vector<std::string> all;
                                         for (auto& stats : host.pubsub()->topic_stats())
                                           all.push_back(std::move(stats.topic));
                                         owed(std::move(all));
                                       });
}
void Host::topic_peers(std::string_view topic, Done<std::vector<std::string>> done) {
  core_->ask<std::vector<std::string>>(
      std::move(done),
      [topic = std::string(topic)](node::Host& host, sdk::Owed<std::vector<std::string>> owed, Now) {
        if (host.pubsub() == nullptr) return owed.fail(node::make_error(node::Errc::gossip_off));
        std::vector<std::string> all;
        for (const auto& peer : host.pubsub()->topic_peers(topic)) all.push_back(peer.to_string());
        owed(std::move(all));
      });
}
void Host::stats(Done<HostStats> done) { core_->stats(std::move(done)); }
void Host::post_after(std::chrono::nanoseconds delay, std::function<void()> work) {
  core_->after(delay, std::move(work));
}

// ---------------------------------------------------------------------------------------------- DHT

void Host::dht_put(ByteSpan key, ByteSpan value, Done<void> done) {
  core_->query<void>(
      std::move(done),
      [key = to_bytes(key), value = to_bytes(value)](kad::Kad& dht, Now now) mutable {
        return dht.put_value(std::move(key), std::move(value), now);
      },
      [](kad::QueryResult&, sdk::Owed<void>& owed) { owed({}); });
}

void Host::dht_get(ByteSpan key, Done<std::vector<std::uint8_t>> done) {
  core_->query<std::vector<std::uint8_t>>(
      std::move(done),
      [key = to_bytes(key)](kad::Kad& dht, Now now) mutable {
        return dht.get_value(std::move(key), {}, now);
      },
      [](kad::QueryResult& result, sdk::Owed<std::vector<std::uint8_t>>& owed) {
        auto& found = std::get<kad::ValueDone>(result);
        if (found.value)
          owed(std::move(*found.value));
        else
          owed.fail(node::make_error(node::Errc::not_found));
      });
}

void Host::dht_provide(ByteSpan multihash, Done<void> done) {
  core_->query<void>(
      std::move(done),
      [key = to_bytes(multihash)](kad::Kad& dht, Now now) mutable {
        return dht.provide(std::move(key), now);
      },
      [](kad::QueryResult&, sdk::Owed<void>& owed) { owed({}); });
}

void Host::dht_find_providers(ByteSpan multihash, std::size_t count, Done<std::vector<std::string>> done) {
  core_->query<std::vector<std::string>>(
      std::move(done),
      [key = to_bytes(multihash), count](kad::Kad& dht, Now now) mutable {
        return dht.find_providers(std::move(key), count, now);
      },
      [](kad::QueryResult& result, sdk::Owed<std::vector<std::string>>& owed) {
        owed(ids_of(std::get<kad::ProvidersDone>(result).providers));
      });
}

void Host::dht_find_providers(ByteSpan multihash, std::size_t count, std::function<void(PeerAddresses)> found,
                              Done<void> done) {
  core_->find_providers(multihash, count, std::move(found), std::move(done));
}

void Host::dht_find_peer(std::string_view peer, Done<std::vector<std::string>> done) {
  const auto id = PeerId::parse(peer);
  if (!id) return done(sdk::to_failure(id.error()));
  core_->query<std::vector<std::string>>(
      std::move(done), [id = *id](kad::Kad& dht, Now now) { return dht.find_peer(id, now); },
      [](kad::QueryResult& result, sdk::Owed<std::vector<std::string>>& owed) {
        std::vector<std::string> addresses;
        for (const auto& address : std::get<kad::PeerDone>(result).peer.addrs)
          addresses.push_back(address.to_string());
        owed(std::move(addresses));
      });
}

void Host::dht_closest_peers(ByteSpan key, Done<std::vector<std::string>> done) {
  core_->query<std::vector<std::string>>(
      std::move(done), [key = to_bytes(key)](kad::Kad& dht, Now now) { return dht.closest_peers(key, now); },
      [](kad::QueryResult& result, sdk::Owed<std::vector<std::string>>& owed) {
        owed(ids_of(std::get<kad::ClosestDone>(result).peers));
      });
}

void Host::dht_table_size(Done<std::size_t> done) {
  core_->ask<std::size_t>(std::move(done), [](node::Host& host, sdk::Owed<std::size_t> owed, Now) {
    if (host.dht() == nullptr) return owed.fail(node::make_error(node::Errc::dht_off));
    owed(host.dht()->table().size());
  });
}

}  // namespace starling
