#include "proto/kad/kad.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "proto/kad/address.hpp"

namespace starling::kad {
namespace {

/// Whether a failed request says something about the peer, rather than about us.
bool blames_peer(Kind kind) noexcept {
  return kind != Kind::cancelled && kind != Kind::limit && kind != Kind::internal && kind != Kind::storage;
}

/// Republished keys wait while this many queries do.
constexpr std::size_t kRepublishBacklogMax = 32;
constexpr Duration kRepublishPause = 10s;
/// Silent entries asked at every refresh.
constexpr std::size_t kLivenessChecksMax = 32;

/// `reason="…"`, one of a fixed set.
std::string reason_label(const Error& error) {
  for (const auto& [code, text] :
       {std::pair{Errc::over_rate, "over_rate"}, std::pair{Errc::store_full, "store_full"},
        std::pair{Errc::invalid_record, "invalid_record"}, std::pair{Errc::bad_namespace, "bad_namespace"},
        std::pair{Errc::value_too_long, "value_too_long"}, std::pair{Errc::key_too_long, "key_too_long"},
        std::pair{Errc::record_key_mismatch, "key_mismatch"},
        std::pair{Errc::provider_not_sender, "not_sender"}})
    if (error == make_error(code)) return std::string("reason=\"") + text + '"';
  return "reason=\"malformed\"";
}

std::unique_ptr<RecordStore> or_in_memory(std::unique_ptr<RecordStore> records, const PeerId& self,
                                          const Config& config) {
  if (records) return records;
  return std::make_unique<MemoryRecordStore>(KadId::of(self), config.stores);
}

}  // namespace

Kad::Counters::Counters(Metrics& metrics)
    : requests_sent(metrics.counter("kad_requests_sent_count")),
      requests_failed(metrics.counter("kad_requests_failed_count")),
      queries_ended(metrics.counter("kad_queries_ended_count")),
      queries_failed(metrics.counter("kad_queries_failed_count")),
      requests_served(metrics.counter("kad_requests_served_count")),
      requests_refused(metrics.counter("kad_requests_refused_count")),
      table_added(metrics.counter("kad_table_added_count")),
      table_removed(metrics.counter("kad_table_removed_count")),
      table_size(metrics.counter("kad_table_size")),
      records(metrics.counter("kad_records")),
      providers(metrics.counter("kad_providers")) {}

Kad::Kad(const Config& config, const PeerId& self, const Validators& validators, Env& env, Instant now,
         std::unique_ptr<RecordStore> records)
    : config_(config),
      self_(self),
      place_(KadId::of(self)),
      validators_(validators),
      env_(env),
      counters_(env.metrics),
      table_(place_, config.k, config.diversity),
      server_(config_, self, validators, or_in_memory(std::move(records), self, config), env.rng),
      jobs_(config_, env.rng, now),
      replicator_(config_, self, validators) {
  if (config.keep == Keep::everything) {
    server_.records().track_changes();
    server_.provider_store().track_changes();
    jobs_.track_changes();
  }
  STARLING_ASSERT(config.k > 0 && config.k <= kPeersPerListMax && config.alpha > 0 && config.beta > 0);
}

// --- membership ---

void Kad::on_peer_supports_kad(const ServerPeer& peer, Now now) {
  if (peer.id == self_ || peer.id.empty()) return;
  PeerInfo info{peer.id, usable_addrs(peer.addrs, config_.scope, kAddrsPerPeerMax),
                peer.remote ? ConnectionType::connected : ConnectionType::not_connected};
  if (peer.remote)
    server_.know(peer.id, info.addrs, Server::Offers::dht);
  else
    server_.forget(peer.id);
  switch (table_.would_add(info, peer.remote)) {
    case RoutingTable::Outcome::updated:
      table_.update_addrs(peer.id, info.addrs);
      table_.set_connection(peer.id, info.connection);
      break;
    case RoutingTable::Outcome::added: (void)prober_.want({std::move(info), peer.remote}); break;
    case RoutingTable::Outcome::bucket_full: admit(info, peer.remote, now); break;
    default: break;
  }
  run_probes(now);
}

void Kad::on_peer_unsupported(const PeerId& peer, std::vector<Multiaddr> addrs, Now now) {
  prober_.forget(peer);
  server_.know(peer, usable_addrs(addrs, config_.scope, kAddrsPerPeerMax), Server::Offers::nothing);
  note_removal(peer, table_.remove(peer));
  run_probes(now);
}

void Kad::on_disconnected(const PeerId& peer, Now) {
  server_.forget(peer);
  table_.set_connection(peer, ConnectionType::not_connected);
}

/// Offers a place to a server that has just answered us, or a turn in the queue to a newcomer for a full
/// bucket. One of the saved table has got its records before the restart.
void Kad::admit(const PeerInfo& peer, const std::optional<Multiaddr>& remote, Now now,
                Prober::Origin origin) {
  if (server_.knows_client(peer.id)) return;
  const bool first = table_.size() == 0;
  const auto result = table_.add(peer, remote, now.mono, config_.liveness_after);
  if (result.outcome == RoutingTable::Outcome::added) {
    ++counters_.table_added;
    counters_.table_size = table_.size();
    emit(TableChanged{peer.id, TableChanged::What::added});
    if (config_.mode == Mode::server && origin == Prober::Origin::live)
      replicator_.note_newcomer(peer.id, now.mono);
    jobs_.save_soon(now.mono);
    if (first) jobs_.refresh_soon(now.mono);
  }
  if (result.check)
    if (auto info = table_.info(*result.check)) (void)prober_.want({std::move(*info), std::nullopt});
}

void Kad::note_removal(const PeerId& peer, const RoutingTable::Removal& removal) {
  if (!removal.removed) return;
  ++counters_.table_removed;
  counters_.table_size = table_.size();
  emit(TableChanged{peer, TableChanged::What::removed});
  if (!removal.promoted) return;
  ++counters_.table_added;
  emit(TableChanged{*removal.promoted, TableChanged::What::added});
  if (auto info = table_.info(*removal.promoted)) (void)prober_.want({std::move(*info), std::nullopt});
}

void Kad::run_probes(Now now) {
  start_waiting(now);
  while (auto probe = prober_.next()) start_probe(*std::move(probe), now);
  if (!saved_.empty()) ask_saved(now);
}

void Kad::start_probe(Prober::Probe probe, Now now) {
  Message message;
  message.type = MessageType::find_node;
  message.key = to_bytes(self_.bytes());
  const RequestId id = pool_.open(QueryPool::kProbe, probe.peer, message.type, now.mono);
  ++counters_.requests_sent;
  emit(SendRequest{id, probe.peer.id, std::move(probe.peer.addrs), std::move(message), true});
}

// --- serving ---

Result<std::optional<Message>> Kad::on_request(const PeerId& from, const Message& request, Now now) {
  if (config_.mode == Mode::client) return fail(Errc::not_serving);
  clock_ = now;
  auto answer = server_.answer(from, request, table_, now);
  ++(answer ? counters_.requests_served : counters_.requests_refused);
  note_served(request, answer, now);
  return answer;
}

void Kad::note_served(const Message& request, const Result<std::optional<Message>>& answer, Now now) {
  const bool put = request.type == MessageType::put_value;
  if (!put && request.type != MessageType::add_provider) return;
  if (!answer) {
    env_.metrics.add("kad_puts_rejected_count", reason_label(answer.error()));
    return;
  }
  show_sizes();
  if (put) replicator_.note_stored(now.mono);
}

void Kad::show_sizes() {
  counters_.table_size = table_.size();
  counters_.records = server_.records().size();
  counters_.providers = server_.provider_store().size();
}

std::optional<Bytes> Kad::stored_value(ByteView key, Now now) {
  auto record = server_.valid_record(key, now);
  if (!record) return std::nullopt;
  return std::move(record->value);
}

// --- answers ---

void Kad::on_response(RequestId id, Message response, Now now) {
  const auto* open = pool_.peek(id);
  if (open == nullptr) return;
  if (response.type != open->type) {
    fail_request(id, Kind::misbehaviour, now);
    return;
  }
  auto request = *pool_.close(id);
  answered_ = now.mono;
  answer_time_.note(now.mono - request.sent);
  const bool in_table = table_.on_answer(request.peer.id, now.mono);
  if (request.query == QueryPool::kProbe) {
    const auto probe = prober_.end(request.peer.id);
    if (probe && !in_table) admit(probe->peer, probe->remote, now, probe->origin);
  } else {
    if (!in_table) {
      keep_usable(request.peer.addrs, config_.scope, kAddrsPerPeerMax);
      request.peer.connection = ConnectionType::can_connect;  // what others said of it does not count
      admit(request.peer, std::nullopt, now);
    }
    if (Query* query = pool_.find(request.query)) {
      const auto heard = query->on_response(request.peer, std::move(response), now.wall, validators_);
      emit_hop(*query, request, heard, now);
      pump(request.query, now);
    }
  }
  run_probes(now);
}

/// When nobody at all answers, it is our own link that is down, and the table must outlive that.
bool Kad::link_works(Now now) const {
  return !answered_.is_never() && answered_ + 3 * config_.request_timeout >= now.mono;
}

void Kad::on_request_failed(RequestId id, const Error& error, Now now) {
  fail_request(id, error.kind(), now);
}

void Kad::fail_request(RequestId id, Kind kind, Now now) {
  const auto request = pool_.close(id);
  if (!request) return;
  ++counters_.requests_failed;
  const PeerId& peer = request->peer.id;
  if (kind == Kind::unsupported) {
    note_removal(peer, table_.remove(peer));
  } else if (blames_peer(kind) && link_works(now)) {
    note_removal(peer, table_.on_failure(peer));
  }
  if (request->query == QueryPool::kProbe) {
    (void)prober_.end(peer);
  } else if (Query* query = pool_.find(request->query)) {
    const auto verdict = kind == Kind::timeout ? QueryHop::Verdict::timed_out : QueryHop::Verdict::failed;
    emit_hop(*query, *request, {verdict, 0, query->on_failure(peer, request->type)}, now);
    pump(request->query, now);
  }
  run_probes(now);
}

void Kad::on_request_sent(RequestId id, Now now) {
  const auto* open = pool_.peek(id);
  if (open == nullptr || open->type != MessageType::add_provider) return;
  const auto request = *pool_.close(id);
  if (Query* query = pool_.find(request.query)) {
    query->on_sent(request.peer.id);
    emit_hop(*query, request, {QueryHop::Verdict::stored, 0, {}}, now);
    pump(request.query, now);
  }
}

// --- upkeep ---

void Kad::refresh(Now now) {
  for (PeerInfo& peer : table_.silent(now.mono, config_.liveness_after, kLivenessChecksMax))
    (void)prober_.want({std::move(peer), std::nullopt});
  run_probes(now);
  if (table_.size() == 0) return;
  QuerySpec spec;
  spec.goal = Goal::bootstrap;
  spec.audience = QuerySpec::Audience::nobody;
  spec.key = to_bytes(self_.bytes());
  (void)begin(std::move(spec), now);
}

void Kad::after_bootstrap(Now now) {
  for (Bytes& key : jobs_.refresh_keys(table_, place_, now.mono)) {
    QuerySpec spec;
    spec.goal = Goal::refresh;
    spec.audience = QuerySpec::Audience::nobody;
    spec.key = std::move(key);
    (void)begin(std::move(spec), now);
  }
}

/// Queries queue up, or nobody is known yet: what is due would only fail and miss its turn.
bool Kad::holds_publishing(Now now) const {
  const bool nobody = table_.size() == 0 && (config_.mode == Mode::client || may_find_somebody(now));
  return nobody || pool_.waiting() >= kRepublishBacklogMax;
}

void Kad::republish(Now now) {
  for (;;) {
    if (own_addrs_.empty() || holds_publishing(now)) {
      jobs_.hold_republish(now.mono + kRepublishPause);
      return;
    }
    auto key = jobs_.republish_due(now.mono);
    if (!key) return;
    QuerySpec spec;
    spec.goal = Goal::provide;
    spec.audience = QuerySpec::Audience::nobody;
    spec.key = std::move(*key);
    (void)begin(std::move(spec), now);
  }
}

/// Records of our own. One that no longer validates has ended.
void Kad::publish_again(Now now) {
  while (!holds_publishing(now)) {
    auto own = jobs_.put_due(now.mono);
    if (!own) return;
    if (!validators_.validate(own->key, own->value, now.wall)) {
      jobs_.stop_publishing(own->key);
      continue;
    }
    QuerySpec spec;
    spec.goal = Goal::put_value;
    spec.audience = QuerySpec::Audience::nobody;
    spec.key = std::move(own->key);
    spec.value = std::move(own->value);
    (void)begin(std::move(spec), now);
  }
}

void Kad::replicate(Now now) {
  if (config_.mode == Mode::client) return;
  while (replicating_ < kReplicationsRunningMax && pool_.waiting() < kRepublishBacklogMax) {
    auto task = replicator_.next(server_.records(), table_, now);
    if (!task) return;
    QuerySpec spec;
    spec.audience = QuerySpec::Audience::nobody;
    spec.key = std::move(task->key);
    spec.value = std::move(task->value);
    if (!validators_.validate(spec.key, spec.value, now.wall)) continue;
    spec.goal = task->newcomer ? Goal::correct : Goal::replicate;
    spec.options.publish = Publish::classic;
    if (task->newcomer) {
      spec.targets.push_back(std::move(*task->newcomer));
      env_.metrics.add("kad_records_handed_over_count");
    } else {
      ++replicating_;
      env_.metrics.add("kad_records_replicated_count");
    }
    (void)begin(std::move(spec), now);
  }
}

Instant Kad::deadline() const {
  Instant next = std::min(pool_.deadline(config_.request_timeout, stall_after()), jobs_.deadline());
  if (table_.size() == 0 && pool_.waiting() > 0 && clock_.mono < saved_wait_until_)
    next = std::min(next, saved_wait_until_);
  const bool replicates = config_.mode == Mode::server && replicating_ < kReplicationsRunningMax;
  return replicates ? std::min(next, replicator_.deadline()) : next;
}

void Kad::on_deadline(Now now) {
  clock_ = now;
  while (const auto id = pool_.newly_stalled(now.mono, stall_after())) {
    const QueryPool::InFlight request = *pool_.peek(*id);
    if (Query* query = pool_.find(request.query)) {
      emit_hop(*query, request, {QueryHop::Verdict::stalled, 0, query->on_stall(request.peer.id)}, now);
      pump(request.query, now);
    }
  }
  while (const auto id = pool_.timed_out(now.mono, config_.request_timeout))
    fail_request(*id, Kind::timeout, now);
  while (const auto id = pool_.overdue(now.mono)) end(*id, now, std::nullopt, true);
  if (jobs_.sweep_due(now.mono)) {
    server_.sweep(now);
    show_sizes();
    jobs_.save_soon(now.mono);
  }
  if (jobs_.save_due(now.mono)) save_table(now);
  start_waiting(now);
  if (jobs_.refresh_due(now.mono)) refresh(now);
  if (jobs_.publishing_due(now.mono)) {
    publish_again(now);
    republish(now);
  }
  replicate(now);
}

// --- actions ---

void Kad::emit(Action action) { actions_.push_back(std::move(action)); }

std::optional<Action> Kad::poll() {
  if (has_persists()) return Action(std::move(persists_[next_persist_++]));
  if (next_action_ == actions_.size()) return std::nullopt;
  std::optional<Action> out(std::move(actions_[next_action_++]));
  if (next_action_ == actions_.size()) {
    actions_.clear();
    next_action_ = 0;
    constexpr std::size_t kKeptCapacity = 8;  // an idle brain holds no room for the bursts it has seen
    if (actions_.capacity() > kKeptCapacity) actions_.shrink_to_fit();
  }
  return out;
}

}  // namespace starling::kad
