#include "node/agent_node.hpp"

#include <algorithm>

#include "agent/presence_validator.hpp"

namespace starling::node {
namespace {

HostConfig with_agent_policy(HostConfig config) {
  config.gossip_policy = GossipPolicy::ask_above;
  config.serve_presence = true;
  return config;
}

gossip::Verdict to_gossip(agent::Ruling ruling) noexcept {
  switch (ruling) {
    case agent::Ruling::accept: return gossip::Verdict::accept;
    case agent::Ruling::ignore: return gossip::Verdict::ignore;
    case agent::Ruling::reject: return gossip::Verdict::reject;
  }
  return gossip::Verdict::ignore;
}

Kept kept_of(kad::Durable what) noexcept {
  switch (what) {
    case kad::Durable::record: return Kept::dht_record;
    case kad::Durable::provider: return Kept::dht_provider;
    case kad::Durable::provided_key: return Kept::dht_provided;
    case kad::Durable::table: return Kept::dht_table;
  }
  return Kept::dht_table;
}

std::optional<kad::Durable> durable_of(Kept what) noexcept {
  for (const auto durable :
       {kad::Durable::record, kad::Durable::provider, kad::Durable::provided_key, kad::Durable::table})
    if (kept_of(durable) == what) return durable;
  return std::nullopt;
}

/// Who may become a server keeps them from the start: the records of its time as one come back at the next.
PresenceRecords::KeepsFloors floors_for(const HostConfig& config) noexcept {
  const bool server =
      config.kad && (config.kad->mode == kad::Mode::server || config.dht_mode == DhtMode::automatic);
  return server ? PresenceRecords::KeepsFloors::yes : PresenceRecords::KeepsFloors::no;
}

}  // namespace

AgentNode::AgentNode(AgentConfig config, HostConfig host, agent::Identity identity,
                     const agent::Signatures& signatures, Env& env, Now now)
    : config_(std::move(config)),
      env_(env),
      trust_(identity.network(), signatures, config_.tables),
      records_(trust_, floors_for(host)),
      identity_(std::move(identity)),
      judge_(trust_, {identity_.wallet()}, config_.rates, config_.tables),
      host_((validators_.add("eth", records_), validators_.add("pk", public_keys_),
             with_agent_policy(std::move(host))),
            identity_.node_key(), validators_, env, now),
      finder_(host_, trust_, judge_.known()),
      sender_(host_, identity_, trust_, env),
      own_({config_.name, config_.role, config_.version, config_.republish, config_.announce}, host_,
           identity_, seal_keys_, env),
      statuses_(kStatusesMax),
      started_(now.mono) {
  trust_.verified(identity_.delegation(), now.wall);
}

Result<void> AgentNode::restore(Kept what, std::string_view key, ByteView value, Now now) {
  if (what == Kept::seal_keys) {
    STARLING_ASSIGN(auto entries, decode_seal_keys(value));
    seal_keys_.restore(std::move(entries), now.wall);
  } else if (what == Kept::floors) {
    STARLING_ASSIGN(const auto entries, decode_floors(value));
    trust_.floors().restore(entries, now.wall);
    floors_revision_ = trust_.floors().revision();
  } else if (what == Kept::delivered) {
    STARLING_ASSIGN(auto entry, decode_delivered(key, value));
    judge_.delivered().remember(entry.key, entry.until, now.wall);
  } else if (const auto durable = durable_of(what); durable && host_.dht() != nullptr) {
    // One that is no good any more is erased and missed by nobody: the network has others.
    static_cast<void>(host_.dht()->restore(*durable, as_bytes(key), value, now));
  }
  return {};
}

void AgentNode::start(Now now) {
  started_ = now.mono;
  seal_keys_.destroy_old(now.wall);
  if (host_.pubsub() != nullptr) {
    for (const auto topic : {agent::Topic::announcements, agent::Topic::messages, agent::Topic::status})
      static_cast<void>(host_.pubsub()->subscribe(agent::to_string(topic), now.mono));
    if (config_.status_messages) status_due_ = now.mono + 1s;
    company_due_ = now.mono + kCompanyInterval;
  }
  floors_due_ = now.mono + kFloorsKeepInterval;
  if (config_.publish) own_lookup_due_ = now.mono + kOwnLookupTimeMax;
  if (host_.dht() != nullptr) host_.dht()->start(now);
  // A DHT server that knows no other yet has nobody to ask; everyone else waits for the first server in the
  // table.
  if (host_.dht() == nullptr || host_.dht()->mode() == kad::Mode::server) start_publishing(now);
}

/// Looks our own wallet up first: after a restart another node of it may be the active one.
void AgentNode::start_publishing(Now now) {
  if (!config_.publish || publishing_ || own_lookup_) return;
  if (host_.dht() == nullptr || host_.dht()->table().size() == 0) {
    publishing_ = true;
    own_lookup_due_ = Instant::never();
    own_.start(now);
    return;
  }
  own_lookup_ = AskId(next_ask_++);
  finder_.start(own_lookup_, identity_.wallet(), Duration::zero(), dial_classes(), now);
}

agent::DialClasses AgentNode::dial_classes() const {
  agent::DialClasses classes = config_.dial_classes;
  for (const auto& address : host_.addresses().listening()) classes.add(address);
  for (const auto& address : host_.bootstrap_addresses()) classes.add(address);
  return classes;
}

// ---------------------------------------------------------------------------------------------- what the
// host tells

void AgentNode::on_host(host_event::Event& event, Now now) {
  if (auto* judge = std::get_if<host_event::Judge>(&event)) return on_judge(*judge, now);
  if (auto* asked = std::get_if<host_event::PresenceAsked>(&event)) return on_presence_asked(*asked, now);
  if (auto* answered = std::get_if<host_event::PresenceAnswered>(&event)) {
    if (finder_.on_presence_answer(*answered, now)) return;
  }
  if (auto* query = std::get_if<host_event::Query>(&event)) {
    if (finder_.on_query(query->done, now)) return;
    if (own_.on_query(query->done, now)) {
      if (const auto better = own_.take_better()) {
        auto judged =
            agent::validate_presence(agent::presence_key(identity_.wallet()), *better, trust_, now.wall);
        if (judged.verdict.accepted()) meet(*judged.presence, now);
      }
      return;
    }
  }
  if (const auto* change = std::get_if<host_event::TableChanged>(&event)) {
    if (change->change.what == kad::TableChanged::What::added) {
      start_publishing(now);
      own_.on_server_added(now);
    }
    return;
  }
  if (auto* persist = std::get_if<host_event::Persist>(&event)) {
    kad::Persist& kept = persist->kept;
    // OwnPresence provides our wallet anew at every start, and a node that is given another wallet must not.
    if (kept.what == kad::Durable::provided_key && kept.key == agent::provider_key(identity_.wallet()))
      return;
    return tell(agent_event::Persist{kept_of(kept.what), to_text(kept.key), std::move(kept.value)});
  }
  if (std::get_if<host_event::AddressesChanged>(&event) != nullptr) own_.on_addresses_changed(now);
  if (std::get_if<host_event::Delivered>(&event) != nullptr) return;  // judged already
  out_.push(std::move(event));
}

void AgentNode::on_judge(host_event::Judge& event, Now now) {
  const auto topic = agent::parse_topic(event.message->topic);
  if (!topic) {
    host_.judged(event.validation, gossip::Verdict::ignore, now);
    return;
  }
  const auto judgement = judge_.judge_gossip(*topic, event.author, event.message->data, event.forwarder, now);
  host_.judged(event.validation, to_gossip(judgement.verdict.ruling), now);
  if (judgement.verdict.accepted()) {
    on_accepted(judgement, now);
    return;
  }
  if (judgement.verdict.ruling == agent::Ruling::reject) ++rejected_count_;
  env_.metrics.add("agent_verdicts", "reason=\"" + std::string(to_string(judgement.verdict.reason)) + "\"");
}

void AgentNode::on_accepted(const agent::GossipJudgement& judgement, Now now) {
  const agent::Candidate& candidate = *judgement.candidate;
  if (const auto* presence = candidate.presence()) {
    meet(*presence, now);
    tell(agent_event::Announced{*presence});
  } else if (const auto* status = candidate.status()) {
    agent_event::Status heard{candidate.wallet(), candidate.author, status->fields};
    statuses_.put(candidate.wallet(), heard);
    tell(std::move(heard));
  } else if (judgement.deliver) {
    on_envelope(candidate.envelope()->fields, now);
  }
}

void AgentNode::on_envelope(const agent::Envelope& envelope, Now now) {
  if (envelope.kind == agent::MessageKind::receipt) return;  // never for the application
  auto inner = agent::open_envelope(envelope, seal_keys_);
  if (!inner) {
    env_.metrics.add("agent_cannot_open");
    return;
  }
  if (inner->kind == agent::MessageKind::receipt) return;
  judge_.delivered().remember(envelope.key(), envelope.expires_at, now.wall);
  trust_.floors().meet(envelope.from, now.wall);
  tell(agent_event::Persist{Kept::delivered, delivered_key(envelope.key()),
                            encode_delivered(envelope.expires_at)});
  Received received;
  received.id = envelope.id;
  received.from = envelope.from;
  received.to = envelope.to;
  received.content_type = std::move(inner->content_type);
  received.body = std::move(inner->body);
  received.conversation = std::move(inner->conversation);
  received.in_reply_to = inner->in_reply_to;
  received.kind = inner->kind;
  received.sent_at = envelope.sent_at;
  received.expires_at = envelope.expires_at;
  received.received_at = now.wall;
  received.sealed = envelope.sealed.has_value();
  ++delivered_count_;
  tell(agent_event::Message{std::move(received)});
}

/// Any valid presence, from anywhere: of our own wallet it may say that another node is the active one.
void AgentNode::meet(const agent::CheckedPresence& presence, Now now) {
  if (!identity_.meet(presence)) return;
  const auto rival = identity_.superseded_by();
  if (!rival) return;
  if (config_.take_over && identity_.take_over(now.wall)) {
    own_.start(now);
    return;
  }
  superseded_ = true;
  own_.stop();
  tell(agent_event::Superseded{*rival});
}

void AgentNode::on_presence_asked(const host_event::PresenceAsked& event, Now now) {
  Bytes record;
  if (event.wallet == identity_.wallet())
    record = own_.record();
  else if (host_.dht() != nullptr && host_.dht()->mode() == kad::Mode::server)
    record = host_.dht()->stored_value(agent::presence_key(event.wallet), now).value_or(Bytes());
  host_.answer_presence(event.from, std::move(record));
}

// ---------------------------------------------------------------------------------------------- what is
// asked of us

AskId AgentNode::find(const EthAddress& wallet, Duration cache_age, Now now) {
  const AskId ask(next_ask_++);
  finder_.start(ask, wallet, cache_age, dial_classes(), now);
  return ask;
}

AskId AgentNode::send(SendOptions options, Now now) {
  const AskId ask(next_ask_++);
  const Duration cache_age = options.cache_age;
  if (const auto wallet = sender_.start(ask, std::move(options), now)) {
    internal_finds_.insert(ask);
    finder_.start(ask, *wallet, cache_age, dial_classes(), now);
  }
  return ask;
}

void AgentNode::on_found(agent_event::Found found, Now now) {
  if (found.outcome && found.outcome->presence.fields.wallet == identity_.wallet())
    meet(found.outcome->presence, now);
  if (found.ask == own_lookup_) {
    own_lookup_ = AskId();
    own_lookup_due_ = Instant::never();
    if (!publishing_) {
      publishing_ = true;
      if (!superseded_ && !shutting_down_) own_.start(now);
    }
    return;
  }
  if (internal_finds_.erase(found.ask) > 0) {
    sender_.on_recipient(found.ask, found.outcome, now);
    return;
  }
  tell(std::move(found));
}

void AgentNode::begin_shutdown(Now now) {
  if (shutting_down_) return;
  shutting_down_ = true;
  status_due_ = company_due_ = own_lookup_due_ = Instant::never();
  keep_floors(now);
  if (host_.dht() != nullptr) host_.dht()->save_table(now);
  floors_due_ = Instant::never();
  own_.withdraw(now);
}

// ---------------------------------------------------------------------------------------------- status and
// company

agent::NodeStatus AgentNode::own_status(Now now) const {
  agent::NodeStatus status;
  status.delegation = identity_.delegation().wire;
  status.role = config_.role;
  status.sent_at = now.wall;
  status.uptime_s = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::seconds>(now.mono - started_).count());
  status.version = config_.version;
  status.connections = static_cast<std::uint32_t>(host_.connections().size());
  if (const auto* dht = host_.dht()) {
    status.dht_table = static_cast<std::uint32_t>(dht->table().size());
    status.dht_records = dht->record_count();
  }
  if (const auto* pubsub = host_.pubsub()) {
    for (const auto& stats : pubsub->topic_stats())
      status.topics.push_back(
          {stats.topic, static_cast<std::uint32_t>(stats.mesh), static_cast<std::uint32_t>(stats.peers)});
  }
  status.messages_sent = sender_.sent_count();
  status.messages_delivered = delivered_count_;
  status.messages_rejected = rejected_count_;
  status.rss_bytes = facts_.rss_bytes;
  status.cpu_permille = facts_.cpu_permille;
  return status;
}

void AgentNode::send_status(Now now) {
  const std::string_view topic = agent::to_string(agent::Topic::status);
  if (host_.pubsub()->mesh_peers(topic).empty() && host_.gossip_peers() == 0) {
    status_due_ = now.mono + 1s;
    return;
  }
  const auto published = host_.publish(topic, Slice::copy(agent::encode(own_status(now))), now);
  const bool heard = published && published->handed_to > 0;
  status_due_ = now.mono + (heard ? agent::status_interval(judge_.known().size()) : Duration(1s));
}

/// Dials agents heard of by announcement while there are few gossip peers, so that the mesh does not hang on
/// the bootstrap nodes alone.
void AgentNode::keep_company(Now now) {
  company_due_ = now.mono + kCompanyInterval;
  if (host_.gossip_peers() >= config_.gossip_peers_wanted) return;
  std::vector<const agent::KnownPresences::Known*> candidates;
  for (const auto& [wallet, known] : judge_.known()) {
    if (known.withdrawn || known.value.empty() || known.expires_at <= now.wall) continue;
    if (known.peer == host_.local().id || host_.connections().connected(known.peer)) continue;
    candidates.push_back(&known);
  }
  const auto classes = dial_classes();
  for (std::size_t i = 0; i < kCompanyDialsAtOnce && !candidates.empty(); ++i) {
    const std::size_t pick = env_.rng.below(candidates.size());
    const auto* known = candidates[pick];
    candidates.erase(candidates.begin() + static_cast<std::ptrdiff_t>(pick));
    auto judged = agent::validate_presence(known->value.view(), trust_, now.wall);
    if (!judged.verdict.accepted()) continue;
    auto addresses = dialable(*judged.presence, classes, dial_memory_, now.mono);
    if (!addresses.empty())
      company_asks_.insert(host_.connect(known->peer, std::move(addresses), DialPlanner::Insist::no, now));
  }
}

void AgentNode::keep_floors(Now now) {
  floors_due_ = now.mono + kFloorsKeepInterval;
  if (trust_.floors().revision() == floors_revision_) return;
  floors_revision_ = trust_.floors().revision();
  tell(agent_event::Persist{Kept::floors, {}, encode_floors(trust_.floors().met_entries(now.wall))});
}

// ---------------------------------------------------------------------------------------------- life

bool AgentNode::drain_parts(Now now) {
  bool any = false;
  while (auto found = finder_.poll()) {
    any = true;
    on_found(*std::move(found), now);
  }
  while (auto event = own_.poll()) {
    any = true;
    tell(*std::move(event));
  }
  while (auto state = sender_.poll()) {
    any = true;
    tell(*std::move(state));
  }
  if (shutting_down_ && own_.withdrawn() && !shutdown_told_) {
    shutdown_told_ = true;
    tell(agent_event::ShutdownReady{});
    any = true;
  }
  return any;
}

std::optional<AgentNode::Action> AgentNode::poll(Now now) {
  while (true) {
    if (!out_.empty()) {
      auto front = out_.pop();
      return std::visit([](auto& event) { return Action(std::move(event)); }, front);
    }
    if (drain_parts(now)) continue;
    auto action = host_.poll(now);
    if (!action) return std::nullopt;
    if (auto* command = std::get_if<EdgeCommand>(&*action)) return Action(std::move(*command));
    auto& event = std::get<host_event::Event>(*action);
    if (const auto* done = std::get_if<host_event::ConnectDone>(&event);
        done && company_asks_.erase(done->ask) > 0)
      continue;
    on_host(event, now);
  }
}

Instant AgentNode::deadline() const {
  return std::min({host_.deadline(), own_.deadline(), sender_.deadline(), status_due_, company_due_,
                   floors_due_, own_lookup_due_});
}

void AgentNode::on_deadline(Now now) {
  host_.on_deadline(now);
  if (own_lookup_due_ <= now.mono) {
    // Nobody could be asked in time. Publishing is retried until somebody stores the record.
    own_lookup_due_ = Instant::never();
    if (!publishing_ && !superseded_) {
      publishing_ = true;
      own_.start(now);
    }
  }
  own_.on_deadline(now);
  sender_.on_deadline(now);
  if (status_due_ <= now.mono) send_status(now);
  if (company_due_ <= now.mono) keep_company(now);
  if (floors_due_ <= now.mono) keep_floors(now);
}

}  // namespace starling::node
