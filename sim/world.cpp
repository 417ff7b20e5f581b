#include "sim/world.hpp"

#include <algorithm>

#include "node/errors.hpp"

namespace starling::sim {
namespace {

constexpr std::uint64_t kStartMs = 1'800'000'000'000;  // virtual wall time at the beginning of every run
constexpr std::uint16_t kPort = 4001;

template <class... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};
template <class... Visitors>
Overloaded(Visitors...) -> Overloaded<Visitors...>;

/// 1.0.0.0 upwards: public addresses, so that production policy applies.
Multiaddr address_of(std::size_t index) {
  IpPort ip;
  const std::uint32_t number = 0x01000000U + static_cast<std::uint32_t>(index) * 257 + 1;
  for (int i = 0; i < 4; ++i)
    ip.ip[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(number >> (24 - 8 * i));
  ip.port = kPort;
  return Multiaddr::tcp(ip);
}

std::uint32_t ip_of(const Multiaddr& address) {
  const auto ip = address.as_tcp();
  if (!ip || ip->v6) return 0;
  return get_u32_be(std::span(ip->ip).first<4>());
}

}  // namespace

struct World::Node {
  std::size_t index = 0;
  NodeSpec spec;
  std::optional<crypto::PrivateKey> wallet_key;
  std::optional<crypto::PrivateKey> node_key;
  EthAddress wallet;
  std::map<std::pair<node::Kept, std::string>, Bytes> kept;
  std::unique_ptr<SeededRng> rng;
  NullLog log;
  Metrics metrics;
  std::unique_ptr<Env> env;
  std::unique_ptr<node::AgentNode> brain;
  std::shared_ptr<const node::LocalInfo> local;
  Multiaddr address;
  Observed observed;
  std::uint64_t generation = 0;
  Instant armed = Instant::never();
  std::set<node::DialId> cancelled;
};

struct World::Event {
  Instant at;
  std::uint64_t order;
  std::size_t node;
  std::uint64_t generation;
  std::function<void()> action;
};

bool World::Later::operator()(const Event& a, const Event& b) const noexcept {
  return a.at != b.at ? a.at > b.at : a.order > b.order;
}

World::World(std::uint64_t seed, LinkModel links)
    : seed_(seed), links_model_(links), rng_(seed), now_{Instant::from_ns(0), WallTime::from_ms(kStartMs)} {}
World::~World() = default;

void World::mix(std::uint64_t value) noexcept {
  hash_ = (hash_ ^ value) * 0x9e3779b97f4a7c15ULL;
  hash_ ^= hash_ >> 31;
}

bool World::online(std::size_t index) const { return nodes_[index]->brain != nullptr; }
node::AgentNode& World::node(std::size_t index) { return *nodes_[index]->brain; }
Observed& World::observed(std::size_t index) { return nodes_[index]->observed; }
const EthAddress& World::wallet(std::size_t index) const { return nodes_[index]->wallet; }

std::uint64_t World::metric(std::string_view name) const {
  std::uint64_t sum = 0;
  for (const auto& node : nodes_)
    for (const auto& [key, value] : node->metrics.all())
      if (key == name || (key.starts_with(name) && key[name.size()] == '{')) sum += value;
  return sum;
}

std::size_t World::add(NodeSpec spec) {
  auto owned = std::make_unique<Node>();
  Node& node = *owned;
  node.index = nodes_.size();
  node.spec = std::move(spec);
  node.rng = std::make_unique<SeededRng>(seed_ * 0x9e3779b97f4a7c15ULL + node.index + 1);
  node.env = std::make_unique<Env>(Env{*node.rng, node.log, node.metrics});
  node.wallet_key = crypto::PrivateKey::generate(crypto::KeyType::secp256k1, *node.rng);
  node.node_key = crypto::PrivateKey::generate(crypto::KeyType::ed25519, *node.rng);
  node.wallet = EthAddress(*crypto::ethereum_address_of(node.wallet_key->public_key()));
  node.address = address_of(node.index);
  by_ip_.emplace(ip_of(node.address), node.index);
  nodes_.push_back(std::move(owned));
  boot(node);
  return node.index;
}

void World::boot(Node& node) {
  const bool server = node.spec.role == agent::Role::bootstrap || node.spec.role == agent::Role::server;
  node::HostConfig host;
  host.signing = node::Signing::unsigned_for_simulation;
  host.kad_protocol = agent::NetworkName().kad_protocol();
  host.kad.emplace();
  host.kad->mode = server ? kad::Mode::server : kad::Mode::client;
  host.kad->scope = kad::AddressScope::any;
  host.kad->keep = kad::Keep::everything;
  static const auto kGossip = gossip::make_config(gossip::Config{});
  STARLING_ASSERT(kGossip.has_value());
  host.gossip = *kGossip;
  const std::size_t connections = agent::preset_of(node.spec.role).connections;
  host.connections = {connections * 8 / 10, connections, connections * 2, node::kConnectionsPerIpMax, false};
  for (const std::size_t index : node.spec.bootstrap)
    host.bootstrap.push_back(
        nodes_[index]->address.with_peer_id(PeerId::of(nodes_[index]->node_key->public_key())));
  node::AgentConfig config;
  config.role = node.spec.role;
  config.name = node.spec.name;
  if (node.spec.adjust) node.spec.adjust(config, host);

  agent::IssuedState issued;
  std::optional<agent::SignedDelegation> delegation;
  if (const auto it = node.kept.find({node::Kept::issued, ""}); it != node.kept.end())
    issued = *node::decode_issued(it->second);
  if (const auto it = node.kept.find({node::Kept::delegation, ""}); it != node.kept.end())
    delegation = *agent::decode_signed_delegation(it->second);
  auto identity = agent::Identity::hot(*node.wallet_key, *node.node_key, agent::NetworkName(), delegation,
                                       issued, now_.wall, signatures_);
  STARLING_ASSERT(identity.has_value());
  node.brain = std::make_unique<node::AgentNode>(std::move(config), std::move(host), *std::move(identity),
                                                 signatures_, *node.env, now_);
  for (const auto& [key, value] : node.kept)
    STARLING_ASSERT(node.brain->restore(key.first, key.second, value, now_).has_value());
  node.brain->host().set_listening({node.address}, now_);
  node.brain->start(now_);
  drain(node.index);
}

void World::schedule(Instant at, std::size_t node, std::function<void()> action) {
  queue_.push(Event{at, next_event_++, node, nodes_[node]->generation, std::move(action)});
}

void World::deliver(std::size_t to, node::EdgeEvent event, Duration delay) {
  auto shared = std::make_shared<node::EdgeEvent>(std::move(event));
  schedule(now_.mono + delay, to, [this, to, shared] {
    mix(shared->index());
    nodes_[to]->brain->on(std::move(*shared), now_);
  });
}

/// Fixed per pair, from the seed; jitter on top.
Duration World::latency(std::size_t a, std::size_t b) {
  SeededRng pair(seed_ ^ (std::min(a, b) * 0x10001ULL + std::max(a, b)) * 0x9e3779b97f4a7c15ULL);
  const auto span = static_cast<std::uint64_t>((links_model_.latency_max - links_model_.latency_min).count());
  const auto jitter = static_cast<std::uint64_t>(links_model_.jitter_max.count());
  return links_model_.latency_min +
         Duration(static_cast<std::int64_t>(pair.below(span + 1) + rng_.below(jitter + 1)));
}

std::optional<World::Far> World::far_end(node::ConnId conn) const {
  const auto it = links_.find(conn);
  if (it == links_.end()) return std::nullopt;
  const Link& link = *it->second;
  return conn == link.at_a ? Far{link.b, link.at_b} : Far{link.a, link.at_a};
}

void World::break_link(node::ConnId conn, Error reason) {
  const auto it = links_.find(conn);
  if (it == links_.end()) return;
  const auto link = it->second;
  links_.erase(link->at_a);
  links_.erase(link->at_b);
  if (online(link->a)) deliver(link->a, node::up::Disconnected{link->at_a, reason}, 1ms);
  if (online(link->b)) deliver(link->b, node::up::Disconnected{link->at_b, reason}, 1ms);
}

void World::identify(std::size_t from, node::ConnId conn_at_to, std::size_t to, Duration delay) {
  const auto& local = nodes_[from]->local;
  auto info = std::make_shared<identify::Info>();
  info->agent_version = local->agent_version;
  info->listen_addrs = local->listen_addrs;
  info->protocols = local->protocols;
  info->observed_addr = nodes_[to]->address;
  deliver(to, node::up::Identified{conn_at_to, std::move(info)}, delay);
}

void World::apply(std::size_t index, node::EdgeCommand& command) {
  Node& node = *nodes_[index];
  const auto visitor = Overloaded{
      [&](node::down::Dial& dial) {
        const auto target = by_ip_.find(ip_of(dial.address));
        const bool there = target != by_ip_.end() && online(target->second) && target->second != index &&
                           !(separated_ && separated_(index, target->second)) &&
                           rng_.unit() >= links_model_.loss;
        if (!there) {
          deliver(index, node::up::DialFailed{dial.dial, make_error(node::Errc::connection_refused)}, 100ms);
          return;
        }
        const std::size_t other = target->second;
        const Duration one_way = latency(index, other);
        schedule(now_.mono + one_way * 3, other, [this, index, other, dial, one_way] {
          Node& dialler = *nodes_[index];
          if (!online(index) || dialler.cancelled.erase(dial.dial) > 0) return;
          Node& listener = *nodes_[other];
          const bool wrong = dial.peer && *dial.peer != listener.brain->host().local().id;
          if (wrong || !listener.brain->host().admit_inbound(*dialler.address.as_tcp())) {
            deliver(index, node::up::DialFailed{dial.dial, make_error(node::Errc::connection_limit)},
                    one_way);
            return;
          }
          auto link = std::make_shared<Link>();
          link->a = index;
          link->b = other;
          link->at_a = node::ConnId(next_conn_++);
          link->at_b = node::ConnId(next_conn_++);
          links_[link->at_a] = link;
          links_[link->at_b] = link;
          deliver(index,
                  node::up::Connected{link->at_a, dial.dial, listener.brain->host().local().id,
                                      node::Direction::outbound, listener.address},
                  one_way);
          deliver(other,
                  node::up::Connected{link->at_b, node::DialId(), dialler.brain->host().local().id,
                                      node::Direction::inbound, dialler.address},
                  Duration(0));
          identify(index, link->at_b, other, one_way * 2);
          identify(other, link->at_a, index, one_way * 3);
        });
      },
      [&](node::down::CancelDial& cancel) { node.cancelled.insert(cancel.dial); },
      [&](node::down::Resolve& resolve) {
        deliver(index, node::up::Resolved{resolve.resolve, fail(node::Errc::network_unreachable)}, 1ms);
      },
      [&](node::down::Close& close) { break_link(close.conn, close.reason); },
      [&](node::down::AskKad& ask) {
        const auto far = far_end(ask.conn);
        if (!far) {
          deliver(index, node::up::KadAnswered{ask.request.id, fail(node::Errc::not_connected)}, 1ms);
          return;
        }
        const std::uint32_t stream = next_stream_++;
        if (ask.request.expects_response)
          kad_streams_.emplace(std::pair(far->conn, stream), ask.request.id);
        else
          deliver(index, node::up::KadAnswered{ask.request.id, std::optional<kad::Message>()}, Duration(0));
        deliver(far->node, node::up::KadAsked{{far->conn, stream}, std::move(ask.request.message)},
                latency(index, far->node));
      },
      [&](node::down::AnswerKad& answer) {
        const auto it = kad_streams_.find({answer.to.conn, answer.to.stream});
        if (it == kad_streams_.end()) return;
        const auto request = it->second;
        kad_streams_.erase(it);
        const auto far = far_end(answer.to.conn);
        if (!far) return;
        Result<std::optional<kad::Message>> result = fail(node::Errc::stream_reset);
        if (answer.answer && *answer.answer) result = std::move(*answer.answer);
        deliver(far->node, node::up::KadAnswered{request, std::move(result)}, latency(index, far->node));
      },
      [&](node::down::OpenGossip& open) {
        deliver(index, node::up::GossipOpened{open.conn, open.protocol}, Duration(0));
      },
      [&](node::down::SendGossip& send) {
        if (const auto far = far_end(send.conn))
          deliver(far->node, node::up::GossipReceived{far->conn, std::move(send.rpc)},
                  latency(index, far->node));
      },
      [&](node::down::CheckSignature& check) {
        deliver(index, node::up::SignatureChecked{check.validation, PeerId::from_bytes(check.message->from)},
                Duration(0));
      },
      [&](node::down::AskPresence& ask) {
        const auto far = far_end(ask.conn);
        if (!far) {
          deliver(index, node::up::PresenceAnswered{ask.ask, fail(node::Errc::not_connected)}, 1ms);
          return;
        }
        const std::uint32_t stream = next_stream_++;
        presence_streams_.emplace(std::pair(far->conn, stream), ask.ask);
        deliver(far->node, node::up::PresenceAsked{{far->conn, stream}, ask.wallet},
                latency(index, far->node));
      },
      [&](node::down::AnswerPresence& answer) {
        const auto it = presence_streams_.find({answer.to.conn, answer.to.stream});
        const auto far = far_end(answer.to.conn);
        if (it == presence_streams_.end() || !far) return;
        deliver(far->node, node::up::PresenceAnswered{it->second, std::move(answer.record)},
                latency(index, far->node));
        presence_streams_.erase(it);
      },
      [&](node::down::Ping& ping) {
        const auto far = far_end(ping.conn);
        const Duration rtt = far ? latency(index, far->node) * 2 : Duration(1ms);
        deliver(index,
                node::up::Pinged{ping.ask, far ? Result<Duration>(rtt) : fail(node::Errc::not_connected)},
                rtt);
      },
      [&](node::down::SetLocal& set) {
        node.local = std::move(set.info);
        if (!set.push) return;
        for (const auto& [conn, link] : links_) {
          const bool mine =
              (link->a == index && link->at_a == conn) || (link->b == index && link->at_b == conn);
          if (!mine) continue;
          const auto far = far_end(conn);
          identify(index, far->conn, far->node, latency(index, far->node));
        }
      },
  };
  std::visit(visitor, command);
}

void World::tell_observer(std::size_t index, node::agent_event::Event& event) {
  Node& node = *nodes_[index];
  Observed& seen = node.observed;
  const auto visitor = Overloaded{
      [&](node::agent_event::Found& found) {
        seen.found.insert_or_assign(found.ask, std::move(found.outcome));
      },
      [&](node::agent_event::SendState& state) { seen.sends[state.ask].push_back(state.state); },
      [&](node::agent_event::Message& message) { seen.messages.push_back(std::move(message.message)); },
      [&](node::agent_event::Announced& announced) {
        seen.announced.push_back(announced.presence.fields.wallet);
      },
      [&](node::agent_event::Status&) {},
      [&](node::agent_event::Published&) { ++seen.published; },
      [&](node::agent_event::Superseded&) { seen.superseded = true; },
      [&](node::agent_event::Persist& persist) {
        if (persist.value.empty())
          node.kept.erase({persist.what, persist.key});
        else
          node.kept.insert_or_assign({persist.what, persist.key}, std::move(persist.value));
      },
      [&](node::agent_event::ShutdownReady&) { seen.shutdown_ready = true; },
  };
  std::visit(visitor, event);
}

void World::drain(std::size_t index) {
  Node& node = *nodes_[index];
  while (auto action = node.brain->poll(now_)) {
    if (auto* command = std::get_if<node::EdgeCommand>(&*action))
      apply(index, *command);
    else if (auto* event = std::get_if<node::agent_event::Event>(&*action))
      tell_observer(index, *event);
  }
  const Instant deadline = std::max(node.brain->deadline(), now_.mono);
  if (deadline.is_never() || deadline >= node.armed) return;
  node.armed = deadline;
  schedule(deadline, index, [this, index] {
    Node& due = *nodes_[index];
    due.armed = Instant::never();
    due.brain->on_deadline(now_);
  });
}

void World::run(Duration duration) {
  const Instant end = now_.mono + duration;
  const auto set_time = [this](Instant at) {
    now_.mono = at;
    now_.wall = WallTime::from_ms(kStartMs + static_cast<std::uint64_t>(at.ns() / 1'000'000));
  };
  while (!queue_.empty() && queue_.top().at <= end) {
    Event event = queue_.top();
    queue_.pop();
    set_time(event.at);
    Node& node = *nodes_[event.node];
    if (!node.brain || node.generation != event.generation) continue;
    ++events_;
    mix(static_cast<std::uint64_t>(event.at.ns()) ^ (event.node << 48));
    event.action();
    drain(event.node);
    if (node.observed.shutdown_ready && node.brain) crash(event.node);
  }
  set_time(end);
}

void World::crash(std::size_t index) {
  Node& node = *nodes_[index];
  if (!node.brain) return;
  std::vector<node::ConnId> own;
  for (const auto& [conn, link] : links_)
    if ((link->a == index && link->at_a == conn) || (link->b == index && link->at_b == conn))
      own.push_back(conn);
  node.brain.reset();
  node.local.reset();
  node.armed = Instant::never();
  node.cancelled.clear();
  ++node.generation;
  for (const auto conn : own) break_link(conn, make_error(node::Errc::connection_closed));
}

void World::restart(std::size_t index) {
  Node& node = *nodes_[index];
  STARLING_ASSERT(!node.brain);
  node.observed.shutdown_ready = false;
  boot(node);
}

void World::leave(std::size_t index) {
  nodes_[index]->brain->begin_shutdown(now_);
  drain(index);
}

void World::partition(std::function<bool(std::size_t, std::size_t)> separated) {
  separated_ = std::move(separated);
  std::vector<node::ConnId> cut;
  for (const auto& [conn, link] : links_)
    if (conn == link->at_a && separated_(link->a, link->b)) cut.push_back(conn);
  for (const auto conn : cut) break_link(conn, make_error(node::Errc::connection_closed));
}

node::AskId World::find(std::size_t index, const EthAddress& wallet) {
  const auto ask = nodes_[index]->brain->find(wallet, Duration::zero(), now_);
  drain(index);
  return ask;
}

node::AskId World::send(std::size_t index, node::SendOptions options) {
  const auto ask = nodes_[index]->brain->send(std::move(options), now_);
  drain(index);
  return ask;
}

}  // namespace starling::sim
