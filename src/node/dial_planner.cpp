#include "node/dial_planner.hpp"

#include <algorithm>

namespace starling::node {

void DialPlanner::add_address(Job& job, JobId id, const Multiaddr& address) {
  if (job.tried.size() + job.waiting.size() + job.under_way >= kDialAddressesPerJobMax) return;
  if (address.as_dns_tcp() || address.as_dnsaddr()) {
    if (job.resolving >= kDialsPerJobAtOnceMax) return;
    const ResolveId resolve(next_resolve_++);
    resolves_.emplace(resolve, id);
    ++job.resolving;
    actions_.push(Resolve{resolve, address});
    return;
  }
  if (!address.as_tcp()) return;
  if (const auto id_in_address = address.peer_id(); id_in_address && job.peer && *id_in_address != *job.peer)
    return;
  Multiaddr bare = address.without_peer_id();
  const auto same = [&bare](const Multiaddr& other) { return other == bare; };
  if (std::any_of(job.tried.begin(), job.tried.end(), same)) return;
  if (std::any_of(job.waiting.begin(), job.waiting.end(), same)) return;
  job.waiting.push_back(std::move(bare));
}

DialPlanner::JobId DialPlanner::connect(std::optional<PeerId> peer, const std::vector<Multiaddr>& addresses,
                                        Insist insist, Instant now) {
  const JobId id(next_job_++);
  if (!peer) {
    for (const auto& address : addresses) {
      peer = address.peer_id();
      if (peer) break;
    }
  }
  if (peer) {
    if (const auto it = by_peer_.find(*peer); it != by_peer_.end()) {
      const JobId running = it->second;
      Job& job = *jobs_.at(running);
      job.joined.push_back(id);
      if (insist == Insist::yes) job.insist = insist;
      for (const auto& address : addresses) add_address(job, running, address);
      advance(running, now);
      return id;
    }
  }
  if (jobs_.size() >= kDialJobsMax) {
    actions_.push(JobDone{{id}, peer, fail(Errc::too_many_dials)});
    return id;
  }
  Job& job = *jobs_.emplace(id, std::make_unique<Job>()).first->second;
  job.joined.push_back(id);
  job.peer = peer;
  job.insist = insist;
  job.next_at = now;
  job.give_up_at = now + kDialJobTimeout;
  if (peer) by_peer_.emplace(*peer, id);
  for (const auto& address : addresses) add_address(job, id, address);
  advance(id, now);
  return id;
}

void DialPlanner::on_resolved(ResolveId resolve, Result<std::vector<Multiaddr>> addresses, Instant now) {
  const auto it = resolves_.find(resolve);
  if (it == resolves_.end()) return;
  const JobId id = it->second;
  resolves_.erase(it);
  Job& job = *jobs_.at(id);
  --job.resolving;
  if (!addresses) {
    job.last_error = addresses.error();
  } else {
    for (const auto& address : *addresses)
      if (address.as_tcp()) add_address(job, id, address);
  }
  advance(id, now);
}

bool DialPlanner::backing_off(const Multiaddr& address, Instant now) {
  const Backoff* backoff = backoffs_.peek(address);
  return backoff != nullptr && now < backoff->until;
}

void DialPlanner::remember_failure(const Multiaddr& address, Instant now) {
  Backoff backoff;
  if (const Backoff* known = backoffs_.peek(address)) backoff = *known;
  const Duration silence =
      saturating_scale(kAddressBackoffFirst, static_cast<double>(1ULL << std::min(backoff.failures, 20u)));
  backoff.failures = std::min(backoff.failures + 1, 64u);
  backoff.until = now + std::min(silence, kAddressBackoffMax);
  backoffs_.put(address, backoff);
}

/// Starts what may start now, or ends the job when nothing is left that could succeed.
void DialPlanner::advance(JobId id, Instant now) {
  Job& job = *jobs_.at(id);
  while (!job.waiting.empty() && job.under_way < kDialsPerJobAtOnceMax && dials_.size() < kDialsAtOnceMax) {
    if (job.under_way > 0 && now < job.next_at) break;
    Multiaddr address = std::move(job.waiting.front());
    job.waiting.erase(job.waiting.begin());
    job.tried.push_back(address);
    if (job.insist == Insist::no && backing_off(address, now)) {
      job.skipped_by_backoff = true;
      continue;
    }
    const DialId dial(next_dial_++);
    dials_.emplace(dial, Dial{id, address, now + kDialTimeout});
    ++job.under_way;
    job.next_at = now + kDialStagger;
    actions_.push(StartDial{dial, std::move(address), job.peer});
  }
  if (!job.waiting.empty() || job.under_way > 0 || job.resolving > 0) return;
  if (job.tried.empty()) {
    finish(id, fail(job.last_error.value_or(make_error(Errc::no_address))));
  } else if (job.last_error) {
    const bool single = job.tried.size() == 1;
    finish(id,
           single ? Result<ConnId>(fail(*job.last_error)) : Result<ConnId>(fail(Errc::all_addresses_failed)));
  } else {
    finish(id, fail(Errc::backing_off));
  }
}

void DialPlanner::advance_all(Instant now) {
  std::vector<JobId> ids;
  for (const auto& [id, job] : jobs_)
    if (!job->waiting.empty()) ids.push_back(id);
  for (const JobId id : ids)
    if (jobs_.contains(id)) advance(id, now);
}

void DialPlanner::finish(JobId id, Result<ConnId> outcome) {
  const auto own = jobs_.find(id);
  const std::unique_ptr<Job> ended = std::move(own->second);
  jobs_.erase(own);
  Job& job = *ended;
  if (job.peer) by_peer_.erase(*job.peer);
  for (auto it = dials_.begin(); job.under_way > 0 && it != dials_.end();) {
    if (it->second.job == id) {
      actions_.push(CancelDial{it->first});
      it = dials_.erase(it);
      --job.under_way;
    } else {
      ++it;
    }
  }
  if (dials_.empty()) dials_.shrink_to_fit();
  std::erase_if(resolves_, [id](const auto& entry) { return entry.second == id; });
  env_.metrics.add(outcome ? "dial_jobs_connected" : "dial_jobs_failed");
  actions_.push(JobDone{std::move(job.joined), job.peer, std::move(outcome)});
}

void DialPlanner::on_dial_failed(DialId dial, Error error, Instant now) {
  const auto it = dials_.find(dial);
  if (it == dials_.end()) return;
  const JobId id = it->second.job;
  remember_failure(it->second.address, now);
  dials_.erase(it);
  Job& job = *jobs_.at(id);
  --job.under_way;
  job.last_error = error;
  if (job.under_way == 0) job.next_at = now;
  advance(id, now);
  advance_all(now);
}

void DialPlanner::on_connected(DialId dial, ConnId conn, const PeerId& peer, Instant now) {
  const auto it = dials_.find(dial);
  if (it == dials_.end()) return;
  const JobId id = it->second.job;
  backoffs_.erase(it->second.address);
  dials_.erase(it);
  Job& job = *jobs_.at(id);
  --job.under_way;
  if (!job.peer) job.peer = peer;
  const auto own = by_peer_.find(*job.peer);
  const bool mine = own == by_peer_.end() || own->second == id;
  if (!mine) {
    // Another job for the same peer runs because this one did not know the id; that one is answered by the
    // caller through on_peer_connected().
    job.peer.reset();
  }
  finish(id, conn);
  advance_all(now);
}

void DialPlanner::on_peer_connected(const PeerId& peer, ConnId conn) {
  if (const auto it = by_peer_.find(peer); it != by_peer_.end()) finish(it->second, conn);
}

void DialPlanner::close() {
  while (!jobs_.empty()) finish(jobs_.begin()->first, fail(Errc::shutting_down));
}

std::optional<DialPlanner::Action> DialPlanner::poll() {
  if (actions_.empty()) return std::nullopt;
  return actions_.pop();
}

Instant DialPlanner::deadline() const {
  Instant next = Instant::never();
  for (const auto& [id, job] : jobs_) {
    next = std::min(next, job->give_up_at);
    const bool may_start = !job->waiting.empty() && job->under_way < kDialsPerJobAtOnceMax;
    if (may_start && dials_.size() < kDialsAtOnceMax) next = std::min(next, job->next_at);
  }
  for (const auto& [id, dial] : dials_) next = std::min(next, dial.give_up_at);
  return next;
}

void DialPlanner::on_deadline(Instant now) {
  std::vector<DialId> late;
  for (const auto& [id, dial] : dials_)
    if (dial.give_up_at <= now) late.push_back(id);
  for (const DialId id : late) {
    if (!dials_.contains(id)) continue;
    actions_.push(CancelDial{id});
    on_dial_failed(id, make_error(Errc::dial_timeout), now);
  }
  std::vector<JobId> over;
  for (const auto& [id, job] : jobs_)
    if (job->give_up_at <= now) over.push_back(id);
  for (const JobId id : over)
    if (jobs_.contains(id)) finish(id, fail(Errc::dial_timeout));
  advance_all(now);
}

}  // namespace starling::node
