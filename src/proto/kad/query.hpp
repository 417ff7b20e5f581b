#pragma once
// One query: a walk with a goal, and what is done with the nearest servers afterwards.
#include <set>

#include "proto/kad/action.hpp"
#include "proto/kad/network_size.hpp"
#include "proto/kad/validator.hpp"
#include "proto/kad/walk.hpp"

namespace starling::kad {

enum class Goal : std::uint8_t {
  closest,
  refresh,
  bootstrap,
  find_peer,
  get_value,
  put_value,
  provide,
  find_providers,
  correct,
  replicate,
};

/// What a query is to do. Only the fields of its goal mean something.
struct QuerySpec {
  Goal goal = Goal::closest;
  Bytes key;
  Bytes value;            ///< put_value, correct, replicate
  PeerId peer;            ///< find_peer
  std::size_t count = 0;  ///< find_providers, at least 1
  GetOptions get;         ///< get_value
  QueryOptions options;
  PeerInfo provider;              ///< provide: ourselves
  std::vector<PeerInfo> targets;  ///< correct: to whom
  enum class Audience : std::uint8_t { caller, nobody };
  Audience audience = Audience::caller;  ///< nobody: our own upkeep
};

/// The state of one query. Walks with Lookup; a put, provide or correction then sends to the k nearest that
/// answered, or, with Publish::optimistic, to each likely one at once. get_value ends when the `quorum`
/// nearest have answered and agree; when they differ, lack the best record or know none, the walk goes on to
/// all k nearest (PROTOCOL.md §3). Every value is validated before it is compared, so a server can withhold a
/// record or serve an older one, never forge one, and one honest answer defeats both. find_providers hears at
/// least the `beta` nearest, however many providers the first answer names.
///
/// A crowded target: with an estimate of the network's size it shows when the nearest stand closer to the
/// target than chance explains (one in 100,000 for k, one in 1,000 for a quorum): somebody has made ids for
/// it. Then agreement of the nearest is not believed, and the walk goes on through the whole neighbourhood
/// where 25 servers are to be expected, Lookup::Spread; a put or provide stores there as well as at the k
/// nearest, a get or find_providers asks there. Reader and writer so meet at honest servers (E.3 #30).
/// Limits: kCandidatesPerQueryMax, kValuesPerQueryMax, kProvidersPerQueryMax.
class Query {
 public:
  struct Settings {
    std::size_t k = 20;
    std::size_t alpha = 10;
    std::size_t beta = 3;
    AddressScope scope = AddressScope::any;
    std::size_t paths = 1;
    Publish publish = Publish::classic;
    std::optional<SizeEstimate> size;
  };
  struct Request {
    PeerInfo peer;
    Message message;
    bool expects_response = true;
  };

  Query(QuerySpec spec, const PeerId& self, const Settings& settings, Instant started, Instant ends);

  void seed(std::vector<PeerInfo> peers) { walk_.seed(std::move(peers)); }
  /// A record or providers that we hold ourselves.
  void offer_own_value(ByteView value, const Validators& validators);
  void offer_providers(std::vector<PeerInfo> providers);

  /// The next request to send; call until nothing.
  std::optional<Request> next();
  /// What an answer was worth.
  struct Heard {
    QueryHop::Verdict verdict;
    std::size_t named = 0;
    std::optional<Lookup::Discarded> discarded;
  };
  Heard on_response(const PeerInfo& from, Message message, WallTime now, const Validators& validators);
  /// `request`: what was asked of it.
  std::optional<Lookup::Discarded> on_failure(const PeerId& from, MessageType request);
  std::optional<Lookup::Discarded> on_stall(const PeerId& from);
  void on_sent(const PeerId& to);

  /// False when the query is not traced or has told kHopsPerQueryMax hops already, which it counts.
  bool tells_hop() noexcept;

  /// Call after every input: moves on to the storing phase and decides whether the query has ended.
  bool finished();
  /// An optimistic query that stores has stored enough to say so: three quarters of k, all of them probably
  /// among the k nearest, and nothing is outstanding with the beta nearest, which every reader asks.
  bool may_report() const;
  /// Its QueryDone is out; what follows is nobody's business.
  void note_reported() noexcept;
  /// We are among the k nearest ourselves and our own store took it.
  void note_own_store() noexcept { ++stored_; }
  /// Our own store holds a better record than the one put.
  void note_better(Bytes value) { better_ = std::move(value); }
  const std::optional<Bytes>& better() const noexcept { return better_; }
  /// To whom the storing phase sends, nearest first.
  const std::vector<PeerInfo>& targets() const noexcept { return targets_; }
  /// The best value of a get_value so far.
  const Bytes* best() const noexcept { return best_ == kNone ? nullptr : &values_[best_]; }
  /// The end, whether finished or cut short by the query timeout: what is known by then.
  Result<QueryResult> result(bool timed_out) const;
  /// After finished() of a get_value: the nearest that lack the best value, and that value; for a `correct`
  /// query.
  std::optional<QuerySpec> correction() const;
  /// Providers found since the last call.
  std::vector<PeerInfo> take_new_providers() { return std::exchange(new_providers_, {}); }

  /// It is to leave something at servers.
  bool stores() const noexcept;
  Goal goal() const noexcept { return spec_.goal; }
  const QuerySpec& spec() const noexcept { return spec_; }
  const KadId& target() const noexcept { return walk_.target(); }
  const Walk& walk() const noexcept { return walk_; }
  /// Once, when its target turned out to be surrounded: it wants more of our own table.
  bool take_wants_seeds() noexcept { return std::exchange(wants_seeds_, false); }
  /// Its target turned out to be surrounded.
  bool crowded() const noexcept { return crowded_; }
  Instant started() const noexcept { return started_; }
  Instant ends() const noexcept { return ends_; }
  QueryStats& stats() noexcept { return stats_; }
  const QueryStats& stats() const noexcept { return stats_; }

 private:
  struct Held {
    PeerId peer;
    std::size_t value;  ///< index into values_, or kNone
  };
  struct Provider {
    PeerInfo peer;
    std::size_t turn;  ///< its index among the new ones of its answer
  };
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

  /// Whether so many so near are more than chance explains.
  bool implausible(std::size_t count, double odds) const;
  /// Sends the walk on through a crowded neighbourhood; false when it is none, or that has been done.
  bool widen();
  void target(PeerInfo peer);
  static bool is_store(MessageType type) noexcept;
  void settle_target(const PeerId& peer) { unsettled_.erase(peer); }

  Message walk_message() const;
  Message store_message() const;
  /// False when the record is not valid: who serves such a one has not answered.
  bool take_value(const PeerId& from, const Message& message, WallTime now, const Validators& validators);
  void take_providers(std::vector<PeerInfo> providers);
  std::vector<PeerInfo> chosen_providers() const;
  void take_peer(const PeerId& from, const Message& message);
  /// True when it has stored our value.
  bool take_echo(const Message& message, WallTime now, const Validators& validators);
  /// Keeps the value among those to compare, and as the best when it is; its index.
  std::size_t remember(ByteView value, const Validators& validators);
  bool walk_finished() const;
  bool finished_storing() const noexcept { return storing_ && unsettled_.empty(); }
  bool agreed(std::size_t quorum) const;
  bool holds_best(const PeerId& peer) const;
  Result<QueryResult> nothing_known(bool timed_out) const;

  QuerySpec spec_;
  Settings settings_;
  Walk walk_;
  Instant started_;
  Instant ends_;
  QueryStats stats_;
  std::size_t hops_told_ = 0;

  bool storing_ = false;    ///< the walk is over and all targets are known
  std::uint64_t near_ = 0;  ///< within this distance a server is stored at without waiting; 0 = never
  bool crowded_ = false;
  bool wants_seeds_ = false;
  std::vector<PeerInfo> nearest_;  ///< the k nearest before the walk was widened
  std::vector<PeerInfo> targets_;
  std::set<PeerId> unsettled_;  ///< targets that have neither answered nor failed
  std::set<PeerId> targeted_;
  std::size_t next_target_ = 0;
  std::size_t stored_ = 0;
  std::optional<Bytes> better_;

  std::vector<Bytes> values_;
  std::vector<Held> held_;
  std::size_t own_value_ = kNone;
  std::size_t best_ = kNone;
  bool differ_ = false;  ///< two servers gave different valid values

  std::vector<Provider> providers_;
  std::vector<PeerInfo> new_providers_;
  std::set<PeerId> provider_ids_;

  PeerInfo found_;
  bool peer_answered_ = false;
};

}  // namespace starling::kad
