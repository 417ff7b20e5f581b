// The edge of all nodes: what the network does with the commands of brains.
#include <algorithm>

#include "node/errors.hpp"
#include "sim/world_node.hpp"

namespace starling::sim {
namespace {

/// Handshakes of TCP, Noise and yamux: three times one way until the listener's side stands.
constexpr int kHandshakeTrips = 3;
/// A dial that nobody answers.
constexpr Duration kDialSilence = 20s;
constexpr Duration kDialLost = 100ms;
/// On the wire beside what is counted: identify, a presence question, stream negotiation.
constexpr std::size_t kPresenceAskBytes = 64;
constexpr std::size_t kPresenceAnswerBytes = 32;

}  // namespace

Duration World::latency(std::uint32_t a, std::uint32_t b) const {
  return links_model_.latency(seed_, a, b, nodes_[a]->spec.region, nodes_[b]->spec.region);
}

/// Whether `from` can open a connection to `to`.
bool World::reachable(std::uint32_t from, std::uint32_t to) const {
  for (const Cut& cut : cuts_) {
    if (cut.separated(from, to)) return false;
    if (cut.how == Cut::How::one_way && cut.separated(to, from)) return false;
  }
  return true;
}

// ---------------------------------------------------------------------------------------------- links

node::ConnId World::conn_id(std::uint32_t link, std::uint32_t serial, std::uint32_t side) noexcept {
  return node::ConnId((std::uint64_t{serial} << 33) | (std::uint64_t{link} << 1) | side);
}

std::optional<World::Far> World::far_end(node::ConnId conn) const {
  const auto slot = static_cast<std::uint32_t>(conn.value() >> 1);
  const auto serial = static_cast<std::uint32_t>(conn.value() >> 33);
  if (slot >= links_.size()) return std::nullopt;
  const Link& link = links_[slot];
  if (!link.up || (link.serial & 0x7fffffffU) != serial) return std::nullopt;
  const auto side = static_cast<std::uint32_t>(conn.value() & 1);
  return Far{link.node[1 - side], conn_id(slot, serial, 1 - side), slot, side};
}

void World::leave_link(std::uint32_t slot, std::uint32_t side) {
  Link& link = links_[slot];
  if (link.node[side] == kNone) return;
  auto& own = nodes_[link.node[side]]->links;
  const std::uint32_t place = link.place[side];
  own[place] = own.back();
  own.pop_back();
  if (place < own.size()) {
    Link& moved = links_[own[place]];
    moved.place[moved.node[0] == link.node[side] ? 0 : 1] = place;
  }
  link.node[side] = kNone;
}

void World::forget_link(std::uint32_t slot) {
  leave_link(slot, 0);
  leave_link(slot, 1);
  Link& link = links_[slot];
  link.up = false;
  free_links_.push_back(slot);
}

void World::break_link(node::ConnId conn, const Error& reason) {
  const auto far = far_end(conn);
  if (!far) return;
  const Link link = links_[far->link];
  if (level_ == Level::bytes) {
    for (std::uint32_t side = 0; side < 2; ++side)
      if (link.node[side] != kNone)
        queue_.push(now_.mono + 1ms, link.node[side], nodes_[link.node[side]]->generation,
                    BytesArrive{conn_id(far->link, link.serial, side), {}});
    return;
  }
  forget_link(far->link);
  for (std::uint32_t ask = link.asks; ask != kNone;) {
    const Ask gone = asks_[ask];
    asks_[ask] = Ask{};
    free_asks_.push_back(ask);
    fail_ask(gone.asker, gone);
    ask = gone.next;
  }
  for (std::uint32_t side = 0; side < 2; ++side) {
    if (link.node[side] == kNone || !nodes_[link.node[side]]->online()) continue;
    deliver(link.node[side], node::up::Disconnected{conn_id(far->link, link.serial, side), reason}, 1ms);
  }
}

std::uint32_t World::new_link(std::uint32_t dialler, std::uint32_t listener) {
  std::uint32_t slot = 0;
  if (free_links_.empty()) {
    slot = static_cast<std::uint32_t>(links_.size());
    links_.emplace_back();
  } else {
    slot = free_links_.back();
    free_links_.pop_back();
  }
  Link& link = links_[slot];
  const std::uint32_t serial = (link.serial + 1) & 0x7fffffffU;
  link = Link{};
  link.serial = serial;
  link.up = true;
  link.node = {dialler, listener};
  Node& from = *nodes_[dialler];
  Node& to = *nodes_[listener];
  link.place = {static_cast<std::uint32_t>(from.links.size()), static_cast<std::uint32_t>(to.links.size())};
  from.links.push_back(slot);
  to.links.push_back(slot);
  return slot;
}

void World::connect(std::uint32_t dialler, std::uint32_t listener, DialArrives& arrival) {
  const std::uint32_t slot = new_link(dialler, listener);
  Link& link = links_[slot];
  link.arrived = {now_.mono + arrival.one_way, now_.mono};
  const Node& from = *nodes_[dialler];
  Node& to = *nodes_[listener];
  if (level_ == Level::bytes) return begin_bytes(to, slot, arrival);
  const std::uint32_t serial = link.serial;
  deliver(dialler,
          node::up::Connected{conn_id(slot, serial, 0), arrival.dial.dial, to.id, node::Direction::outbound,
                              to.address},
          arrival.one_way);
  deliver(listener,
          node::up::Connected{conn_id(slot, serial, 1), node::DialId(), from.id, node::Direction::inbound,
                              from.address},
          Duration(0));
  identify(dialler, conn_id(slot, serial, 1), listener, arrival.one_way * 2);
  identify(listener, conn_id(slot, serial, 0), dialler, arrival.one_way * 3);
}

void World::dial_arrives(std::uint32_t index, DialArrives& arrival) {
  Node& dialler = *nodes_[arrival.dialler];
  if (!dialler.online() || dialler.generation != arrival.generation) return;
  if (std::erase(dialler.cancelled, arrival.dial.dial) > 0) return;
  Node& listener = *nodes_[index];
  // At level B the handshake finds out.
  const bool wrong = level_ == Level::messages && arrival.dial.peer && *arrival.dial.peer != listener.id;
  const bool admitted =
      !wrong && (listener.foe != nullptr ||
                 listener.brain->host().admit_inbound(*dialler.address.as_tcp()).has_value());
  if (!admitted) {
    deliver(arrival.dialler,
            node::up::DialFailed{arrival.dial.dial, make_error(node::Errc::connection_limit)},
            arrival.one_way);
    return;
  }
  connect(arrival.dialler, index, arrival);
}

// ---------------------------------------------------------------------------------------------- carrying

void World::deliver(std::uint32_t to, node::EdgeEvent event, Duration delay) {
  queue_.push(now_.mono + delay, to, nodes_[to]->generation, std::move(event));
}

void World::carry(std::uint32_t from, const Far& far, node::EdgeEvent event, std::size_t bytes) {
  bytes_ += bytes;
  mix(bytes);
  if (far.node == kNone) return;
  for (const Cut& cut : cuts_)
    if (cut.how == Cut::How::one_way && cut.separated(from, far.node)) return;
  transmit(from, far, std::move(event), bytes);
}

void World::transmit(std::uint32_t from, const Far& far, Payload payload, std::size_t bytes) {
  Instant leaves = now_.mono;
  if (links_model_.bandwidth_bytes_per_s > 0) {
    Instant& uplink = nodes_[from]->uplink_free;
    leaves =
        std::max(uplink, now_.mono) +
        Duration(static_cast<std::int64_t>(bytes * 1'000'000'000ULL / links_model_.bandwidth_bytes_per_s));
    uplink = leaves;
  }
  const Duration one_way = latency(from, far.node);
  Instant arrives = leaves + one_way + links_model_.trouble(rng_, one_way);
  const bool overtakes =
      level_ == Level::messages && links_model_.reordering > 0 && rng_.unit() < links_model_.reordering;
  if (!overtakes) {
    Instant& last = links_[far.link].arrived[1 - far.side];
    arrives = std::max(arrives, last);
    last = arrives;
  }
  queue_.push(arrives, far.node, nodes_[far.node]->generation, std::move(payload));
}

void World::identify(std::uint32_t from, node::ConnId conn_at_to, std::uint32_t to, Duration delay) {
  deliver(to, node::up::Identified{conn_at_to, nodes_[from]->info}, delay);
}

// ---------------------------------------------------------------------------------------------- questions

std::uint32_t World::open_ask(const Far& far, std::variant<kad::RequestId, node::AskId> id,
                              LookupTrace* trace) {
  std::uint32_t slot = 0;
  if (free_asks_.empty()) {
    slot = static_cast<std::uint32_t>(asks_.size());
    asks_.emplace_back();
  } else {
    slot = free_asks_.back();
    free_asks_.pop_back();
  }
  Link& link = links_[far.link];
  asks_[slot] = Ask{id, link.node[far.side], far.conn, trace, link.asks, true};
  link.asks = slot;
  return slot;
}

std::optional<World::Ask> World::close_ask(node::StreamRef stream) {
  if (stream.stream >= asks_.size()) return std::nullopt;
  Ask& ask = asks_[stream.stream];
  const auto far = far_end(stream.conn);
  if (!far || !ask.waiting || ask.at_asked != stream.conn) return std::nullopt;
  // Few are under way on one link at a time.
  std::uint32_t* at = &links_[far->link].asks;
  while (*at != stream.stream) at = &asks_[*at].next;
  *at = ask.next;
  free_asks_.push_back(stream.stream);
  return std::exchange(ask, Ask{});
}

void World::fail_ask(std::uint32_t asker, const Ask& ask) {
  if (asker == kNone || !nodes_[asker]->online()) return;
  if (const auto* request = std::get_if<kad::RequestId>(&ask.id))
    deliver(asker, node::up::KadAnswered{*request, fail(node::Errc::connection_closed)}, 1ms);
  else
    deliver(asker,
            node::up::PresenceAnswered{std::get<node::AskId>(ask.id), fail(node::Errc::connection_closed)},
            1ms);
}

LookupTrace* World::trace_of(std::uint32_t index, const kad::Message& request) const {
  for (LookupTrace* trace : nodes_[index]->traces)
    if (trace->about(request.key)) return trace;
  return nullptr;
}

// ---------------------------------------------------------------------------------------------- commands

/// One function for each command of node/port.hpp.
struct World::Commands {
  World& world;
  std::uint32_t index;
  Node& node;

  void operator()(node::down::Dial& dial) {
    const auto ip = dial.address.as_tcp();
    const auto target =
        !ip || ip->v6 ? world.by_ip_.end() : world.by_ip_.find(get_u32_be(std::span(ip->ip).first<4>()));
    if (world.links_model_.loss > 0 && world.rng_.unit() < world.links_model_.loss)
      return fail_dial(dial, kDialLost);
    if (target == world.by_ip_.end() || target->second == index) return fail_dial(dial, kDialSilence);
    const std::uint32_t other = target->second;
    const Node& listener = *world.nodes_[other];
    const Duration one_way = world.latency(index, other);
    if (!world.reachable(index, other) || listener.spec.behind_nat) return fail_dial(dial, kDialSilence);
    if (!listener.online())
      return fail_dial(dial, listener.absence == Absence::silent ? kDialSilence : one_way * 2);
    const int trips = world.level_ == Level::bytes ? 1 : kHandshakeTrips;
    world.queue_.push(world.now_.mono + one_way * trips, other, listener.generation,
                      DialArrives{index, node.generation, std::move(dial), one_way});
  }
  void fail_dial(const node::down::Dial& dial, Duration after) {
    world.deliver(index, node::up::DialFailed{dial.dial, make_error(node::Errc::connection_refused)}, after);
  }
  void operator()(node::down::CancelDial& cancel) {
    // A dial that has failed meanwhile never arrives to be struck off: the oldest makes room.
    if (node.cancelled.size() >= node::kDialsAtOnceMax) node.cancelled.erase(node.cancelled.begin());
    node.cancelled.push_back(cancel.dial);
  }
  void operator()(node::down::Resolve& resolve) {
    world.deliver(index, node::up::Resolved{resolve.resolve, fail(node::Errc::network_unreachable)}, 1ms);
  }
  void operator()(node::down::Close& close) { world.break_link(close.conn, close.reason); }
  void operator()(node::down::AskKad& ask) {
    const auto far = world.far_end(ask.conn);
    if (!far) {
      world.deliver(index, node::up::KadAnswered{ask.request.id, fail(node::Errc::not_connected)}, 1ms);
      return;
    }
    std::uint32_t stream = kNone;
    LookupTrace* trace = node.traces.empty() ? nullptr : world.trace_of(index, ask.request.message);
    if (trace != nullptr) trace->on_request(ask.request.peer, ask.request.message);
    if (ask.request.expects_response)
      stream = world.open_ask(*far, ask.request.id, trace);
    else
      world.deliver(index, node::up::KadAnswered{ask.request.id, std::optional<kad::Message>()}, Duration(0));
    const std::size_t bytes = wire_size(ask.request.message);
    world.carry(index, *far, node::up::KadAsked{{far->conn, stream}, std::move(ask.request.message)}, bytes);
  }
  void operator()(node::down::AnswerKad& answer) {
    auto ask = world.close_ask(answer.to);
    const auto far = world.far_end(answer.to.conn);
    if (!ask || !far) return;
    Result<std::optional<kad::Message>> result = fail(node::Errc::stream_reset);
    std::size_t bytes = 0;
    if (answer.answer && *answer.answer) {
      result = std::move(*answer.answer);
      bytes = wire_size(**result);
      if (ask->trace != nullptr) ask->trace->on_answer(node.id, **result);
    }
    world.carry(index, *far, node::up::KadAnswered{std::get<kad::RequestId>(ask->id), std::move(result)},
                bytes);
  }
  void operator()(node::down::OpenGossip& open) {
    world.deliver(index, node::up::GossipOpened{open.conn, open.protocol}, Duration(0));
  }
  void operator()(node::down::SendGossip& send) {
    const auto far = world.far_end(send.conn);
    if (!far) return;
    const std::size_t bytes = wire_size(send.rpc);
    world.carry(index, *far, node::up::GossipReceived{far->conn, std::move(send.rpc)}, bytes);
  }
  void operator()(node::down::CheckSignature& check) {
    world.deliver(index,
                  node::up::SignatureChecked{check.validation, PeerId::from_bytes(check.message->from)},
                  Duration(0));
  }
  void operator()(node::down::AskPresence& ask) {
    const auto far = world.far_end(ask.conn);
    if (!far) {
      world.deliver(index, node::up::PresenceAnswered{ask.ask, fail(node::Errc::not_connected)}, 1ms);
      return;
    }
    const std::uint32_t stream = world.open_ask(*far, ask.ask, nullptr);
    world.carry(index, *far, node::up::PresenceAsked{{far->conn, stream}, ask.wallet}, kPresenceAskBytes);
  }
  void operator()(node::down::AnswerPresence& answer) {
    auto ask = world.close_ask(answer.to);
    const auto far = world.far_end(answer.to.conn);
    if (!ask || !far) return;
    const std::size_t bytes = kPresenceAnswerBytes + answer.record.size();
    world.carry(index, *far,
                node::up::PresenceAnswered{std::get<node::AskId>(ask->id), std::move(answer.record)}, bytes);
  }
  void operator()(node::down::Ping& ping) {
    const auto far = world.far_end(ping.conn);
    const bool there = far && far->node != kNone;
    const Duration rtt = there ? world.latency(index, far->node) * 2 : Duration(1ms);
    world.deliver(index,
                  node::up::Pinged{ping.ask, there ? Result<Duration>(rtt) : fail(node::Errc::not_connected)},
                  rtt);
  }
  /// One Info for all peers: what a node sees of another's address is always the one that listens.
  void operator()(node::down::SetLocal& set) {
    auto info = std::make_shared<identify::Info>();
    info->agent_version = set.info->agent_version;
    info->listen_addrs = set.info->listen_addrs;
    info->protocols = set.info->protocols;
    node.info = std::move(info);
    if (!set.push) return;
    for (const std::uint32_t slot : node.links) {
      const Link& link = world.links_[slot];
      const std::uint32_t far = link.node[0] == index ? 1 : 0;
      if (link.node[far] == kNone) continue;
      world.identify(index, conn_id(slot, link.serial, far), link.node[far],
                     world.latency(index, link.node[far]));
    }
  }
};

void World::apply(std::uint32_t index, node::EdgeCommand& command) {
  if (nodes_[index]->edge && apply_to_session(index, command)) return;
  std::visit(Commands{*this, index, *nodes_[index]}, command);
}

// ---------------------------------------------------------------------------------------------- news

void World::tell_observer(std::uint32_t index, node::agent_event::Event& event) {
  namespace news = node::agent_event;
  Node& node = *nodes_[index];
  Observed& seen = node.observed;
  if (witness_ != nullptr) witness_->on_told(index, event, now_at(index));
  const bool alone = witness_ == nullptr;  // who has a witness needs no memory of its own
  if (auto* found = std::get_if<news::Found>(&event)) {
    if (alone) seen.found.insert_or_assign(found->ask, std::move(found->outcome));
  } else if (auto* send = std::get_if<news::SendState>(&event)) {
    if (alone) seen.sends[send->ask].push_back(send->state);
  } else if (auto* message = std::get_if<news::Message>(&event)) {
    if (alone) seen.messages.push_back(std::move(message->message));
  } else if (auto* announced = std::get_if<news::Announced>(&event)) {
    if (alone) seen.announced.push_back(announced->presence.fields.wallet);
  } else if (std::get_if<news::Published>(&event) != nullptr) {
    ++seen.published;
  } else if (std::get_if<news::Superseded>(&event) != nullptr) {
    seen.superseded = true;
  } else if (auto* persist = std::get_if<news::Persist>(&event)) {
    if (persist->value.empty())
      node.kept.erase({persist->what, persist->key});
    else
      node.kept.insert_or_assign({persist->what, persist->key}, std::move(persist->value));
  } else if (std::get_if<news::ShutdownReady>(&event) != nullptr) {
    seen.shutdown_ready = true;
  }
}

}  // namespace starling::sim
