#pragma once
#include <deque>
#include <memory>
#include <optional>

#include "daemon/desk.hpp"
#include "daemon/messages.hpp"
#include "format/varint.hpp"

namespace starling::daemon {

/// One control connection: requests one after the other, each answered before the next is read, until one
/// turns it into a stream or a subscription.
///
/// - A request that takes longer than it may is answered with an error; what comes of it later is dropped. A
///   stream that comes too late is reset.
/// - Bytes that are no request are answered with an error and end the connection; a request of an unknown
/// kind
///   is answered with an error only.
/// - A subscriber that does not read loses messages (kSubscriberMessagesMax, kSubscriberBytesMax), the newest
///   first; other subscribers do not notice.
///
/// Lifetime: kept by its own operations and by the Reply of the request under way. All on the loop's thread.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Desk& desk, Socket socket);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();
  void start();

  // --- for Reply: of the request `ticket`; nothing happens when that is over ---
  void answer(std::uint64_t ticket, const Response& response);
  /// BEGIN of a DHT answer; VALUEs follow, end_list() ends it.
  void begin_list(std::uint64_t ticket);
  void add_to_list(std::uint64_t ticket, const DhtResponse& response);
  void end_list(std::uint64_t ticket);
  void become_stream(std::uint64_t ticket, Stream stream);
  /// Asks the host to subscribe, then delivers.
  void subscribe(std::uint64_t ticket, const std::string& topic);

 private:
  enum class Phase : std::uint8_t { waiting, working, listing, subscriber, stream, closing };

  void read();
  void next_request();
  void begin_request(Request request);
  void begin_deadline(std::chrono::milliseconds time);
  void on_deadline(std::uint64_t ticket);
  bool is_current(std::uint64_t ticket, Phase phase) const noexcept {
    return phase_ == phase && ticket_ == ticket;
  }
  void end_request();
  void refuse(std::string_view why);
  void on_subscribed(std::uint64_t ticket, const Outcome<void>& subscribed);
  bool deliver(const Subscriptions::Frame& frame);
  void watch_subscriber();
  void send(Bytes body);
  void send_frame(Subscriptions::Frame frame);
  void write_next();
  void on_all_sent();
  void close();

  Desk& desk_;
  Seat seat_;
  Socket socket_;
  asio::steady_timer timer_;
  format::FrameReader frames_;
  Bytes buffer_;
  Phase phase_ = Phase::waiting;
  std::uint64_t ticket_ = 0;
  std::deque<Subscriptions::Frame> out_;
  std::size_t out_bytes_ = 0;
  bool writing_ = false;
  Stream stream_;  ///< to be spliced when the answer is out
  std::optional<Subscriptions::Id> subscription_;
};

}  // namespace starling::daemon
