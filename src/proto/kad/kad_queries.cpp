// The part of the brain that begins, drives and ends queries.
#include <algorithm>

#include "proto/kad/address.hpp"
#include "proto/kad/kad.hpp"

namespace starling::kad {

QueryId Kad::find_peer(const PeerId& peer, Now now, QueryOptions options) {
  if (auto known = server_.connected(peer); known && options.trace == QueryOptions::Trace::off) {
    const QueryId id = pool_.new_id();
    ++counters_.queries_ended;
    emit(QueryDone{id, PeerDone{*std::move(known), true}, {}});
    return id;
  }
  QuerySpec spec;
  spec.goal = Goal::find_peer;
  spec.peer = peer;
  spec.options = options;
  return begin(std::move(spec), now);
}

QueryId Kad::closest_peers(Bytes key, Now now, QueryOptions options) {
  if (key.empty()) return begin_failed(make_error(Errc::key_missing));
  if (key.size() > kKeyBytesMax) return begin_failed(make_error(Errc::key_too_long));
  QuerySpec spec;
  spec.goal = Goal::closest;
  spec.key = std::move(key);
  spec.options = options;
  return begin(std::move(spec), now);
}

QueryId Kad::get_value(Bytes key, GetOptions get, Now now, QueryOptions options) {
  if (const auto known = validators_.find(key); !known) return begin_failed(known.error());
  QuerySpec spec;
  spec.goal = Goal::get_value;
  spec.key = std::move(key);
  spec.get = get;
  spec.options = options;
  return begin(std::move(spec), now);
}

QueryId Kad::put_value(Bytes key, Bytes value, Now now, QueryOptions options) {
  if (const auto valid = validators_.validate(key, value, now.wall); !valid)
    return begin_failed(valid.error());
  clock_ = now;
  if (options.upkeep == QueryOptions::Upkeep::publish_again && !jobs_.keep_publishing(key, value, now.mono))
    return begin_failed(make_error(Errc::store_full));
  QuerySpec spec;
  spec.goal = Goal::put_value;
  spec.key = std::move(key);
  spec.value = std::move(value);
  spec.options = options;
  return begin(std::move(spec), now);
}

QueryId Kad::provide(Bytes key, Now now, QueryOptions options) {
  if (key.empty()) return begin_failed(make_error(Errc::key_missing));
  if (key.size() > kProviderKeyBytesMax) return begin_failed(make_error(Errc::key_too_long));
  if (own_addrs_.empty()) return begin_failed(make_error(Errc::no_addresses));
  clock_ = now;
  if (!jobs_.keep_providing(key, now.mono)) return begin_failed(make_error(Errc::store_full));
  QuerySpec spec;
  spec.goal = Goal::provide;
  spec.key = std::move(key);
  spec.options = options;
  return begin(std::move(spec), now);
}

void Kad::stop_providing(ByteView key) {
  jobs_.stop_providing(key);
  server_.stop_providing_own(key);
}

QueryId Kad::find_providers(Bytes key, std::size_t count, Now now, QueryOptions options) {
  if (key.empty()) return begin_failed(make_error(Errc::key_missing));
  if (key.size() > kProviderKeyBytesMax) return begin_failed(make_error(Errc::key_too_long));
  QuerySpec spec;
  spec.goal = Goal::find_providers;
  spec.key = std::move(key);
  spec.count = std::clamp<std::size_t>(count, 1, kProvidersPerQueryMax);
  spec.options = options;
  return begin(std::move(spec), now);
}

QueryId Kad::bootstrap(Now now) {
  if (table_.size() > 0) jobs_.note_refresh(now.mono);
  QuerySpec spec;
  spec.goal = Goal::bootstrap;
  spec.key = to_bytes(self_.bytes());
  return begin(std::move(spec), now);
}

void Kad::set_own_addrs(std::vector<Multiaddr> addrs) {
  own_addrs_ = usable_addrs(addrs, config_.scope, kAddrsPerPeerSentMax);
}

QueryId Kad::begin_failed(Error error) {
  const QueryId id = pool_.new_id();
  ++counters_.queries_ended;
  ++counters_.queries_failed;
  emit(QueryDone{id, fail(error), {}});
  return id;
}

QueryId Kad::begin(QuerySpec spec, Now now) {
  const QueryId id = pool_.new_id();
  const bool reported = spec.audience == QuerySpec::Audience::caller;
  const bool replicates = spec.goal == Goal::replicate;
  if (!pool_.add(id, std::move(spec))) {
    if (replicates) --replicating_;
    if (reported) emit(QueryDone{id, fail(Errc::too_many_queries), {}});
    return id;
  }
  start_waiting(now);
  return id;
}

/// While the table is empty and newcomers are being probed, queries wait for the first to be admitted instead
/// of failing a moment too early. Not re-entered: a query may end in its start, and then this loop takes the
/// next, not one more level of the stack.
void Kad::start_waiting(Now now) {
  if (starting_ || (table_.size() == 0 && may_find_somebody(now))) return;
  starting_ = true;
  while (auto next = pool_.next_waiting()) start(next->first, std::move(next->second), now);
  starting_ = false;
}

void Kad::start(QueryId id, QuerySpec spec, Now now) {
  const bool serving = config_.mode == Mode::server;
  if (spec.goal == Goal::provide) spec.provider = PeerInfo{self_, own_addrs_, ConnectionType::can_connect};
  const bool upkeep =
      spec.goal == Goal::refresh || spec.goal == Goal::correct || spec.goal == Goal::replicate;
  const Instant ends = now.mono + (upkeep ? config_.refresh_timeout : config_.query_timeout);
  const std::size_t paths = spec.options.paths == 0 ? config_.paths : spec.options.paths;
  const Query::Settings settings{config_.k,
                                 config_.alpha,
                                 config_.beta,
                                 config_.scope,
                                 std::clamp<std::size_t>(paths, 1, kPathsMax),
                                 spec.options.publish.value_or(config_.publish),
                                 size_.estimate(now.mono)};
  Query& query = pool_.start(id, Query(std::move(spec), self_, settings, now.mono, ends));
  query.seed(table_.nearest(query.target(), config_.k));
  table_.note_lookup(query.target(), now.mono);
  if (serving && query.goal() == Goal::get_value)
    if (const auto own = server_.valid_record(query.spec().key, now))
      query.offer_own_value(own->value, validators_);
  if (serving && query.goal() == Goal::find_providers) {
    auto own = server_.providers(query.spec().key, config_.k, now);
    std::erase_if(own, [this](const PeerInfo& peer) { return peer.id == self_; });
    query.offer_providers(std::move(own));
  }
  pump(id, now);
}

/// Sends what the query wants to send, reports what it has found and ends it when it has finished.
void Kad::pump(QueryId id, Now now) {
  Query* query = pool_.find(id);
  if (query == nullptr) return;
  bool finished = query->finished();
  if (query->take_wants_seeds()) {
    query->seed(table_.nearest(query->target(), kCrowdedSeeds));
    finished = query->finished();
  }
  for (PeerInfo& provider : query->take_new_providers()) emit(ProviderFound{id, std::move(provider)});
  if (finished) {
    end(id, now, std::nullopt, false);
    return;
  }
  while (auto request = query->next()) {
    ++counters_.requests_sent;
    const RequestId request_id = pool_.open(id, request->peer, request->message.type, now.mono);
    emit(SendRequest{request_id, request->peer.id, std::move(request->peer.addrs),
                     std::move(request->message), request->expects_response});
  }
  if (query->may_report()) {
    report(id, *query, query->result(false), now);
    query->note_reported();
  }
}

/// The one QueryDone of a query that somebody waits for.
void Kad::report(QueryId id, const Query& query, Result<QueryResult> result, Now now) {
  if (query.spec().audience == QuerySpec::Audience::nobody) return;
  QueryDone done{id, std::move(result), query.stats()};
  done.stats.took = now.mono - query.started();
  if (const auto nearest = query.walk().answered(1); !nearest.empty())
    if (const auto origin = query.walk().origin(nearest[0].id)) done.stats.hops = origin->in_path.depth;
  ++counters_.queries_ended;
  if (!done.result) ++counters_.queries_failed;
  count_query(query, done);
  emit(std::move(done));
}

/// A walk that has found the nearest tells how densely servers stand. One towards a peer would find itself.
void Kad::learn_size(const Query& query, Now now) {
  if (query.goal() == Goal::find_peer || query.goal() == Goal::correct || query.crowded()) return;
  for (const std::size_t count : {config_.k, config_.beta}) {
    if (!query.walk().converged(count)) continue;
    const auto nearest = query.walk().answered(count);
    const auto reach = nearest.size() < count ? NetworkSize::Reach::all : NetworkSize::Reach::nearest;
    size_.track(query.target(), nearest, reach, now.mono);
    return;
  }
}

/// True when fewer than k of the targets are nearer than we: our own store then is one of the k.
bool Kad::among_nearest(const KadId& target, const std::vector<PeerInfo>& others) const {
  const auto before_us = std::count_if(others.begin(), others.end(), [&](const PeerInfo& peer) {
    return nearer(target, KadId::of(peer.id), place_);
  });
  return static_cast<std::size_t>(before_us) < config_.k;
}

/// What the query leaves behind in our own stores.
void Kad::settle(Query& query, Now now) {
  if (query.better()) jobs_.stop_publishing(query.spec().key);
  if (config_.mode == Mode::client) return;
  settle_stores(query, now);
  if (query.stores()) replicator_.note_stored(now.mono);
  show_sizes();
}

void Kad::settle_stores(Query& query, Now now) {
  const QuerySpec& spec = query.spec();
  switch (query.goal()) {
    case Goal::put_value:
    case Goal::replicate: {
      if (query.better()) {
        (void)server_.put_own(spec.key, *query.better(), now);
        break;
      }
      auto held = server_.valid_record(spec.key, now);
      if (held && validators_.better(spec.key, held->value, spec.value)) {
        query.note_better(std::move(held->value));
      } else if (among_nearest(query.target(), query.targets()) &&
                 server_.put_own(spec.key, spec.value, now)) {
        query.note_own_store();
      }
      break;
    }
    case Goal::provide:
      if (!among_nearest(query.target(), query.targets())) break;
      server_.provide_own(spec.key, spec.provider, now);
      query.note_own_store();
      break;
    case Goal::get_value: {
      const Bytes* best = query.best();
      if (best == nullptr || !among_nearest(query.target(), query.walk().answered(config_.k))) break;
      const auto held = server_.records().find(spec.key);
      if (!held || held->value != *best) (void)server_.put_own(spec.key, *best, now);
      break;
    }
    default: break;
  }
}

void Kad::end(QueryId id, Now now, std::optional<Error> error, bool timed_out) {
  const auto query = pool_.remove(id);
  if (!query) return;
  clock_ = now;
  if (!error) settle(*query, now);
  if (query->goal() == Goal::replicate) --replicating_;
  if (!error && !timed_out) learn_size(*query, now);
  auto result = error ? Result<QueryResult>(fail(*error)) : query->result(timed_out);
  if (result && query->goal() == Goal::bootstrap) *result = BootstrapDone{table_.size()};
  if (query->goal() == Goal::bootstrap) jobs_.note_refreshed(table_.size(), now.mono);
  if (!error && query->goal() == Goal::bootstrap) after_bootstrap(now);
  report(id, *query, std::move(result), now);
  if (!error)
    if (auto correction = query->correction()) (void)begin(std::move(*correction), now);
  start_waiting(now);
}

void Kad::emit_hop(Query& query, const QueryPool::InFlight& request, const Query::Heard& heard, Now now) {
  if (!query.tells_hop()) return;
  QueryHop out;
  out.query = request.query;
  out.peer = request.peer.id;
  out.verdict = heard.verdict;
  out.request = request.type;
  out.shared_bits = common_prefix_bits(query.target(), KadId::of(request.peer.id));
  out.named = heard.named;
  out.started = request.sent - query.started();
  out.took = now.mono - request.sent;
  if (auto origin = query.walk().origin(request.peer.id)) {
    out.depth = origin->in_path.depth;
    out.path = origin->path;
    out.suggested_by = std::move(origin->in_path.suggested_by);
  }
  emit(std::move(out));
  if (!heard.discarded) return;
  QueryPool::InFlight about = request;
  about.peer.id = heard.discarded->server;
  about.sent = now.mono;
  emit_hop(query, about, {QueryHop::Verdict::liar_discarded, heard.discarded->suggestions, {}}, now);
}

void Kad::cancel(QueryId query, Now now) {
  if (pool_.remove_waiting(query)) {
    emit(QueryDone{query, fail(Errc::cancelled), {}});
    return;
  }
  const Query* known = pool_.find(query);
  if (known == nullptr || known->spec().audience == QuerySpec::Audience::nobody) return;
  end(query, now, make_error(Errc::cancelled), false);
}

}  // namespace starling::kad
