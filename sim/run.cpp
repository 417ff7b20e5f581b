#include "sim/run.hpp"

#include <algorithm>
#include <cmath>
#include <deque>
#include <set>

#include "agent/names.hpp"
#include "sim/ledger.hpp"
#include "sim/liar.hpp"
#include "sim/world.hpp"

namespace starling::sim {
namespace {

constexpr Duration kBetweenBootstraps = 200ms;
constexpr std::size_t kBootstrapsTold = 3;  ///< bootstrap nodes that a newcomer is told of
constexpr int kPicksMax = 256;              ///< tries to find somebody who is online
constexpr Duration kSlice = 1s;             ///< of virtual time between two words of progress
constexpr Duration kProvideRest = 2s;       ///< between a PROVIDE and the search for it

Duration part(Duration whole, std::size_t index, std::size_t count) {
  return count == 0
             ? Duration{}
             : Duration(whole.count() / static_cast<std::int64_t>(count) * static_cast<std::int64_t>(index));
}

std::size_t share_of(double share, std::size_t whole) {
  return static_cast<std::size_t>(std::llround(share * static_cast<double>(whole)));
}

/// One run: grows the network, lets the timeline happen, keeps the books.
class Run final : public Witness {
 public:
  Run(const Scenario& scenario, const RunOptions& options)
      : scenario_(scenario),
        options_(options),
        seed_(options.seed.value_or(scenario.seed)),
        rng_(seed_ ^ 0x5ce7a210d1ce5ULL),
        world_(seed_, scenario.links, scenario.level),
        gang_(seed_ ^ 0x6a46ULL) {
    world_.set_witness(this);
    for (const auto& work : scenario.workloads) results_.works.push_back({work.name, work.what, {}});
  }

  Results run() {
    results_.scenario = scenario_;
    grow();
    schedule_timeline();
    advance("running", began_ + scenario_.end);
    RunFigures& figures = results_.figures;
    figures.seed = seed_;
    figures.state_hash = world_.state_hash();
    figures.events = world_.events_count();
    figures.bytes = world_.bytes_count();
    figures.virtual_s = std::chrono::duration<double>(world_.now().mono - Instant()).count();
    figures.nodes = world_.size();
    figures.adversaries = gang_.members().size();
    figures.connections = world_.links_count();
    for (WorkResult& work : results_.works)
      for (Sample& sample : work.samples)
        if (sample.outcome == Outcome::pending && sample.expected > 0) sample.outcome = Outcome::missed;
    judge(results_);
    return std::move(results_);
  }

  void on_told(std::size_t index, const node::agent_event::Event& event, Now now) override {
    ledger_.on_told(index, event, now);
    if (const auto* found = std::get_if<node::agent_event::Found>(&event)) on_found(index, *found);
    if (const auto* message = std::get_if<node::agent_event::Message>(&event))
      on_message(index, message->message);
  }
  void on_query(std::size_t index, const kad::QueryDone& done, Now) override;

 private:
  struct Lookup {
    std::size_t work;
    std::size_t sample;
    std::size_t by;
    EthAddress wallet;
    Instant began;
    WallTime began_wall;
    LookupTrace* trace;
  };
  struct Provision {
    std::size_t work;
    std::size_t sample;
    std::size_t by;
    Bytes key;
    PeerId provider;
    Instant began;
    LookupTrace* trace = nullptr;  ///< set: this is the search
  };

  // --- growth ---
  void grow();
  void add_node(agent::Role role);
  void add_liar(const AdversarySpec& spec, std::size_t number, PeerId id);
  void add_ring(const AdversarySpec& spec);
  std::uint32_t region();
  void advance(std::string_view phase, Instant end);

  // --- timeline ---
  void schedule_timeline();
  void happen(const EventSpec& event);
  void hit(const EventSpec& event, std::size_t index);
  bool anybody_restarts() const {
    return std::any_of(scenario_.events.begin(), scenario_.events.end(),
                       [](const EventSpec& event) { return event.what == EventSpec::Do::restart; });
  }
  std::vector<std::size_t> group(const std::string& name);
  std::vector<std::size_t> choose(const EventSpec& event);
  std::optional<std::size_t> pick_online(const std::vector<std::size_t>& from);

  // --- work ---
  void work(std::size_t number);
  void look_up(std::size_t number, std::size_t by);
  void send(std::size_t number, std::size_t by);
  void provide(std::size_t number, std::size_t by);
  void search(Provision provision);
  void on_found(std::size_t index, const node::agent_event::Found& found);
  void finish_lookup(const Lookup& lookup, const Result<node::FoundPresence>& outcome);
  void on_message(std::size_t index, const node::Received& message);
  Sample& new_sample(std::size_t number);
  Duration since_start() const { return world_.now().mono - began_; }

  const Scenario& scenario_;
  const RunOptions& options_;
  std::uint64_t seed_;
  SeededRng rng_;
  World world_;
  Gang gang_;
  Ledger ledger_;
  Results results_;
  Instant began_;  ///< time 0 of the timeline
  std::vector<std::size_t> bootstraps_;
  std::map<std::string, std::vector<std::size_t>, std::less<>> groups_;
  std::deque<LookupTrace> traces_;
  std::map<std::pair<std::size_t, node::AskId>, Lookup> lookups_;
  std::optional<Lookup> starting_;  ///< may end before it has an id
  std::map<std::pair<std::size_t, kad::QueryId>, Provision> provisions_;
  std::map<std::string, std::pair<std::size_t, std::size_t>, std::less<>> texts_;
  std::map<std::pair<std::size_t, std::size_t>, std::set<std::size_t>> receivers_;
  std::map<std::pair<std::size_t, std::size_t>, std::size_t> addressees_;
};

// ---------------------------------------------------------------------------------------------- growth

std::uint32_t Run::region() {
  if (scenario_.region_shares.empty()) return 0;
  double left = rng_.unit();
  std::uint32_t region = 0;
  while (region + 1 < scenario_.region_shares.size() && left >= scenario_.region_shares[region])
    left -= scenario_.region_shares[region++];
  return region;
}

void Run::add_node(agent::Role role) {
  const NetworkSpec& net = scenario_.network;
  const bool serves = role != agent::Role::agent;
  NodeSpec spec;
  spec.role = role;
  spec.name = serves ? "server" : "agent";
  spec.region = region();
  spec.behind_nat = !serves && net.behind_nat > 0 && rng_.unit() < net.behind_nat;
  if (net.clock_skew_max > Duration::zero()) {
    const auto most = static_cast<std::uint64_t>(net.clock_skew_max.count());
    spec.clock_skew =
        Duration(static_cast<std::int64_t>(rng_.below(2 * most + 1)) - static_cast<std::int64_t>(most));
  }
  const std::size_t told = std::min(kBootstrapsTold, bootstraps_.size());
  const std::size_t first = bootstraps_.empty() ? 0 : rng_.below(bootstraps_.size());
  for (std::size_t i = 0; i < told; ++i)
    spec.bootstrap.push_back(bootstraps_[(first + i) % bootstraps_.size()]);
  spec.adjust = [this](node::AgentConfig& config, node::HostConfig& host) {
    const NetworkSpec& network = scenario_.network;
    config.republish = network.republish;
    host.kad->refresh_interval = network.refresh;
    // What nobody will ever read again needs no room.
    if (!anybody_restarts()) host.kad->keep = kad::Keep::nothing;
    if (!network.gossip) host.gossip.reset();
    const std::size_t connections =
        config.role == agent::Role::agent ? network.agent_connections : network.server_connections;
    if (connections > 0) {
      host.connections.low = connections * 8 / 10;
      host.connections.high = connections;
      host.connections.total = connections * 2;
    }
  };
  const std::size_t index = world_.add(std::move(spec));
  ledger_.know(index, world_.wallet(index), world_.peer(index));
  groups_["all"].push_back(index);
  groups_[serves ? "servers" : "agents"].push_back(index);
  if (serves) gang_.know_server(world_.peer(index), world_.address(index));
  if (role == agent::Role::bootstrap) {
    bootstraps_.push_back(index);
    groups_["bootstraps"].push_back(index);
  }
  if (!serves && groups_["target"].empty()) groups_["target"].push_back(index);
}

void Run::add_liar(const AdversarySpec& spec, std::size_t number, PeerId id) {
  Liar::Manner manner{spec.kind == AdversarySpec::Kind::silent, spec.peers[number % spec.peers.size()],
                      spec.records[number % spec.records.size()]};
  const std::uint64_t seed = rng_.u64();
  const auto make = [this, id, manner, seed](const Multiaddr& address) -> std::unique_ptr<Adversary> {
    return std::make_unique<Liar>(id, address, manner, agent::NetworkName().kad_protocol(), gang_, seed);
  };
  const std::size_t group = spec.groups == 0 ? gang_.members().size() : number % spec.groups;
  const std::size_t index = world_.add(make, static_cast<std::uint32_t>(group), region());
  gang_.know_member(id, world_.address(index));
}

/// Ids nearer to the target's record than every honest server.
void Run::add_ring(const AdversarySpec& spec) {
  const auto target = kad::KadId::of(agent::presence_key(world_.wallet(groups_.at("target").front())));
  std::size_t bits = 0;
  for (const auto& server : gang_.honest())
    bits = std::max(bits, kad::common_prefix_bits(server.place, target) + 1);
  const auto count =
      static_cast<std::size_t>(std::llround(spec.per_server * static_cast<double>(gang_.honest().size())));
  for (std::size_t i = 0; i < count; ++i) add_liar(spec, i, Gang::id_near(target, bits, rng_));
}

void Run::advance(std::string_view phase, Instant end) {
  while (world_.now().mono < end) {
    world_.run(std::min(kSlice, end - world_.now().mono));
    if (options_.progress)
      options_.progress(phase, std::chrono::duration<double>(world_.now().mono - Instant()).count(),
                        world_.events_count());
  }
}

void Run::grow() {
  const NetworkSpec& net = scenario_.network;
  const std::size_t servers = std::clamp(share_of(net.servers, net.nodes), net.bootstraps, net.nodes);
  for (std::size_t i = 0; i < net.bootstraps; ++i) {
    add_node(agent::Role::bootstrap);
    advance("growing", world_.now().mono + kBetweenBootstraps);
  }
  // The rest of the servers, liars among them, in an order that the seed gives.
  std::vector<const AdversarySpec*> kinds(servers - net.bootstraps, nullptr);
  std::size_t next = 0;
  for (const AdversarySpec& spec : scenario_.adversaries) {
    if (spec.kind == AdversarySpec::Kind::ring) continue;
    const std::size_t count = share_of(spec.share, servers);
    for (std::size_t i = 0; i < count && next < kinds.size(); ++i) kinds[next++] = &spec;
  }
  rng_.shuffle(kinds);
  const Instant servers_from = world_.now().mono;
  for (std::size_t i = 0; i < kinds.size(); ++i)
    world_.at(servers_from + part(net.servers_join_over, i, kinds.size()), [this, spec = kinds[i], i] {
      if (spec == nullptr)
        add_node(agent::Role::server);
      else
        add_liar(*spec, i, Gang::random_id(rng_));
    });
  const Instant agents_from = servers_from + net.servers_join_over;
  const std::size_t agents = net.nodes - servers;
  for (std::size_t i = 0; i < agents; ++i)
    world_.at(agents_from + part(net.agents_join_over, i, agents), [this] { add_node(agent::Role::agent); });
  began_ = agents_from + net.agents_join_over + net.settle;
  advance("growing", began_);
}

// ---------------------------------------------------------------------------------------------- timeline

void Run::schedule_timeline() {
  for (const AdversarySpec& spec : scenario_.adversaries)
    if (spec.kind == AdversarySpec::Kind::ring)
      world_.at(began_ + spec.at, [this, &spec] { add_ring(spec); });
  for (const EventSpec& event : scenario_.events)
    world_.at(began_ + event.at, [this, &event] { happen(event); });
  for (std::size_t n = 0; n < scenario_.workloads.size(); ++n) {
    const WorkloadSpec& spec = scenario_.workloads[n];
    for (std::size_t i = 0; i < spec.count; ++i)
      world_.at(began_ + spec.at + part(spec.over, i, spec.count), [this, n] { work(n); });
  }
}

std::vector<std::size_t> Run::group(const std::string& name) {
  if (name != "holders") return groups_[name];
  // The k servers nearest to the target's record.
  const auto target = kad::KadId::of(agent::presence_key(world_.wallet(groups_["target"].front())));
  auto servers = groups_["servers"];
  std::sort(servers.begin(), servers.end(), [&](std::size_t a, std::size_t b) {
    return kad::nearer(target, kad::KadId::of(world_.peer(a)), kad::KadId::of(world_.peer(b)));
  });
  servers.resize(std::min(servers.size(), kad::Config{}.k));
  return servers;
}

std::vector<std::size_t> Run::choose(const EventSpec& event) {
  auto members = group(event.who);
  std::size_t wanted = members.size();
  if (event.share > 0) wanted = share_of(event.share, members.size());
  if (event.count > 0) wanted = event.count;
  const bool wants_offline = event.what == EventSpec::Do::restart;
  std::erase_if(members, [&](std::size_t index) { return world_.online(index) == wants_offline; });
  if (wanted < members.size()) {
    rng_.shuffle(members);
    members.resize(wanted);
    std::sort(members.begin(), members.end());
  }
  return members;
}

void Run::happen(const EventSpec& event) {
  using Do = EventSpec::Do;
  switch (event.what) {
    case Do::heal: world_.heal(); return;
    case Do::loss: world_.links().loss = event.value; return;
    case Do::partition: {
      const auto from = group(event.from), to = group(event.to);
      const auto a = std::make_shared<std::set<std::size_t>>(from.begin(), from.end());
      const auto b = std::make_shared<std::set<std::size_t>>(to.begin(), to.end());
      const bool mutual = event.how == "both";
      Cut cut;
      cut.how = mutual ? Cut::How::both : event.how == "one_way" ? Cut::How::one_way : Cut::How::dials;
      cut.separated = [a, b, mutual](std::size_t x, std::size_t y) {
        return (a->contains(x) && b->contains(y)) || (mutual && a->contains(y) && b->contains(x));
      };
      world_.cut(std::move(cut));
      return;
    }
    case Do::join: {
      const std::size_t count = std::max<std::size_t>(event.count, 1);
      for (std::size_t i = 0; i < count; ++i)
        world_.at(world_.now().mono + part(event.over, i, count), [this, &event] {
          add_node(agent::Role::agent);
          if (!event.as.empty()) groups_[event.as].push_back(world_.size() - 1);
        });
      return;
    }
    default: break;
  }
  const auto chosen = choose(event);
  if (!event.as.empty()) groups_[event.as] = chosen;
  for (std::size_t i = 0; i < chosen.size(); ++i)
    world_.at(world_.now().mono + part(event.over, i, chosen.size()),
              [this, &event, index = chosen[i]] { hit(event, index); });
}

void Run::hit(const EventSpec& event, std::size_t index) {
  using Do = EventSpec::Do;
  const bool online = world_.online(index);
  if (online == (event.what == Do::restart)) return;  // somebody else was faster
  switch (event.what) {
    case Do::crash: world_.crash(index); break;
    case Do::vanish: world_.crash(index, World::Absence::silent); break;
    case Do::leave:
      ledger_.on_leaving(index);
      world_.leave(index);
      break;
    case Do::restart:
      ledger_.on_back(index);
      world_.restart(index);
      break;
    case Do::skew: world_.skew_clock(index, event.back ? -event.by : event.by); break;
    default: break;
  }
}

std::optional<std::size_t> Run::pick_online(const std::vector<std::size_t>& from) {
  if (from.empty()) return std::nullopt;
  for (int i = 0; i < kPicksMax; ++i) {
    const std::size_t index = from[rng_.below(from.size())];
    if (world_.online(index)) return index;
  }
  return std::nullopt;
}

// ---------------------------------------------------------------------------------------------- work

Sample& Run::new_sample(std::size_t number) {
  Sample& sample = results_.works[number].samples.emplace_back();
  sample.at = since_start();
  return sample;
}

void Run::work(std::size_t number) {
  const WorkloadSpec& spec = scenario_.workloads[number];
  const auto by = pick_online(group(spec.by));
  if (!by) {
    new_sample(number).outcome = Outcome::missed;  // nobody is left who could ask
    return;
  }
  switch (spec.what) {
    case WorkloadSpec::Do::lookup: look_up(number, *by); break;
    case WorkloadSpec::Do::provide: provide(number, *by); break;
    default: send(number, *by); break;
  }
}

void Run::look_up(std::size_t number, std::size_t by) {
  const WorkloadSpec& spec = scenario_.workloads[number];
  EthAddress wallet;
  if (spec.of == "unknown") {
    wallet = EthAddress(rng_.bytes<20>());
  } else {
    const auto whom = group(spec.of);
    for (int i = 0; i < kPicksMax && !whom.empty(); ++i) {
      wallet = world_.wallet(whom[rng_.below(whom.size())]);
      if (wallet != world_.wallet(by)) break;
    }
  }
  new_sample(number);
  traces_.emplace_back(std::vector<Bytes>{agent::presence_key(wallet), agent::provider_key(wallet)});
  const Now now = world_.now_at(by);
  starting_ = Lookup{
      number, results_.works[number].samples.size() - 1, by, wallet, now.mono, now.wall, &traces_.back()};
  world_.follow(by, &traces_.back());
  const auto ask = world_.find(by, wallet);
  if (starting_) lookups_.emplace(std::pair(by, ask), *starting_);
  starting_.reset();
}

void Run::on_found(std::size_t index, const node::agent_event::Found& found) {
  const auto it = lookups_.find({index, found.ask});
  if (it != lookups_.end()) {
    const Lookup lookup = it->second;
    lookups_.erase(it);
    finish_lookup(lookup, found.outcome);
  } else if (starting_ && starting_->by == index && starting_->wallet == found.wallet) {
    const Lookup lookup = *std::exchange(starting_, std::nullopt);
    finish_lookup(lookup, found.outcome);
  }
}

void Run::finish_lookup(const Lookup& lookup, const Result<node::FoundPresence>& outcome) {
  Sample& sample = results_.works[lookup.work].samples[lookup.sample];
  sample.took = world_.now().mono - lookup.began;
  sample.outcome = ledger_.judge(lookup.wallet, outcome, lookup.began, lookup.began_wall);
  if (!outcome) sample.error = outcome.error();
  sample.hops = lookup.trace->hops();
  sample.requests = lookup.trace->requests();
  world_.unfollow(lookup.by, lookup.trace);
}

void Run::send(std::size_t number, std::size_t by) {
  const WorkloadSpec& spec = scenario_.workloads[number];
  const auto whom = group(spec.of);
  Sample& sample = new_sample(number);
  const std::pair key(number, results_.works[number].samples.size() - 1);
  node::SendOptions options;
  const std::string text = spec.name + " " + std::to_string(key.second);
  options.body = to_bytes(text);
  texts_.emplace(text, key);
  if (spec.what == WorkloadSpec::Do::message) {
    std::size_t to = by;
    for (int i = 0; i < kPicksMax && to == by && !whom.empty(); ++i) to = whom[rng_.below(whom.size())];
    options.to = world_.wallet(to);
    addressees_.emplace(key, to);
    sample.expected = 1;
  } else {
    sample.expected = static_cast<std::uint32_t>(std::count_if(
        whom.begin(), whom.end(), [&](std::size_t index) { return index != by && world_.online(index); }));
  }
  world_.send(by, std::move(options));
}

void Run::on_message(std::size_t index, const node::Received& message) {
  const auto it = texts_.find(std::string(to_text(message.body)));
  if (it == texts_.end()) return;
  const auto key = it->second;
  Sample& sample = results_.works[key.first].samples[key.second];
  const auto addressee = addressees_.find(key);
  const bool stray = addressee != addressees_.end() && addressee->second != index;
  if (stray || !receivers_[key].insert(index).second) {
    ++sample.duplicates;
    return;
  }
  ++sample.delivered;
  sample.took = since_start() - sample.at;
  if (sample.delivered >= sample.expected) sample.outcome = Outcome::found;
}

void Run::provide(std::size_t number, std::size_t by) {
  new_sample(number);
  Provision provision{number,
                      results_.works[number].samples.size() - 1,
                      by,
                      to_bytes(rng_.bytes<32>()),
                      world_.peer(by),
                      world_.now().mono};
  kad::QueryId query;
  world_.input(by, [&](node::AgentNode& node, Now now) {
    query = node.host().dht()->provide(provision.key, now);
    provisions_.emplace(std::pair(by, query), provision);
  });
}

void Run::on_query(std::size_t index, const kad::QueryDone& done, Now) {
  auto held = provisions_.extract({index, done.id});
  if (held.empty()) return;
  Provision provision = std::move(held.mapped());
  Sample& sample = results_.works[provision.work].samples[provision.sample];
  if (provision.trace == nullptr) {
    if (!done.result) {
      sample.outcome = Outcome::missed;
      return;
    }
    world_.at(world_.now().mono + kProvideRest,
              [this, provision = std::move(provision)] { search(provision); });
    return;
  }
  const auto* providers = done.result ? std::get_if<kad::ProvidersDone>(&*done.result) : nullptr;
  const bool found = providers != nullptr &&
                     std::any_of(providers->providers.begin(), providers->providers.end(),
                                 [&](const kad::PeerInfo& peer) { return peer.id == provision.provider; });
  sample.took = world_.now().mono - provision.began;
  sample.outcome = found ? Outcome::found : Outcome::missed;
  sample.hops = provision.trace->hops();
  sample.requests = provision.trace->requests();
  world_.unfollow(index, provision.trace);
}

/// Somebody else looks for what was provided.
void Run::search(Provision provision) {
  const auto by = pick_online(group(scenario_.workloads[provision.work].by));
  if (!by) return;
  traces_.emplace_back(std::vector<Bytes>{provision.key});
  provision.trace = &traces_.back();
  provision.by = *by;
  provision.began = world_.now().mono;
  world_.follow(*by, provision.trace);
  world_.input(*by, [&](node::AgentNode& node, Now now) {
    const auto query = node.host().dht()->find_providers(provision.key, 1, now);
    provisions_.emplace(std::pair(*by, query), provision);
  });
}

}  // namespace

Results run_scenario(const Scenario& scenario, const RunOptions& options) {
  return Run(scenario, options).run();
}

}  // namespace starling::sim
