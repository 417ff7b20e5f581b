#include "node/host.hpp"

#include <algorithm>

#include "agent/names.hpp"
#include "gossip/strict_sign.hpp"
#include "identify/signed_record.hpp"
#include "node/protocol_streams.hpp"
#include "ping/responder.hpp"

namespace starling::node {
namespace {

constexpr Duration kBootstrapRetryFirst = 1s;
constexpr Duration kBootstrapRetryMax = 60s;
constexpr Duration kGossipRetryPause = 2s;
constexpr std::uint32_t kGossipAttemptsMax =
    3;  // rust counts stream events and gives up on gossip at the fifth
constexpr int kMeshValue = 100;
constexpr int kTableValue = 10;
constexpr double kBootstrapAppScore =
    20;  // above gossip::ScoreThresholds::accept_px, with room for small sins

/// The best gossip protocol that a peer offers.
std::optional<gossip::Protocol> best_gossip(const identify::Info& info) {
  std::optional<gossip::Protocol> best;
  for (const auto& name : info.protocols) {
    const auto protocol = gossip::protocol_of(name);
    if (protocol && (!best || *protocol > *best)) best = protocol;
  }
  return best;
}

}  // namespace

Host::Host(HostConfig config, crypto::PrivateKey identity, const kad::Validators& validators, Env& env,
           Now now)
    : config_(std::move(config)),
      env_(env),
      local_(std::make_shared<const LocalInfo>(LocalInfo(std::move(identity)))),
      conns_(config_.connections, env),
      planner_(env),
      reachability_(config_.reachability_scope),
      book_(kPeerBookPeersMax) {
  if (config_.kad) kad_ = std::make_unique<kad::Kad>(*config_.kad, local_->id, validators, env, now.mono);
  if (config_.gossip) router_ = std::make_unique<gossip::Router>(config_.gossip, local_->id, env);
  for (const auto& address : config_.bootstrap) {
    const auto peer = address.peer_id();
    if (peer && *peer == local_->id) continue;
    if (peer) conns_.protect(*peer);
    bootstrap_.push_back({address, peer, 0, now.mono, false});
  }
  refresh_local(now, false);
  run_bootstrap(now);
}

void Host::refresh_local(Now now, bool push) {
  auto info = std::make_shared<LocalInfo>(local_->key);
  info->agent_version = config_.agent_version;
  info->listen_addrs = addresses_.advertised();
  info->kad_protocol = config_.kad_protocol;
  info->gossip = router_ != nullptr;
  info->protocols = {std::string(identify::kProtocolId), std::string(identify::kPushProtocolId),
                     std::string(ping::kProtocolId)};
  if (kad_ && kad_->mode() == kad::Mode::server) info->protocols.push_back(config_.kad_protocol);
  if (router_) {
    for (const auto protocol :
         {gossip::Protocol::meshsub_1_1, gossip::Protocol::meshsub_1_0, gossip::Protocol::floodsub_1_0})
      info->protocols.emplace_back(gossip_protocol_id(protocol));
  }
  if (config_.serve_presence) info->protocols.emplace_back(agent::kPresenceProtocol);
  for (const auto& protocol : config_.app_protocols) info->protocols.push_back(protocol);
  record_seq_ = std::max(record_seq_ + 1, now.wall.ms());
  if (config_.signing == Signing::strict_sign)
    info->signed_record = identify::seal_record({info->id, record_seq_, info->listen_addrs}, info->key);
  local_ = info;
  if (kad_) kad_->set_own_addrs(addresses_.advertised());
  command(down::SetLocal{std::move(info), push});
}

/// Tells the connected peers, so that they take us into their tables, or out.
void Host::update_dht_mode(Now now) {
  if (!kad_ || config_.dht_mode == DhtMode::as_configured || shutting_down_) return;
  const bool reachable = reachability_.reachable(addresses_.advertised(), now.mono);
  const kad::Mode mode = reachable ? kad::Mode::server : kad::Mode::client;
  if (mode == kad_->mode()) return;
  kad_->set_mode(mode);
  env_.metrics.add("dht_mode_changes", reachable ? "to=\"server\"" : "to=\"client\"");
  refresh_local(now, true);
}

void Host::set_listening(std::vector<Multiaddr> addresses, Now now) {
  if (!addresses_.set_listening(std::move(addresses))) return;
  refresh_local(now, true);
  update_dht_mode(now);
  tell(host_event::AddressesChanged{});
}

void Host::add_app_protocol(std::string protocol) {
  if (local_->serves(protocol)) return;
  config_.app_protocols.push_back(std::move(protocol));
  auto info = std::make_shared<LocalInfo>(*local_);
  info->protocols.push_back(config_.app_protocols.back());
  local_ = info;
  command(down::SetLocal{std::move(info), true});
}

std::shared_ptr<const identify::Info> Host::info_of(const PeerId& peer) const {
  const Peer* known = peers_.find(peer);
  return known == nullptr ? nullptr : known->info;
}

std::vector<Multiaddr> Host::addresses_of(const PeerId& peer) const {
  const auto* known = book_.peek(peer);
  return known == nullptr ? std::vector<Multiaddr>{} : known->unpacked();
}

void Host::remember(const PeerId& peer, const std::vector<Multiaddr>& addresses) {
  if (addresses.empty()) return;
  book_.put(peer, PackedAddrs(std::span(addresses).first(std::min(addresses.size(), kAddressesPerPeerMax))));
}

// ---------------------------------------------------------------------------------------------- dialling

DialPlanner::JobId Host::dial(std::optional<PeerId> peer, std::vector<Multiaddr> addresses,
                              DialPlanner::Insist insist, Waiting waiting, Now now) {
  if (peer) {
    for (const auto& known : addresses_of(*peer)) addresses.push_back(known);
  }
  const auto job = planner_.connect(peer, addresses, insist, now.mono);
  waiting_.emplace(job, std::move(waiting));
  return job;
}

AskId Host::connect(std::optional<PeerId> peer, std::vector<Multiaddr> addresses, DialPlanner::Insist insist,
                    Now now) {
  const AskId ask(next_ask_++);
  if (!peer) {
    for (const auto& address : addresses)
      if (const auto id = address.peer_id()) peer = id;
  }
  if (shutting_down_) {
    tell(host_event::ConnectDone{ask, fail(Errc::shutting_down)});
  } else if (peer && *peer == local_->id) {
    tell(host_event::ConnectDone{ask, fail(Errc::peer_is_self)});
  } else if (peer && conns_.connected(*peer)) {
    tell(host_event::ConnectDone{ask, *peer});
  } else {
    dial(peer, std::move(addresses), insist, WaitingConnect{ask}, now);
  }
  return ask;
}

bool Host::disconnect(const PeerId& peer, Now) {
  const auto conns = conns_.of(peer);
  for (const ConnId conn : conns) command(down::Close{conn, make_error(Errc::connection_closed)});
  return !conns.empty();
}

void Host::run_bootstrap(Now now) {
  if (shutting_down_) return;
  for (std::size_t i = 0; i < bootstrap_.size(); ++i) {
    Bootstrap& entry = bootstrap_[i];
    if (entry.under_way || now.mono < entry.next_at) continue;
    if (entry.peer && conns_.connected(*entry.peer)) {
      entry.next_at = Instant::never();
      continue;
    }
    entry.under_way = true;
    dial(entry.peer, {entry.address}, DialPlanner::Insist::yes, WaitingBootstrap{i}, now);
  }
}

void Host::connected_for(Waiting& waiting, const Result<ConnId>& outcome, const std::optional<PeerId>& peer,
                         Now now) {
  if (auto* connect = std::get_if<WaitingConnect>(&waiting)) {
    tell(host_event::ConnectDone{
        connect->ask, outcome && peer ? Result<PeerId>(*peer)
                                      : Result<PeerId>(fail(outcome ? make_error(Errc::connection_closed)
                                                                    : outcome.error()))});
  } else if (auto* ask = std::get_if<WaitingKad>(&waiting)) {
    if (outcome)
      command(down::AskKad{*outcome, std::move(ask->request)});
    else if (kad_)
      kad_->on_request_failed(ask->request.id, outcome.error(), now);
  } else if (auto* presence = std::get_if<WaitingPresence>(&waiting)) {
    if (outcome)
      command(down::AskPresence{*outcome, presence->ask, presence->wallet});
    else
      tell(host_event::PresenceAnswered{presence->ask, fail(outcome.error())});
  } else if (std::holds_alternative<WaitingPx>(waiting)) {
    --px_dials_;
  } else {
    Bootstrap& entry = bootstrap_[std::get<WaitingBootstrap>(waiting).index];
    entry.under_way = false;
    if (outcome) {
      entry.failures = 0;
      entry.next_at = Instant::never();
      if (!entry.peer && peer) {
        entry.peer = peer;
        conns_.protect(*peer);
      }
    } else {
      const Duration pause =
          saturating_scale(kBootstrapRetryFirst, static_cast<double>(1U << std::min(entry.failures, 6U)));
      ++entry.failures;
      entry.next_at = now.mono + std::min(pause, kBootstrapRetryMax);
      env_.metrics.add("bootstrap_failed");
    }
  }
}

void Host::job_done(DialPlanner::JobDone& done, Now now) {
  for (const auto job : done.jobs) {
    auto node = waiting_.extract(job);
    if (!node.empty()) connected_for(node.mapped(), done.outcome, done.peer, now);
  }
}

bool Host::drain_planner(Now now) {
  bool any = false;
  while (auto action = planner_.poll()) {
    any = true;
    if (auto* start = std::get_if<DialPlanner::StartDial>(&*action))
      command(down::Dial{start->dial, std::move(start->address), start->peer});
    else if (auto* cancel = std::get_if<DialPlanner::CancelDial>(&*action))
      command(down::CancelDial{cancel->dial});
    else if (auto* resolve = std::get_if<DialPlanner::Resolve>(&*action))
      command(down::Resolve{resolve->resolve, std::move(resolve->address)});
    else
      job_done(std::get<DialPlanner::JobDone>(*action), now);
  }
  return any;
}

// ---------------------------------------------------------------------------------------------- connections

void Host::on(EdgeEvent event, Now now) {
  std::visit([&](auto& typed) { on_event(typed, now); }, event);
}

void Host::on_event(up::Connected& event, Now now) {
  if (event.direction == Direction::inbound) {
    if (const auto ip = event.remote.as_tcp()) conns_.on_upgrade_ended(*ip);
  }
  const auto added = shutting_down_
                         ? Result<void>(fail(Errc::shutting_down))
                         : conns_.add({event.conn, event.peer, event.direction, event.remote, now.mono});
  if (!added) {
    command(down::Close{event.conn, added.error()});
    if (event.dial) planner_.on_dial_failed(event.dial, added.error(), now.mono);
    return;
  }
  const bool is_new = conns_.of(event.peer).size() == 1;
  if (is_new) {
    static_cast<void>(peers_[event.peer]);
    tell(host_event::PeerConnected{event.peer});
  }
  if (event.dial) planner_.on_connected(event.dial, event.conn, event.peer, now.mono);
  planner_.on_peer_connected(event.peer, event.conn);
  if (conns_.size() > config_.connections.high)
    trim_at_ = std::min(trim_at_, now.mono + conns_.trim_interval());
  env_.metrics.add("connections_opened");
  env_.metrics.set("connections", conns_.size());
}

void Host::on_event(up::DialFailed& event, Now now) {
  planner_.on_dial_failed(event.dial, event.error, now.mono);
}

void Host::on_event(up::AcceptFailed& event, Now) {
  if (const auto ip = event.remote.as_tcp()) conns_.on_upgrade_ended(*ip);
  env_.metrics.add("accept_failed", "kind=\"" + std::string(to_string(event.error.kind())) + "\"");
}

void Host::on_event(up::Resolved& event, Now now) {
  planner_.on_resolved(event.resolve, std::move(event.addresses), now.mono);
}

void Host::on_event(up::Disconnected& event, Now now) {
  const auto conn = conns_.remove(event.conn);
  if (!conn) return;
  env_.metrics.add("connections_closed", "kind=\"" + std::string(to_string(event.reason.kind())) + "\"");
  env_.metrics.set("connections", conns_.size());
  const PeerId& peer = conn->peer;
  Peer& state = peers_[peer];
  const bool carried_gossip = state.gossip_conn == event.conn;
  if (carried_gossip) close_gossip(peer, now);
  if (conns_.connected(peer)) {
    if (carried_gossip) open_gossip(peer, now);
    return;
  }
  if (router_) router_->on_peer_gone(peer, now.mono);
  if (kad_) kad_->on_disconnected(peer, now);
  reachability_.on_gone(peer, now.mono);
  if (addresses_.on_observer_gone(peer)) {
    refresh_local(now, true);
    tell(host_event::AddressesChanged{});
    update_dht_mode(now);
  }
  peers_.erase(peer);
  for (auto& entry : bootstrap_)
    if (entry.peer == peer) entry.next_at = now.mono + kBootstrapRetryFirst;
  tell(host_event::PeerDisconnected{peer, event.reason});
}

void Host::on_event(up::Identified& event, Now now) {
  const auto* conn = conns_.find(event.conn);
  if (conn == nullptr) return;
  const PeerId peer = conn->peer;
  const Multiaddr remote = conn->remote;
  const bool inbound = conn->direction == Direction::inbound;
  Peer& state = peers_[peer];
  state.info = event.info;
  remember(peer, event.info->listen_addrs);
  if (event.info->observed_addr && addresses_.on_observed(peer, remote, *event.info->observed_addr)) {
    refresh_local(now, true);
    tell(host_event::AddressesChanged{});
  }
  if (inbound && event.info->observed_addr && config_.dht_mode == DhtMode::automatic)
    reachability_.on_inbound(peer, remote, *event.info->observed_addr);
  update_dht_mode(now);
  if (kad_) {
    const auto& offered = event.info->protocols;
    if (std::find(offered.begin(), offered.end(), config_.kad_protocol) != offered.end())
      kad_->on_peer_supports_kad({peer, event.info->listen_addrs, remote}, now);
    else
      kad_->on_peer_unsupported(peer, event.info->listen_addrs, now);
  }
  if (router_) {
    open_gossip(peer, now);
    if (!event.info->signed_peer_record.empty())
      router_->on_peer_record(peer, Slice::copy(event.info->signed_peer_record));
  }
  tell(host_event::PeerIdentified{peer, event.info});
}

/// Who is in a mesh is worth more.
void Host::note_mesh() {
  if (!router_) return;
  peers_.for_each([this](const PeerId& peer, const Peer&) { conns_.set_value(peer, 'm', 0); });
  for (const auto& stats : router_->topic_stats())
    for (const auto& peer : router_->mesh_peers(stats.topic)) conns_.set_value(peer, 'm', kMeshValue);
}

std::vector<ConnId> Host::trim_to_low(Now now) {
  note_mesh();
  auto going = conns_.to_trim_to_low(now.mono);
  for (const ConnId conn : going) command(down::Close{conn, make_error(Errc::trimmed)});
  return going;
}

void Host::trim(Now now) {
  trim_at_ = Instant::never();
  if (conns_.size() <= config_.connections.high) return;
  note_mesh();
  for (const ConnId conn : conns_.to_trim(now.mono)) command(down::Close{conn, make_error(Errc::trimmed)});
  trim_at_ = now.mono + conns_.trim_interval();
}

// ---------------------------------------------------------------------------------------------- gossip

void Host::open_gossip(const PeerId& peer, Now) {
  Peer& state = peers_[peer];
  if (!router_ || state.gossip_conn || !state.info || state.gossip_attempts >= kGossipAttemptsMax) return;
  const auto protocol = best_gossip(*state.info);
  const ConnId conn = conns_.first_of(peer);
  if (!protocol || !conn) return;
  state.gossip_conn = conn;
  ++state.gossip_attempts;
  command(down::OpenGossip{state.gossip_conn, *protocol});
}

void Host::close_gossip(const PeerId& peer, Now now) {
  Peer& state = peers_[peer];
  state.gossip_conn = ConnId();
  if (!state.gossip_open) return;
  state.gossip_open = false;
  --gossip_peers_;
  router_->on_peer_gone(peer, now.mono);
}

void Host::on_event(up::GossipOpened& event, Now now) {
  const auto* conn = conns_.find(event.conn);
  if (conn == nullptr || !router_) return;
  Peer& state = peers_[conn->peer];
  if (state.gossip_conn != event.conn || state.gossip_open) return;
  state.gossip_open = true;
  ++gossip_peers_;
  gossip::PeerInfo info;
  info.direction =
      conn->direction == Direction::outbound ? gossip::Direction::outbound : gossip::Direction::inbound;
  info.protocol = event.protocol;
  info.address = conn->remote.as_tcp();
  router_->on_peer(conn->peer, info, now.mono);
  // It stands in our configuration, so it is trusted to name others: when its mesh is full, those are all
  // that a newcomer can have.
  if (is_bootstrap(conn->peer)) router_->set_app_score(conn->peer, kBootstrapAppScore);
}

bool Host::is_bootstrap(const PeerId& peer) const {
  return std::any_of(bootstrap_.begin(), bootstrap_.end(),
                     [&](const Bootstrap& entry) { return entry.peer == peer; });
}

/// Only as many as make a mesh: nobody has to be connected with everybody.
void Host::follow_px(const gossip::ConnectPx& px, Now now) {
  if (shutting_down_ || px.peer == local_->id || conns_.connected(px.peer)) return;
  if (gossip_peers_ + px_dials_ >= kPxPeersWanted || conns_.size() >= config_.connections.low) return;
  const auto record = identify::open_record(px.signed_record);
  if (!record || record->peer != px.peer) return;
  dial(px.peer, record->addrs, DialPlanner::Insist::no, WaitingPx{}, now);
  ++px_dials_;
}

void Host::on_event(up::GossipClosed& event, Now now) {
  const auto* conn = conns_.find(event.conn);
  if (conn == nullptr || !router_) return;
  if (peers_[conn->peer].gossip_conn != event.conn) return;
  close_gossip(conn->peer, now);
  gossip_retries_.emplace(now.mono + kGossipRetryPause, conn->peer);
}

void Host::on_event(up::GossipReceived& event, Now now) {
  const auto* conn = conns_.find(event.conn);
  if (conn != nullptr && router_) router_->on_rpc(conn->peer, std::move(event.rpc), now.mono);
}

void Host::on_event(up::SignatureChecked& event, Now now) {
  const auto it = validations_.find(event.validation);
  if (it == validations_.end()) return;
  if (!event.author) {
    validations_.erase(it);
    router_->on_validated(event.validation, gossip::Outcome::forged(), now.mono);
    return;
  }
  if (config_.gossip_policy == GossipPolicy::accept_signed) {
    validations_.erase(it);
    router_->on_validated(event.validation, gossip::Outcome::accept(), now.mono);
    return;
  }
  tell(host_event::Judge{event.validation, *event.author, it->second.forwarder, it->second.message});
}

void Host::judged(gossip::ValidationId validation, gossip::Verdict verdict, Now now) {
  if (validations_.erase(validation) == 0) return;
  router_->on_validated(validation, {verdict, gossip::SignatureState::good}, now.mono);
}

Result<gossip::Published> Host::publish(std::string_view topic, Slice data, Now now) {
  if (!router_) return fail(Errc::gossip_off);
  // Strictly rising, across restarts too: the clock in its upper bits.
  last_seqno_ = std::max(last_seqno_ + 1, now.wall.ms() << 20);
  gossip::Message message;
  if (config_.signing == Signing::strict_sign) {
    message = gossip::strict_sign::make_signed(local_->key, std::string(topic), std::move(data), last_seqno_);
  } else {
    message.from = to_bytes(local_->id.bytes());
    message.data = std::move(data);
    put_u64_be(message.seqno, last_seqno_);
    message.topic = topic;
  }
  const auto shared = std::make_shared<const gossip::Message>(std::move(message));
  auto published = router_->publish(shared, now.mono);
  if (published && config_.own_messages == OwnMessages::delivered && router_->subscribed(topic))
    tell(host_event::Delivered{local_->id, shared});
  return published;
}

bool Host::drain_router(Now now) {
  if (!router_) return false;
  bool any = false;
  while (auto action = router_->poll()) {
    any = true;
    if (auto* send = std::get_if<gossip::SendRpc>(&*action)) {
      const Peer* peer = peers_.find(send->to);
      if (peer != nullptr && peer->gossip_open)
        command(down::SendGossip{peer->gossip_conn, std::move(send->rpc), send->lane});
    } else if (auto* validate = std::get_if<gossip::Validate>(&*action)) {
      validations_.emplace(validate->id, Validation{validate->from, validate->message});
      command(down::CheckSignature{conns_.first_of(validate->from), validate->id, validate->message});
    } else if (auto* deliver = std::get_if<gossip::Deliver>(&*action)) {
      if (const auto author = PeerId::from_bytes(deliver->message->from))
        tell(host_event::Delivered{*author, std::move(deliver->message)});
    } else if (auto* px = std::get_if<gossip::ConnectPx>(&*action)) {
      follow_px(*px, now);
    } else if (auto* direct = std::get_if<gossip::ConnectDirect>(&*action)) {
      connect(direct->peer, {}, DialPlanner::Insist::no, now);
    } else {
      env_.metrics.add("gossip_graylisted");
    }
  }
  return any;
}

// ---------------------------------------------------------------------------------------------- DHT,
// presence, ping

void Host::on_event(up::KadAsked& event, Now now) {
  const auto* conn = conns_.find(event.from.conn);
  if (conn == nullptr) return;
  auto answer = kad_ ? kad_->on_request(conn->peer, event.request, now)
                     : Result<std::optional<kad::Message>>(fail(Errc::dht_off));
  drain_kad(now);  // what the answer acknowledges is kept first
  command(down::AnswerKad{event.from, std::move(answer)});
}

void Host::on_event(up::KadAnswered& event, Now now) {
  if (!kad_) return;
  if (!event.answer)
    kad_->on_request_failed(event.request, event.answer.error(), now);
  else if (*event.answer)
    kad_->on_response(event.request, *std::move(*event.answer), now);
  else
    kad_->on_request_sent(event.request, now);
}

bool Host::drain_kad(Now now) {
  if (!kad_) return false;
  bool any = false;
  while (auto action = kad_->poll()) {
    any = true;
    if (auto* ask = std::get_if<kad::SendRequest>(&*action)) {
      if (const ConnId conn = conns_.first_of(ask->peer)) {
        command(down::AskKad{conn, std::move(*ask)});
      } else if (shutting_down_) {
        kad_->on_request_failed(ask->id, make_error(Errc::shutting_down), now);
      } else {
        const PeerId peer = ask->peer;
        auto addresses = ask->addrs;
        dial(peer, std::move(addresses), DialPlanner::Insist::no, WaitingKad{std::move(*ask)}, now);
      }
    } else if (auto* done = std::get_if<kad::QueryDone>(&*action)) {
      tell(host_event::Query{std::move(*done)});
    } else if (auto* found = std::get_if<kad::ProviderFound>(&*action)) {
      tell(host_event::ProviderFound{std::move(*found)});
    } else if (auto* hop = std::get_if<kad::QueryHop>(&*action)) {
      tell(host_event::QueryHop{std::move(*hop)});
    } else if (auto* kept = std::get_if<kad::Persist>(&*action)) {
      tell(host_event::Persist{std::move(*kept)});
    } else {
      const auto& change = std::get<kad::TableChanged>(*action);
      conns_.set_value(change.peer, 't', change.what == kad::TableChanged::What::added ? kTableValue : 0);
      tell(host_event::TableChanged{change});
    }
  }
  return any;
}

void Host::on_event(up::PresenceAsked& event, Now) {
  const auto* conn = conns_.find(event.from.conn);
  if (conn != nullptr) tell(host_event::PresenceAsked{conn->peer, event.from, event.wallet});
}

void Host::on_event(up::PresenceAnswered& event, Now) {
  tell(host_event::PresenceAnswered{event.ask, std::move(event.record)});
}

void Host::on_event(up::Pinged& event, Now) { tell(host_event::Pinged{event.ask, event.rtt}); }

AskId Host::ask_presence(const PeerId& peer, std::vector<Multiaddr> addresses, const EthAddress& wallet,
                         Now now) {
  const AskId ask(next_ask_++);
  if (const ConnId conn = conns_.first_of(peer))
    command(down::AskPresence{conn, ask, wallet});
  else
    dial(peer, std::move(addresses), DialPlanner::Insist::no, WaitingPresence{ask, wallet}, now);
  return ask;
}

AskId Host::ping(const PeerId& peer, Now) {
  const AskId ask(next_ask_++);
  if (const ConnId conn = conns_.first_of(peer))
    command(down::Ping{conn, ask});
  else
    tell(host_event::Pinged{ask, fail(Errc::not_connected)});
  return ask;
}

// ---------------------------------------------------------------------------------------------- life

std::optional<Host::Action> Host::poll(Now now) {
  while (out_.empty()) {
    const bool planned = drain_planner(now);
    const bool queried = drain_kad(now);
    const bool routed = drain_router(now);
    if (!planned && !queried && !routed) return std::nullopt;
  }
  return out_.pop();
}

Instant Host::deadline() const {
  Instant next = std::min(planner_.deadline(), trim_at_);
  if (kad_) next = std::min(next, kad_->deadline());
  if (router_) next = std::min(next, router_->deadline());
  next = std::min(next, reachability_.deadline());
  if (!gossip_retries_.empty()) next = std::min(next, gossip_retries_.begin()->first);
  if (!shutting_down_) {
    for (const auto& entry : bootstrap_)
      if (!entry.under_way) next = std::min(next, entry.next_at);
  }
  return next;
}

void Host::on_deadline(Now now) {
  planner_.on_deadline(now.mono);
  if (kad_) kad_->on_deadline(now);
  if (router_) router_->on_deadline(now.mono);
  if (reachability_.deadline() <= now.mono) update_dht_mode(now);
  while (!gossip_retries_.empty() && gossip_retries_.begin()->first <= now.mono) {
    const PeerId peer = gossip_retries_.begin()->second;
    gossip_retries_.erase(gossip_retries_.begin());
    if (peers_.contains(peer)) open_gossip(peer, now);
  }
  if (trim_at_ <= now.mono) trim(now);
  run_bootstrap(now);
}

void Host::shut_down(Now) {
  if (shutting_down_) return;
  shutting_down_ = true;
  planner_.close();
  for (const auto* conn : conns_.all()) command(down::Close{conn->id, make_error(Errc::shutting_down)});
}

}  // namespace starling::node
