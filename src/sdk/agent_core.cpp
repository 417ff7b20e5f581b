#include "sdk/agent_core.hpp"

#include <deque>
#include <list>
#include <map>
#include <mutex>

#include "home/data_dir.hpp"
#include "node/errors.hpp"
#include "node/role_gossip.hpp"
#include "runtime/agent_runtime.hpp"
#include "runtime/system.hpp"

namespace starling::sdk {
namespace {

/// Between two looks at what somebody waits for.
constexpr Duration kLookInterval = 20ms;

/// The production configuration of a role (PROTOCOL.md §7), with what the caller sets besides.
void configure(const AgentSetup& config, node::AgentConfig& agent_config, node::HostConfig& host) {
  const agent::RolePreset& preset = agent::preset_of(config.role);
  const agent::DhtMode dht = config.dht.value_or(preset.dht);
  host.kad_protocol = config.network.kad_protocol();
  host.kad.emplace();
  host.kad->mode = dht == agent::DhtMode::server ? kad::Mode::server : kad::Mode::client;
  if (dht == agent::DhtMode::server_if_reachable) host.dht_mode = node::DhtMode::automatic;
  host.reachability_scope =
      config.allow_private_addresses ? kad::AddressScope::any : kad::AddressScope::public_only;
  host.kad->scope = kad::AddressScope::any;
  // A node of one question sees little of the network: it must not write over what the running one knows.
  const bool keeps = !config.data_dir.empty() && !config.short_lived;
  host.kad->keep = keeps ? kad::Keep::everything : kad::Keep::nothing;
  if (config.gossip.value_or(preset.gossip)) host.gossip = node::gossip_of(config.role);
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
bool is_for_the_brain(node::Kept what, const AgentSetup& config) {
  return what != node::Kept::issued && what != node::Kept::delegation &&
         !(config.short_lived && what == node::Kept::dht_provided);
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

Result<agent::Identity> make_identity(const AgentSetup& config, crypto::PrivateKey wallet,
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

/// How far a state is on the way; terminal ones are beyond every other.
int progress(agent::DeliveryState state) noexcept {
  using enum agent::DeliveryState;
  switch (state) {
    case none: return 0;
    case accepted: return 1;
    case sent: return 2;
    case stored: return 3;
    case received: return 4;
    case delivered: return 5;
    case acked:
    case rejected:
    case expired:
    case failed: return 6;
  }
  return 0;
}

}  // namespace

SendOutcome Failing<SendOutcome>::of(const Error& error) {
  SendOutcome outcome;
  outcome.state.state = agent::DeliveryState::failed;
  outcome.state.error = error;
  return outcome;
}

bool is_terminal(agent::DeliveryState state) noexcept {
  return progress(state) == progress(agent::DeliveryState::acked);
}

struct AgentCore::State {
  explicit State(AgentSetup own_setup)
      : setup(std::move(own_setup)), log(runtime::make_log(setup.log_level, setup.log)) {}

  AgentSetup setup;
  std::unique_ptr<Log> log;
  std::optional<home::DataDir> dir;
  std::mutex store_mutex;  ///< the inbox is read from other threads than the brain's
  std::optional<home::Store> store;
  EthAddress wallet;
  bool wallet_made = false;
  std::unique_ptr<runtime::AgentRuntime> runtime;

  // Everything below on the brain's thread, but for the subscriptions.
  struct PendingFind {
    Instant started;
    OwedAnswer<FindOutcome> done;
  };
  struct PendingSend {
    Instant started;
    node::agent_event::SendState last;
    agent::DeliveryState until;
    OwedAnswer<SendOutcome> done;
    std::function<void(const SendOutcome&)> each;
  };
  struct PendingLook {
    std::function<bool(node::AgentNode&)> holds;
    Instant end;
    OwedAnswer<Result<bool>> done;
  };
  struct PendingDht {
    dht::Outcome outcome;
    OwedAnswer<dht::Outcome> done;
  };
  std::map<kad::QueryId, PendingDht> questions;
  std::deque<std::uint64_t> inbox_numbers;  ///< of messages received and not yet told
  std::map<node::AskId, PendingFind> finds;
  std::map<node::AskId, PendingSend> sends;
  std::list<PendingLook> looks;
  bool looking = false;
  std::map<EthAddress, agent::CheckedPresence> announced;
  std::size_t stored = 0;
  std::uint64_t presence_seq = 0;

  std::mutex subscriptions_mutex;
  Subscription next_subscription = 1;
  std::map<Subscription, std::function<void(const home::InboxEntry&)>> message_callbacks;
  std::map<Subscription, std::function<void(const agent::CheckedPresence&)>> announcement_callbacks;
  std::map<Subscription, std::function<void(const node::agent_event::Status&)>> status_callbacks;

  Result<agent::Identity> open(std::vector<home::KeptEntry>& kept, WallTime now);
  void persist(const node::agent_event::Persist& persist);
  void receive(const node::Received& message);
  void commit();
  void storage_failed();
  void on_host_event(node::host_event::Event& event);
  void on_event(node::agent_event::Event& event, Now now);
  void on_send_state(const node::agent_event::SendState& state, Now now);
  void on_received(const node::Received& message);
  void on_announced(const agent::CheckedPresence& presence);
  void look(node::AgentNode& node, Now now);
  void give_up();

  /// The value of `work(node, now)` for `done`.
  template <class T, class Work>
  void ask(Done<T> done, Work work) {
    OwedAnswer<Result<T>> owed(std::move(done));
    runtime->post([owed = std::move(owed), work = std::move(work)](node::AgentNode& node, Now now) mutable {
      owed(work(node, now));
    });
  }
  template <class Callback, class Value>
  void tell(const std::map<Subscription, Callback>& callbacks, const Value& value) {
    const std::lock_guard lock(subscriptions_mutex);
    for (const auto& [id, callback] : callbacks) callback(value);
  }
  template <class Callback>
  Subscription subscribe(std::map<Subscription, Callback>& callbacks, Callback callback) {
    const std::lock_guard lock(subscriptions_mutex);
    callbacks.emplace(next_subscription, std::move(callback));
    return next_subscription++;
  }
};

// ---------------------------------------------------------------------------------------------- storage

/// Wallet, node key and what was kept: from the data directory, or from the setup alone.
Result<agent::Identity> AgentCore::State::open(std::vector<home::KeptEntry>& kept, WallTime now) {
  runtime::SystemRng rng;
  if (!setup.data_dir.empty()) {
    STARLING_ASSIGN(dir, home::DataDir::open(setup.data_dir, home::DataDir::Lock::exclusive));
    if (!setup.wallet_key) {
      STARLING_ASSIGN(auto opened, dir->wallet(setup.wallet, setup.password, rng, now.ms()));
      setup.wallet_key = std::move(opened.key);
      wallet_made = opened.made;
    }
    STARLING_ASSIGN(setup.node_key, dir->node_key(setup.node_key_type, rng));
    STARLING_ASSIGN(store, home::Store::open(dir->database()));
    STARLING_TRY(store->forget_ended(now));
    STARLING_ASSIGN(kept, store->kept());
  }
  if (!setup.wallet_key) setup.wallet_key = crypto::PrivateKey::generate(crypto::KeyType::secp256k1, rng);
  if (!setup.node_key) setup.node_key = crypto::PrivateKey::generate(setup.node_key_type, rng);
  auto identity = make_identity(setup, *std::move(setup.wallet_key), *std::move(setup.node_key), kept, now);
  setup.wallet_key.reset();
  setup.node_key.reset();
  if (identity) wallet = identity->wallet();
  return identity;
}

void AgentCore::State::persist(const node::agent_event::Persist& persist) {
  if (!store) return;
  const std::lock_guard lock(store_mutex);
  if (!store->begin() || !store->keep(persist.what, as_bytes(persist.key), persist.value)) storage_failed();
}

void AgentCore::State::receive(const node::Received& message) {
  if (!store) return;
  const std::lock_guard lock(store_mutex);
  const auto begun = store->begin();
  const auto number = begun ? store->add_to_inbox(message) : Result<std::uint64_t>(fail(begun.error()));
  if (!number) storage_failed();
  inbox_numbers.push_back(number.value_or(0));
}

void AgentCore::State::commit() {
  if (!store) return;
  const std::lock_guard lock(store_mutex);
  if (!store->commit()) storage_failed();
}

void AgentCore::State::storage_failed() {
  log->write(LogLevel::error, "home", "the database failed; what was received may be lost");
}

// ---------------------------------------------------------------------------------------------- what the
// brain tells

void AgentCore::State::on_event(node::agent_event::Event& event, Now now) {
  using namespace node::agent_event;
  if (auto* found = std::get_if<Found>(&event)) {
    auto pending = finds.extract(found->ask);
    if (!pending.empty())
      pending.mapped().done({std::move(found->outcome), now.mono - pending.mapped().started});
  } else if (auto* state = std::get_if<SendState>(&event)) {
    on_send_state(*state, now);
  } else if (auto* message = std::get_if<node::agent_event::Message>(&event)) {
    on_received(message->message);
  } else if (auto* heard = std::get_if<Announced>(&event)) {
    on_announced(heard->presence);
  } else if (auto* status = std::get_if<Status>(&event)) {
    tell(status_callbacks, *status);
  } else if (auto* published = std::get_if<node::agent_event::Published>(&event)) {
    stored = published->stored;
    presence_seq = published->seq;
    log->write(LogLevel::info, "agent",
               "presence " + std::to_string(presence_seq) + " is stored by " + std::to_string(stored));
  } else if (auto* superseded = std::get_if<Superseded>(&event)) {
    log->write(LogLevel::warn, "agent", "superseded by " + superseded->by.to_string());
  }
}

void AgentCore::State::on_host_event(node::host_event::Event& event) {
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

void AgentCore::State::on_send_state(const node::agent_event::SendState& state, Now now) {
  const auto it = sends.find(state.ask);
  if (it == sends.end()) return;
  PendingSend& send = it->second;
  send.last = state;
  const SendOutcome outcome{state, now.mono - send.started};
  if (send.each) send.each(outcome);
  if (progress(state.state) >= progress(send.until) || is_terminal(state.state)) send.done(outcome);
  if (is_terminal(state.state) || (!send.done && !send.each)) sends.erase(it);
}

void AgentCore::State::on_received(const node::Received& message) {
  home::InboxEntry entry{0, message};
  if (!inbox_numbers.empty()) {
    entry.number = inbox_numbers.front();
    inbox_numbers.pop_front();
  }
  tell(message_callbacks, entry);
}

void AgentCore::State::on_announced(const agent::CheckedPresence& presence) {
  if (announced.size() >= kAnnouncementsKept && !announced.contains(presence.fields.wallet))
    announced.erase(announced.begin());
  announced.insert_or_assign(presence.fields.wallet, presence);
  tell(announcement_callbacks, presence);
}

/// Answers those whose condition holds or whose time is over; comes again while anybody waits.
void AgentCore::State::look(node::AgentNode& node, Now now) {
  std::list<PendingLook> waiting = std::exchange(looks, {});
  for (auto it = waiting.begin(); it != waiting.end();) {
    const bool holds = it->holds(node);
    if (!holds && now.mono < it->end) {
      ++it;
      continue;
    }
    it->done(holds);
    it = waiting.erase(it);
  }
  looks.splice(looks.begin(), waiting);
  looking = !looks.empty();
  if (looking)
    runtime->post_after(kLookInterval, [this](node::AgentNode& again, Now later) { look(again, later); });
}

/// Answers all that still wait; swapped out first, for they may ask again.
void AgentCore::State::give_up() {
  const auto drop = [](auto& container) { std::exchange(container, {}); };
  drop(finds);
  drop(sends);
  drop(looks);
  drop(questions);
}

// ---------------------------------------------------------------------------------------------- life

AgentCore::AgentCore(std::unique_ptr<State> state) : state_(std::move(state)) {}
AgentCore::~AgentCore() { stop(); }

Result<std::unique_ptr<AgentCore>> AgentCore::open(AgentSetup own_setup) {
  const Now now = runtime::read_clock();
  auto state = std::make_unique<State>(std::move(own_setup));
  State* raw = state.get();
  std::vector<home::KeptEntry> kept;
  STARLING_ASSIGN(auto identity, raw->open(kept, now.wall));
  runtime::AgentRuntime::Setup setup(std::move(identity));
  configure(raw->setup, setup.agent, setup.host);
  setup.options.listen = raw->setup.listen;
  setup.options.security = raw->setup.security;
  setup.options.threads = raw->setup.threads;
  setup.options.connections_bytes_max = raw->setup.connections_bytes_max;
  setup.options.loops = std::exchange(raw->setup.loops, nullptr);
  setup.options.log_level = raw->setup.log_level;
  setup.options.log = raw->setup.log;
  for (auto& entry : kept)
    if (is_for_the_brain(entry.what, raw->setup))
      setup.kept.push_back({entry.what, to_text(entry.key), std::move(entry.value)});
  setup.events.persist = [raw](const node::agent_event::Persist& persist) { raw->persist(persist); };
  setup.events.receive = [raw](const node::Received& message) { raw->receive(message); };
  setup.events.commit = [raw] { raw->commit(); };
  setup.events.host = [raw](node::host_event::Event& event, Now) { raw->on_host_event(event); };
  setup.events.agent = [raw](node::agent_event::Event& event, Now at) { raw->on_event(event, at); };
  raw->runtime = std::make_unique<runtime::AgentRuntime>(std::move(setup));
  return std::unique_ptr<AgentCore>(new AgentCore(std::move(state)));
}

Result<void> AgentCore::start() {
  STARLING_TRY(state_->runtime->start());
  for (const auto& address : addresses())
    state_->log->write(LogLevel::info, "agent", wallet().to_string() + " listens on " + address.to_string());
  return {};
}

void AgentCore::refuse_own_thread() const { state_->runtime->refuse_own_thread(); }

void AgentCore::stop() {
  if (!state_->runtime) return;
  state_->runtime->post([this](node::AgentNode&, Now) { state_->give_up(); });
  state_->runtime->stop();
  state_->give_up();  // what came in between
}

const EthAddress& AgentCore::wallet() const noexcept { return state_->wallet; }
const PeerId& AgentCore::peer_id() const noexcept { return state_->runtime->peer_id(); }
agent::Role AgentCore::role() const noexcept { return state_->setup.role; }
bool AgentCore::wallet_was_made() const noexcept { return state_->wallet_made; }
bool AgentCore::has_inbox() const noexcept { return state_->store.has_value(); }

std::vector<Multiaddr> AgentCore::addresses() const {
  std::vector<Multiaddr> out;
  for (const auto& address : state_->runtime->listening()) out.push_back(address.with_peer_id(peer_id()));
  return out;
}

// ---------------------------------------------------------------------------------------------- what is
// asked

void AgentCore::find(const EthAddress& wallet, Duration cache_age, std::function<void(FindOutcome)> done) {
  OwedAnswer<FindOutcome> owed(std::move(done));
  state_->runtime->post(
      [this, wallet, cache_age, owed = std::move(owed)](node::AgentNode& node, Now now) mutable {
        const auto ask = node.find(wallet, cache_age, now);
        state_->finds.emplace(ask, State::PendingFind{now.mono, std::move(owed)});
      });
}

void AgentCore::send(node::SendOptions options, SendWatch watch) {
  OwedAnswer<SendOutcome> owed(std::move(watch.done));
  state_->runtime->post([this, options = std::move(options), owed = std::move(owed),
                         each = std::move(watch.each), until = watch.until,
                         wait = watch.wait](node::AgentNode& node, Now now) mutable {
    const auto ask = node.send(std::move(options), now);
    State::PendingSend pending{now.mono, {}, until, std::move(owed), std::move(each)};
    pending.last.ask = ask;
    state_->sends.emplace(ask, std::move(pending));
    state_->runtime->post_after(wait, [this, ask](node::AgentNode&, Now later) {
      const auto it = state_->sends.find(ask);
      if (it == state_->sends.end() || !it->second.done) return;
      it->second.done({it->second.last, later.mono - it->second.started});
      if (!it->second.each) state_->sends.erase(it);
    });
  });
}

Result<std::vector<home::InboxEntry>> AgentCore::inbox(std::uint64_t after, std::size_t count) {
  const std::lock_guard lock(state_->store_mutex);
  if (!state_->store) return fail(node::Errc::not_found);
  STARLING_TRY(state_->store->commit());  // nothing is shown that a crash could take back
  return state_->store->inbox(after, count);
}

void AgentCore::ask_dht(dht::Question question, kad::QueryOptions options,
                        std::function<void(dht::Outcome)> done) {
  OwedAnswer<dht::Outcome> owed(std::move(done));
  state_->runtime->post([this, question = std::move(question), options, owed = std::move(owed)](
                            node::AgentNode& node, Now now) mutable {
    kad::Kad* kad = node.host().dht();
    if (kad == nullptr) return owed({fail(node::Errc::dht_off), {}, {}});
    State::PendingDht pending{{}, std::move(owed)};
    state_->questions.emplace(begin(*kad, std::move(question), options, now), std::move(pending));
  });
}

void AgentCore::dht_table(Done<dht::TableView> done) {
  state_->ask<dht::TableView>(std::move(done), [](node::AgentNode& node, Now now) {
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
  });
}

void AgentCore::announcements(Done<std::vector<agent::CheckedPresence>> done) {
  state_->ask<std::vector<agent::CheckedPresence>>(std::move(done), [this](node::AgentNode&, Now) {
    std::vector<agent::CheckedPresence> out;
    for (const auto& [wallet, presence] : state_->announced) out.push_back(presence);
    return out;
  });
}

void AgentCore::peers(Done<std::vector<PeerView>> done) {
  state_->ask<std::vector<PeerView>>(std::move(done), [](node::AgentNode& node, Now) {
    std::vector<PeerView> out;
    const node::Host& host = node.host();
    for (const node::ConnTable::Conn* at : host.connections().all()) {
      const auto& conn = *at;
      PeerView view{conn.peer, conn.remote, conn.direction, {}, {}, 0};
      if (const auto info = host.info_of(conn.peer)) {
        view.agent = info->agent_version;
        view.protocols = info->protocols;
      }
      if (host.pubsub() != nullptr) view.score = host.pubsub()->score(conn.peer);
      out.push_back(std::move(view));
    }
    return out;
  });
}

void AgentCore::status(Done<StatusView> done) {
  state_->ask<StatusView>(std::move(done), [this](node::AgentNode& node, Now now) {
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
  });
}

void AgentCore::network_status(Done<std::vector<node::agent_event::Status>> done) {
  state_->ask<std::vector<node::agent_event::Status>>(std::move(done), [](node::AgentNode& node, Now) {
    std::vector<node::agent_event::Status> out;
    for (const auto& [wallet, status] : node.statuses()) out.push_back(status);
    return out;
  });
}

void AgentCore::metrics(Done<runtime::MetricsSnapshot> done) {
  const auto owed = std::make_shared<OwedAnswer<Result<runtime::MetricsSnapshot>>>(std::move(done));
  state_->runtime->metrics([owed](runtime::MetricsSnapshot snapshot) { (*owed)(std::move(snapshot)); });
}

void AgentCore::when(std::function<bool(node::AgentNode&)> holds, Duration wait, Done<bool> done) {
  OwedAnswer<Result<bool>> owed(std::move(done));
  state_->runtime->post(
      [this, holds = std::move(holds), wait, owed = std::move(owed)](node::AgentNode& node, Now now) mutable {
        state_->looks.push_back({std::move(holds), now.mono + wait, std::move(owed)});
        if (!state_->looking) state_->look(node, now);
      });
}

namespace {

bool takes_gossip(node::AgentNode& node, std::size_t count) {
  const auto* pubsub = node.host().pubsub();
  return pubsub != nullptr && pubsub->topic_peers(agent::to_string(agent::Topic::messages)).size() >= count;
}

}  // namespace

void AgentCore::when_gossip(std::size_t count, Duration wait, Done<bool> done) {
  when([count](node::AgentNode& node) { return takes_gossip(node, count); }, wait, std::move(done));
}

void AgentCore::when_dht(Duration wait, Done<bool> done) {
  when(
      [](node::AgentNode& node) {
        return node.host().dht() != nullptr && node.host().dht()->table().size() > 0;
      },
      wait, std::move(done));
}

void AgentCore::when_joined(Duration wait, Done<bool> done) {
  when(
      [state = state_.get()](node::AgentNode& node) {
        const bool published = state->stored > 0 || state->setup.short_lived;
        return published && (node.host().pubsub() == nullptr || takes_gossip(node, 1));
      },
      wait, std::move(done));
}

AgentCore::Subscription AgentCore::on_message(std::function<void(const home::InboxEntry&)> callback) {
  return state_->subscribe(state_->message_callbacks, std::move(callback));
}

AgentCore::Subscription AgentCore::on_announcement(
    std::function<void(const agent::CheckedPresence&)> callback) {
  return state_->subscribe(state_->announcement_callbacks, std::move(callback));
}

AgentCore::Subscription AgentCore::on_status(std::function<void(const node::agent_event::Status&)> callback) {
  return state_->subscribe(state_->status_callbacks, std::move(callback));
}

void AgentCore::unsubscribe(Subscription subscription) {
  const std::lock_guard lock(state_->subscriptions_mutex);
  state_->message_callbacks.erase(subscription);
  state_->announcement_callbacks.erase(subscription);
  state_->status_callbacks.erase(subscription);
}

}  // namespace starling::sdk
