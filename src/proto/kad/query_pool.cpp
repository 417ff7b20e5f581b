#include "proto/kad/query_pool.hpp"

#include <algorithm>

#include "base/assert.hpp"

namespace starling::kad {

bool QueryPool::add(QueryId id, QuerySpec spec) {
  if (waiting_.size() >= kQueriesWaitingMax) return false;
  waiting_.push_back({id, std::move(spec)});
  return true;
}

std::optional<std::pair<QueryId, QuerySpec>> QueryPool::next_waiting() {
  if (waiting_.empty() || running_.size() >= kQueriesRunningMax) return std::nullopt;
  std::pair<QueryId, QuerySpec> out(waiting_.front().id, std::move(waiting_.front().spec));
  waiting_.erase(waiting_.begin());
  return out;
}

Query& QueryPool::start(QueryId id, Query query) {
  STARLING_ASSERT(running_.size() < kQueriesRunningMax);
  return *running_.emplace(id, std::make_unique<Query>(std::move(query))).first->second;
}

Query* QueryPool::find(QueryId id) {
  const auto it = running_.find(id);
  return it == running_.end() ? nullptr : it->second.get();
}

std::unique_ptr<Query> QueryPool::remove(QueryId id) {
  const auto it = running_.find(id);
  if (it == running_.end()) return nullptr;
  auto out = std::move(it->second);
  running_.erase(it);
  return out;
}

bool QueryPool::remove_waiting(QueryId id) {
  return std::erase_if(waiting_, [id](const Waiting& waiting) { return waiting.id == id; }) > 0;
}

RequestId QueryPool::open(QueryId query, PeerInfo peer, MessageType type, Instant now) {
  const RequestId id(++last_request_);
  requests_.emplace(id, InFlight{query, std::move(peer), now, type, false});
  return id;
}

std::optional<QueryPool::InFlight> QueryPool::close(RequestId id) {
  const auto it = requests_.find(id);
  if (it == requests_.end()) return std::nullopt;
  std::optional<InFlight> out(std::move(it->second));
  requests_.erase(it);
  if (requests_.empty()) requests_.shrink_to_fit();  // an idle brain holds no room for the bursts it has seen
  return out;
}

const QueryPool::InFlight* QueryPool::peek(RequestId id) const {
  const auto it = requests_.find(id);
  return it == requests_.end() ? nullptr : &it->second;
}

std::optional<RequestId> QueryPool::timed_out(Instant now, Duration timeout) const {
  if (requests_.empty() || requests_.begin()->second.sent + timeout > now) return std::nullopt;
  return requests_.begin()->first;
}

std::optional<RequestId> QueryPool::newly_stalled(Instant now, Duration stall_after) {
  const auto it = requests_.lower_bound(stall_scan_);
  if (it == requests_.end() || it->second.sent + stall_after > now) return std::nullopt;
  it->second.stalled = true;
  stall_scan_ = RequestId(it->first.value() + 1);
  return it->first;
}

std::optional<QueryId> QueryPool::overdue(Instant now) const {
  for (const auto& [id, query] : running_)
    if (query->ends() <= now) return id;
  return std::nullopt;
}

Instant QueryPool::deadline(Duration timeout, Duration stall_after) const {
  Instant out = Instant::never();
  if (!requests_.empty()) out = requests_.begin()->second.sent + timeout;
  if (const auto it = requests_.lower_bound(stall_scan_); it != requests_.end())
    out = std::min(out, it->second.sent + stall_after);
  for (const auto& [id, query] : running_) out = std::min(out, query->ends());
  return out;
}

}  // namespace starling::kad
