#include "sdk/streams.hpp"

namespace starling::sdk {

void HandlerTable::set(std::string protocol, Host::StreamHandler handler) {
  const std::lock_guard lock(mutex_);
  handlers_[std::move(protocol)] = std::make_shared<const Host::StreamHandler>(std::move(handler));
}

std::shared_ptr<const Host::StreamHandler> HandlerTable::find(std::string_view protocol) const {
  const std::lock_guard lock(mutex_);
  const auto it = handlers_.find(protocol);
  return it == handlers_.end() ? nullptr : it->second;
}

std::vector<std::string> HandlerTable::protocols() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [name, handler] : handlers_) names.push_back(name);
  return names;
}

StreamTable::StreamPtr StreamTable::find(node::ConnId conn, yamux::StreamId stream) const {
  const auto it = streams_.find({conn, stream});
  return it == streams_.end() ? nullptr : it->second;
}

StreamTable::StreamPtr StreamTable::add(const node::Session& session, yamux::StreamId id,
                                        std::string protocol, node::Direction direction) {
  auto stream = std::make_shared<StreamState>(inbox_, *this, session.id(), id, std::move(protocol),
                                              session.peer()->id, session.remote(), direction);
  streams_.emplace(Key{session.id(), id}, stream);
  return stream;
}

void StreamTable::on_stream_event(node::Session& session, node::app_stream::Event event, Now now) {
  using namespace node::app_stream;
  if (auto* opened = std::get_if<Opened>(&event)) return on_opened(session, *opened, now);
  if (auto* failed = std::get_if<OpenFailed>(&event)) {
    auto waiting = opening_.extract(failed->token);
    if (!waiting.empty()) waiting.mapped().fail(failed->error);
    return;
  }
  const auto id = std::visit(
      [](const auto& typed) {
        if constexpr (requires { typed.stream; })
          return typed.stream;
        else
          return yamux::StreamId();
      },
      event);
  const StreamPtr stream = find(session.id(), id);
  if (!stream) return;
  if (std::holds_alternative<Readable>(event)) {
    serve_reads(&session, stream, now);
  } else if (std::holds_alternative<Writable>(event)) {
    serve_writes(&session, stream, now);
  } else if (std::holds_alternative<Ended>(event)) {
    stream->ended = true;
    serve_reads(&session, stream, now);
  } else if (const auto* gone = std::get_if<Gone>(&event)) {
    end(stream, gone->error);
  } else if (std::holds_alternative<Closed>(event)) {
    stream->ended = true;
    end(stream, std::nullopt);
  }
}

void StreamTable::on_opened(node::Session& session, node::app_stream::Opened& event, Now now) {
  if (event.direction == node::Direction::outbound) {
    auto waiting = opening_.extract(event.token);
    if (waiting.empty()) return;
    const StreamPtr stream = add(session, event.stream, std::move(event.protocol), event.direction);
    waiting.mapped()(Stream(stream));
    return;
  }
  const auto handler = handlers_->find(event.protocol);
  if (!handler) {
    session.reset(event.stream, now.mono);
    return;
  }
  const StreamPtr stream = add(session, event.stream, std::move(event.protocol), event.direction);
  (*handler)(Stream(stream));
}

void StreamTable::open(runtime::Shard& shard, node::ConnId conn, std::vector<std::string> protocols,
                       Agreement agreement, Owed<Stream> done) {
  node::Session* session = shard.session(conn);
  if (session == nullptr || protocols.empty()) {
    done.fail(
        node::make_error(session == nullptr ? node::Errc::not_connected : node::Errc::protocol_refused));
    return;
  }
  const std::uint64_t token = next_token_++;
  opening_.emplace(token, std::move(done));
  const auto lazy = agreement == Agreement::presumed ? multistream::Lazy::yes : multistream::Lazy::no;
  session->open_stream(token, std::move(protocols), lazy, shard.now().mono);
  shard.touch(conn);
}

void StreamTable::read(runtime::Shard& shard, const StreamPtr& stream, Owed<ByteSpan> done) {
  if (stream->reader) {
    done(Failure{std::string(to_string(Kind::internal)), "sdk/read", "one read at a time"});
    return;
  }
  stream->reader = std::move(done);
  serve_reads(shard.session(stream->conn), stream, shard.now());
  shard.touch(stream->conn);
}

/// Calls back as long as there is both something to read and somebody who wants it. A read from within the
/// callback is served by the same loop, so that a fast reader does not grow the stack.
void StreamTable::serve_reads(node::Session* session, const StreamPtr& stream, Now now) {
  if (stream->in_read) return;
  stream->in_read = true;
  while (stream->abandoned && session != nullptr && !session->readable(stream->id).empty())
    session->consume(stream->id, session->readable(stream->id).size(), now.mono);
  while (stream->reader) {
    const ByteView bytes = session == nullptr || stream->over ? ByteView() : session->readable(stream->id);
    if (!bytes.empty()) {
      Owed<ByteSpan> reader = std::move(stream->reader);
      reader(ByteSpan(bytes));
      session->consume(stream->id, bytes.size(), now.mono);
    } else if (stream->error) {
      Owed<ByteSpan> reader = std::move(stream->reader);
      reader.fail(*stream->error);
    } else if (stream->ended || stream->over) {
      Owed<ByteSpan> reader = std::move(stream->reader);
      reader(ByteSpan());
    } else {
      break;
    }
  }
  stream->in_read = false;
}

void StreamTable::write(runtime::Shard& shard, const StreamPtr& stream, ByteView bytes, Owed<void> done) {
  if (stream->over || stream->finish_after) {
    done.fail(stream->error.value_or(node::make_error(node::Errc::stream_reset)));
    return;
  }
  node::Session* session = shard.session(stream->conn);
  std::size_t taken = 0;
  if (session != nullptr && stream->waiting.empty()) taken = session->write(stream->id, bytes);
  stream->accepted += taken;
  stream->written += bytes.size();
  if (taken < bytes.size()) append(stream->waiting, bytes.subspan(taken));
  if (done) stream->writers.push({stream->written, std::move(done)});
  serve_writes(session, stream, shard.now());
  shard.touch(stream->conn);
}

void StreamTable::serve_writes(node::Session* session, const StreamPtr& stream, Now now) {
  if (stream->in_write) return;
  stream->in_write = true;
  while (true) {
    if (session != nullptr && !stream->over && !stream->waiting.empty()) {
      const ByteView rest = ByteView(stream->waiting).subspan(stream->waiting_begin);
      const std::size_t taken = session->write(stream->id, rest);
      stream->accepted += taken;
      stream->waiting_begin += taken;
      if (stream->waiting_begin == stream->waiting.size()) {
        Bytes().swap(stream->waiting);
        stream->waiting_begin = 0;
      }
    }
    if (stream->writers.empty() || stream->writers.front().first > stream->accepted) break;
    Owed<void> done = stream->writers.pop().second;
    done({});
  }
  stream->in_write = false;
  if (session != nullptr && stream->finish_after && stream->waiting.empty() && !stream->over)
    session->finish(stream->id, now.mono);
}

void StreamTable::finish(runtime::Shard& shard, const StreamPtr& stream) {
  if (stream->over || stream->finish_after) return;
  stream->finish_after = true;
  serve_writes(shard.session(stream->conn), stream, shard.now());
  shard.touch(stream->conn);
}

void StreamTable::reset(runtime::Shard& shard, const StreamPtr& stream) {
  if (stream->over) return;
  if (node::Session* session = shard.session(stream->conn)) {
    session->reset(stream->id, shard.now().mono);
    shard.touch(stream->conn);
  }
  end(stream, node::make_error(node::Errc::stream_reset));
}

void StreamTable::abandon(runtime::Shard& shard, const StreamPtr& stream) {
  if (stream->over) return;
  if (!stream->finish_after) return reset(shard, stream);
  stream->abandoned = true;
  serve_reads(shard.session(stream->conn), stream, shard.now());
  shard.touch(stream->conn);
}

/// No more events will come. Who still waits is told why.
void StreamTable::end(const StreamPtr& stream, std::optional<Error> error) {
  if (stream->over) return;
  stream->over = true;
  stream->error = error;
  streams_.erase({stream->conn, stream->id});
  Bytes().swap(stream->waiting);
  auto writers = std::exchange(stream->writers, {});
  while (!writers.empty())
    writers.pop().second.fail(error.value_or(node::make_error(node::Errc::connection_closed)));
  serve_reads(nullptr, stream, Now{});
}

}  // namespace starling::sdk

namespace starling {

Stream::Stream(std::shared_ptr<sdk::StreamState> state) noexcept : state_(std::move(state)) {
  state_->handles.fetch_add(1, std::memory_order_relaxed);
}

Stream::Stream(const Stream& other) noexcept : state_(other.state_) {
  if (state_) state_->handles.fetch_add(1, std::memory_order_relaxed);
}

Stream& Stream::operator=(Stream other) noexcept {
  std::swap(state_, other.state_);
  return *this;
}

Stream::~Stream() { release(); }

void Stream::release() noexcept {
  if (!state_ || state_->handles.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  const auto inbox = state_->inbox;
  sdk::on_shard(inbox,
                [state = std::move(state_)](runtime::Shard& shard) { state->table->abandon(shard, state); });
}

const std::string& Stream::protocol() const noexcept { return state_->protocol; }
std::string Stream::peer() const { return state_->peer.to_string(); }
std::string Stream::remote_address() const { return state_->remote.without_peer_id().to_string(); }
bool Stream::inbound() const noexcept { return state_->direction == node::Direction::inbound; }

void Stream::read(ReadDone done) {
  sdk::on_shard(state_->inbox,
                [state = state_, owed = sdk::Owed<ByteSpan>(std::move(done))](runtime::Shard& shard) mutable {
                  state->table->read(shard, state, std::move(owed));
                });
}

void Stream::write(ByteSpan bytes, WriteDone done) {
  if (runtime::Shard* here = state_->inbox->shard_here()) {
    const runtime::Shard::Turn turn(*here);
    const auto state = state_;
    state->table->write(*here, state, bytes, sdk::Owed<void>(std::move(done)));
    return;
  }
  state_->inbox->post(
      [state = state_, copy = to_bytes(bytes), owed = sdk::Owed<void>(std::move(done))](
          runtime::Shard& shard, Now) mutable { state->table->write(shard, state, copy, std::move(owed)); });
}

void Stream::finish() {
  sdk::on_shard(state_->inbox,
                [state = state_](runtime::Shard& shard) { state->table->finish(shard, state); });
}

void Stream::reset() {
  sdk::on_shard(state_->inbox,
                [state = state_](runtime::Shard& shard) { state->table->reset(shard, state); });
}

std::string Connection::peer() const { return state_->peer.to_string(); }
std::string Connection::remote_address() const { return state_->remote.without_peer_id().to_string(); }

void Connection::open_stream(std::vector<std::string> protocols, OpenDone done, Agreement agreement) const {
  sdk::on_shard(state_->inbox, [state = state_, protocols = std::move(protocols), agreement,
                                owed = sdk::Owed<Stream>(std::move(done))](runtime::Shard& shard) mutable {
    state->table->open(shard, state->conn, std::move(protocols), agreement, std::move(owed));
  });
}

void Connection::post(std::function<void()> work) const {
  sdk::on_shard(state_->inbox, [work = std::move(work)](runtime::Shard&) { work(); });
}

}  // namespace starling
