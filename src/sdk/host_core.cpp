#include "sdk/host_core.hpp"

#include "crypto/hash.hpp"
#include "format/multihash.hpp"
#include "runtime/shard.hpp"
#include "sdk/parse.hpp"

namespace starling::sdk {
namespace {

template <class... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};
template <class... Visitors>
Overloaded(Visitors...) -> Overloaded<Visitors...>;

PeerInfo to_public(const identify::Info& info) {
  PeerInfo out;
  out.agent_version = info.agent_version;
  out.protocol_version = info.protocol_version;
  out.protocols = info.protocols;
  for (const auto& address : info.listen_addrs) out.addresses.push_back(address.to_string());
  if (info.observed_addr) out.observed_address = info.observed_addr->to_string();
  return out;
}

Message to_public(const gossip::MessagePtr& message) {
  Message out;
  out.topic = message->topic;
  out.author_bytes = message->from;
  out.seqno = message->seqno;
  out.data = message->data.view();
  out.signature = message->signature;
  out.key = message->key;
  out.memory = message;
  return out;
}

}  // namespace

HostCore::HostCore(HostOptions options) : options_(std::move(options)) {
  auto setup = prepare(options_);
  if (!setup) {
    bad_options_ = setup.failure();
    return;
  }
  peer_id_ = PeerId::of(setup->key.public_key()).to_string();
  setup->options.loops = loops_of(options_);
  runtime_ = std::make_unique<runtime::NodeRuntime>(std::move(setup->options), [&](Env& env, Now now) {
    auto made = std::make_unique<runtime::HostBrain>(
        std::move(setup->host), std::move(setup->key), setup->records,
        [this](node::host_event::Event& event, Now at) { on_event(event, at); }, env, now);
    brain_ = made.get();
    return std::unique_ptr<runtime::Brain>(std::move(made));
  });
  std::vector<runtime::StreamSink*> sinks;
  for (std::size_t i = 0; i < runtime_->shards_count(); ++i) {
    tables_.push_back(std::make_unique<StreamTable>(handlers_));
    tables_.back()->bind(runtime_->inbox(i));
    sinks.push_back(tables_.back().get());
  }
  runtime_->set_sinks(sinks);
}

HostCore::~HostCore() { stop(); }

Outcome<void> HostCore::start() {
  if (bad_options_) return *bad_options_;
  const auto started = runtime_->start([this](Now) {
    for (auto& protocol : handlers_->protocols()) host().add_app_protocol(std::move(protocol));
    return Result<void>();
  });
  if (!started) return to_failure(started.error());
  for (const auto& address : runtime_->listening())
    addresses_.push_back(address.to_string() + "/p2p/" + peer_id_);
  return {};
}

void HostCore::stop() {
  if (!runtime_) return;
  runtime_->post([this](runtime::Shard&, Now) { give_up_waiting(); });
  runtime_->stop();
  give_up_waiting();  // what came in between
}

/// Answers all that still wait; swapped out first, for they may ask again.
void HostCore::give_up_waiting() {
  const auto drop = [](auto& container) { std::exchange(container, {}); };
  drop(connects_);
  drop(pings_);
  drop(disconnects_);
  drop(infos_);
  drop(queries_);
  drop(finders_);
  drop(trims_);
  drop(publications_);
}

void HostCore::set_stream_handler(std::string protocol, Host::StreamHandler handler, Host::Done<void> done) {
  handlers_->set(protocol, std::move(handler));
  ask<void>(std::move(done),
            [this, protocol = std::move(protocol)](node::Host& host, Owed<void> owed, Now) mutable {
              host.add_app_protocol(std::move(protocol));
              runtime_->after_shards([owed = std::move(owed)](runtime::Shard&, Now) mutable { owed({}); });
            });
}

void HostCore::after(Duration delay, std::function<void()> work) {
  if (runtime_) runtime_->post_after(delay, [work = std::move(work)](runtime::Shard&, Now) { work(); });
}

// ---------------------------------------------------------------------------------------------- what the
// brain tells

void HostCore::on_event(node::host_event::Event& event, Now) {
  using namespace node::host_event;
  const auto handle = Overloaded{
      [&](ConnectDone& typed) { on_connect_done(typed); },
      [&](PeerConnected& typed) {
        if (options_.events.peer_connected) options_.events.peer_connected(typed.peer.to_string());
      },
      [&](PeerDisconnected& typed) { on_disconnected(typed.peer, typed.reason); },
      [&](PeerIdentified& typed) { on_identified(typed.peer); },
      [&](Delivered& typed) {
        if (options_.events.message) options_.events.message(to_public(typed.message));
      },
      [&](ProviderFound& typed) { on_provider(typed.found); },
      [&](Query& typed) {
        finders_.erase(typed.done.id);
        auto node = queries_.extract(typed.done.id);
        if (!node.empty()) node.mapped()(typed.done);
      },
      [&](Pinged& typed) {
        auto node = pings_.extract(typed.ask);
        if (node.empty()) return;
        if (typed.rtt)
          node.mapped()(*typed.rtt);
        else
          node.mapped().fail(typed.rtt.error());
      },
      [](auto&) {},
  };
  std::visit(handle, event);
}

void HostCore::on_connect_done(node::host_event::ConnectDone& event) {
  auto node = connects_.extract(event.ask);
  if (node.empty()) return;
  if (event.outcome)
    node.mapped()(event.outcome->to_string());
  else
    node.mapped().fail(event.outcome.error());
}

void HostCore::on_identified(const PeerId& peer) {
  const auto info = host().info_of(peer);
  while (true) {
    auto node = infos_.extract(peer);
    if (node.empty()) return;
    (*node.mapped())(to_public(*info));
  }
}

void HostCore::on_disconnected(const PeerId& peer, const Error& reason) {
  if (options_.events.peer_disconnected)
    options_.events.peer_disconnected(peer.to_string(), to_failure(reason));
  while (true) {
    auto node = infos_.extract(peer);
    if (node.empty()) break;
    node.mapped()->fail(reason);
  }
  while (true) {
    auto node = disconnects_.extract(peer);
    if (node.empty()) break;
    node.mapped()({});
  }
  for (auto it = trims_.begin(); it != trims_.end();) {
    const auto trim = it++;
    if (trim->leaving.erase(peer) == 0 || !trim->leaving.empty()) continue;
    std::list<Trim> over;
    over.splice(over.end(), trims_, trim);
    over.front().done(over.front().closed);
  }
}

// ---------------------------------------------------------------------------------------------- what is
// asked

void HostCore::connection(std::string_view peer, Host::Done<Connection> done) {
  ask<Connection>(std::move(done), [this, id = PeerId::parse(peer)](node::Host& host, Owed<Connection> owed,
                                                                    Now) {
    if (!id) return owed.fail(id.error());
    const auto conns = host.connections().of(*id);
    if (conns.empty()) return owed.fail(node::make_error(node::Errc::not_connected));
    const auto& inbox = runtime_->inbox_of(conns.front());
    const auto index = static_cast<std::size_t>(conns.front().value() >> 56U);
    owed(Connection(std::make_shared<const ConnectionState>(ConnectionState{
        inbox, tables_[index].get(), conns.front(), *id, host.connections().find(conns.front())->remote})));
  });
}

void HostCore::connect(std::string_view address, Host::Done<std::string> done) {
  ask<std::string>(std::move(done), [this, parsed = Multiaddr::parse(address)](
                                        node::Host& host, Owed<std::string> owed, Now now) {
    if (!parsed) return owed.fail(parsed.error());
    const auto ask = host.connect(parsed->peer_id(), {*parsed}, node::DialPlanner::Insist::yes, now);
    connects_.emplace(ask, std::move(owed));
  });
}

void HostCore::connect(std::string_view peer, const std::vector<std::string>& addresses,
                       Host::Done<std::string> done) {
  auto parsed = parse_addresses(addresses, "address");
  if (!parsed) return done(parsed.failure());
  ask<std::string>(std::move(done), [this, id = PeerId::parse(peer), all = *std::move(parsed)](
                                        node::Host& host, Owed<std::string> owed, Now now) mutable {
    if (!id) return owed.fail(id.error());
    const auto ask = host.connect(*id, std::move(all), node::DialPlanner::Insist::yes, now);
    connects_.emplace(ask, std::move(owed));
  });
}

void HostCore::disconnect(std::string_view peer, Host::Done<void> done) {
  ask<void>(std::move(done), [this, id = PeerId::parse(peer)](node::Host& host, Owed<void> owed, Now now) {
    if (!id) return owed.fail(id.error());
    if (!host.disconnect(*id, now)) return owed.fail(node::make_error(node::Errc::not_connected));
    disconnects_.emplace(*id, std::move(owed));
  });
}

void HostCore::ping(std::string_view peer, Host::Done<std::chrono::nanoseconds> done) {
  using Rtt = std::chrono::nanoseconds;
  ask<Rtt>(std::move(done), [this, id = PeerId::parse(peer)](node::Host& host, Owed<Rtt> owed, Now now) {
    if (!id) return owed.fail(id.error());
    pings_.emplace(host.ping(*id, now), std::move(owed));
  });
}

void HostCore::peers(Host::Done<std::vector<std::string>> done) {
  ask<std::vector<std::string>>(std::move(done),
                                [](node::Host& host, Owed<std::vector<std::string>> owed, Now) {
                                  std::vector<std::string> all;
                                  std::set<PeerId> seen;
                                  for (const auto* conn : host.connections().all())
                                    if (seen.insert(conn->peer).second) all.push_back(conn->peer.to_string());
                                  owed(std::move(all));
                                });
}

void HostCore::connections(Host::Done<std::vector<ConnectionInfo>> done) {
  ask<std::vector<ConnectionInfo>>(
      std::move(done), [](node::Host& host, Owed<std::vector<ConnectionInfo>> owed, Now) {
        std::vector<ConnectionInfo> all;
        for (const auto* conn : host.connections().all())
          all.push_back({conn->peer.to_string(), conn->remote.without_peer_id().to_string(),
                         conn->direction == node::Direction::inbound ? ConnectionInfo::Direction::inbound
                                                                     : ConnectionInfo::Direction::outbound});
        owed(std::move(all));
      });
}

/// Done when the peers that nothing connects us to any more are gone: what is asked next sees it.
void HostCore::trim_connections(Host::Done<std::size_t> done) {
  ask<std::size_t>(std::move(done), [this](node::Host& host, Owed<std::size_t> owed, Now now) {
    const auto closing = host.trim_to_low(now);
    std::map<PeerId, std::size_t> per_peer;
    for (const auto conn : closing) ++per_peer[host.connections().find(conn)->peer];
    Trim trim{{}, closing.size(), std::move(owed)};
    for (const auto& [peer, count] : per_peer)
      if (count == host.connections().of(peer).size()) trim.leaving.insert(peer);
    if (trim.leaving.empty())
      trim.done(trim.closed);
    else
      trims_.push_back(std::move(trim));
  });
}

void HostCore::public_key(std::string_view peer, Host::Done<std::vector<std::uint8_t>> done) {
  using Key = std::vector<std::uint8_t>;
  ask<Key>(std::move(done), [this, id = PeerId::parse(peer)](node::Host& host, Owed<Key> owed, Now now) {
    if (!id) return owed.fail(id.error());
    if (const auto key = id->inline_key()) return owed(format::encode_public_key(*key));
    if (const auto info = host.info_of(*id); info && info->public_key)
      return owed(format::encode_public_key(*info->public_key));
    if (host.dht() == nullptr) return owed.fail(node::make_error(node::Errc::dht_off));
    Bytes key = to_bytes(std::string_view("/pk/"));
    append(key, id->bytes());
    const auto query = host.dht()->get_value(std::move(key), {}, now);
    begin_query<Key>(query, std::move(owed), [](kad::QueryResult& result, Owed<Key>& found) {
      if (auto& value = std::get<kad::ValueDone>(result).value)
        found(std::move(*value));
      else
        found.fail(kad::make_error(kad::Errc::not_found));
    });
  });
}

void HostCore::find_providers(ByteSpan multihash, std::size_t count, std::function<void(PeerAddresses)> found,
                              Host::Done<void> done) {
  ask<void>(std::move(done), [this, key = to_bytes(multihash), count, found = std::move(found)](
                                 node::Host& host, Owed<void> owed, Now now) mutable {
    if (host.dht() == nullptr) return owed.fail(node::make_error(node::Errc::dht_off));
    const auto query = host.dht()->find_providers(std::move(key), count, now);
    finders_.emplace(query, Finder{std::move(found), count});
    begin_query<void>(query, std::move(owed), [](kad::QueryResult&, Owed<void>& ended) { ended({}); });
  });
}

void HostCore::on_provider(const kad::ProviderFound& event) {
  const auto it = finders_.find(event.query);
  if (it == finders_.end() || it->second.wanted == 0) return;
  --it->second.wanted;
  PeerAddresses provider{event.provider.id.to_string(), {}};
  for (const auto& address : event.provider.addrs) provider.addresses.push_back(address.to_string());
  const auto found = it->second.found;  // it may stop waiting meanwhile
  found(std::move(provider));
}

void HostCore::peer_info(std::string_view peer, Host::Done<PeerInfo> done) {
  ask<PeerInfo>(std::move(done),
                [this, id = PeerId::parse(peer)](node::Host& host, Owed<PeerInfo> owed, Now) {
                  if (!id) return owed.fail(id.error());
                  if (!host.connections().connected(*id))
                    return owed.fail(node::make_error(node::Errc::not_connected));
                  if (const auto info = host.info_of(*id)) return owed(to_public(*info));
                  const auto shared = std::make_shared<Owed<PeerInfo>>(std::move(owed));
                  infos_.emplace(*id, shared);
                  after(kPeerInfoWaitMax, [this, shared, peer = *id] {
                    if (*shared) shared->fail(node::make_error(node::Errc::stream_timeout));
                    const auto [begin, end] = infos_.equal_range(peer);
                    for (auto it = begin; it != end; ++it) {
                      if (it->second != shared) continue;
                      infos_.erase(it);
                      break;
                    }
                  });
                });
}

void HostCore::subscribe(std::string_view topic, Host::Done<void> done) {
  ask<void>(std::move(done), [topic = std::string(topic)](node::Host& host, Owed<void> owed, Now now) {
    if (host.pubsub() == nullptr) return owed.fail(node::make_error(node::Errc::gossip_off));
    if (const auto subscribed = host.pubsub()->subscribe(topic, now.mono); !subscribed)
      return owed.fail(subscribed.error());
    owed({});
  });
}

void HostCore::unsubscribe(std::string_view topic, Host::Done<void> done) {
  ask<void>(std::move(done), [topic = std::string(topic)](node::Host& host, Owed<void> owed, Now now) {
    if (host.pubsub() == nullptr) return owed.fail(node::make_error(node::Errc::gossip_off));
    host.pubsub()->unsubscribe(topic, now.mono);
    owed({});
  });
}

void HostCore::mesh_peers(std::string_view topic, Host::Done<std::vector<std::string>> done) {
  ask<std::vector<std::string>>(
      std::move(done),
      [topic = std::string(topic)](node::Host& host, Owed<std::vector<std::string>> owed, Now) {
        if (host.pubsub() == nullptr) return owed.fail(node::make_error(node::Errc::gossip_off));
        std::vector<std::string> all;
        for (const auto& peer : host.pubsub()->mesh_peers(topic)) all.push_back(peer.to_string());
        owed(std::move(all));
      });
}

void HostCore::publish(std::string_view topic, ByteSpan data, Host::Done<Published> done) {
  ask<Published>(std::move(done), [this, topic = std::string(topic), payload = Slice::copy(data)](
                                      node::Host&, Owed<Published> owed, Now now) mutable {
    publications_.push_back({std::move(topic), std::move(payload), std::move(owed)});
    publish_waiting(now);
  });
}

/// Publishes as long as there is room; then looks how far peers have got.
void HostCore::publish_waiting(Now now) {
  while (!publications_.empty() && publish_room_bytes_ > 0) {
    Publication next = std::move(publications_.front());
    publications_.pop_front();
    publish_room_bytes_ -=
        std::min(publish_room_bytes_, std::max(next.data.size(), node::kBacklogBytesPerMessage));
    const auto published = host().publish(next.topic, std::move(next.data), now);
    if (!published) {
      next.done.fail(published.error());
      continue;
    }
    Published out;
    out.id = published->id;
    constexpr std::size_t kSeqnoBytes = 8;
    if (out.id.size() >= kSeqnoBytes) out.seqno.assign(out.id.end() - kSeqnoBytes, out.id.end());
    out.handed_to = published->handed_to;
    next.done(std::move(out));
  }
  if (publish_room_bytes_ == 0 && !looking_) look_at_backlog(now);
}

void HostCore::look_at_backlog(Now) {
  looking_ = true;
  struct Look {
    std::atomic<std::size_t> most = 0;
    std::atomic<std::size_t> missing = 0;
  };
  const auto look = std::make_shared<Look>();
  look->missing = runtime_->shards_count();
  for (std::size_t i = 0; i < runtime_->shards_count(); ++i) {
    // By mail even on the own shard: behind the publications that are on their way.
    runtime_->inbox(i)->post([this, look](runtime::Shard& shard, Now) {
      const std::size_t here = shard.gossip_backlog_bytes();
      std::size_t most = look->most.load();
      while (most < here && !look->most.compare_exchange_weak(most, here)) {
      }
      if (look->missing.fetch_sub(1) != 1) return;
      runtime_->post([this, look](runtime::Shard& home, Now at) {
        looking_ = false;
        const std::size_t backlog = look->most.load();
        if (backlog < last_backlog_ || stalled_since_.is_never()) stalled_since_ = at.mono;
        last_backlog_ = backlog;
        if (backlog <= kPublishBacklogBytesMax || at.mono - stalled_since_ > kPublishStallMax) {
          publish_room_bytes_ = kPublishBytesPerLookMax;
          stalled_since_ = Instant::never();
          publish_waiting(at);
        } else {
          looking_ = true;
          home.at(at.mono + kPublishLookInterval,
                  [this](runtime::Shard&, Now later) { look_at_backlog(later); });
        }
      });
    });
  }
}

void HostCore::stats(Host::Done<HostStats> done) {
  ask<HostStats>(std::move(done), [this](node::Host& host, Owed<HostStats> owed, Now) {
    HostStats stats;
    stats.connections = host.connections().size();
    stats.peers = host.connections().peers_count();
    if (host.dht() != nullptr) stats.dht_table = host.dht()->table().size();
    stats.gossip_peers = host.gossip_peers();
    const auto shared = std::make_shared<Owed<HostStats>>(std::move(owed));
    runtime_->metrics([shared, stats](const runtime::MetricsSnapshot& counters) mutable {
      for (auto& [name, value] : counters) stats.counters.emplace(name, value);
      (*shared)(std::move(stats));
    });
  });
}

}  // namespace starling::sdk
