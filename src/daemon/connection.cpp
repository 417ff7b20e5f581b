#include "daemon/connection.hpp"

#include <boost/asio/write.hpp>

#include "daemon/codec.hpp"
#include "daemon/limits.hpp"
#include "daemon/reply.hpp"
#include "daemon/requests.hpp"
#include "daemon/splice.hpp"
#include "daemon/texts.hpp"

namespace starling::daemon {

Connection::Connection(Desk& desk, Socket socket)
    : desk_(desk),
      seat_(desk.connections),
      socket_(std::move(socket)),
      timer_(desk.loop.context()),
      frames_(kRequestBytesMax) {
  boost::system::error_code ignored;
  socket_.non_blocking(true, ignored);
}

Connection::~Connection() {
  if (subscription_) desk_.subscriptions.remove(*subscription_);
}

void Connection::start() { next_request(); }

// ---------------------------------------------------------------------------------------------- requests

void Connection::read() {
  socket_.async_wait(Socket::wait_read, [self = shared_from_this()](boost::system::error_code error) {
    if (error || self->phase_ != Phase::waiting) return;
    self->buffer_.resize(kSpliceBytes);
    const std::size_t count = self->socket_.read_some(asio::buffer(self->buffer_), error);
    if (error == asio::error::would_block || error == asio::error::interrupted) return self->read();
    if (error) return self->close();
    self->frames_.receive(ByteView(self->buffer_).first(count));
    Bytes().swap(self->buffer_);
    self->next_request();
  });
}

void Connection::next_request() {
  const auto frame = frames_.next();
  if (!frame) return refuse(frame.error().message());
  if (!*frame) return read();
  auto request = decode_request(**frame);
  if (request) return begin_request(*std::move(request));
  if (!request.error().is(Errc::unknown_type)) return refuse(request.error().message());
  ++ticket_;
  phase_ = Phase::working;
  Response response;
  response.error = "Unexpected request";
  answer(ticket_, response);
}

void Connection::begin_request(Request request) {
  ++ticket_;
  phase_ = Phase::working;
  begin_deadline(time_of(request, desk_.limits.request_time));
  run(desk_, std::move(request), Reply(shared_from_this(), desk_.loop, ticket_));
}

void Connection::begin_deadline(std::chrono::milliseconds time) {
  timer_.expires_after(time);
  timer_.async_wait([self = shared_from_this(), ticket = ticket_](boost::system::error_code error) {
    if (!error) self->on_deadline(ticket);
  });
}

void Connection::on_deadline(std::uint64_t ticket) {
  if (is_current(ticket, Phase::listing)) return end_list(ticket);
  Response response;
  response.error = "the request took longer than its time";
  answer(ticket, response);
}

/// Bytes that are no request: what follows them cannot be read either.
void Connection::refuse(std::string_view why) {
  phase_ = Phase::closing;
  Response response;
  response.error = std::string(why);
  send(encode(response));
}

void Connection::answer(std::uint64_t ticket, const Response& response) {
  if (!is_current(ticket, Phase::working)) return;
  end_request();
  send(encode(response));
}

void Connection::end_request() {
  timer_.cancel();
  phase_ = Phase::waiting;
  ++ticket_;  // a second answer finds nothing
  if (!subscription_) return;
  desk_.subscriptions.remove(*subscription_);
  subscription_.reset();
}

void Connection::begin_list(std::uint64_t ticket) {
  if (!is_current(ticket, Phase::working)) return;
  phase_ = Phase::listing;
  Response response;
  response.dht.emplace();
  send(encode(response));
}

void Connection::add_to_list(std::uint64_t ticket, const DhtResponse& response) {
  if (is_current(ticket, Phase::listing)) send(encode(response));
}

void Connection::end_list(std::uint64_t ticket) {
  if (!is_current(ticket, Phase::listing)) return;
  end_request();
  DhtResponse response;
  response.type = DhtResponseType::end;
  send(encode(response));
}

void Connection::become_stream(std::uint64_t ticket, Stream stream) {
  if (!is_current(ticket, Phase::working)) return;
  timer_.cancel();
  phase_ = Phase::stream;
  stream_ = std::move(stream);
  Response response;
  response.stream_info = {peer_bytes(stream_.peer()), address_bytes(stream_.remote_address()),
                          stream_.protocol()};
  send(encode(response));
}

// ---------------------------------------------------------------------------------------------- subscription

void Connection::subscribe(std::uint64_t ticket, const std::string& topic) {
  if (!is_current(ticket, Phase::working)) return;
  const auto added = desk_.subscriptions.add(
      topic,
      [weak = weak_from_this()](const Subscriptions::Frame& frame) {
        const auto self = weak.lock();
        return self == nullptr || self->deliver(frame);
      },
      [self = shared_from_this(), ticket](const Outcome<void>& subscribed) {
        self->desk_.loop.post([self, ticket, subscribed] { self->on_subscribed(ticket, subscribed); });
      });
  if (added) {
    subscription_ = *added;
    return;
  }
  Response response;
  response.error = std::string(added.error().message());
  answer(ticket, response);
}

void Connection::on_subscribed(std::uint64_t ticket, const Outcome<void>& subscribed) {
  if (!is_current(ticket, Phase::working)) return;
  Response response;
  if (!subscribed) {
    response.error = subscribed.failure().message;
    return answer(ticket, response);
  }
  timer_.cancel();
  phase_ = Phase::subscriber;
  send(encode(response));
  watch_subscriber();
}

/// False when it has no room.
bool Connection::deliver(const Subscriptions::Frame& frame) {
  if (phase_ != Phase::subscriber) return true;
  const bool full = out_.size() >= kSubscriberMessagesMax || out_bytes_ + frame->size() > kSubscriberBytesMax;
  if (!full) send_frame(frame);
  return !full;
}

/// A subscriber has nothing more to say; the end of what it says ends the subscription.
void Connection::watch_subscriber() {
  socket_.async_wait(Socket::wait_read, [self = shared_from_this()](boost::system::error_code error) {
    if (error || self->phase_ != Phase::subscriber) return;
    std::array<std::uint8_t, 4096> ignored{};
    self->socket_.read_some(asio::buffer(ignored), error);
    if (error && error != asio::error::would_block && error != asio::error::interrupted) return self->close();
    self->watch_subscriber();
  });
}

// ---------------------------------------------------------------------------------------------- sending

void Connection::send(Bytes body) { send_frame(std::make_shared<const Bytes>(format::make_frame(body))); }

void Connection::send_frame(Subscriptions::Frame frame) {
  out_bytes_ += frame->size();
  out_.push_back(std::move(frame));
  if (!writing_) write_next();
}

void Connection::write_next() {
  writing_ = true;
  asio::async_write(socket_, asio::buffer(*out_.front()),
                    [self = shared_from_this()](boost::system::error_code error, std::size_t) {
                      if (error) return self->close();
                      self->writing_ = false;
                      self->out_bytes_ -= self->out_.front()->size();
                      self->out_.pop_front();
                      if (!self->out_.empty()) return self->write_next();
                      self->on_all_sent();
                    });
}

/// The next request is only looked at now: who does not read answers is not served either.
void Connection::on_all_sent() {
  if (phase_ == Phase::waiting) return next_request();
  if (phase_ == Phase::closing) return close();
  if (phase_ != Phase::stream) return;
  desk_.loop.make<Splice>(desk_.loop, std::move(socket_), std::move(stream_), std::move(seat_))
      ->start(frames_.take_rest());
}

void Connection::close() {
  phase_ = Phase::closing;
  ++ticket_;
  timer_.cancel();
  stream_ = Stream();
  if (subscription_) desk_.subscriptions.remove(*subscription_);
  subscription_.reset();
  boost::system::error_code ignored;
  socket_.close(ignored);
}

}  // namespace starling::daemon
