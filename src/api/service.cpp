#include "api/service.hpp"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>

#include "home/data_dir.hpp"
#include "node/errors.hpp"
#include "runtime/agent_runtime.hpp"
#include "runtime/system.hpp"

namespace starling::api {
namespace {

constexpr std::size_t kAnnouncementsKept = 1000;

/// The production configuration of a role (PROTOCOL.md §7), with what the caller sets besides.
void configure(const ServiceConfig& config, node::AgentConfig& agent_config, node::HostConfig& host) {
  const agent::RolePreset& preset = agent::preset_of(config.role);
  const agent::DhtMode dht = config.dht.value_or(preset.dht);
  host.kad_protocol = config.network.kad_protocol();
  host.kad.emplace();
  host.kad->mode = dht == agent::DhtMode::server ? kad::Mode::server : kad::Mode::client;
  host.kad->scope = kad::AddressScope::any;
  // A node of one question sees little of the network: it must not write over what the running one knows.
  host.kad->keep = config.short_lived ? kad::Keep::nothing : kad::Keep::everything;
  if (config.gossip.value_or(preset.gossip)) {
    gossip::Config gossip_config;
    gossip_config.mesh.offer_px = config.role == agent::Role::bootstrap;
    gossip_config.message_bytes_max = agent::kEnvelopeGossipBytesMax;
    for (const auto topic : {agent::Topic::announcements, agent::Topic::messages, agent::Topic::status})
      gossip_config.topic_filter.emplace(agent::to_string(topic));
    auto made = gossip::make_config(std::move(gossip_config));
    STARLING_ASSERT(made.has_value());
    host.gossip = *std::move(made);
  }
  const std::size_t connections = config.connections.value_or(preset.connections);
  host.connections = {connections * 8 / 10, connections, connections * 2, node::kConnectionsPerIpMax, false};
  host.bootstrap = config.bootstrap;

  agent_config.role = config.role;
  agent_config.name = config.name;
  agent_config.status_messages = config.status_messages && !config.short_lived;
  agent_config.announce =
      config.short_lived ? node::OwnPresence::Announce::no : node::OwnPresence::Announce::yes;
  agent_config.publish = !config.short_lived;
  agent_config.take_over = config.take_over;
  agent_config.dial_classes = {config.allow_private_addresses, config.allow_private_addresses,
                               config.allow_private_addresses};
}

/// A node of one question does not publish again what the running one provides.
bool is_for_the_brain(node::Kept what, const ServiceConfig& config) {
  return what != node::Kept::issued && what != node::Kept::delegation &&
         !(config.short_lived && what == node::Kept::dht_provided);
}

Result<agent::Identity> make_identity(const ServiceConfig& config, crypto::PrivateKey wallet,
                                      crypto::PrivateKey node_key, const std::vector<home::KeptEntry>& kept,
                                      WallTime now) {
  agent::IssuedState issued;
  std::optional<agent::SignedDelegation> delegation;
  for (const auto& entry : kept) {
    if (entry.what == node::Kept::issued) {
      STARLING_ASSIGN(issued, node::decode_issued(entry.value));
    } else if (entry.what == node::Kept::delegation) {
      STARLING_ASSIGN(delegation, agent::decode_signed_delegation(entry.value));
    }
  }
  return agent::Identity::hot(std::move(wallet), std::move(node_key), config.network, std::move(delegation),
                              issued, now, agent::real_signatures());
}

kad::QueryId begin(kad::Kad& kad, dht::Question question, kad::QueryOptions options, Now now) {
  if (auto* get = std::get_if<dht::Get>(&question))
    return kad.get_value(std::move(get->key), {}, now, options);
  if (auto* put = std::get_if<dht::Put>(&question))
    return kad.put_value(std::move(put->key), std::move(put->value), now, options);
  if (auto* provide = std::get_if<dht::Provide>(&question))
    return kad.provide(std::move(provide->key), now, options);
  if (auto* find = std::get_if<dht::FindProviders>(&question))
    return kad.find_providers(std::move(find->key), find->count, now, options);
  if (const auto* peer = std::get_if<dht::FindPeer>(&question))
    return kad.find_peer(peer->peer, now, options);
  return kad.closest_peers(std::move(std::get<dht::Closest>(question).key), now, options);
}

}  // namespace

struct Service::State {
  State(ServiceConfig own_config, home::DataDir own_dir, home::Store own_store)
      : config(std::move(own_config)), dir(std::move(own_dir)), store(std::move(own_store)) {}

  ServiceConfig config;
  home::DataDir dir;
  std::mutex store_mutex;  ///< the inbox is read from other threads than the brain's
  home::Store store;
  EthAddress wallet;
  bool wallet_made = false;
  std::unique_ptr<runtime::AgentRuntime> runtime;

  // Everything below on the brain's thread, but for `subscriptions`.
  struct PendingFind {
    Instant started;
    std::function<void(FindOutcome)> done;
  };
  struct PendingSend {
    Instant started;
    node::agent_event::SendState last;
    std::function<void(SendOutcome)> done;
  };
  std::map<node::AskId, PendingFind> finds;
  struct PendingDht {
    dht::Outcome outcome;
    std::function<void(dht::Outcome)> done;
  };
  std::map<node::AskId, PendingSend> sends;
  std::map<kad::QueryId, PendingDht> questions;
  std::map<EthAddress, agent::CheckedPresence> announced;
  std::deque<std::uint64_t> inbox_numbers;  ///< of messages received and not yet told
  std::size_t stored = 0;
  std::uint64_t presence_seq = 0;

  std::mutex subscriptions_mutex;
  Subscription next_subscription = 1;
  std::map<Subscription, std::function<void(const home::InboxEntry&)>> message_callbacks;
  std::map<Subscription, std::function<void(const agent::CheckedPresence&)>> announcement_callbacks;

  void persist(const node::agent_event::Persist& persist) {
    const std::lock_guard lock(store_mutex);
    if (!store.begin() || !store.keep(persist.what, as_bytes(persist.key), persist.value)) storage_failed();
  }
  void receive(const node::Received& message) {
    const std::lock_guard lock(store_mutex);
    const auto begun = store.begin();
    const auto number = begun ? store.add_to_inbox(message) : Result<std::uint64_t>(fail(begun.error()));
    if (!number) storage_failed();
    inbox_numbers.push_back(number.value_or(0));
  }
  void commit() {
    const std::lock_guard lock(store_mutex);
    if (!store.commit()) storage_failed();
  }
  void storage_failed() {
    if (config.log) config.log(LogLevel::error, "home", "the database failed; what was received may be lost");
  }

  void on_event(node::agent_event::Event& event, Now now) {
    if (auto* found = std::get_if<node::agent_event::Found>(&event)) {
      auto pending = finds.extract(found->ask);
      if (!pending.empty())
        pending.mapped().done({std::move(found->outcome), now.mono - pending.mapped().started});
    } else if (auto* state = std::get_if<node::agent_event::SendState>(&event)) {
      on_send_state(*state, now);
    } else if (auto* message = std::get_if<node::agent_event::Message>(&event)) {
      on_received(message->message);
    } else if (auto* heard = std::get_if<node::agent_event::Announced>(&event)) {
      on_announced(heard->presence);
    } else if (auto* published = std::get_if<node::agent_event::Published>(&event)) {
      stored = published->stored;
      presence_seq = published->seq;
    } else if (auto* superseded = std::get_if<node::agent_event::Superseded>(&event)) {
      if (config.log) config.log(LogLevel::warn, "agent", "superseded by " + superseded->by.to_string());
    }
  }

  void on_host_event(node::host_event::Event& event) {
    if (auto* hop = std::get_if<node::host_event::QueryHop>(&event)) {
      const auto it = questions.find(hop->hop.query);
      if (it != questions.end()) it->second.outcome.hops.push_back(std::move(hop->hop));
    } else if (auto* query = std::get_if<node::host_event::Query>(&event)) {
      auto pending = questions.extract(query->done.id);
      if (pending.empty()) return;
      dht::Outcome& outcome = pending.mapped().outcome;
      outcome.result = std::move(query->done.result);
      outcome.stats = query->done.stats;
      pending.mapped().done(std::move(outcome));
    }
  }

  void on_send_state(const node::agent_event::SendState& state, Now now) {
    const auto it = sends.find(state.ask);
    if (it == sends.end()) return;
    it->second.last = state;
    if (state.state == agent::DeliveryState::accepted) return;
    auto pending = sends.extract(it);
    pending.mapped().done({state, now.mono - pending.mapped().started});
  }

  void on_received(const node::Received& message) {
    home::InboxEntry entry{inbox_numbers.front(), message};
    inbox_numbers.pop_front();
    const std::lock_guard lock(subscriptions_mutex);
    for (const auto& [id, callback] : message_callbacks) callback(entry);
  }

  void on_announced(const agent::CheckedPresence& presence) {
    if (announced.size() >= kAnnouncementsKept && !announced.contains(presence.fields.wallet))
      announced.erase(announced.begin());
    announced.insert_or_assign(presence.fields.wallet, presence);
    const std::lock_guard lock(subscriptions_mutex);
    for (const auto& [id, callback] : announcement_callbacks) callback(presence);
  }

  template <class Condition>
  bool wait_until(Duration wait, Condition condition) {
    const auto end = std::chrono::steady_clock::now() + wait;
    while (true) {
      const auto met = runtime->ask(condition);
      if (met && *met) return true;
      if (!met || std::chrono::steady_clock::now() >= end) return false;
      std::this_thread::sleep_for(20ms);
    }
  }
};

Service::Service(std::unique_ptr<State> state) : state_(std::move(state)) {}
Service::~Service() { stop(); }

Result<std::unique_ptr<Service>> Service::start(ServiceConfig config) {
  STARLING_ASSIGN(auto dir, home::DataDir::open(config.data_dir, home::DataDir::Lock::exclusive));
  runtime::SystemRng rng;
  const Now now = runtime::read_clock();
  STARLING_ASSIGN(auto wallet, dir.wallet(config.wallet, config.password, rng, now.wall.ms()));
  STARLING_ASSIGN(auto node_key, dir.node_key(config.node_key_type, rng));
  STARLING_ASSIGN(auto store, home::Store::open(dir.database()));
  STARLING_TRY(store.forget_ended(now.wall));
  STARLING_ASSIGN(auto kept, store.kept());
  STARLING_ASSIGN(auto identity,
                  make_identity(config, std::move(wallet.key), std::move(node_key), kept, now.wall));

  auto state = std::make_unique<State>(std::move(config), std::move(dir), std::move(store));
  State* raw = state.get();
  raw->wallet = wallet.address;
  raw->wallet_made = wallet.made;
  runtime::AgentRuntime::Setup setup(std::move(identity));
  configure(raw->config, setup.agent, setup.host);
  setup.options.listen = raw->config.listen;
  setup.options.threads = raw->config.threads;
  setup.options.connections_bytes_max = raw->config.connections_bytes_max;
  setup.options.log_level = raw->config.log_level;
  setup.options.log = raw->config.log;
  for (auto& entry : kept)
    if (is_for_the_brain(entry.what, raw->config))
      setup.kept.push_back({entry.what, to_text(entry.key), std::move(entry.value)});
  setup.events.persist = [raw](const node::agent_event::Persist& persist) { raw->persist(persist); };
  setup.events.receive = [raw](const node::Received& message) { raw->receive(message); };
  setup.events.commit = [raw] { raw->commit(); };
  setup.events.host = [raw](node::host_event::Event& event, Now) { raw->on_host_event(event); };
  setup.events.agent = [raw](node::agent_event::Event& event, Now at) { raw->on_event(event, at); };
  raw->runtime = std::make_unique<runtime::AgentRuntime>(std::move(setup));
  std::unique_ptr<Service> service(new Service(std::move(state)));
  STARLING_TRY(raw->runtime->start());
  return service;
}

const EthAddress& Service::wallet() const noexcept { return state_->wallet; }
const PeerId& Service::peer_id() const noexcept { return state_->runtime->peer_id(); }
agent::Role Service::role() const noexcept { return state_->config.role; }
bool Service::wallet_was_made() const noexcept { return state_->wallet_made; }

std::vector<Multiaddr> Service::addresses() const {
  std::vector<Multiaddr> out;
  for (const auto& address : state_->runtime->listening()) out.push_back(address.with_peer_id(peer_id()));
  return out;
}

void Service::find(const EthAddress& wallet, Duration cache_age, std::function<void(FindOutcome)> done) {
  state_->runtime->post(
      [this, wallet, cache_age, done = std::move(done)](node::AgentNode& node, Now now) mutable {
        const auto ask = node.find(wallet, cache_age, now);
        state_->finds.emplace(ask, State::PendingFind{now.mono, std::move(done)});
      });
}

void Service::send(node::SendOptions options, Duration wait, std::function<void(SendOutcome)> done) {
  state_->runtime->post([this, options = std::move(options), wait, done = std::move(done)](
                            node::AgentNode& node, Now now) mutable {
    const auto ask = node.send(std::move(options), now);
    State::PendingSend pending{now.mono, {}, std::move(done)};
    pending.last.ask = ask;
    state_->sends.emplace(ask, std::move(pending));
    state_->runtime->post_after(wait, [this, ask](node::AgentNode&, Now later) {
      auto waiting = state_->sends.extract(ask);
      if (!waiting.empty())
        waiting.mapped().done({waiting.mapped().last, later.mono - waiting.mapped().started});
    });
  });
}

void Service::ask_dht(dht::Question question, kad::QueryOptions options,
                      std::function<void(dht::Outcome)> done) {
  state_->runtime->post([this, question = std::move(question), options, done = std::move(done)](
                            node::AgentNode& node, Now now) mutable {
    kad::Kad* kad = node.host().dht();
    if (kad == nullptr) return done({fail(node::Errc::dht_off), {}, {}});
    State::PendingDht pending{{}, std::move(done)};
    state_->questions.emplace(begin(*kad, std::move(question), options, now), std::move(pending));
  });
}

dht::TableView Service::dht_table() {
  return state_->runtime
      ->ask([](node::AgentNode& node, Now now) {
        dht::TableView view;
        view.self = node.host().local().id;
        const kad::Kad* kad = node.host().dht();
        if (kad == nullptr) return view;
        view.mode = kad->mode();
        view.records = kad->record_count();
        view.providers = kad->provider_count();
        for (auto& entry : kad->table().members()) {
          const Duration silent = now.mono - entry.seen;
          view.members.push_back({std::move(entry), silent});
        }
        return view;
      })
      .value_or(dht::TableView());
}

Result<std::vector<home::InboxEntry>> Service::inbox(std::uint64_t after, std::size_t count) {
  const std::lock_guard lock(state_->store_mutex);
  STARLING_TRY(state_->store.commit());  // nothing is shown that a crash could take back
  return state_->store.inbox(after, count);
}

std::vector<agent::CheckedPresence> Service::announcements() {
  return state_->runtime
      ->ask([this](node::AgentNode&, Now) {
        std::vector<agent::CheckedPresence> out;
        for (const auto& [wallet, presence] : state_->announced) out.push_back(presence);
        return out;
      })
      .value_or(std::vector<agent::CheckedPresence>());
}

std::vector<PeerView> Service::peers() {
  return state_->runtime
      ->ask([](node::AgentNode& node, Now) {
        std::vector<PeerView> out;
        const node::Host& host = node.host();
        for (const auto& [id, conn] : host.connections().all()) {
          PeerView view{conn.peer, conn.remote, conn.direction, {}, {}, 0};
          if (const auto info = host.info_of(conn.peer)) {
            view.agent = info->agent_version;
            view.protocols = info->protocols;
          }
          if (host.pubsub() != nullptr) view.score = host.pubsub()->score(conn.peer);
          out.push_back(std::move(view));
        }
        return out;
      })
      .value_or(std::vector<PeerView>());
}

StatusView Service::status() {
  return state_->runtime
      ->ask([this](node::AgentNode& node, Now now) {
        StatusView view;
        view.wallet = state_->wallet;
        view.peer = node.host().local().id;
        for (const auto& address : node.host().addresses().advertised())
          view.addresses.push_back(address.with_peer_id(view.peer));
        view.status = node.own_status(now);
        view.presence_seq = state_->presence_seq;
        view.presence_stored = state_->stored;
        view.agents_known = node.judge().known().size();
        view.superseded_by = node.identity().superseded_by();
        return view;
      })
      .value_or(StatusView());
}

std::vector<node::agent_event::Status> Service::network_status() {
  return state_->runtime
      ->ask([](node::AgentNode& node, Now) {
        std::vector<node::agent_event::Status> out;
        for (const auto& [wallet, status] : node.statuses()) out.push_back(status);
        return out;
      })
      .value_or(std::vector<node::agent_event::Status>());
}

runtime::MetricsSnapshot Service::metrics() {
  std::promise<runtime::MetricsSnapshot> promise;
  auto future = promise.get_future();
  state_->runtime->metrics(
      [&promise](runtime::MetricsSnapshot snapshot) { promise.set_value(std::move(snapshot)); });
  return future.get();
}

bool Service::wait_for_gossip(std::size_t count, Duration wait) {
  return state_->wait_until(wait, [count](node::AgentNode& node, Now) {
    const auto* pubsub = node.host().pubsub();
    return pubsub != nullptr && pubsub->topic_peers(agent::to_string(agent::Topic::messages)).size() >= count;
  });
}

bool Service::wait_for_dht(Duration wait) {
  return state_->wait_until(wait, [](node::AgentNode& node, Now) {
    return node.host().dht() != nullptr && node.host().dht()->table().size() > 0;
  });
}

Service::Subscription Service::on_message(std::function<void(const home::InboxEntry&)> callback) {
  const std::lock_guard lock(state_->subscriptions_mutex);
  state_->message_callbacks.emplace(state_->next_subscription, std::move(callback));
  return state_->next_subscription++;
}

Service::Subscription Service::on_announcement(std::function<void(const agent::CheckedPresence&)> callback) {
  const std::lock_guard lock(state_->subscriptions_mutex);
  state_->announcement_callbacks.emplace(state_->next_subscription, std::move(callback));
  return state_->next_subscription++;
}

void Service::unsubscribe(Subscription subscription) {
  const std::lock_guard lock(state_->subscriptions_mutex);
  state_->message_callbacks.erase(subscription);
  state_->announcement_callbacks.erase(subscription);
}

void Service::stop() {
  if (state_->runtime) state_->runtime->stop();
}

}  // namespace starling::api
