#pragma once
// All queries of a node, their requests under way and their time limits.
#include <boost/container/flat_map.hpp>
#include <memory>

#include "proto/kad/query.hpp"

namespace starling::kad {

/// Numbers queries and requests, keeps at most kQueriesRunningMax running and kQueriesWaitingMax waiting, and
/// knows which request belongs to what. Requests all live equally long, so the oldest is always the next to
/// time out.
class QueryPool {
 public:
  /// Request of no query: a liveness probe.
  static constexpr QueryId kProbe{};
  struct InFlight {
    QueryId query;
    PeerInfo peer;
    Instant sent;
    MessageType type = MessageType::ping;
    bool stalled = false;
  };

  QueryId new_id() noexcept { return QueryId(++last_query_); }
  /// False when neither running nor waiting has room; the id is then not known here.
  [[nodiscard]] bool add(QueryId id, QuerySpec spec);
  /// The next waiting query to start, when there is room to run it.
  std::optional<std::pair<QueryId, QuerySpec>> next_waiting();
  Query& start(QueryId id, Query query);
  Query* find(QueryId id);
  /// Takes a query out, running or waiting.
  std::unique_ptr<Query> remove(QueryId id);
  bool remove_waiting(QueryId id);

  RequestId open(QueryId query, PeerInfo peer, MessageType type, Instant now);
  std::optional<InFlight> close(RequestId id);
  const InFlight* peek(RequestId id) const;
  /// The oldest request that has timed out by `now`.
  std::optional<RequestId> timed_out(Instant now, Duration timeout) const;
  /// The oldest request that stalls by `now`, now marked as such.
  std::optional<RequestId> newly_stalled(Instant now, Duration stall_after);
  /// The query whose time is over.
  std::optional<QueryId> overdue(Instant now) const;
  Instant deadline(Duration timeout, Duration stall_after) const;

  std::size_t running() const noexcept { return running_.size(); }
  std::size_t waiting() const noexcept { return waiting_.size(); }
  std::size_t in_flight() const noexcept { return requests_.size(); }

 private:
  struct Waiting {
    QueryId id;
    QuerySpec spec;
  };
  std::uint64_t last_query_ = 0;
  std::uint64_t last_request_ = 0;
  // Ids rise, so what is new stands at the end.
  boost::container::flat_map<QueryId, std::unique_ptr<Query>> running_;
  std::vector<Waiting> waiting_;
  boost::container::flat_map<RequestId, InFlight> requests_;
  RequestId stall_scan_{1};  ///< all requests below have stalled or ended
};

}  // namespace starling::kad
