// The way of a message: received, validated, delivered, forwarded; and publishing our own.
#include <algorithm>

#include "format/protobuf.hpp"
#include "proto/gossip/router_state.hpp"

namespace starling::gossip {

void RouterState::on_rpc(const PeerId& from, Rpc rpc, Instant now) {
  if (from == self_) return;
  Peer* peer = peers_.find(from);
  if (peer == nullptr) {
    if (peers_.size() >= config_->peers_max) {
      ++counters_.unknown_peer_rpcs;
      return;
    }
    peer = &add_peer(from, now);
  }
  counters_.skipped_entries += rpc.skipped_count;
  take_subscriptions(*peer, rpc.subscriptions, now);
  if (!peer->direct && score_of(*peer) < config_->thresholds.graylist) {
    ++counters_.graylisted_rpcs;
    return;
  }
  for (MessagePtr& message : rpc.messages)
    if (message != nullptr) take_message(*peer, std::move(message), now);
  if (!rpc.control.empty()) take_control(*peer, rpc.control, now);
  flush();
}

void RouterState::take_message(Peer& peer, MessagePtr message, Instant now) {
  ++counters_.messages_received;
  const OwnTopic* own = find_own(message->topic);
  if (own == nullptr) {
    ++counters_.unwanted_topic;
    return;
  }
  MessageId id = config_->message_id(*message);
  const std::uint64_t fingerprint = hash_(id);
  if (seen_.contains(fingerprint)) {
    ++counters_.duplicates;
    late_copy(*own, fingerprint, peer, now);
    return;
  }
  if (!peer.messages.take(now)) {
    ++counters_.over_rate;
    return;
  }
  if (message->data.size() > config_->message_bytes_max) {
    ++counters_.oversize;
    return;
  }
  if (equal(message->from, self_.bytes())) {
    // Ours and forgotten, or never ours: either way we have nothing to learn from it.
    ++counters_.own_echoed;
    return;
  }
  if (validations_.contains(id)) {
    ++counters_.duplicates;
    hold_copy(peer, id, std::move(message));
  } else {
    begin_validation(peer, id, std::move(message), now);
  }
  promises_.fulfilled(fingerprint);
}

void RouterState::late_copy(const OwnTopic& own, std::uint64_t fingerprint, const Peer& peer, Instant now) {
  const auto state = deliveries_.late_copy(fingerprint, own.topic, peer.ref, now);
  if (!state) return;
  if (*state == Deliveries::State::valid) {
    score_.near_first_delivery(peer.ref.slot, own.topic);
  } else {
    score_.invalid_delivery(peer.ref.slot, own.topic);
  }
}

void RouterState::hold_copy(Peer& peer, const MessageId& id, MessagePtr message) {
  if (peer.validating >= config_->validations_per_peer_max) {
    ++counters_.validation_overflow;
    return;
  }
  std::optional<PeerRef> evicted;
  const Held held = validations_.hold(id, Copy{std::move(message), peer.ref, score_of(peer), {}}, evicted);
  if (held == Held::waits) ++peer.validating;
  if (!evicted) return;
  if (Peer* other = peers_.alive(*evicted)) --other->validating;
}

void RouterState::begin_validation(Peer& peer, const MessageId& id, MessagePtr message, Instant now) {
  if (peer.validating >= config_->validations_per_peer_max) {
    ++counters_.validation_overflow;
    return;
  }
  const Copy copy{std::move(message), peer.ref, score_of(peer), {}};
  const auto validation = validations_.begin(id, copy, now + config_->validation_timeout);
  if (!validation) {
    ++counters_.validation_overflow;
    return;
  }
  ++peer.validating;
  ask_validation(*validation, id, copy);
}

void RouterState::ask_validation(ValidationId id, const MessageId& message_id, const Copy& copy) {
  const Peer* bringer = peers_.alive(copy.from);
  actions_.push(Validate{id, bringer != nullptr ? bringer->id : PeerId{}, copy.message, message_id});
}

void RouterState::count_validating(const Validation& validation, int change) {
  const auto count = [this, change](const Copy& copy) {
    if (Peer* peer = peers_.alive(copy.from)) peer->validating += static_cast<std::uint32_t>(change);
  };
  count(validation.current);
  for (const Copy& copy : validation.waiting) count(copy);
}

void RouterState::on_validated(ValidationId id, Outcome outcome, Instant now) {
  auto validation = validations_.take(id);
  if (!validation) return;
  count_validating(*validation, -1);
  switch (outcome.signature) {
    case SignatureState::unchecked: ++counters_.validation_overflow; return;
    case SignatureState::bad:
      ++counters_.forged;
      blame(validation->current, validation->current.message->topic);
      if (validation->waiting.empty()) return;
      {
        MessageId message_id = validation->message_id;
        const Copy next = validation->waiting.front();
        const ValidationId again =
            validations_.resume(std::move(*validation), now + config_->validation_timeout);
        count_validating(*validations_.find(message_id), 1);
        ask_validation(again, message_id, next);
      }
      return;
    case SignatureState::good: break;
  }
  seen_.insert(hash_(validation->message_id), now);
  switch (outcome.verdict) {
    case Verdict::accept: accept(std::move(*validation), now); break;
    case Verdict::reject: reject(*validation, now); break;
    case Verdict::ignore: ++counters_.ignored; break;
  }
}

void RouterState::accept(Validation validation, Instant now) {
  const Copy& copy = validation.current;
  const OwnTopic* own = find_own(copy.message->topic);
  if (own == nullptr) return;  // left meanwhile
  ++counters_.delivered;
  const Peer* first = peers_.alive(copy.from);
  if (first != nullptr) score_.first_delivery(copy.from.slot, own->topic);
  for (const PeerRef ref : copy.others)
    if (peers_.alive(ref) != nullptr) score_.near_first_delivery(ref.slot, own->topic);
  if (const auto window = score_.delivery_window(own->topic)) {
    std::vector<PeerRef> counted = copy.others;
    counted.push_back(copy.from);
    deliveries_.add(hash_(validation.message_id), Deliveries::State::valid, own->topic, std::move(counted),
                    now + *window);
  }
  actions_.push(Deliver{copy.message, first != nullptr ? first->id : PeerId{}, validation.message_id});
  forward(*own, copy);
  mcache_.put(std::move(validation.message_id), copy.message);
  start_timers(now);
}

void RouterState::reject(const Validation& validation, Instant now) {
  ++counters_.rejected;
  const Copy& copy = validation.current;
  blame(copy, copy.message->topic);
  const OwnTopic* own = find_own(copy.message->topic);
  if (own == nullptr) return;
  std::vector<PeerRef> counted = copy.others;
  counted.push_back(copy.from);
  deliveries_.add(hash_(validation.message_id), Deliveries::State::invalid, own->topic, std::move(counted),
                  now + mesh_params().seen_ttl);
}

void RouterState::blame(const Copy& copy, const std::string& topic) {
  const OwnTopic* own = find_own(topic);
  if (own == nullptr) return;
  if (peers_.alive(copy.from) != nullptr) score_.invalid_delivery(copy.from.slot, own->topic);
  for (const PeerRef ref : copy.others)
    if (peers_.alive(ref) != nullptr) score_.invalid_delivery(ref.slot, own->topic);
}

bool RouterState::may_publish_to(const Peer& peer) const {
  return peer.direct || score_of(peer) >= config_->thresholds.publish;
}

void RouterState::forward(const OwnTopic& own, const Copy& copy) {
  for (const PeerRef ref : own.mesh) forward_to(peers_.at(ref.slot), copy);
  for (const PeerRef ref : outside_) {
    const Peer& peer = peers_.at(ref.slot);
    if (std::ranges::binary_search(peer.topics, own.topic) && may_publish_to(peer)) forward_to(peer, copy);
  }
}

void RouterState::forward_to(const Peer& peer, const Copy& copy) {
  if (copy.brought_by(peer.ref) || equal(peer.id.bytes(), copy.message->from)) return;
  send_message(peer, copy.message, Lane::relay);
  ++counters_.forwarded_copies;
}

Result<Published> RouterState::publish(MessagePtr message, Instant now) {
  const std::string& topic = message->topic;
  if (topic.empty() || topic.size() > kTopicBytesMax || !pb::is_utf8(as_bytes(topic)))
    return fail(Errc::bad_topic);
  if (message->data.size() > config_->message_bytes_max) return fail(Errc::too_large);
  MessageId id = config_->message_id(*message);
  const std::uint64_t fingerprint = hash_(id);
  if (seen_.contains(fingerprint) || validations_.contains(id)) return fail(Errc::duplicate);
  const OwnTopic* own = find_own(topic);
  const Fanout* fanout = nullptr;
  if (own == nullptr) {
    fanout = fanout_for(topic, now);
    if (fanout == nullptr) return fail(Errc::too_many_topics);
  }
  seen_.insert(fingerprint, now);
  ++counters_.published;
  Published out{id, 0};
  const auto& members = own != nullptr ? own->mesh : fanout->peers;
  for (const PeerRef ref : topics_.peers(own != nullptr ? own->topic : fanout->topic)) {
    const Peer& peer = peers_.at(ref.slot);
    if (peer.presence != Presence::live) continue;
    const bool everybody = mesh_params().flood_publish || !peer.speaks_gossip() || peer.direct;
    if (!contains_ref(members, ref) && !(everybody && may_publish_to(peer))) continue;
    send_message(peer, message, Lane::own);
    ++out.handed_to;
  }
  mcache_.put(std::move(id), std::move(message));
  start_timers(now);
  return out;
}

Fanout* RouterState::fanout_for(const std::string& topic, Instant now) {
  const auto index = topics_.find(topic);
  Fanout* fanout = index ? find_fanout(*index) : nullptr;
  if (fanout == nullptr) {
    if (fanout_.size() >= kFanoutTopicsMax) return nullptr;
    fanout_.push_back({topics_.hold(topic), {}, now});
    fanout = &fanout_.back();
  }
  fanout->last_publish = now;
  fill_fanout(*fanout);
  return fanout;
}

void RouterState::fill_fanout(Fanout& fanout) {
  if (fanout.peers.size() >= mesh_params().d) return;
  std::vector<PeerRef> candidates;
  for (const PeerRef ref : topics_.peers(fanout.topic)) {
    const Peer& peer = peers_.at(ref.slot);
    if (peer.presence == Presence::live && peer.speaks_gossip() && !peer.direct && may_publish_to(peer) &&
        !contains_ref(fanout.peers, ref))
      candidates.push_back(ref);
  }
  env_->rng.shuffle(candidates);
  for (const PeerRef ref : candidates) {
    if (fanout.peers.size() >= mesh_params().d) break;
    insert_ref(fanout.peers, ref);
  }
}

}  // namespace starling::gossip
