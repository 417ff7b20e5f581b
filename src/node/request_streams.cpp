#include "node/request_streams.hpp"

#include "agent/limits.hpp"
#include "format/varint.hpp"
#include "kad/client_stream.hpp"
#include "kad/server_stream.hpp"
#include "node/errors.hpp"
#include "node/limits.hpp"
#include "node/protocol_streams.hpp"

namespace starling::node {
namespace {

class KadAnswerer final : public StreamHandler {
 public:
  explicit KadAnswerer(Instant now) : server_(now) {}

  Result<std::size_t> on_data(ByteView bytes, StreamIo& io) override {
    if (io.room() == 0 || !server_.wants_bytes()) return 0;
    STARLING_TRY(server_.receive(bytes, io.now()));
    STARLING_TRY(ask_next(io));
    return bytes.size();
  }
  Result<void> on_command(StreamCommand command, StreamIo& io) override {
    auto& answer = std::get<down::AnswerKad>(command).answer;
    if (!answer) return fail(answer.error());
    if (*answer)
      server_.respond(**answer, io.now());
    else
      server_.no_response(io.now());
    const ByteView bytes = server_.to_send();
    io.write(bytes);
    server_.sent(bytes.size());
    return ask_next(io);
  }
  Result<void> on_end(StreamIo& io) override {
    server_.on_remote_closed();
    if (server_.finished()) io.finish();
    return {};
  }
  Instant deadline() const override { return server_.deadline(); }
  Result<void> on_deadline(StreamIo& io) override { return server_.on_deadline(io.now()); }
  std::size_t held_bytes() const override { return server_.buffered_bytes(); }

 private:
  Result<void> ask_next(StreamIo& io) {
    STARLING_ASSIGN(auto request, server_.poll());
    if (request)
      io.tell(up::KadAsked{{io.conn(), io.stream().value()}, *std::move(request)});
    else if (server_.finished())
      io.finish();
    return {};
  }
  kad::ServerStream server_;
};

/// One question at a time. A server lets a stream go when it has been idle, or because of something that it
/// was told before: a question that crosses with that is asked again on a fresh stream, once, for a fresh one
/// has no such excuse.
class KadAsker final : public StreamHandler {
 public:
  Result<std::size_t> on_data(ByteView bytes, StreamIo& io) override {
    STARLING_TRY(client_.receive(bytes, io.now()));
    while (auto answer = client_.poll()) {
      used_ = true;
      asked_.reset();
      io.tell(up::KadAnswered{answer->id, std::move(answer->message)});
    }
    send_next(io);
    return bytes.size();
  }
  Result<void> on_command(StreamCommand command, StreamIo& io) override {
    kad::SendRequest& request = std::get<down::AskKad>(command).request;
    if (waiting_.size() >= kPendingAsksMax)
      io.tell(up::KadAnswered{request.id, fail(Errc::too_many_streams)});
    else
      waiting_.push(std::move(request));
    send_next(io);
    return {};
  }
  Result<void> on_end(StreamIo& io) override {
    STARLING_TRY(client_.on_remote_closed());
    if (!waiting_.empty()) return fail(Errc::stream_reset);
    io.finish();
    return {};
  }
  void on_gone(Error error, StreamIo& io) override {
    const bool aged = used_ && error.kind() != Kind::timeout;
    const auto give_up = [&](const kad::SendRequest& request) {
      if (!aged || !io.ask_again(request)) io.tell(up::KadAnswered{request.id, fail(error)});
    };
    if (asked_) give_up(*asked_);
    for (const auto& request : waiting_) give_up(request);
  }
  Instant deadline() const override { return client_.deadline(); }
  Result<void> on_deadline(StreamIo& io) override { return client_.on_deadline(io.now()); }
  std::size_t held_bytes() const override { return client_.buffered_bytes(); }

 private:
  void send_next(StreamIo& io) {
    while (client_.ready() && !waiting_.empty()) {
      kad::SendRequest request = waiting_.pop();
      client_.send(request, io.now());
      const ByteView bytes = client_.to_send();
      io.write(bytes);
      client_.sent(bytes.size());
      if (request.expects_response) {
        asked_ = std::move(request);
      } else {
        used_ = true;
        io.tell(up::KadAnswered{request.id, std::optional<kad::Message>()});
      }
    }
  }
  kad::ClientStream client_;
  std::optional<kad::SendRequest> asked_;  ///< and not answered yet
  Fifo<kad::SendRequest> waiting_;
  bool used_ = false;  ///< answered a question, or was told something, before
};

class PresenceAnswerer final : public StreamHandler {
 public:
  explicit PresenceAnswerer(Instant now) : idle_at_(now + kStreamIdleTimeout) {}

  Result<std::size_t> on_data(ByteView bytes, StreamIo& io) override {
    if (answering_ || io.room() == 0) return 0;
    // One question at a time: a frame is a length byte and 20 bytes, so no more than that is taken.
    const std::size_t take = std::min<std::size_t>(bytes.size(), 21 - frames_.buffered_bytes());
    frames_.receive(bytes.first(take));
    STARLING_ASSIGN(const auto body, frames_.next());
    if (!body) return take;
    STARLING_ASSIGN(const EthAddress wallet, EthAddress::from_bytes(*body));
    answering_ = true;
    io.tell(up::PresenceAsked{{io.conn(), io.stream().value()}, wallet});
    return take;
  }
  Result<void> on_command(StreamCommand command, StreamIo& io) override {
    answering_ = false;
    idle_at_ = io.now() + kStreamIdleTimeout;
    io.write(format::make_frame(std::get<down::AnswerPresence>(command).record));
    return {};
  }
  Result<void> on_end(StreamIo& io) override {
    if (frames_.in_frame()) return fail(Errc::bad_answer);
    io.finish();
    return {};
  }
  Instant deadline() const override { return idle_at_; }
  Result<void> on_deadline(StreamIo& io) override {
    return io.now() < idle_at_ ? Result<void>() : fail(Errc::stream_timeout);
  }
  std::size_t held_bytes() const override { return frames_.buffered_bytes(); }

 private:
  format::FrameReader frames_{20};
  bool answering_ = false;
  Instant idle_at_;
};

class PresenceAsker final : public StreamHandler {
 public:
  Result<std::size_t> on_data(ByteView bytes, StreamIo& io) override {
    frames_.receive(bytes);
    while (true) {
      STARLING_ASSIGN(const auto body, frames_.next());
      if (!body) return bytes.size();
      if (waiting_.empty()) return fail(Errc::bad_answer);
      io.tell(up::PresenceAnswered{waiting_.pop(), to_bytes(*body)});
      due_ = waiting_.empty() ? Instant::never() : io.now() + kPresenceTimeout;
    }
  }
  Result<void> on_command(StreamCommand command, StreamIo& io) override {
    const auto& ask = std::get<down::AskPresence>(command);
    if (waiting_.size() >= kPendingAsksMax) {
      io.tell(up::PresenceAnswered{ask.ask, fail(Errc::too_many_streams)});
      return {};
    }
    if (waiting_.empty()) due_ = io.now() + kPresenceTimeout;
    waiting_.push(ask.ask);
    io.write(format::make_frame(ask.wallet.bytes()));
    return {};
  }
  Result<void> on_end(StreamIo& io) override {
    if (!waiting_.empty()) return fail(Errc::stream_reset);
    io.finish();
    return {};
  }
  void on_gone(Error error, StreamIo& io) override {
    for (const AskId ask : waiting_) io.tell(up::PresenceAnswered{ask, fail(error)});
  }
  Instant deadline() const override { return due_; }
  Result<void> on_deadline(StreamIo& io) override {
    return io.now() < due_ ? Result<void>() : fail(Errc::stream_timeout);
  }
  std::size_t held_bytes() const override { return frames_.buffered_bytes(); }

 private:
  format::FrameReader frames_{agent::kPresenceBytesMax};
  Fifo<AskId> waiting_;
  Instant due_ = Instant::never();
};

}  // namespace

std::unique_ptr<StreamHandler> make_kad_answerer(Instant now) { return std::make_unique<KadAnswerer>(now); }
std::unique_ptr<StreamHandler> make_presence_answerer(Instant now) {
  return std::make_unique<PresenceAnswerer>(now);
}
std::unique_ptr<StreamHandler> make_kad_asker() { return std::make_unique<KadAsker>(); }
std::unique_ptr<StreamHandler> make_presence_asker() { return std::make_unique<PresenceAsker>(); }

}  // namespace starling::node
