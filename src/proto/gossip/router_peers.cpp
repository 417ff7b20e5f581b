// Peers come, subscribe, are linked and unlinked, and go; our own subscriptions.
#include <algorithm>

#include "format/protobuf.hpp"
#include "proto/gossip/router_state.hpp"

namespace starling::gossip {

Peer& RouterState::add_peer(const PeerId& id, Instant now) {
  Peer& peer = peers_.add(id, TokenBucket(config_->forwarder_rate_per_s, config_->forwarder_burst));
  peer.direct = config_->direct_peers.contains(id);
  score_.add(peer.ref.slot, id, now);
  start_timers(now);
  return peer;
}

void RouterState::on_peer(const PeerId& id, const PeerInfo& info, Instant now) {
  if (id == self_) return;
  Peer* known = peers_.find(id);
  if (known != nullptr && known->presence == Presence::live) return;
  if (known == nullptr && peers_.size() >= config_->peers_max) {
    ++counters_.unknown_peer_rpcs;
    return;
  }
  Peer& peer = known != nullptr ? *known : add_peer(id, now);
  peer.presence = Presence::live;
  peer.direction = info.direction;
  peer.protocol = info.protocol;
  if (peer.direct || !peer.speaks_gossip()) insert_ref(outside_, peer.ref);
  score_.set_address(peer.ref.slot, info.address);
  send_hello(peer);
  const std::vector<TopicIndex> early = std::exchange(peer.early_grafts, {});
  if (peer.speaks_gossip()) {
    for (const TopicIndex topic : early)
      if (OwnTopic* own = find_own(topic)) take_graft(*own, peer, now);
    for (const TopicIndex topic : peer.topics) graft_if_short(topic, peer, now);
  }
  flush();
}

void RouterState::send_hello(Peer& peer) {
  Rpc& rpc = control_for(peer);
  for (const OwnTopic& own : own_) rpc.subscriptions.push_back({name_of(own), Subscription::subscribe});
}

void RouterState::on_peer_gone(const PeerId& id, Instant now) {
  Peer* peer = peers_.find(id);
  if (peer == nullptr) return;
  const PeerRef ref = peer->ref;
  erase_ref(outside_, ref);
  for (OwnTopic& own : own_) erase_ref(own.mesh, ref);  // its score closes the links itself, in remove()
  for (const TopicIndex topic : peer->topics) {
    forget_fanout_peer(topic, ref);
    topics_.unsubscribe(topic, ref);
  }
  score_.remove(ref.slot, id, now);
  peers_.remove(ref.slot);
}

void RouterState::on_peer_record(const PeerId& id, Slice signed_record) {
  Peer* peer = peers_.find(id);
  if (peer != nullptr && signed_record.size() <= kPxRecordBytesMax)
    peer->signed_record = std::move(signed_record);
}

void RouterState::set_app_score(const PeerId& id, double score) {
  if (const Peer* peer = peers_.find(id)) score_.set_app_score(peer->ref.slot, score);
}

void RouterState::take_subscriptions(Peer& peer, std::vector<SubOpts>& changes, Instant now) {
  for (const SubOpts& change : changes) {
    if (change.topic.empty() || change.topic.size() > kTopicBytesMax) {
      ++counters_.skipped_entries;
      continue;
    }
    if (change.change == Subscription::subscribe) {
      if (const auto topic = add_subscription(peer, change.topic)) graft_if_short(*topic, peer, now);
    } else if (const auto topic = topics_.find(change.topic)) {
      drop_subscription(peer, *topic);
    }
  }
}

std::optional<TopicIndex> RouterState::add_subscription(Peer& peer, const std::string& topic) {
  if (!config_->topic_filter.empty() && !config_->topic_filter.contains(topic)) {
    ++counters_.skipped_entries;
    return std::nullopt;
  }
  if (const auto known = topics_.find(topic); known && std::ranges::binary_search(peer.topics, *known))
    return std::nullopt;
  const auto index =
      peer.topics.size() < kTopicsPerPeerMax ? topics_.subscribe(topic, peer.ref) : std::nullopt;
  if (!index) {
    ++counters_.skipped_entries;
    return std::nullopt;
  }
  peer.topics.insert(std::ranges::lower_bound(peer.topics, *index), *index);
  return index;
}

void RouterState::graft_if_short(TopicIndex topic, Peer& peer, Instant now) {
  OwnTopic* own = find_own(topic);
  if (own != nullptr && own->mesh.size() < mesh_params().d_lo && may_graft(*own, peer))
    graft(*own, peer, now);
}

void RouterState::drop_subscription(Peer& peer, TopicIndex topic) {
  const auto it = std::ranges::lower_bound(peer.topics, topic);
  if (it == peer.topics.end() || *it != topic) return;
  peer.topics.erase(it);
  std::erase(peer.early_grafts, topic);
  if (OwnTopic* own = find_own(topic)) unlink(*own, peer.ref);
  forget_fanout_peer(topic, peer.ref);
  topics_.unsubscribe(topic, peer.ref);
}

void RouterState::forget_fanout_peer(TopicIndex topic, PeerRef peer) {
  if (Fanout* fanout = find_fanout(topic)) erase_ref(fanout->peers, peer);
}

void RouterState::link(OwnTopic& own, Peer& peer, Instant now) {
  if (!insert_ref(own.mesh, peer.ref)) return;
  score_.graft(peer.ref.slot, own.topic, now);
  // What went round before the link stood passed this peer by, and the heartbeat announces to others only.
  if (peer.presence == Presence::live && score_of(peer) >= config_->thresholds.gossip)
    announce_to(peer, own.topic, mcache_.gossip_ids(name_of(own)));
}

void RouterState::unlink(OwnTopic& own, PeerRef peer) {
  if (erase_ref(own.mesh, peer)) score_.prune(peer.slot, own.topic);
}

void RouterState::graft(OwnTopic& own, Peer& peer, Instant now) {
  link(own, peer, now);
  control_for(peer).control.graft.push_back({name_of(own)});
}

void RouterState::prune(OwnTopic& own, Peer& peer, Px px, Duration backoff, Instant now) {
  unlink(own, peer.ref);
  say_prune(own, peer, px, backoff, now);
}

void RouterState::say_prune(const OwnTopic& own, Peer& peer, Px px, Duration backoff, Instant now) {
  backoffs_.add(name_of(own), peer.id, backoff, now);
  Prune out;
  out.topic = name_of(own);
  if (peer.protocol >= Protocol::meshsub_1_1) {
    out.backoff_s =
        static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(backoff).count());
    if (px == Px::offer && mesh_params().offer_px && !peer.direct) {
      std::vector<const Peer*> others;
      for (const PeerRef ref : topics_.peers(own.topic)) {
        const Peer& other = peers_.at(ref.slot);
        if (ref != peer.ref && other.presence == Presence::live && other.speaks_gossip() &&
            score_of(other) >= 0)
          others.push_back(&other);
      }
      env_->rng.shuffle(others);
      if (others.size() > mesh_params().prune_peers) others.resize(mesh_params().prune_peers);
      for (const Peer* other : others)
        out.peers.push_back({to_bytes(other->id.bytes()), other->signed_record});
    }
  }
  control_for(peer).control.prune.push_back(std::move(out));
}

bool RouterState::may_graft(const OwnTopic& own, const Peer& peer) const {
  return peer.presence == Presence::live && peer.speaks_gossip() && !peer.direct &&
         !contains_ref(own.mesh, peer.ref) && score_of(peer) >= 0 && !backoffs_.end_of(name_of(own), peer.id);
}

Result<void> RouterState::subscribe(std::string_view topic, Instant now) {
  if (topic.empty() || topic.size() > kTopicBytesMax || !pb::is_utf8(as_bytes(topic)))
    return fail(Errc::bad_topic);
  if (find_own(topic) != nullptr) return {};
  if (own_.size() >= kOwnTopicsMax) return fail(Errc::too_many_topics);
  const TopicIndex index = topics_.hold(topic);
  score_.track(index, topic);
  const auto place = std::ranges::lower_bound(
      own_, topic, {}, [this](const OwnTopic& own) -> std::string_view { return name_of(own); });
  OwnTopic& own = *own_.insert(place, OwnTopic{index, {}});
  for (const PeerRef ref : peers_.all()) {
    Peer& peer = peers_.at(ref.slot);
    if (peer.presence == Presence::live)
      control_for(peer).subscriptions.push_back({std::string(topic), Subscription::subscribe});
  }
  join_mesh(own, now);
  flush();
  return {};
}

void RouterState::join_mesh(OwnTopic& own, Instant now) {
  // Those that carried our fanout know the topic from us already.
  if (Fanout* fanout = find_fanout(own.topic)) {
    for (const PeerRef ref : std::exchange(fanout->peers, {})) {
      Peer* peer = peers_.alive(ref);
      if (peer != nullptr && own.mesh.size() < mesh_params().d && may_graft(own, *peer))
        graft(own, *peer, now);
    }
    topics_.release(own.topic);
    fanout_.erase(fanout_.begin() + (fanout - fanout_.data()));
  }
  std::vector<PeerRef> candidates;
  for (const PeerRef ref : topics_.peers(own.topic))
    if (may_graft(own, peers_.at(ref.slot))) candidates.push_back(ref);
  env_->rng.shuffle(candidates);
  for (const PeerRef ref : candidates) {
    if (own.mesh.size() >= mesh_params().d) break;
    graft(own, peers_.at(ref.slot), now);
  }
}

void RouterState::unsubscribe(std::string_view topic, Instant now) {
  OwnTopic* own = find_own(topic);
  if (own == nullptr) return;
  for (const PeerRef ref : peers_.all()) {
    Peer& peer = peers_.at(ref.slot);
    std::erase(peer.early_grafts, own->topic);
    if (peer.presence == Presence::live)
      control_for(peer).subscriptions.push_back({std::string(topic), Subscription::unsubscribe});
  }
  for (const PeerRef ref : std::vector<PeerRef>(own->mesh))
    prune(*own, peers_.at(ref.slot), Px::offer, mesh_params().unsubscribe_backoff, now);
  score_.untrack(own->topic);
  const TopicIndex index = own->topic;
  own_.erase(own_.begin() + (own - own_.data()));
  topics_.release(index);
  flush();
}

}  // namespace starling::gossip
