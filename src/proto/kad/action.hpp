#pragma once
// What the brain asks of its driver and tells it.
#include <optional>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "base/strong_id.hpp"
#include "base/time.hpp"
#include "proto/kad/durable.hpp"
#include "proto/kad/message.hpp"

namespace starling::kad {

struct RequestTag;
struct QueryTag;
using RequestId = StrongId<RequestTag>;
using QueryId = StrongId<QueryTag>;

/// Send `message` to `peer` over its connection, or dial one with the addresses that are known besides.
/// Answer with on_response() or on_request_failed(); with on_request_sent() when no response is expected
/// (ADD_PROVIDER). The brain times every request out by itself (Config::request_timeout, dialling included)
/// and ignores what comes later.
struct SendRequest {
  RequestId id;
  PeerId peer;
  std::vector<Multiaddr> addrs;
  Message message;
  bool expects_response = true;
};

/// A provider, as soon as it is known; each id once per query. There may be more of them than were asked for.
struct ProviderFound {
  QueryId query;
  PeerInfo provider;
};

/// The routing table gained or lost a peer: connections to the nearest are worth keeping.
struct TableChanged {
  PeerId peer;
  enum class What : std::uint8_t { added, removed } what;
};

/// One step of a query begun with QueryOptions::Trace::on: how a request to a server ended, as soon as it
/// has. A server that stalls and answers all the same makes two of them. At most kHopsPerQueryMax per query,
/// all before its QueryDone.
struct QueryHop {
  /// - answered: with what was asked for, or nothing; `named` peers came along.
  /// - stored: it echoed the record, or ADD_PROVIDER is on its way.
  /// - refused: it answered, but stored nothing.
  /// - invalid: its record does not validate, so it counts as failed and whom it named is not asked.
  /// - failed: no connection, a reset, an answer of the wrong kind. timed_out: no answer at all.
  /// - stalled: no answer for longer than is usual (AnswerTime); the walk goes on without it.
  /// - liar_discarded: it named too many that do not answer; `named` unasked suggestions of it are forgotten.
  enum class Verdict : std::uint8_t {
    answered,
    stored,
    refused,
    invalid,
    failed,
    timed_out,
    stalled,
    liar_discarded
  };
  QueryId query;
  PeerId peer;
  Verdict verdict = Verdict::answered;
  MessageType request = MessageType::find_node;
  std::size_t shared_bits = 0;         ///< leading bits that peer and target share: more is nearer
  std::size_t depth = 0;               ///< 1: from our own table; n + 1: named by a server of depth n
  std::size_t path = 0;                ///< which of the disjoint paths, from 0
  std::size_t named = 0;               ///< usable peers that it named
  Duration started{};                  ///< when the request went out, after the query's start
  Duration took{};                     ///< from then to this event
  std::optional<PeerId> suggested_by;  ///< nothing: our own table
};
std::string_view to_string(QueryHop::Verdict verdict) noexcept;

/// The nearest servers that answered, nearest first, at most k.
struct ClosestDone {
  std::vector<PeerInfo> peers;
};
struct ValueDone {
  std::optional<Bytes> value;  ///< the best valid record's value; nothing when nobody has one
  std::size_t answers = 0;     ///< servers that answered, with or without a record
  std::size_t holders = 0;     ///< servers that held exactly this value
  std::size_t corrected = 0;   ///< servers to which it is being put because they lacked it
};
/// Whether a query that stores goes on after its QueryDone (Publish::optimistic): then the counts are those
/// of this moment, at least three quarters of k, and the others of the k nearest are served in the
/// background.
enum class Rest : std::uint8_t { none, in_background };
struct PutDone {
  std::size_t tried = 0;
  std::size_t stored = 0;       ///< servers that echoed the record (our own store included when it took it)
  std::optional<Bytes> better;  ///< a valid record that wins over ours, when a server answered with one
  Rest rest = Rest::none;
};
struct ProvideDone {
  std::size_t tried = 0;
  std::size_t sent = 0;
  Rest rest = Rest::none;
};
struct ProvidersDone {
  /// At most as many as asked for, taking turns among the servers that named them.
  std::vector<PeerInfo> providers;
};
struct PeerDone {
  PeerInfo peer;
  bool answered = false;  ///< the peer itself answered us, so that its addresses are not hearsay
};
struct BootstrapDone {
  std::size_t table_size = 0;
};
using QueryResult =
    std::variant<ClosestDone, ValueDone, PutDone, ProvideDone, ProvidersDone, PeerDone, BootstrapDone>;

struct QueryStats {
  std::size_t requests = 0;
  std::size_t answers = 0;
  std::size_t failures = 0;
  std::size_t hops = 0;         ///< suggestions in a row that led to the nearest server that answered
  std::size_t hops_untold = 0;  ///< steps of a traced query beyond kHopsPerQueryMax
  Duration took{};
};

/// The one end of every query, cancelled ones included.
struct QueryDone {
  QueryId id;
  Result<QueryResult> result;
  QueryStats stats;
};

/// To be on disk before anything told after it is done: it comes ahead of all that depends on it. A later
/// value under the same (what, key) replaces an earlier one; an empty value erases. Only with
/// Keep::everything.
struct Persist {
  Durable what;
  Bytes key;
  Bytes value;
};

using Action = std::variant<SendRequest, ProviderFound, TableChanged, QueryHop, QueryDone, Persist>;

}  // namespace starling::kad
