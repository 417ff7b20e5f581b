#include "node/session.hpp"

#include "agent/names.hpp"
#include "node/limits.hpp"
#include "node/protocol_streams.hpp"
#include "ping/responder.hpp"

namespace starling::node {
namespace {

template <class... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};
template <class... Visitors>
Overloaded(Visitors...) -> Overloaded<Visitors...>;

}  // namespace

/// One stream, from its negotiation to its end. A stream without a handler is the application's.
struct Session::Stream {
  Direction direction = Direction::inbound;
  std::unique_ptr<multistream::Initiator> initiator;
  std::unique_ptr<multistream::Listener> listener;
  std::unique_ptr<StreamHandler> handler;
  std::string protocol;      ///< once agreed, or proposed lazily
  Chain waiting;             ///< what the muxer had no room for
  std::size_t reserved = 0;  ///< of the connection's account, for `waiting` and what the handler holds
  std::uint64_t token = 0;
  bool announced = false;     ///< the application knows the stream
  bool finish_after = false;  ///< finish once `waiting` has left
  bool remote_finished = false;
  bool end_told = false;

  bool negotiating() const noexcept { return initiator != nullptr || listener != nullptr; }
};

bool Session::Offered::supports(std::string_view protocol) const { return local_->serves(protocol); }

class Session::Io final : public StreamIo {
 public:
  Io(Session& session, yamux::StreamId id, Stream& stream, Instant now) noexcept
      : session_(session), id_(id), stream_(stream), now_(now) {}

  void write(ByteView bytes) override {
    std::size_t taken = 0;
    if (stream_.waiting.empty()) taken = session_.connection_.mux().write(id_, bytes);
    if (taken < bytes.size()) stream_.waiting.push(Slice::copy(bytes.subspan(taken)));
  }
  void write(const Slice& bytes) override {
    std::size_t taken = 0;
    if (stream_.waiting.empty()) taken = session_.connection_.mux().write(id_, bytes);
    if (taken < bytes.size()) stream_.waiting.push(bytes.sub(taken, bytes.size() - taken));
  }
  std::size_t room() const override {
    return stream_.waiting.empty() ? session_.connection_.mux().writable(id_) : 0;
  }
  void finish() override { stream_.finish_after = true; }
  void reset() override { reset_asked = true; }
  void tell(EdgeEvent event) override {
    if (const auto* identified = std::get_if<up::Identified>(&event)) session_.identified_ = identified->info;
    session_.events_.push(std::move(event));
  }
  bool ask_again(const kad::SendRequest& request) override {
    if (session_.closed_) return false;
    session_.again_.push(request);
    return true;
  }
  Instant now() const override { return now_; }
  ConnId conn() const override { return session_.setup_.id; }
  yamux::StreamId stream() const override { return id_; }
  const LocalInfo& local() const override { return *session_.setup_.local; }
  const PeerId& peer() const override { return session_.connection_.peer()->id; }
  const Multiaddr& remote() const override { return session_.setup_.remote; }
  Env& env() override { return *session_.env_; }

  bool reset_asked = false;

 private:
  Session& session_;
  yamux::StreamId id_;
  Stream& stream_;
  Instant now_;
};

Session::Session(Setup setup, Env& env, Now now)
    : setup_(std::move(setup)),
      shaken_with_(setup_.local),
      env_(&env),
      offered_(setup_.local),
      connection_({setup_.direction, &shaken_with_->key, setup_.expected_peer, setup_.shared}, env, now) {}

Session::~Session() = default;

Session::Stream* Session::find(yamux::StreamId id) {
  const auto it = streams_.find(id);
  return it == streams_.end() ? nullptr : it->second.get();
}

Result<void> Session::receive(MutableByteView bytes, Instant now) {
  const Result<void> received = lend(bytes, now);
  settle();
  return received;
}

Result<void> Session::lend(MutableByteView bytes, Instant now) {
  if (closed_) return fail(Errc::connection_closed);
  const Result<void> received = connection_.lend(bytes, now);
  if (!announced_ && connection_.upgraded()) {
    if (connection_.peer()->id == setup_.local->id) return fail(Errc::peer_is_self);
    announce(now);
  }
  if (connection_.upgraded()) drain_mux(now);
  return received;
}

/// The connection is usable: tell the brain, ask who the peer is.
void Session::announce(Instant now) {
  announced_ = true;
  shaken_with_.reset();
  events_.push(EdgeEvent(
      up::Connected{setup_.id, setup_.dial, connection_.peer()->id, setup_.direction, setup_.remote}));
  open(std::string(identify::kProtocolId), make_identify_asker(now), now);
}

Result<void> Session::produce(Bytes& out, std::size_t bytes_max, Instant now) {
  const Result<void> produced = connection_.produce(out, bytes_max, now);
  if (connection_.upgraded() && !closed_) drain_mux(now);
  return produced;
}

std::size_t Session::gossip_backlog_bytes() const {
  const auto it = streams_.find(gossip_out_);
  return it == streams_.end() || !it->second->handler ? 0 : it->second->handler->backlog_bytes();
}

std::optional<Session::Event> Session::poll() {
  if (events_.empty()) return std::nullopt;
  std::optional<Event> event(events_.pop());
  return event;
}

Instant Session::deadline() const { return std::min(connection_.deadline(), next_deadline_); }

Result<void> Session::on_deadline(Instant now) {
  STARLING_TRY(connection_.on_deadline(now));
  if (!connection_.upgraded()) return {};
  drain_mux(now);
  if (now < next_deadline_) return {};
  next_deadline_ = Instant::never();
  std::vector<yamux::StreamId> late;
  for (const auto& [id, stream] : streams_) {
    Instant deadline = Instant::never();
    if (stream->initiator) deadline = std::min(deadline, stream->initiator->deadline());
    if (stream->listener) deadline = std::min(deadline, stream->listener->deadline());
    if (stream->handler) deadline = std::min(deadline, stream->handler->deadline());
    if (deadline <= now)
      late.push_back(id);
    else
      note_deadline(deadline);
  }
  std::sort(late.begin(), late.end());
  for (const auto id : late) {
    Stream* stream = find(id);
    if (stream == nullptr) continue;
    const bool stuck = (stream->initiator && stream->initiator->deadline() <= now) ||
                       (stream->listener && stream->listener->deadline() <= now);
    if (stuck) {
      connection_.mux().reset(id);
      drop(id, make_error(Errc::stream_timeout), now);
    } else {
      with_handler(id, now, [](StreamHandler& handler, StreamIo& io) { return handler.on_deadline(io); });
    }
  }
  drain_mux(now);
  return {};
}

void Session::close(Error reason, Instant now) {
  if (closed_) return;
  closed_ = true;
  std::vector<yamux::StreamId> ids;
  for (const auto& [id, stream] : streams_) ids.push_back(id);
  std::sort(ids.begin(), ids.end());
  for (const auto id : ids) drop(id, reason, now);
  for (const auto& request : std::exchange(again_, {}))
    events_.push(EdgeEvent(up::KadAnswered{request.id, fail(reason)}));
  connection_.close();
  if (announced_)
    events_.push(EdgeEvent(up::Disconnected{setup_.id, reason}));
  else if (setup_.dial)
    events_.push(EdgeEvent(up::DialFailed{setup_.dial, reason}));
  else
    events_.push(EdgeEvent(up::AcceptFailed{setup_.remote, reason}));
}

void Session::drain_mux(Instant now) {
  const auto on_event = Overloaded{
      [&](const yamux::Opened& event) { on_inbound(event.id, now); },
      [&](const yamux::Readable& event) { on_readable(event.id, now); },
      [&](const yamux::RemoteFinished& event) { on_remote_finished(event.id, now); },
      [&](const yamux::Writable& event) { on_writable(event.id, now); },
      [&](const yamux::Reset& event) {
        if (event.by_us) env_->metrics.add("streams_evicted");
        drop(event.id, make_error(event.by_us ? Errc::no_memory : Errc::stream_reset), now);
      },
      [&](const yamux::Closed& event) { forget(event.id); },
      [&](const yamux::Openable&) {},
      [&](const yamux::RemoteGoAway&) {},
      [&](const yamux::Rtt&) {},
  };
  for (;;) {
    while (auto event = connection_.mux().poll()) std::visit(on_event, *event);
    if (again_.empty()) return;
    down::AskKad command{setup_.id, again_.pop()};
    ask(std::move(command), now);
  }
}

void Session::on_inbound(yamux::StreamId id, Instant now) {
  if (streams_.size() >= kInboundStreamsMax || negotiating_ >= kNegotiatingStreamsMax) {
    env_->metrics.add("streams_refused", "reason=\"limit\"");
    connection_.mux().reset(id);
    return;
  }
  auto stream = std::make_unique<Stream>();
  stream->direction = Direction::inbound;
  stream->listener = std::make_unique<multistream::Listener>(offered_, now);
  note_deadline(stream->listener->deadline());
  ++negotiating_;
  streams_.emplace(id, std::move(stream));
}

void Session::flush(yamux::StreamId id, Stream& stream) {
  yamux::Session& mux = connection_.mux();
  while (!stream.waiting.empty()) {
    const Slice front = stream.waiting.slices().front();
    const std::size_t taken = mux.write(id, front);
    stream.waiting.consume(taken);
    if (taken < front.size()) return;
  }
  // Not before the peer has agreed to the protocol: js drops the data behind a negotiation whose stream is
  // closed already.
  if (stream.finish_after && !stream.initiator) mux.finish(id);
}

/// True when bytes now belong to the protocol. Errors mean: no protocol on this stream.
Result<bool> Session::negotiate(yamux::StreamId id, Stream& stream, Instant now) {
  yamux::Session& mux = connection_.mux();
  while (stream.negotiating()) {
    const ByteView bytes = mux.readable(id);
    if (bytes.empty()) return false;
    auto taken = stream.initiator ? stream.initiator->receive(bytes) : stream.listener->receive(bytes);
    if (!taken) return fail(taken.error());
    mux.consume(id, *taken, now);
    const auto answer = stream.initiator ? stream.initiator->to_send() : stream.listener->to_send();
    if (!answer.empty()) {
      const std::size_t count = answer.size();
      Io(*this, id, stream, now).write(answer);
      stream.initiator ? stream.initiator->sent(count) : stream.listener->sent(count);
    }
    const auto outcome = stream.initiator ? stream.initiator->outcome() : stream.listener->outcome();
    if (!outcome) continue;
    if (!*outcome) return fail(Errc::protocol_refused);
    const bool inbound = stream.listener != nullptr;
    stream.listener.reset();
    stream.initiator.reset();
    flush(id, stream);
    if (inbound) {
      --negotiating_;
      start_inbound(id, stream, (*outcome)->protocol, now);
    } else if (!stream.handler && !stream.announced) {
      stream.protocol = (*outcome)->protocol;
      stream.announced = true;
      events_.push(
          app_stream::Event(app_stream::Opened{id, stream.protocol, Direction::outbound, stream.token}));
    }
    return find(id) != nullptr;
  }
  return true;
}

void Session::start_inbound(yamux::StreamId id, Stream& stream, const std::string& protocol, Instant now) {
  stream.protocol = protocol;
  std::size_t& count = inbound_by_protocol_[protocol];
  ++count;
  const InboundKind kind = inbound_kind(protocol, *setup_.local);
  if (count > streams_max(kind)) {
    env_->metrics.add("streams_refused", "reason=\"protocol_limit\"");
    connection_.mux().reset(id);
    forget(id);
    return;
  }
  if (kind == InboundKind::gossip) {
    if (gossip_in_) {  // a second inbound gossip stream replaces the first, as go does it
      connection_.mux().reset(gossip_in_);
      forget(gossip_in_);
    }
    gossip_in_ = id;
  }
  stream.handler = make_inbound_handler(kind, identified_, now);
  if (stream.handler) {
    with_handler(id, now, [](StreamHandler& handler, StreamIo& io) { return handler.on_open(io); });
    return;
  }
  stream.announced = true;
  events_.push(app_stream::Event(app_stream::Opened{id, protocol, Direction::inbound, 0}));
}

void Session::on_readable(yamux::StreamId id, Instant now) {
  Stream* stream = find(id);
  if (stream == nullptr) return;
  const auto ready = negotiate(id, *stream, now);
  if (!ready) {
    connection_.mux().reset(id);
    drop(id, ready.error(), now);
    return;
  }
  if (*ready) feed(id, now);
}

/// Hands readable bytes to the handler, or says to the application that there are some.
void Session::feed(yamux::StreamId id, Instant now) {
  Stream* stream = find(id);
  if (stream == nullptr || stream->negotiating()) return;
  yamux::Session& mux = connection_.mux();
  if (!stream->handler) {
    if (!mux.readable(id).empty()) {
      events_.push(app_stream::Event(app_stream::Readable{id}));
    } else if (stream->remote_finished && !stream->end_told) {
      stream->end_told = true;
      events_.push(app_stream::Event(app_stream::Ended{id}));
    }
    return;
  }
  while (true) {
    const ByteView bytes = mux.readable(id);
    if (bytes.empty()) break;
    std::size_t taken = 0;
    with_handler(id, now, [&](StreamHandler& handler, StreamIo& io) -> Result<void> {
      STARLING_ASSIGN(taken, handler.on_data(bytes, io));
      return {};
    });
    stream = find(id);
    if (stream == nullptr) return;
    if (taken == 0) return;
    mux.consume(id, taken, now);
  }
  if (stream->remote_finished && !stream->end_told) {
    stream->end_told = true;
    with_handler(id, now, [](StreamHandler& handler, StreamIo& io) { return handler.on_end(io); });
  }
}

void Session::on_remote_finished(yamux::StreamId id, Instant now) {
  Stream* stream = find(id);
  if (stream == nullptr) return;
  stream->remote_finished = true;
  if (stream->negotiating()) {
    const auto ready = negotiate(id, *stream, now);
    if (!ready || !*ready) {
      connection_.mux().reset(id);
      drop(id, make_error(Errc::protocol_refused), now);
      return;
    }
  }
  feed(id, now);
}

void Session::on_writable(yamux::StreamId id, Instant now) {
  Stream* stream = find(id);
  if (stream == nullptr) return;
  flush(id, *stream);
  if (!stream->waiting.empty()) return;
  if (stream->handler) {
    with_handler(id, now, [](StreamHandler& handler, StreamIo& io) { return handler.on_drained(io); });
    feed(id, now);
  } else if (stream->announced) {
    events_.push(app_stream::Event(app_stream::Writable{id}));
  }
}

template <class Call>
void Session::with_handler(yamux::StreamId id, Instant now, Call call) {
  Stream* stream = find(id);
  if (stream == nullptr || !stream->handler) return;
  Io io(*this, id, *stream, now);
  const Result<void> result = call(*stream->handler, io);
  if (io.reset_asked) {
    connection_.mux().reset(id);
    forget(id);
    return;
  }
  std::optional<Error> error;
  if (!result) {
    error = result.error();
  } else if (stream->waiting.size() > kStreamOutBytesMax && id != gossip_out_) {
    error = make_error(Errc::slow_peer);
  } else if (flush(id, *stream); !settle(*stream)) {
    env_->metrics.add("streams_evicted");
    error = make_error(Errc::no_memory);
  }
  if (error) {
    env_->metrics.add("stream_errors");
    connection_.mux().reset(id);
    drop(id, *error, now);
    return;
  }
  note_deadline(stream->handler->deadline());
}

bool Session::settle(Stream& stream) {
  const std::size_t held = stream.waiting.size() + (stream.handler ? stream.handler->held_bytes() : 0);
  ByteAccount& account = connection_.account();
  if (held > stream.reserved && !account.reserve(held - stream.reserved)) return false;
  if (held < stream.reserved) account.release(stream.reserved - held);
  stream.reserved = held;
  return true;
}

/// The stream ended against the handler's or the application's will.
void Session::drop(yamux::StreamId id, Error error, Instant now) {
  Stream* stream = find(id);
  if (stream == nullptr) return;
  if (stream->handler) {
    Io io(*this, id, *stream, now);
    const auto handler = std::move(stream->handler);
    handler->on_gone(error, io);
  } else if (stream->announced) {
    events_.push(app_stream::Event(app_stream::Gone{id, error}));
  } else if (stream->direction == Direction::outbound) {
    events_.push(app_stream::Event(app_stream::OpenFailed{stream->token, error}));
  }
  if (stream->announced) stream->announced = false;
  forget(id);
}

void Session::forget(yamux::StreamId id) {
  const auto it = streams_.find(id);
  if (it == streams_.end()) return;
  const Stream& stream = *it->second;
  if (stream.listener) --negotiating_;
  if (stream.direction == Direction::inbound && !stream.protocol.empty()) {
    const auto count = inbound_by_protocol_.find(stream.protocol);
    if (count != inbound_by_protocol_.end() && --count->second == 0) inbound_by_protocol_.erase(count);
  }
  if (stream.announced) events_.push(app_stream::Event(app_stream::Closed{id}));
  connection_.account().release(stream.reserved);
  for (yamux::StreamId* known : {&kad_stream_, &presence_stream_, &gossip_out_, &gossip_in_})
    if (*known == id) *known = yamux::StreamId();
  streams_.erase(it);
}

yamux::StreamId Session::open(std::string protocol, std::unique_ptr<StreamHandler> handler, Instant now) {
  const auto opened = connection_.upgraded() && !closed_
                          ? connection_.mux().open()
                          : Result<yamux::StreamId>(fail(Errc::connection_closed));
  if (!opened) {
    Stream none;
    none.direction = Direction::outbound;
    Io io(*this, yamux::StreamId(), none, now);
    handler->on_gone(opened.error(), io);
    return {};
  }
  auto owned = std::make_unique<Stream>();
  Stream& stream = *owned;
  stream.direction = Direction::outbound;
  stream.protocol = protocol;
  stream.initiator = std::make_unique<multistream::Initiator>(std::vector<std::string>{std::move(protocol)},
                                                              multistream::Lazy::yes, now);
  stream.handler = std::move(handler);
  note_deadline(stream.initiator->deadline());
  streams_.emplace(*opened, std::move(owned));
  const ByteView proposal = stream.initiator->to_send();
  Io(*this, *opened, stream, now).write(proposal);
  stream.initiator->sent(proposal.size());
  with_handler(*opened, now, [](StreamHandler& h, StreamIo& io) { return h.on_open(io); });
  return find(*opened) != nullptr ? *opened : yamux::StreamId();
}

void Session::command_to(yamux::StreamId id, StreamCommand command, Instant now) {
  with_handler(id, now, [&](StreamHandler& handler, StreamIo& io) {
    return handler.on_command(std::move(command), io);
  });
}

void Session::apply(down::AskKad command, Instant now) {
  ask(std::move(command), now);
  drain_mux(now);
}

void Session::ask(down::AskKad command, Instant now) {
  if (!kad_stream_) {
    kad_stream_ = open(setup_.local->kad_protocol, make_kad_asker(), now);
  }
  if (!kad_stream_) {
    events_.push(EdgeEvent(up::KadAnswered{command.request.id, fail(Errc::too_many_streams)}));
    return;
  }
  command_to(kad_stream_, std::move(command), now);
}

void Session::apply(down::AnswerKad command, Instant now) {
  const yamux::StreamId id(command.to.stream);
  command_to(id, std::move(command), now);
  if (connection_.upgraded()) {
    feed(id, now);  // the next request may wait already
    drain_mux(now);
  }
}

void Session::apply(down::OpenGossip command, Instant now) {
  if (gossip_out_ || closed_) return;
  gossip_out_ =
      open(std::string(gossip_protocol_id(command.protocol)), make_gossip_sender(command.protocol), now);
  drain_mux(now);
}

void Session::apply(down::SendGossip command, Instant now) {
  if (!gossip_out_) return;
  command_to(gossip_out_, std::move(command), now);
}

void Session::apply(down::AskPresence command, Instant now) {
  if (!presence_stream_)
    presence_stream_ = open(std::string(agent::kPresenceProtocol), make_presence_asker(), now);
  if (!presence_stream_) {
    events_.push(EdgeEvent(up::PresenceAnswered{command.ask, fail(Errc::too_many_streams)}));
    return;
  }
  command_to(presence_stream_, std::move(command), now);
}

void Session::apply(down::AnswerPresence command, Instant now) {
  const yamux::StreamId id(command.to.stream);
  command_to(id, std::move(command), now);
  if (connection_.upgraded()) {
    feed(id, now);  // the next request may wait already
    drain_mux(now);
  }
}

void Session::apply(down::Ping command, Instant now) {
  open(std::string(ping::kProtocolId), make_ping_asker(command.ask), now);
  if (connection_.upgraded()) drain_mux(now);
}

void Session::apply(const down::SetLocal& command, Instant now) {
  setup_.local = command.info;
  const bool wants_push = command.push && identified_ && connection_.upgraded() &&
                          std::find(identified_->protocols.begin(), identified_->protocols.end(),
                                    identify::kPushProtocolId) != identified_->protocols.end();
  if (!wants_push) return;
  open(std::string(identify::kPushProtocolId), make_identify_teller(), now);
  drain_mux(now);
}

void Session::open_stream(std::uint64_t token, std::vector<std::string> protocols, multistream::Lazy mode,
                          Instant now) {
  const auto opened = connection_.upgraded() && !closed_
                          ? connection_.mux().open()
                          : Result<yamux::StreamId>(fail(Errc::connection_closed));
  if (!opened) {
    events_.push(app_stream::Event(app_stream::OpenFailed{token, opened.error()}));
    return;
  }
  const bool lazy = mode == multistream::Lazy::yes && protocols.size() == 1;
  auto owned = std::make_unique<Stream>();
  Stream& stream = *owned;
  stream.direction = Direction::outbound;
  stream.token = token;
  stream.protocol = protocols.front();
  stream.initiator = std::make_unique<multistream::Initiator>(
      std::move(protocols), lazy ? multistream::Lazy::yes : multistream::Lazy::no, now);
  note_deadline(stream.initiator->deadline());
  streams_.emplace(*opened, std::move(owned));
  const ByteView proposal = stream.initiator->to_send();
  Io(*this, *opened, stream, now).write(proposal);
  stream.initiator->sent(proposal.size());
  if (!lazy) return;
  stream.announced = true;
  events_.push(app_stream::Event(app_stream::Opened{*opened, stream.protocol, Direction::outbound, token}));
}

std::size_t Session::write(yamux::StreamId id, ByteView bytes) {
  Stream* stream = find(id);
  if (stream == nullptr || !stream->waiting.empty()) return 0;
  return connection_.mux().write(id, bytes);
}

std::size_t Session::write(yamux::StreamId id, const Slice& bytes) {
  Stream* stream = find(id);
  if (stream == nullptr || !stream->waiting.empty()) return 0;
  return connection_.mux().write(id, bytes);
}

std::size_t Session::writable(yamux::StreamId id) const {
  return connection_.upgraded() && streams_.contains(id) ? connection_.mux().writable(id) : 0;
}

ByteView Session::readable(yamux::StreamId id) const {
  const auto it = streams_.find(id);
  if (it == streams_.end() || it->second->negotiating()) return {};
  return connection_.mux().readable(id);
}

void Session::consume(yamux::StreamId id, std::size_t count, Instant now) {
  if (find(id) == nullptr) return;
  connection_.mux().consume(id, count, now);
  if (connection_.mux().readable(id).empty()) feed(id, now);  // the end may be due
  drain_mux(now);
}

void Session::finish(yamux::StreamId id, Instant now) {
  Stream* stream = find(id);
  if (stream == nullptr) return;
  stream->finish_after = true;
  flush(id, *stream);
  drain_mux(now);
}

void Session::reset(yamux::StreamId id, Instant now) {
  Stream* stream = find(id);
  if (stream == nullptr) return;
  stream->announced = false;
  connection_.mux().reset(id);
  forget(id);
  drain_mux(now);
}

}  // namespace starling::node
