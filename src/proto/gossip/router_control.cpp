// IHAVE, IWANT, GRAFT and PRUNE as they come from a peer.
#include <algorithm>

#include "proto/gossip/router_state.hpp"

namespace starling::gossip {

void RouterState::take_control(Peer& peer, Control& control, Instant now) {
  if (!control.prune.empty()) counters_.prunes_received += control.prune.size();
  if (!control.graft.empty()) counters_.grafts_received += control.graft.size();
  if (!peer.speaks_gossip()) return;
  // Repair needs an answer, so it waits until our own stream stands; the peer will announce again.
  if (peer.presence == Presence::live) {
    if (!control.ihave.empty()) take_ihave(peer, control.ihave, now);
    if (!control.iwant.empty()) take_iwant(peer, control.iwant);
  }
  take_grafts(peer, control.graft, now);
  take_prunes(peer, control.prune, now);
}

void RouterState::take_ihave(Peer& peer, const std::vector<IHave>& ihave, Instant now) {
  if (score_of(peer) < config_->thresholds.gossip) return;
  if (++peer.ihave_rpcs > mesh_params().ihave_messages_max) return;
  if (peer.ids_asked >= mesh_params().ihave_length_max) return;
  std::vector<std::pair<std::uint64_t, const MessageId*>> wanted;
  for (const IHave& entry : ihave) {
    if (find_own(entry.topic) == nullptr) continue;
    for (const MessageId& id : entry.ids) {
      if (id.empty() || id.size() > kMessageIdBytesMax) continue;
      if (++peer.ids_offered > kIdsPerRpcMax) break;  // looking them up is work, too
      const std::uint64_t fingerprint = hash_(id);
      if (!seen_.contains(fingerprint) && !validations_.contains(id)) wanted.emplace_back(fingerprint, &id);
    }
  }
  if (wanted.empty()) return;
  std::ranges::sort(wanted, {}, [](const auto& item) { return item.first; });
  const auto repeats = std::ranges::unique(wanted, {}, [](const auto& item) { return item.first; });
  wanted.erase(repeats.begin(), repeats.end());
  // A random choice, so that what one liar cannot deliver is asked of somebody else too.
  env_->rng.shuffle(wanted);
  const std::size_t room = mesh_params().ihave_length_max - peer.ids_asked;
  if (wanted.size() > room) wanted.resize(room);
  IWant request;
  request.ids.reserve(wanted.size());
  for (const auto& [fingerprint, id] : wanted) request.ids.push_back(*id);
  peer.ids_asked += static_cast<std::uint32_t>(wanted.size());
  counters_.iwant_sent_ids += wanted.size();
  control_for(peer).control.iwant.push_back(std::move(request));
  promises_.add(wanted.front().first, peer.ref, now, mesh_params().iwant_followup);
}

void RouterState::take_iwant(Peer& peer, const std::vector<IWant>& iwant) {
  if (score_of(peer) < config_->thresholds.gossip) return;
  Rpc answer;
  for (const IWant& request : iwant) {
    for (const MessageId& id : request.ids) {
      if (++peer.ids_wanted > mesh_params().iwant_ids_max) break;
      auto [message, times_asked] = mcache_.get_for(id, peer.ref);
      if (message == nullptr || times_asked > mesh_params().gossip_retransmission) continue;
      answer.messages.push_back(std::move(message));
    }
  }
  if (answer.messages.empty()) return;
  counters_.iwant_served += answer.messages.size();
  actions_.push(SendRpc{peer.id, std::move(answer), Lane::relay});
}

void RouterState::take_grafts(Peer& peer, const std::vector<Graft>& grafts, Instant now) {
  std::vector<TopicIndex> done;  // one GRAFT per topic and RPC counts, repeats are noise
  for (const Graft& entry : grafts) {
    OwnTopic* own = find_own(entry.topic);
    // Unknown topics are not answered: a PRUNE would make us an amplifier of made-up names.
    if (own == nullptr || std::ranges::find(done, own->topic) != done.end()) continue;
    done.push_back(own->topic);
    add_subscription(peer, entry.topic);  // a GRAFT says it too
    if (!std::ranges::binary_search(peer.topics, own->topic)) continue;
    if (peer.presence == Presence::live) {
      take_graft(*own, peer, now);
    } else if (peer.early_grafts.size() < kEarlyGraftsMax &&
               std::ranges::find(peer.early_grafts, own->topic) == peer.early_grafts.end()) {
      peer.early_grafts.push_back(own->topic);
    }
  }
}

void RouterState::take_graft(OwnTopic& own, Peer& peer, Instant now) {
  if (contains_ref(own.mesh, peer.ref)) return;
  const Duration backoff = mesh_params().prune_backoff;
  if (peer.direct) {
    // Direct peers get everything outside the mesh; a GRAFT means that the other side is not configured
    // likewise.
    say_prune(own, peer, Px::withhold, backoff, now);
    return;
  }
  if (const auto end = backoffs_.end_of(name_of(own), peer.id); end && now < *end) {
    ++counters_.grafts_in_backoff;
    score_.misbehaved(peer.ref.slot, 1);
    if (now < *end - backoff + mesh_params().graft_flood_threshold) score_.misbehaved(peer.ref.slot, 1);
    say_prune(own, peer, Px::withhold, backoff, now);
    return;
  }
  if (score_of(peer) < 0) {
    say_prune(own, peer, Px::withhold, backoff, now);
    return;
  }
  // A full mesh still takes links that we dialled: else sybils that dial in first could keep the door shut.
  if (own.mesh.size() >= mesh_params().d_hi && peer.direction == Direction::inbound) {
    say_prune(own, peer, Px::offer, backoff, now);
    return;
  }
  link(own, peer, now);
}

void RouterState::take_prunes(Peer& peer, std::vector<Prune>& prunes, Instant now) {
  std::size_t px_entries = 0;
  for (Prune& entry : prunes) {
    OwnTopic* own = find_own(entry.topic);
    if (own == nullptr) continue;
    unlink(*own, peer.ref);
    std::erase(peer.early_grafts, own->topic);
    backoffs_.add(entry.topic, peer.id, Backoffs::clamp(entry.backoff_s, mesh_params().prune_backoff), now);
    // One list of peers per RPC and topic of ours is more than an honest peer sends.
    if (!entry.peers.empty() && px_entries++ < own_.size()) follow_px(peer, entry.peers);
  }
}

void RouterState::follow_px(const Peer& peer, std::vector<PxPeer>& offered) {
  if (score_of(peer) < config_->thresholds.accept_px) return;
  if (offered.size() > kPxPeersPerPruneMax) offered.resize(kPxPeersPerPruneMax);
  env_->rng.shuffle(offered);
  std::size_t taken = 0;
  for (PxPeer& other : offered) {
    if (taken >= mesh_params().prune_peers) break;
    const auto id = PeerId::from_bytes(other.id);
    if (!id || *id == self_ || peers_.find(*id) != nullptr) continue;
    if (other.signed_record.size() > kPxRecordBytesMax) continue;
    ++taken;
    actions_.push(ConnectPx{*id, std::move(other.signed_record), peer.id});
  }
}

}  // namespace starling::gossip
