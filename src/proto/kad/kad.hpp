#pragma once
// The DHT brain of a node: membership, queries, serving. Decoded messages in, actions out.
#include <optional>
#include <vector>

#include "base/env.hpp"
#include "proto/kad/action.hpp"
#include "proto/kad/answer_time.hpp"
#include "proto/kad/config.hpp"
#include "proto/kad/jobs.hpp"
#include "proto/kad/prober.hpp"
#include "proto/kad/query_pool.hpp"
#include "proto/kad/replicator.hpp"
#include "proto/kad/routing_table.hpp"
#include "proto/kad/server.hpp"
#include "proto/kad/validator.hpp"

namespace starling::kad {

/// A server that identify has told us about.
struct ServerPeer {
  PeerId id;
  std::vector<Multiaddr> addrs;     ///< its listen addresses as it says
  std::optional<Multiaddr> remote;  ///< where its connection comes from or goes to; set = connected
};

/// One per node. One thread. Outlived by Env and Validators, which it refers to.
///
/// Call order: restore() what was kept → start() → any input → drain poll() → re-arm deadline(). Nothing is
/// called out but the validators.
/// - Membership is fed by identify alone: on_peer_supports_kad() for peers that list our protocol,
///   on_peer_unsupported() for those that do not (any more). Who merely asks us, or is merely named by
///   others, never enters the table: clients would fill it (py's trap). A newcomer is probed with FIND_NODE
///   for our own id first; a server that answers a query of ours has proven itself and is offered a place
///   too.
/// - Each SendRequest is answered by on_response(), on_request_failed() or, without a response,
///   on_request_sent(). The brain has its own timeouts, so a driver that says nothing cannot hang a query.
/// - Every query ends in exactly one QueryDone, a traced one after its QueryHops. One begun while the table
/// is empty waits for probes under way.
///
/// Spec: libp2p/specs kad-dht; ipfs/specs routing/kad-dht (termination by beta, diversity); PROTOCOL.md §3
/// for GET and PUT.
/// Attacks: see RoutingTable (eclipse), Lookup (liars), Query (poisoned records), Server and the stores
/// (floods).
/// Limits: limits.hpp. Results depend on inputs and the Rng alone.
class Kad {
 public:
  /// `records`: a store of another kind than the one in memory.
  Kad(const Config& config, const PeerId& self, const Validators& validators, Env& env, Instant now = {},
      std::unique_ptr<RecordStore> records = nullptr);
  Kad(const Kad&) = delete;
  Kad& operator=(const Kad&) = delete;

  // --- over a restart (Keep::everything) ---
  /// Before start(): what Persist had told. An entry that is damaged, has ended, is not valid (any more) or
  /// over a quota is left out, and told to be erased. Errc::bad_entry, store_full, errors of the validators.
  Result<void> restore(Durable what, ByteView key, ByteView value, Now now);
  /// Asks the servers of the saved table whether they are still there, so that the network is found again
  /// without bootstrap nodes: kSavedProbesMax at once, all of them as a server, until k have answered as a
  /// client.
  void start(Now now);
  /// Tells the table as it is, before a shutdown.
  void save_table(Now now);

  // --- membership ---
  void on_peer_supports_kad(const ServerPeer& peer, Now now);
  /// `addrs`: known addresses of a connected client, so that we can name it to who looks for exactly it.
  void on_peer_unsupported(const PeerId& peer, std::vector<Multiaddr> addrs, Now now);
  /// The last connection to the peer is gone. It stays in the table until it fails to answer.
  void on_disconnected(const PeerId& peer, Now now);

  // --- serving ---
  /// The answer; nothing = none is sent (ADD_PROVIDER); an error = reset the stream. Errc::not_serving in
  /// client mode.
  Result<std::optional<Message>> on_request(const PeerId& from, const Message& request, Now now);
  void set_mode(Mode mode) noexcept { config_.mode = mode; }
  Mode mode() const noexcept { return config_.mode; }

  // --- queries ---
  /// Ends in PeerDone, or Errc::not_found. A peer that we are connected to needs no lookup, unless it is to
  /// be traced.
  QueryId find_peer(const PeerId& peer, Now now, QueryOptions options = {});
  /// The k nearest to SHA-256(key). Ends in ClosestDone.
  QueryId closest_peers(Bytes key, Now now, QueryOptions options = {});
  /// Ends in ValueDone; a key of a namespace without a validator in Errc::bad_namespace.
  QueryId get_value(Bytes key, GetOptions get, Now now, QueryOptions options = {});
  /// The value must be valid (Errc::invalid_record otherwise). Ends in PutDone, or Errc::nobody_stored;
  /// Errc::store_full when it is to be published again and kOwnRecordsMax are already.
  QueryId put_value(Bytes key, Bytes value, Now now, QueryOptions options = {});
  /// ADD_PROVIDER to the k nearest, again every Config::provider_republish until stop_providing(). Ends in
  /// ProvideDone, or Errc::no_addresses; Errc::store_full when kOwnProvidedKeysMax keys are provided already.
  QueryId provide(Bytes key, Now now, QueryOptions options = {});
  void stop_providing(ByteView key);
  /// A record put with Upkeep::publish_again is not put again.
  void stop_publishing(ByteView key) { jobs_.stop_publishing(key); }
  /// At most `count` (1 to kProvidersPerQueryMax) providers. Ends in ProvidersDone; ProviderFound comes
  /// earlier.
  QueryId find_providers(Bytes key, std::size_t count, Now now, QueryOptions options = {});
  /// Looks up our own id, then refreshes the buckets. Ends in BootstrapDone. Also happens by itself when the
  /// table gets its first peer and at every refresh.
  QueryId bootstrap(Now now);
  /// Ends the query with Errc::cancelled; no-op when it has ended for its caller. Its requests under way
  /// still feed the table.
  void cancel(QueryId query, Now now);
  /// What provide() publishes. Addresses out of Config::scope are left out.
  void set_own_addrs(std::vector<Multiaddr> addrs);

  // --- answers to SendRequest; ids that are not known (any more) are ignored ---
  void on_response(RequestId id, Message response, Now now);
  void on_request_failed(RequestId id, const Error& error, Now now);
  void on_request_sent(RequestId id, Now now);

  std::optional<Action> poll();
  Instant deadline() const;
  void on_deadline(Now now);

  // --- what the rest of the node may look at ---
  const RoutingTable& table() const noexcept { return table_; }
  /// How many servers there are, as far as our lookups can tell; nothing before enough of them agree.
  std::optional<SizeEstimate> network_size(Now now) const { return size_.estimate(now.mono); }
  const Config& config() const noexcept { return config_; }
  const PeerId& self() const noexcept { return self_; }
  std::size_t record_count() const noexcept { return server_.records().size(); }
  std::size_t provider_count() const noexcept { return server_.provider_store().size(); }
  std::size_t query_count() const noexcept { return pool_.running() + pool_.waiting(); }
  std::size_t request_count() const noexcept { return pool_.in_flight(); }
  /// The valid record that this node itself stores, as /starling/presence/1.0.0 serves it; nothing otherwise.
  std::optional<Bytes> stored_value(ByteView key, Now now);

 private:
  QueryId begin(QuerySpec spec, Now now);
  QueryId begin_failed(Error error);
  Duration stall_after() const noexcept { return answer_time_.stall_after(config_.stall_after); }
  void start(QueryId id, QuerySpec spec, Now now);
  void start_waiting(Now now);
  void pump(QueryId id, Now now);
  void end(QueryId id, Now now, std::optional<Error> error, bool timed_out);
  void run_probes(Now now);
  void admit(const PeerInfo& peer, const std::optional<Multiaddr>& remote, Now now,
             Prober::Origin origin = Prober::Origin::live);
  void note_removal(const PeerId& peer, const RoutingTable::Removal& removal);
  void fail_request(RequestId id, Kind kind, Now now);
  bool link_works(Now now) const;
  bool among_nearest(const KadId& target, const std::vector<PeerInfo>& others) const;
  void settle(Query& query, Now now);
  void settle_stores(Query& query, Now now);
  void report(QueryId id, const Query& query, Result<QueryResult> result, Now now);
  void learn_size(const Query& query, Now now);
  void refresh(Now now);
  void after_bootstrap(Now now);
  void republish(Now now);
  void publish_again(Now now);
  bool holds_publishing(Now now) const;
  void replicate(Now now);
  void note_served(const Message& request, const Result<std::optional<Message>>& answer, Now now);
  void count_query(const Query& query, const QueryDone& done);
  void show_sizes();
  void emit(Action action);
  void emit_hop(Query& query, const QueryPool::InFlight& request, const Query::Heard& heard, Now now);
  void start_probe(Prober::Probe probe, Now now);
  void ask_saved(Now now);
  bool may_find_somebody(Now now) const;
  Result<void> restore_entry(Durable what, ByteView key, ByteView value, Now now);
  void tell_changes();
  void forget_what_is_kept(ByteView restored);
  bool has_persists();

  /// Places of the registry's counters, looked up once.
  struct Counters {
    explicit Counters(Metrics& metrics);
    std::uint64_t& requests_sent;
    std::uint64_t& requests_failed;
    std::uint64_t& queries_ended;
    std::uint64_t& queries_failed;
    std::uint64_t& requests_served;
    std::uint64_t& requests_refused;
    std::uint64_t& table_added;
    std::uint64_t& table_removed;
    std::uint64_t& table_size;
    std::uint64_t& records;
    std::uint64_t& providers;
  };

  Config config_;
  PeerId self_;
  KadId place_;
  const Validators& validators_;
  Env& env_;
  Counters counters_;
  RoutingTable table_;
  Server server_;
  QueryPool pool_;
  Prober prober_;
  Jobs jobs_;
  NetworkSize size_;
  AnswerTime answer_time_;
  Replicator replicator_;
  std::size_t replicating_ = 0;
  std::vector<Multiaddr> own_addrs_;
  std::vector<Action> actions_;
  std::size_t next_action_ = 0;
  Instant answered_ = Instant::never();  ///< when anybody last answered a request; never() = nobody has
  bool starting_ = false;
  std::vector<Persist> persists_;  ///< told before actions_
  std::size_t next_persist_ = 0;
  std::vector<PeerInfo> saved_;  ///< servers of the saved table that are still to be asked, the next last
  Instant saved_wait_until_;
  Bytes saved_table_;  ///< as it was told last
  Now clock_;          ///< of the last input; entries of the provider store end in monotonic time
};

}  // namespace starling::kad
