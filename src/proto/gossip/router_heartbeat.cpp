// What happens once a second.
#include <algorithm>
#include <cmath>

#include "proto/gossip/router_state.hpp"

namespace starling::gossip {

bool RouterState::busy() const noexcept {
  return peers_.size() > 0 || !validations_.empty() || !mcache_.empty() || !fanout_.empty();
}

void RouterState::start_timers(Instant now) {
  if (!next_heartbeat_.is_never()) return;
  next_heartbeat_ = now + mesh_params().heartbeat_initial_delay;
  next_decay_ = now + config_->score.decay_interval;
}

Instant RouterState::deadline() const noexcept { return std::min(next_heartbeat_, next_decay_); }

void RouterState::on_deadline(Instant now) {
  // After a stall one heartbeat stands for those that were missed: a burst of them would only expire history
  // early.
  const auto next = [now](Instant due, Duration interval) {
    const Instant following = due + interval;
    return following > now ? following : now + interval;
  };
  if (now >= next_decay_) {
    score_.decay(now);
    next_decay_ = next(next_decay_, config_->score.decay_interval);
  }
  if (now >= next_heartbeat_) {
    heartbeat(now);
    next_heartbeat_ = next(next_heartbeat_, mesh_params().heartbeat_interval);
  }
  if (!busy()) {
    next_heartbeat_ = Instant::never();
    next_decay_ = Instant::never();
  }
  flush();
}

void RouterState::heartbeat(Instant now) {
  ++ticks_;
  for (const PeerRef ref : peers_.all()) {
    Peer& peer = peers_.at(ref.slot);
    peer.ihave_rpcs = 0;
    peer.ids_offered = 0;
    peer.ids_asked = 0;
    peer.ids_wanted = 0;
  }
  give_up_overdue(now);
  punish_broken_promises(now);
  backoffs_.expire(now, mesh_params().heartbeat_interval * 2);
  if (ticks_ % mesh_params().direct_connect_ticks == 1) dial_direct_peers();
  const std::size_t every = mesh_params().opportunistic_graft_ticks;
  const Opportunism opportunism = every > 0 && ticks_ % every == 0 ? Opportunism::yes : Opportunism::no;
  for (OwnTopic& own : own_) maintain_mesh(own, opportunism, now);
  for (const OwnTopic& own : own_) announce(own.topic, own.mesh);
  maintain_fanout(now);
  for (const Fanout& fanout : fanout_) announce(fanout.topic, fanout.peers);
  report_graylisted();
  deliveries_.expire(now);
  seen_.expire(now);
  mcache_.shift();
}

void RouterState::punish_broken_promises(Instant now) {
  for (const PeerRef ref : promises_.take_broken(now)) {
    ++counters_.promises_broken;
    if (peers_.alive(ref) != nullptr) score_.misbehaved(ref.slot, 1);
  }
}

void RouterState::dial_direct_peers() {
  for (const PeerId& id : config_->direct_peers)
    if (id != self_ && peers_.find(id) == nullptr) actions_.push(ConnectDirect{id});
}

void RouterState::maintain_mesh(OwnTopic& own, Opportunism opportunism, Instant now) {
  std::vector<MeshLink> members;
  members.reserve(own.mesh.size());
  for (const PeerRef ref : own.mesh) {
    const Peer& peer = peers_.at(ref.slot);
    members.push_back({ref, score_of(peer), peer.direction});
  }
  std::vector<MeshLink> candidates;
  if (mesh_needs_candidates(members, mesh_params(), opportunism)) {
    for (const PeerRef ref : topics_.peers(own.topic)) {
      const Peer& peer = peers_.at(ref.slot);
      if (may_graft(own, peer)) candidates.push_back({ref, score_of(peer), peer.direction});
    }
  }
  const MeshPlan plan = plan_mesh(std::move(members), std::move(candidates), mesh_params(), opportunism,
                                  config_->thresholds.opportunistic, env_->rng);
  const Duration backoff = mesh_params().prune_backoff;
  for (const PeerRef ref : plan.prune_bad) prune(own, peers_.at(ref.slot), Px::withhold, backoff, now);
  for (const PeerRef ref : plan.prune_surplus) prune(own, peers_.at(ref.slot), Px::offer, backoff, now);
  for (const PeerRef ref : plan.graft) graft(own, peers_.at(ref.slot), now);
}

void RouterState::maintain_fanout(Instant now) {
  std::erase_if(fanout_, [this, now](const Fanout& fanout) {
    if (now < fanout.last_publish + mesh_params().fanout_ttl) return false;
    topics_.release(fanout.topic);
    return true;
  });
  for (Fanout& fanout : fanout_) {
    std::erase_if(fanout.peers, [this](PeerRef ref) { return !may_publish_to(peers_.at(ref.slot)); });
    fill_fanout(fanout);
  }
}

void RouterState::announce(TopicIndex topic, const std::vector<PeerRef>& members) {
  const std::vector<MessageId> ids = mcache_.gossip_ids(topics_.name(topic));
  if (ids.empty()) return;
  std::vector<PeerRef> candidates;
  for (const PeerRef ref : topics_.peers(topic)) {
    const Peer& peer = peers_.at(ref.slot);
    if (peer.presence == Presence::live && peer.speaks_gossip() && !peer.direct &&
        !contains_ref(members, ref) && score_of(peer) >= config_->thresholds.gossip)
      candidates.push_back(ref);
  }
  const auto share = static_cast<std::size_t>(
      std::floor(mesh_params().gossip_factor * static_cast<double>(candidates.size())));
  const std::size_t target = std::min(candidates.size(), std::max(mesh_params().d_lazy, share));
  env_->rng.shuffle(candidates);
  for (std::size_t i = 0; i < target; ++i) announce_to(peers_.at(candidates[i].slot), topic, ids);
}

void RouterState::announce_to(Peer& peer, TopicIndex topic, std::vector<MessageId> ids) {
  const std::size_t ids_max = mesh_params().ihave_ids_sent_max;
  if (ids.size() > ids_max) {
    env_->rng.shuffle(ids);  // another choice for each, so that together they learn of all
    ids.resize(ids_max);
  }
  if (ids.empty()) return;
  counters_.ihave_sent_ids += ids.size();
  control_for(peer).control.ihave.push_back({topics_.name(topic), std::move(ids)});
}

void RouterState::give_up_overdue(Instant now) {
  while (const auto id = validations_.overdue(now)) on_validated(*id, Outcome::throttled(), now);
}

void RouterState::report_graylisted() {
  for (const PeerRef ref : peers_.all()) {
    Peer& peer = peers_.at(ref.slot);
    const double value = score_of(peer);
    const bool below = !peer.direct && value < config_->thresholds.graylist;
    if (below && !peer.graylisted) actions_.push(Graylisted{peer.id, value});
    peer.graylisted = below;
  }
}

}  // namespace starling::gossip
