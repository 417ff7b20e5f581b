#include "daemon/handlers.hpp"

#include <atomic>
#include <boost/asio/write.hpp>

#include "daemon/codec.hpp"
#include "daemon/limits.hpp"
#include "daemon/splice.hpp"
#include "daemon/texts.hpp"
#include "format/varint.hpp"

namespace starling::daemon {

/// One stream on its way to its handler.
struct Handlers::Dial : std::enable_shared_from_this<Dial> {
  Dial(ControlLoop& own_loop, Stream own_stream, Seat own_seat)
      : loop(own_loop),
        socket(loop.context()),
        timer(loop.context()),
        stream(std::move(own_stream)),
        seat(std::move(own_seat)) {}

  void start(const Endpoint& where) {
    timer.expires_after(kHandlerDialTime);
    timer.async_wait([self = shared_from_this()](boost::system::error_code error) {
      if (!error) self->socket.close(error);  // what is under way ends with an error
    });
    socket.async_connect(where, [self = shared_from_this()](boost::system::error_code error) {
      if (error) return self->give_up();
      self->greet();
    });
  }

  void greet() {
    hello = format::make_frame(encode(
        StreamInfo{peer_bytes(stream.peer()), address_bytes(stream.remote_address()), stream.protocol()}));
    asio::async_write(socket, asio::buffer(hello),
                      [self = shared_from_this()](boost::system::error_code error, std::size_t) {
                        if (error) return self->give_up();
                        self->timer.cancel();
                        self->loop
                            .make<Splice>(self->loop, std::move(self->socket), std::move(self->stream),
                                          std::move(self->seat))
                            ->start({});
                      });
  }

  void give_up() {
    timer.cancel();
    stream.reset();
  }

  ControlLoop& loop;
  Socket socket;
  asio::steady_timer timer;
  Stream stream;
  Seat seat;
  Bytes hello;
};

Result<void> Handlers::set(const std::vector<std::string>& protocols, const Endpoint& where,
                           Host::Done<void> done) {
  const std::set<std::string> distinct(protocols.begin(), protocols.end());
  const auto known = static_cast<std::size_t>(std::count_if(
      distinct.begin(), distinct.end(), [this](const auto& name) { return handlers_.contains(name); }));
  if (handlers_.size() + distinct.size() - known > kHandlersMax) return fail(Errc::too_many_handlers);
  if (distinct.empty()) {
    done({});
    return {};
  }
  // Those that have a handler are set again: the host may not have taken the first time to heart yet.
  const auto missing = std::make_shared<std::atomic<std::size_t>>(distinct.size());
  const auto shared_done = std::make_shared<Host::Done<void>>(std::move(done));
  for (const auto& protocol : distinct) {
    handlers_.insert_or_assign(protocol, where);
    host_.set_stream_handler(
        protocol,
        [this](Stream stream) {
          loop_.post([this, stream = std::move(stream)]() mutable { on_stream(std::move(stream)); });
        },
        [missing, shared_done](const Outcome<void>& outcome) {
          if (--*missing == 0) (*shared_done)(outcome);
        });
  }
  return {};
}

void Handlers::on_stream(Stream stream) {
  const auto handler = handlers_.find(stream.protocol());
  if (handler == handlers_.end() || streams_ >= limits_.handler_streams) return stream.reset();
  loop_.make<Dial>(loop_, std::move(stream), Seat(streams_))->start(handler->second);
}

}  // namespace starling::daemon
