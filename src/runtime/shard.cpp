#include "runtime/shard.hpp"

#include <utility>

#include "gossip/strict_sign.hpp"
#include "runtime/brain_driver.hpp"
#include "runtime/errors.hpp"

namespace starling::runtime {

Shard::Shard(Setup setup) : setup_(std::move(setup)), env_{rng_, *setup_.log, metrics_} {}

Shard::~Shard() = default;

// ---------------------------------------------------------------------------------------------- turns

Shard::Turn::Turn(Shard& shard) : shard_(shard), outermost_(!shard.in_turn_) {
  if (!outermost_) return;
  shard_.in_turn_ = true;
  shard_.now_ = read_clock();
  shard_.read_bytes_ = 0;
}

Shard::Turn::~Turn() {
  if (!outermost_) return;
  shard_.finish_turn();
  shard_.in_turn_ = false;
  shard_.check_stopped();
}

/// Inputs and their consequences first, then the brain's next deadline, then what they gave to keep goes to
/// disk, all at once, then bytes out, which may cause events again.
void Shard::finish_turn() {
  while (true) {
    if (!todo_.empty()) {
      deliver(todo_.pop());
    } else if (!dirty_.empty()) {
      const auto id = dirty_.pop();
      Pump* pump = find(id);
      if (pump == nullptr) continue;
      pump->in_dirty = false;
      drain(*pump);
      if (!std::exchange(pump->in_flush, true)) to_flush_.push(id);
    } else if (brain_touched_) {
      brain_touched_ = false;
      brain_->drain(now_);
    } else if (brain_ != nullptr && brain_->unsettled()) {
      brain_->settle(now_);
    } else if (!to_flush_.empty()) {
      const auto id = to_flush_.pop();
      Pump* pump = find(id);
      if (pump == nullptr) continue;
      pump->in_flush = false;
      flush(*pump);
      if (pump->state != Pump::State::gone) arm_deadline(*pump);
    } else {
      break;
    }
  }
  if (brain_ != nullptr) brain_->send_mail();
  setup_.brain_inbox->put(for_brain_);
  reap();
  arm_timer();
}

void Shard::on_mail() {
  const Turn turn(*this);
  for (Mail& mail : setup_.inbox->take()) deliver(std::move(mail));
}

void Shard::deliver(Mail mail) {
  if (auto* job = std::get_if<Job>(&mail)) {
    (*job)(*this, now_);
    if (brain_ != nullptr) brain_touched_ = true;
  } else if (auto* command = std::get_if<node::EdgeCommand>(&mail)) {
    apply(std::move(*command));
  } else {
    brain_->on(std::move(std::get<node::EdgeEvent>(mail)), now_);
    brain_touched_ = false;
    brain_->drain(now_);
  }
}

void Shard::at(Instant due, Job job) { timed_.emplace(due, std::move(job)); }

void Shard::mark_dirty(Pump& pump) {
  if (!std::exchange(pump.in_dirty, true)) dirty_.push(pump.id);
}

void Shard::touch(node::ConnId conn) {
  if (Pump* pump = find(conn)) mark_dirty(*pump);
}

/// What a session has to say, up and to the application.
void Shard::drain(Pump& pump) {
  if (!pump.session) return;
  while (auto event = pump.session->poll()) {
    if (auto* edge = std::get_if<node::EdgeEvent>(&*event)) {
      if (const auto* connected = std::get_if<node::up::Connected>(edge)) dials_.erase(connected->dial);
      tell_brain(std::move(*edge), &pump);
    } else if (sink_ != nullptr) {
      sink_->on_stream_event(*pump.session, std::move(std::get<node::app_stream::Event>(*event)), now_);
    }
  }
}

/// On the brain's own shard the event is seen to in this turn. Elsewhere it goes into a bounded mailbox:
/// payload that does not fit is dropped, a peer's request is refused here, control is never dropped but for
/// the connection it came from.
void Shard::tell_brain(node::EdgeEvent event, Pump* from) {
  if (brain_ != nullptr) {
    todo_.push(std::move(event));
    return;
  }
  Inbox& inbox = *setup_.brain_inbox;
  if (auto* received = std::get_if<node::up::GossipReceived>(&event)) {
    if (inbox.data_full() && !received->rpc.messages.empty()) {
      metrics_.add("mailbox_dropped", "what=\"gossip\"", received->rpc.messages.size());
      received->rpc.messages.clear();
      if (received->rpc.empty()) return;
    }
    if (inbox.control_full() && from != nullptr) {
      metrics_.add("mailbox_dropped", "what=\"connection\"");
      todo_.push(node::EdgeCommand(node::down::Close{from->id, node::make_error(node::Errc::slow_peer)}));
      return;
    }
  } else if (auto* kad = std::get_if<node::up::KadAsked>(&event); kad != nullptr && inbox.data_full()) {
    metrics_.add("mailbox_dropped", "what=\"kad\"");
    todo_.push(node::EdgeCommand(node::down::AnswerKad{kad->from, fail(node::Errc::slow_peer)}));
    return;
  } else if (auto* presence = std::get_if<node::up::PresenceAsked>(&event);
             presence != nullptr && inbox.data_full()) {
    metrics_.add("mailbox_dropped", "what=\"presence\"");
    todo_.push(node::EdgeCommand(node::down::AnswerPresence{presence->from, {}}));
    return;
  }
  for_brain_.emplace_back(std::move(event));
}

// ---------------------------------------------------------------------------------------------- time

Instant Shard::deadline_of(const Pump& pump) const {
  Instant next = pump.close_at;
  if (pump.session && pump.state == Pump::State::open) next = std::min(next, pump.session->deadline());
  return next;
}

/// An entry that comes too early is harmless and left where it is: deadlines move back with every byte
/// received.
void Shard::arm_deadline(Pump& pump) {
  const Instant wanted = deadline_of(pump);
  if (wanted >= pump.armed) return;
  if (!pump.armed.is_never()) deadlines_.erase({pump.armed, pump.id});
  pump.armed = wanted;
  deadlines_.emplace(wanted, pump.id);
}

void Shard::run_deadlines() {
  while (!deadlines_.empty() && deadlines_.begin()->first <= now_.mono) {
    const auto id = deadlines_.begin()->second;
    deadlines_.erase(deadlines_.begin());
    Pump* pump = find(id);
    if (pump == nullptr) continue;
    pump->armed = Instant::never();
    if (pump->close_at <= now_.mono) {
      lose(*pump, node::make_error(node::Errc::connection_closed));
      continue;
    }
    if (pump->session && pump->state == Pump::State::open && pump->session->deadline() <= now_.mono) {
      const auto result = pump->session->on_deadline(now_.mono);
      mark_dirty(*pump);
      if (!result) end_session(*pump, result.error(), now_.mono + kLingerTime);
    }
    arm_deadline(*pump);
  }
  while (!timed_.empty() && timed_.begin()->first <= now_.mono) {
    auto entry = timed_.extract(timed_.begin());
    deliver(Mail(std::move(entry.mapped())));
  }
  if (brain_ != nullptr && brain_->deadline() <= now_.mono) {
    brain_->on_deadline(now_);
    brain_touched_ = true;
  }
}

void Shard::arm_timer() {
  if (retired_) return;
  Instant next = deadlines_.empty() ? Instant::never() : deadlines_.begin()->first;
  if (!timed_.empty()) next = std::min(next, timed_.begin()->first);
  if (brain_ != nullptr) next = std::min(next, brain_->deadline());
  if (!unfinished_.empty()) next = std::min(next, now_.mono);
  setup_.loop->wake_at(*this, next);
}

void Shard::on_timer() {
  const Turn turn(*this);
  run_deadlines();
  run_postponed();
}

// ---------------------------------------------------------------------------------------------- commands

void Shard::apply(node::EdgeCommand command) {
  std::visit([this](auto& typed) { on_command(std::move(typed)); }, command);
}

node::Session* Shard::session(node::ConnId conn) {
  Pump* pump = find(conn);
  return pump != nullptr && pump->state == Pump::State::open && pump->session && pump->session->announced()
             ? &*pump->session
             : nullptr;
}

template <class Command>
bool Shard::hand_on(node::ConnId conn, Command&& command) {
  node::Session* open = session(conn);
  if (open == nullptr) return false;
  open->apply(std::forward<Command>(command), now_.mono);
  touch(conn);
  return true;
}

void Shard::on_command(node::down::Dial command) {
  const auto refuse = [&](Error error) { tell_brain(node::up::DialFailed{command.dial, error}, nullptr); };
  const auto address = command.address.as_tcp();
  if (!address) return refuse(make_error(Errc::bad_dial_address));
  if (stopping_) return refuse(node::make_error(node::Errc::shutting_down));
  auto connecting = connect_to(*address);
  if (!connecting) return refuse(connecting.error());
  const auto made = make_pump(std::move(connecting->socket));
  if (!made) return refuse(made.error());
  Pump& pump = **made;
  pump.dial = command.dial;
  pump.expected_peer = command.peer;
  pump.remote = command.address.without_peer_id();
  dials_.emplace(command.dial, pump.id);
  if (connecting->done) on_connected(pump);
}

void Shard::on_command(const node::down::CancelDial& command) {
  const auto known = dials_.find(command.dial);
  if (known == dials_.end()) return;
  if (Pump* pump = find(known->second)) lose(*pump, node::make_error(node::Errc::connection_closed));
}

void Shard::on_command(const node::down::Resolve&) {}  // the brain's driver keeps these to itself

void Shard::on_command(const node::down::Close& command) { close(command.conn, command.reason); }

void Shard::close(node::ConnId conn, Error reason) {
  if (Pump* pump = find(conn); pump != nullptr && pump->state == Pump::State::open)
    end_session(*pump, reason, now_.mono + kLingerTime);
}

void Shard::on_command(node::down::AskKad&& command) {
  const auto request = command.request.id;
  if (!hand_on(command.conn, std::move(command)))
    tell_brain(node::up::KadAnswered{request, fail(node::Errc::not_connected)}, nullptr);
}

void Shard::on_command(node::down::AnswerKad&& command) { hand_on(command.to.conn, std::move(command)); }
void Shard::on_command(node::down::OpenGossip&& command) { hand_on(command.conn, std::move(command)); }
void Shard::on_command(node::down::SendGossip&& command) { hand_on(command.conn, std::move(command)); }
void Shard::on_command(node::down::AnswerPresence&& command) { hand_on(command.to.conn, std::move(command)); }

void Shard::on_command(const node::down::CheckSignature& command) {
  tell_brain(node::up::SignatureChecked{command.validation, gossip::strict_sign::check(*command.message)},
             nullptr);
}

void Shard::on_command(node::down::AskPresence&& command) {
  const auto ask = command.ask;
  if (!hand_on(command.conn, std::move(command)))
    tell_brain(node::up::PresenceAnswered{ask, fail(node::Errc::not_connected)}, nullptr);
}

void Shard::on_command(node::down::Ping&& command) {
  const auto ask = command.ask;
  if (!hand_on(command.conn, std::move(command)))
    tell_brain(node::up::Pinged{ask, fail(node::Errc::not_connected)}, nullptr);
}

void Shard::on_command(const node::down::SetLocal& command) {
  local_ = command.info;
  for (auto& [id, pump] : pumps_) {
    if (!pump.session || pump.state != Pump::State::open) continue;
    pump.session->apply(command, now_.mono);
    mark_dirty(pump);
  }
}

std::size_t Shard::gossip_backlog_bytes() const {
  std::size_t most = 0;
  for (const auto& [id, pump] : pumps_) {
    if (pump.session && pump.state == Pump::State::open)
      most = std::max(most, pump.session->gossip_backlog_bytes());
  }
  return most;
}

// ---------------------------------------------------------------------------------------------- the end

void Shard::begin_stop(Instant deadline, Job done) {
  stopping_ = true;
  stopped_ = std::move(done);
  std::vector<node::ConnId> ids;
  for (const auto& [id, pump] : pumps_) ids.push_back(id);
  for (const auto id : ids) {
    Pump* pump = find(id);
    if (pump == nullptr) continue;  // lost in this very turn
    if (pump->state == Pump::State::open)
      end_session(*pump, node::make_error(node::Errc::shutting_down), deadline);
    else if (pump->state == Pump::State::connecting)
      lose(*pump, node::make_error(node::Errc::shutting_down));
    pump->close_at = std::min(pump->close_at, deadline);
    arm_deadline(*pump);
  }
}

void Shard::check_stopped() {
  if (stopped_ && pumps_.empty()) {
    Job done = std::exchange(stopped_, nullptr);
    const Turn turn(*this);
    done(*this, now_);
  }
  if (retired_) {
    const auto done = std::exchange(retired_, nullptr);
    setup_.inbox->unbind();
    done();
  }
}

void Shard::retire(std::function<void()> done) {
  retired_ = std::move(done);
  timed_.clear();
  setup_.loop->wake_at(*this, Instant::never());
}

void Shard::reap() {
  for (const auto id : gone_) {
    const auto it = pumps_.find(id);
    if (it == pumps_.end()) continue;
    if (!it->second.armed.is_never()) deadlines_.erase({it->second.armed, id});
    pumps_.erase(it);
  }
  gone_.clear();
  load_.store(pumps_.size(), std::memory_order_relaxed);
}

}  // namespace starling::runtime
