// Level B: sessions of production at both ends of every link, and bytes between them.
#include "node/errors.hpp"
#include "proto/gossip/strict_sign.hpp"
#include "sim/world_node.hpp"

namespace starling::sim {

const agent::Signatures& World::signatures() const noexcept {
  if (level_ == Level::bytes) return agent::real_signatures();
  return signatures_;
}

// ---------------------------------------------------------------------------------------------- connections

/// The listener's end stands; the dialler's does when the answer to its SYN has come back.
void World::begin_bytes(Node& listener, std::uint32_t slot, DialArrives& arrival) {
  const Link& link = links_[slot];
  const Node& dialler = *nodes_[arrival.dialler];
  listener.edge->open(conn_id(slot, link.serial, 1), node::DialId(), node::Direction::inbound,
                      dialler.address, std::nullopt, now_at(listener.index));
  queue_.push(now_.mono + arrival.one_way, arrival.dialler, arrival.generation,
              DialStands{conn_id(slot, link.serial, 0), std::move(arrival.dial)});
}

void World::dial_stands(Node& dialler, DialStands& stands) {
  const auto far = far_end(stands.conn);
  if (!far) return;
  if (std::erase(dialler.cancelled, stands.dial.dial) > 0 || far->node == kNone) {
    deliver(dialler.index, node::up::DialFailed{stands.dial.dial, make_error(node::Errc::connection_closed)},
            Duration(0));
    close_end(dialler.index, stands.conn);
    return;
  }
  dialler.edge->open(stands.conn, stands.dial.dial, node::Direction::outbound, stands.dial.address,
                     stands.dial.peer, now_at(dialler.index));
}

void World::bytes_arrive(Node& node, BytesArrive& arrival) {
  if (arrival.bytes.empty())
    node.edge->lost(arrival.conn, make_error(node::Errc::connection_closed), now_.mono);
  else
    node.edge->receive(arrival.conn, arrival.bytes, now_.mono);
}

/// This end is gone; the other hears of it in its time, and the link goes with the last of them.
void World::close_end(std::uint32_t index, node::ConnId conn) {
  const auto far = far_end(conn);
  if (!far) return;
  leave_link(far->link, far->side);
  if (far->node == kNone)
    forget_link(far->link);
  else
    send_bytes(index, conn, BytesArrive{far->conn, {}});
}

// ---------------------------------------------------------------------------------------------- bytes

/// What a one-way cut keeps from arriving waits for its end: TCP sends it again until then.
void World::send_bytes(std::uint32_t from, node::ConnId conn, BytesArrive arrival) {
  const auto far = far_end(conn);
  if (!far || far->node == kNone) return;
  for (const Cut& cut : cuts_) {
    if (cut.how != Cut::How::one_way || !cut.separated(from, far->node)) continue;
    held_.push_back({from, conn, std::move(arrival)});
    return;
  }
  const std::size_t bytes = arrival.bytes.size();
  transmit(from, *far, std::move(arrival), bytes);
}

void World::heal() {
  cuts_.clear();
  for (Held& held : std::exchange(held_, {})) send_bytes(held.from, held.conn, std::move(held.arrival));
}

/// Inputs and their consequences first, then bytes out, which may cause events again: the order of a shard's
/// turn.
void World::drain_edge(std::uint32_t index) {
  Node& node = *nodes_[index];
  for (;;) {
    if (auto event = node.edge->next_event()) {
      if (const auto* answer = std::get_if<node::up::KadAnswered>(&*event)) {
        const auto traced = node.traced.extract(answer->request);
        if (!traced.empty() && answer->answer && *answer->answer)
          traced.mapped().first->on_answer(traced.mapped().second, **answer->answer);
      }
      mix(event->index());
      node.brain->on(*std::move(event), now_at(index));
      drain_brain(index);
    } else if (auto output = node.edge->next_output(now_.mono)) {
      if (output->bytes.empty()) {
        close_end(index, output->conn);
        continue;
      }
      bytes_ += output->bytes.size();
      mix(output->bytes.size());
      if (const auto far = far_end(output->conn))
        send_bytes(index, output->conn, BytesArrive{far->conn, std::move(output->bytes)});
    } else if (!node.edge->busy()) {
      return;
    }
  }
}

// ---------------------------------------------------------------------------------------------- commands

/// What sessions do with a command; the rest is for the network.
struct World::ByteCommands {
  World& world;
  std::uint32_t index;
  Node& node;

  template <class Command>
  bool hand_on(node::ConnId conn, Command& command) {
    return node.edge->hand_on(conn, std::move(command), world.now_.mono);
  }
  void answer(node::EdgeEvent event) { world.deliver(index, std::move(event), Duration(0)); }

  bool operator()(node::down::Dial&) { return false; }
  bool operator()(node::down::Resolve&) { return false; }
  bool operator()(node::down::CancelDial& cancel) { return node.edge->cancel(cancel.dial, world.now_.mono); }
  bool operator()(node::down::Close& close) {
    node.edge->close(close.conn, close.reason, world.now_.mono);
    return true;
  }
  bool operator()(node::down::AskKad& ask) {
    const auto request = ask.request.id;
    const PeerId peer = ask.request.peer;
    LookupTrace* trace = node.traces.empty() ? nullptr : world.trace_of(index, ask.request.message);
    if (trace != nullptr) trace->on_request(peer, ask.request.message);
    if (trace != nullptr && ask.request.expects_response)
      node.traced.insert_or_assign(request, std::pair(trace, peer));
    if (!hand_on(ask.conn, ask)) answer(node::up::KadAnswered{request, fail(node::Errc::not_connected)});
    return true;
  }
  bool operator()(node::down::AnswerKad& command) { return hand_on(command.to.conn, command), true; }
  bool operator()(node::down::OpenGossip& command) { return hand_on(command.conn, command), true; }
  bool operator()(node::down::SendGossip& command) { return hand_on(command.conn, command), true; }
  bool operator()(node::down::AnswerPresence& command) { return hand_on(command.to.conn, command), true; }
  bool operator()(node::down::CheckSignature& check) {
    answer(node::up::SignatureChecked{check.validation, gossip::strict_sign::check(*check.message)});
    return true;
  }
  bool operator()(node::down::AskPresence& command) {
    const auto ask = command.ask;
    if (!hand_on(command.conn, command))
      answer(node::up::PresenceAnswered{ask, fail(node::Errc::not_connected)});
    return true;
  }
  bool operator()(node::down::Ping& command) {
    const auto ask = command.ask;
    if (!hand_on(command.conn, command)) answer(node::up::Pinged{ask, fail(node::Errc::not_connected)});
    return true;
  }
  bool operator()(node::down::SetLocal& command) {
    node.edge->apply(command, world.now_.mono);
    return true;
  }
};

bool World::apply_to_session(std::uint32_t index, node::EdgeCommand& command) {
  return std::visit(ByteCommands{*this, index, *nodes_[index]}, command);
}

}  // namespace starling::sim
