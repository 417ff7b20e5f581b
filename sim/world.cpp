#include "sim/world.hpp"

#include <algorithm>

#include "node/errors.hpp"
#include "node/role_gossip.hpp"
#include "sim/world_node.hpp"

namespace starling::sim {
namespace {

constexpr std::uint64_t kStartMs = 1'800'000'000'000;  // virtual wall time at the beginning of every run
constexpr std::uint16_t kPort = 4001;
/// A connection to a machine that is gone is noticed after this: yamux keeps alive every 30 s and waits
/// for 10.
constexpr Duration kDeadLinkNoticed = 40s;
/// First octets of the address groups of honest nodes and of adversaries: public addresses, so that
/// production policy applies.
constexpr std::uint32_t kHonestOctet = 20, kFoeOctet = 130, kGroups = 64 * 256;

Multiaddr address_in(std::uint32_t first_octet, std::uint32_t group, std::uint32_t host) {
  IpPort ip;
  STARLING_ASSERT(group < kGroups && host < 65'535);
  ip.ip[0] = static_cast<std::uint8_t>(first_octet + (group >> 8));
  ip.ip[1] = static_cast<std::uint8_t>(group & 0xff);
  ip.ip[2] = static_cast<std::uint8_t>((host + 1) >> 8);
  ip.ip[3] = static_cast<std::uint8_t>((host + 1) & 0xff);
  ip.port = kPort;
  return Multiaddr::tcp(ip);
}

std::uint32_t ip_of(const Multiaddr& address) {
  const auto ip = address.as_tcp();
  if (!ip || ip->v6) return 0;
  return get_u32_be(std::span(ip->ip).first<4>());
}

node::HostConfig host_config(agent::Role role, Level level) {
  const bool server = role == agent::Role::bootstrap || role == agent::Role::server;
  node::HostConfig host;
  if (level == Level::messages) host.signing = node::Signing::unsigned_for_simulation;
  host.kad_protocol = agent::NetworkName().kad_protocol();
  host.kad.emplace();
  host.kad->mode = server ? kad::Mode::server : kad::Mode::client;
  host.kad->scope = kad::AddressScope::any;
  host.kad->keep = kad::Keep::everything;
  // One of each kind for all nodes, as its size allows.
  static const auto kOffering = node::gossip_of(agent::Role::bootstrap);
  static const auto kPlain = node::gossip_of(agent::Role::agent);
  host.gossip = role == agent::Role::bootstrap ? kOffering : kPlain;
  const std::size_t connections = agent::preset_of(role).connections;
  host.connections = {connections * 8 / 10, connections, connections * 2, node::kConnectionsPerIpMax, false};
  return host;
}

}  // namespace

World::World(std::uint64_t seed, LinkModel links, Level level)
    : seed_(seed),
      links_model_(std::move(links)),
      level_(level),
      rng_(seed),
      now_{Instant::from_ns(0), WallTime::from_ms(kStartMs)} {}
World::~World() = default;

void World::mix(std::uint64_t value) noexcept {
  hash_ = (hash_ ^ value) * 0x9e3779b97f4a7c15ULL;
  hash_ ^= hash_ >> 31;
}

bool World::online(std::size_t index) const { return nodes_[index]->online(); }
node::AgentNode& World::node(std::size_t index) { return *nodes_[index]->brain; }
Observed& World::observed(std::size_t index) { return nodes_[index]->observed; }
const EthAddress& World::wallet(std::size_t index) const { return nodes_[index]->wallet; }
const PeerId& World::peer(std::size_t index) const { return nodes_[index]->id; }
const Multiaddr& World::address(std::size_t index) const { return nodes_[index]->address; }

std::uint64_t World::metric(std::string_view name) const {
  std::uint64_t sum = 0;
  for (const auto& [key, value] : metrics_.all())
    if (key == name || (key.starts_with(name) && key[name.size()] == '{')) sum += value;
  return sum;
}

// ---------------------------------------------------------------------------------------------- nodes

World::Node& World::place(Multiaddr address) {
  auto owned = std::make_unique<Node>();
  Node& node = *owned;
  node.index = static_cast<std::uint32_t>(nodes_.size());
  node.address = std::move(address);
  node.rng.emplace(seed_ * 0x9e3779b97f4a7c15ULL + node.index + 1);
  node.env.emplace(Env{*node.rng, log_, metrics_});
  by_ip_.emplace(ip_of(node.address), node.index);
  nodes_.push_back(std::move(owned));
  return node;
}

std::size_t World::add(NodeSpec spec) {
  const auto index = static_cast<std::uint32_t>(nodes_.size());
  Node& node = place(address_in(kHonestOctet, index % kGroups, index / kGroups));
  node.spec = std::move(spec);
  node.wallet_key = crypto::PrivateKey::generate(crypto::KeyType::secp256k1, *node.rng);
  node.node_key = crypto::PrivateKey::generate(crypto::KeyType::ed25519, *node.rng);
  node.wallet = EthAddress(*crypto::ethereum_address_of(node.wallet_key->public_key()));
  node.id = PeerId::of(node.node_key->public_key());
  boot(node);
  return node.index;
}

std::size_t World::add(std::function<std::unique_ptr<Adversary>(const Multiaddr& address)> make,
                       std::uint32_t address_group, std::uint32_t region) {
  Node& node =
      place(address_in(kFoeOctet, address_group % kGroups, static_cast<std::uint32_t>(nodes_.size())));
  node.spec.region = region;
  STARLING_ASSERT(level_ == Level::messages);
  node.make_foe = std::move(make);
  boot(node);
  return node.index;
}

Now World::now_at(std::size_t index) const { return {now_.mono, now_.wall + nodes_[index]->spec.clock_skew}; }

void World::skew_clock(std::size_t index, Duration skew) { nodes_[index]->spec.clock_skew = skew; }

void World::boot(Node& node) {
  if (node.make_foe) {
    node.foe = node.make_foe(node.address);
    node.id = node.foe->id();
    node.info = node.foe->info();
    node.foe->start(now_at(node.index));
    drain(node.index);
    return;
  }
  node::HostConfig host = host_config(node.spec.role, level_);
  for (const std::size_t index : node.spec.bootstrap)
    host.bootstrap.push_back(nodes_[index]->address.with_peer_id(nodes_[index]->id));
  node::AgentConfig config;
  config.role = node.spec.role;
  config.name = node.spec.name;
  if (node.spec.adjust) node.spec.adjust(config, host);

  const Now now = now_at(node.index);
  agent::IssuedState issued;
  std::optional<agent::SignedDelegation> delegation;
  if (const auto it = node.kept.find({node::Kept::issued, ""}); it != node.kept.end())
    issued = *node::decode_issued(it->second);
  if (const auto it = node.kept.find({node::Kept::delegation, ""}); it != node.kept.end())
    delegation = *agent::decode_signed_delegation(it->second);
  auto identity = agent::Identity::hot(*node.wallet_key, *node.node_key, agent::NetworkName(), delegation,
                                       issued, now.wall, signatures());
  STARLING_ASSERT(identity.has_value());
  if (level_ == Level::bytes) node.edge = std::make_unique<ByteEdge>(*node.env);
  node.brain = std::make_unique<node::AgentNode>(std::move(config), std::move(host), *std::move(identity),
                                                 signatures(), *node.env, now);
  for (const auto& [key, value] : node.kept)
    STARLING_ASSERT(node.brain->restore(key.first, key.second, value, now).has_value());
  node.brain->host().set_listening({node.address}, now);
  node.brain->start(now);
  drain(node.index);
}

void World::crash(std::size_t index, Absence absence) {
  Node& node = *nodes_[index];
  if (!node.online()) return;
  node.brain.reset();
  node.foe.reset();
  node.edge.reset();
  node.traced.clear();
  node.info.reset();
  node.armed = Instant::never();
  node.cancelled.clear();
  node.absence = absence;
  ++node.generation;
  for (const std::uint32_t slot : std::exchange(node.links, {})) {
    Link& link = links_[slot];
    const std::uint32_t side = link.node[0] == node.index ? 0 : 1;
    const std::uint32_t other = link.node[1 - side];
    link.node[side] = kNone;
    const auto far = conn_id(slot, link.serial, 1 - side);
    if (level_ == Level::bytes) {
      // Silence is noticed by the other end's own keep-alive.
      if (other == kNone)
        forget_link(slot);
      else if (absence == Absence::noticed)
        queue_.push(now_.mono + latency(node.index, other), other, nodes_[other]->generation,
                    BytesArrive{far, {}});
      continue;
    }
    const auto gone = [this, far] { break_link(far, make_error(node::Errc::connection_closed)); };
    if (absence == Absence::noticed)
      gone();
    else
      at(now_.mono + kDeadLinkNoticed, gone);
  }
}

void World::restart(std::size_t index) {
  Node& node = *nodes_[index];
  STARLING_ASSERT(!node.online());
  node.observed.shutdown_ready = false;
  boot(node);
}

void World::leave(std::size_t index) {
  Node& node = *nodes_[index];
  if (!node.brain) return crash(index);
  node.brain->begin_shutdown(now_at(index));
  drain(node.index);
}

void World::partition(std::function<bool(std::size_t, std::size_t)> separated) {
  cut({Cut::How::both, std::move(separated)});
}

void World::cut(Cut cut) {
  cuts_.push_back(std::move(cut));
  if (cuts_.back().how != Cut::How::both) return;
  std::vector<node::ConnId> broken;
  for (std::uint32_t slot = 0; slot < links_.size(); ++slot) {
    const Link& link = links_[slot];
    if (!link.up || link.node[0] == kNone || link.node[1] == kNone) continue;
    if (!reachable(link.node[0], link.node[1])) broken.push_back(conn_id(slot, link.serial, 0));
  }
  for (const auto conn : broken) break_link(conn, make_error(node::Errc::connection_closed));
}

node::AskId World::find(std::size_t index, const EthAddress& wallet) {
  const auto ask = nodes_[index]->brain->find(wallet, Duration::zero(), now_at(index));
  drain(static_cast<std::uint32_t>(index));
  return ask;
}

node::AskId World::send(std::size_t index, node::SendOptions options) {
  const auto ask = nodes_[index]->brain->send(std::move(options), now_at(index));
  drain(static_cast<std::uint32_t>(index));
  return ask;
}

void World::input(std::size_t index, const std::function<void(node::AgentNode&, Now)>& action) {
  action(*nodes_[index]->brain, now_at(index));
  drain(static_cast<std::uint32_t>(index));
}

void World::follow(std::size_t index, LookupTrace* trace) { nodes_[index]->traces.push_back(trace); }

void World::unfollow(std::size_t index, LookupTrace* trace) {
  auto& traces = nodes_[index]->traces;
  std::erase(traces, trace);
  if (traces.empty()) traces.shrink_to_fit();
}

// ---------------------------------------------------------------------------------------------- time

void World::set_time(Instant at) noexcept {
  now_.mono = at;
  now_.wall = WallTime::from_ms(kStartMs + static_cast<std::uint64_t>(at.ns() / 1'000'000));
}

void World::at(Instant when, std::function<void()> action) {
  queue_.push(std::max(when, now_.mono), kNone, 0, Task{std::move(action)});
}

void World::arm(std::uint32_t index, Instant deadline) {
  Node& node = *nodes_[index];
  const Instant at = std::max(deadline, now_.mono);
  if (at.is_never() || at >= node.armed) return;
  node.armed = at;
  queue_.push(at, index, node.generation, {});
}

void World::drain(std::uint32_t index) {
  Node& node = *nodes_[index];
  if (node.foe) {
    const Now now = now_at(index);
    while (auto command = node.foe->poll(now)) apply(index, *command);
    arm(index, node.foe->deadline());
    return;
  }
  drain_brain(index);
  if (node.edge) drain_edge(index);
  arm(index, node.edge ? std::min(node.brain->deadline(), node.edge->deadline()) : node.brain->deadline());
}

void World::drain_brain(std::uint32_t index) {
  Node& node = *nodes_[index];
  const Now now = now_at(index);
  while (auto action = node.brain->poll(now)) {
    if (auto* command = std::get_if<node::EdgeCommand>(&*action)) {
      apply(index, *command);
    } else if (auto* event = std::get_if<node::agent_event::Event>(&*action)) {
      tell_observer(index, *event);
    } else if (auto* news = std::get_if<node::host_event::Event>(&*action)) {
      auto* query = std::get_if<node::host_event::Query>(news);
      if (query == nullptr) continue;
      if (witness_ != nullptr)
        witness_->on_query(index, query->done, now);
      else
        node.observed.queries.insert_or_assign(query->done.id, std::move(query->done));
    }
  }
}

/// The deadline may have moved since the event was made: then it is only armed anew.
void World::on_due(std::uint32_t index) {
  Node& node = *nodes_[index];
  node.armed = Instant::never();
  Instant due = node.brain ? node.brain->deadline() : node.foe->deadline();
  if (node.edge) due = std::min(due, node.edge->deadline());
  if (due > now_.mono) {
    arm(index, due);
    return;
  }
  ++events_;
  mix(static_cast<std::uint64_t>(now_.mono.ns()) ^ (std::uint64_t{index} << 40));
  if (node.edge && node.edge->deadline() <= now_.mono) node.edge->on_deadline(now_.mono);
  if (node.foe)
    node.foe->on_deadline(now_at(index));
  else if (node.brain->deadline() <= now_.mono)
    node.brain->on_deadline(now_at(index));
  drain(index);
}

void World::give(std::uint32_t index, Payload payload) {
  Node& node = *nodes_[index];
  ++events_;
  mix(static_cast<std::uint64_t>(now_.mono.ns()) ^ (std::uint64_t{index} << 40));
  if (auto* arrival = std::get_if<DialArrives>(&payload)) {
    dial_arrives(index, *arrival);
    return;
  }
  if (auto* stands = std::get_if<DialStands>(&payload)) {
    dial_stands(node, *stands);
    drain(index);
    return;
  }
  if (auto* bytes = std::get_if<BytesArrive>(&payload)) {
    mix(bytes->bytes.size());
    bytes_arrive(node, *bytes);
    drain(index);
    return;
  }
  auto& event = std::get<node::EdgeEvent>(payload);
  mix(event.index());
  if (node.brain)
    node.brain->on(std::move(event), now_at(index));
  else
    node.foe->on(std::move(event), now_at(index));
  drain(index);
}

/// The next event's node is asked for while this one is at work: among many nodes none is near the processor.
void World::fetch_ahead(const EventQueue::Entry& next) const noexcept {
  constexpr std::size_t kLine = 64;
  queue_.prefetch(next);
  if (next.node == kNone || nodes_[next.node]->brain == nullptr) return;
  const auto* brain = reinterpret_cast<const char*>(nodes_[next.node]->brain.get());
  for (std::size_t at = 0; at < sizeof(node::AgentNode); at += kLine) __builtin_prefetch(brain + at);
}

void World::run(Duration duration) {
  const Instant end = now_.mono + duration;
  while (!queue_.empty() && queue_.top().at <= end) {
    const auto entry = queue_.pop();
    Payload payload = queue_.take(entry);
    if (!queue_.empty()) fetch_ahead(queue_.top());
    set_time(entry.at);
    if (auto* task = std::get_if<Task>(&payload)) {
      task->action();
      continue;
    }
    Node& node = *nodes_[entry.node];
    if (!node.online() || node.generation != entry.generation) continue;
    if (payload.index() == 0) {
      if (entry.at != node.armed) continue;  // an earlier one has taken its place
      on_due(entry.node);
    } else {
      give(entry.node, std::move(payload));
    }
    if (node.observed.shutdown_ready && node.brain) crash(entry.node);
  }
  set_time(end);
}

}  // namespace starling::sim
