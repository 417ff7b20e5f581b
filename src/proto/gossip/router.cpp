#include "proto/gossip/router.hpp"

#include <algorithm>

#include "proto/gossip/router_state.hpp"

namespace starling::gossip {

std::optional<Protocol> protocol_of(std::string_view protocol_id) noexcept {
  if (protocol_id == kMeshsub11) return Protocol::meshsub_1_1;
  if (protocol_id == kMeshsub10) return Protocol::meshsub_1_0;
  if (protocol_id == kFloodsub10) return Protocol::floodsub_1_0;
  return std::nullopt;
}

RouterState::RouterState(std::shared_ptr<const Config> config, PeerId self, Env& env)
    : config_(std::move(config)),
      self_(self),
      env_(&env),
      hash_(env.rng.bytes<16>()),
      score_(config_->score),
      seen_(config_->mesh.seen_ttl, config_->seen_max),
      mcache_(config_->mesh.history_length, config_->mesh.history_gossip, config_->mcache_bytes_max),
      validations_(config_->validations_max, config_->validation_bytes_max) {}

OwnTopic* RouterState::find_own(std::string_view topic) noexcept {
  const auto it = std::ranges::lower_bound(
      own_, topic, {}, [this](const OwnTopic& own) -> std::string_view { return name_of(own); });
  return it != own_.end() && name_of(*it) == topic ? &*it : nullptr;
}

const OwnTopic* RouterState::find_own(std::string_view topic) const noexcept {
  return const_cast<RouterState*>(this)->find_own(topic);
}

OwnTopic* RouterState::find_own(TopicIndex topic) noexcept {
  const auto it = std::ranges::find(own_, topic, &OwnTopic::topic);
  return it == own_.end() ? nullptr : &*it;
}

Fanout* RouterState::find_fanout(TopicIndex topic) noexcept {
  const auto it = std::ranges::find(fanout_, topic, &Fanout::topic);
  return it == fanout_.end() ? nullptr : &*it;
}

Rpc& RouterState::control_for(Peer& peer) {
  STARLING_ASSERT(peer.presence == Presence::live);
  if (peer.pending == 0) {
    pending_.push_back({peer.ref, {}});
    peer.pending = static_cast<std::uint32_t>(pending_.size());
  }
  return pending_[peer.pending - 1].rpc;
}

void RouterState::flush() {
  for (PendingControl& pending : pending_) {
    Peer* peer = peers_.alive(pending.peer);
    if (peer == nullptr) continue;
    peer->pending = 0;
    if (!pending.rpc.empty()) actions_.push(SendRpc{peer->id, std::move(pending.rpc), Lane::control});
  }
  std::vector<PendingControl>().swap(pending_);
}

void RouterState::send_message(const Peer& peer, const MessagePtr& message, Lane lane) {
  Rpc rpc;
  rpc.messages.push_back(message);
  actions_.push(SendRpc{peer.id, std::move(rpc), lane});
}

std::optional<Action> RouterState::poll() {
  if (actions_.empty()) return std::nullopt;
  return actions_.pop();
}

double RouterState::score(const PeerId& id) const {
  const Peer* peer = peers_.find(id);
  return peer != nullptr ? score_of(*peer) : score_.retained_value(id);
}

std::vector<PeerId> RouterState::mesh_peers(std::string_view topic) const {
  std::vector<PeerId> out;
  if (const OwnTopic* own = find_own(topic))
    for (const PeerRef ref : own->mesh) out.push_back(peers_.at(ref.slot).id);
  return out;
}

std::vector<PeerId> RouterState::topic_peers(std::string_view topic) const {
  std::vector<PeerId> out;
  const auto index = topics_.find(topic);
  if (!index) return out;
  for (const PeerRef ref : topics_.peers(*index))
    if (peers_.at(ref.slot).presence == Presence::live) out.push_back(peers_.at(ref.slot).id);
  return out;
}

std::vector<TopicStats> RouterState::topic_stats() const {
  std::vector<TopicStats> out;
  for (const OwnTopic& own : own_)
    out.push_back({name_of(own), own.mesh.size(), topic_peers(name_of(own)).size()});
  return out;
}

std::size_t RouterState::memory_bytes() const noexcept {
  std::size_t total = sizeof(RouterState) + peers_.memory_bytes() + topics_.memory_bytes() +
                      score_.memory_bytes() + seen_.memory_bytes() + mcache_.memory_bytes() +
                      backoffs_.memory_bytes() + promises_.memory_bytes() + deliveries_.memory_bytes() +
                      validations_.memory_bytes() + actions_.capacity_bytes() +
                      pending_.capacity() * sizeof(PendingControl) + outside_.capacity() * sizeof(PeerRef);
  for (const OwnTopic& own : own_) total += sizeof(OwnTopic) + own.mesh.capacity() * sizeof(PeerRef);
  for (const Fanout& fanout : fanout_) total += sizeof(Fanout) + fanout.peers.capacity() * sizeof(PeerRef);
  return total;
}

Router::Router(std::shared_ptr<const Config> config, PeerId self, Env& env)
    : state_(std::make_unique<RouterState>(std::move(config), self, env)) {}
Router::~Router() = default;
Router::Router(Router&&) noexcept = default;
Router& Router::operator=(Router&&) noexcept = default;

void Router::on_peer(const PeerId& peer, const PeerInfo& info, Instant now) {
  state_->on_peer(peer, info, now);
}
void Router::on_peer_gone(const PeerId& peer, Instant now) { state_->on_peer_gone(peer, now); }
void Router::on_peer_record(const PeerId& peer, Slice signed_record) {
  state_->on_peer_record(peer, std::move(signed_record));
}
void Router::on_rpc(const PeerId& from, Rpc rpc, Instant now) { state_->on_rpc(from, std::move(rpc), now); }
void Router::on_validated(ValidationId id, Outcome outcome, Instant now) {
  state_->on_validated(id, outcome, now);
}
Result<void> Router::subscribe(std::string_view topic, Instant now) { return state_->subscribe(topic, now); }
void Router::unsubscribe(std::string_view topic, Instant now) { state_->unsubscribe(topic, now); }
Result<Published> Router::publish(MessagePtr message, Instant now) {
  return state_->publish(std::move(message), now);
}
void Router::set_app_score(const PeerId& peer, double score) { state_->set_app_score(peer, score); }
std::optional<Action> Router::poll() { return state_->poll(); }
Instant Router::deadline() const { return state_->deadline(); }
void Router::on_deadline(Instant now) { state_->on_deadline(now); }
double Router::score(const PeerId& peer) const { return state_->score(peer); }
std::vector<PeerId> Router::mesh_peers(std::string_view topic) const { return state_->mesh_peers(topic); }
std::vector<PeerId> Router::topic_peers(std::string_view topic) const { return state_->topic_peers(topic); }
std::vector<TopicStats> Router::topic_stats() const { return state_->topic_stats(); }
std::size_t Router::peer_count() const noexcept { return state_->peer_count(); }
bool Router::subscribed(std::string_view topic) const { return state_->subscribed(topic); }
bool Router::seen(const MessageId& id) const { return state_->seen(id); }
const RouterCounters& Router::counters() const noexcept { return state_->counters(); }
std::size_t Router::memory_bytes() const noexcept { return state_->memory_bytes(); }

}  // namespace starling::gossip
