#include "api/control_server.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <condition_variable>
#include <deque>
#include <list>
#include <mutex>
#include <thread>

#include "api/routes.hpp"
#include "api/unix_listener.hpp"
#include "api/views.hpp"

namespace starling::api {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using Socket = asio::local::stream_protocol::socket;

constexpr std::size_t kFollowerQueueMax = 4'096;
constexpr std::chrono::seconds kHeartbeat{15};
constexpr int kControlBacklog = 16;

/// What is to be written to one follower; the oldest line is lost, and said to be, when it does not read.
class FollowQueue {
 public:
  void push(std::string line) {
    {
      const std::lock_guard lock(mutex_);
      if (lines_.size() >= kFollowerQueueMax) {
        lines_.pop_front();
        ++lost_;
      }
      lines_.push_back(std::move(line));
    }
    wake_.notify_one();
  }
  /// Nothing after a quiet heartbeat interval.
  std::optional<std::string> pop() {
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, kHeartbeat, [this] { return !lines_.empty() || lost_ > 0 || closed_; });
    if (lost_ > 0) return "event: lost\ndata: {\"lost\":" + std::to_string(std::exchange(lost_, 0)) + "}\n\n";
    if (lines_.empty()) return std::nullopt;
    std::string line = std::move(lines_.front());
    lines_.pop_front();
    return line;
  }
  void close() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    wake_.notify_all();
  }
  bool closed() {
    const std::lock_guard lock(mutex_);
    return closed_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::string> lines_;
  std::uint64_t lost_ = 0;
  bool closed_ = false;
};

std::string event_line(const boost::json::object& object) {
  return "data: " + boost::json::serialize(object) + "\n\n";
}

}  // namespace

struct ControlServer::State {
  State(Service& own_service, std::function<void()> stop) : service(own_service), on_stop(std::move(stop)) {}

  struct Connection {
    explicit Connection(Socket own_socket) : socket(std::move(own_socket)) {}
    Socket socket;
    FollowQueue queue;
    std::atomic<bool> done{false};
    std::atomic<bool> idle{true};  ///< waits for a request
    std::thread thread;
  };

  Service& service;
  std::function<void()> on_stop;
  std::filesystem::path path;
  asio::io_context context;
  asio::local::stream_protocol::acceptor acceptor{context};
  std::thread accepting;
  std::mutex mutex;
  std::list<Connection> connections;
  bool closing = false;

  void accept_loop() {
    while (true) {
      boost::system::error_code error;
      Socket socket(context);
      acceptor.accept(socket, error);
      const std::lock_guard lock(mutex);
      if (closing) return;
      if (error) continue;
      connections.remove_if([](Connection& connection) {
        if (!connection.done) return false;
        connection.thread.join();
        return true;
      });
      if (connections.size() >= kConnectionsMax) {
        // Whoever holds a connection without a word makes room for the next caller; this one's socket closes
        // here.
        const auto quiet = std::find_if(connections.begin(), connections.end(),
                                        [](const Connection& connection) { return connection.idle.load(); });
        if (quiet != connections.end()) ::shutdown(quiet->socket.native_handle(), SHUT_RDWR);
        continue;
      }
      Connection& connection = connections.emplace_back(std::move(socket));
      connection.thread = std::thread([this, &connection] {
        serve(connection);
        boost::system::error_code ignored;
        connection.socket.shutdown(Socket::shutdown_both, ignored);
        connection.done = true;
      });
    }
  }

  void serve(Connection& connection) {
    boost::beast::flat_buffer buffer;
    while (true) {
      http::request_parser<http::string_body> parser;
      parser.body_limit(kBodyBytesMax);
      boost::system::error_code error;
      connection.idle = true;
      http::read(connection.socket, buffer, parser, error);
      connection.idle = false;
      if (error) return;
      const auto& received = parser.get();
      const Request request = parse_target(std::string(received.method_string()),
                                           std::string_view(received.target()), received.body());
      const std::string route = request.method + " " + request.path;
      if (route == "GET /v1/inbox/follow") return follow_inbox(connection);
      if (route == "GET /v1/announcements/follow") return follow_announcements(connection);
      Response answer;
      if (route == "POST /v1/stop") {
        answer.body = "{\"stopping\":true}\n";
        on_stop();
      } else {
        answer = handle(request, service);
      }
      http::response<http::string_body> response(static_cast<http::status>(answer.status),
                                                 received.version());
      response.set(http::field::content_type, answer.content_type);
      response.keep_alive(received.keep_alive());
      response.body() = std::move(answer.body);
      response.prepare_payload();
      http::write(connection.socket, response, error);
      if (error || !received.keep_alive()) return;
    }
  }

  void follow_inbox(Connection& connection) {
    const auto subscription = service.on_message(
        [&connection](const home::InboxEntry& entry) { connection.queue.push(event_line(view_of(entry))); });
    stream_events(connection);
    service.unsubscribe(subscription);
  }

  void follow_announcements(Connection& connection) {
    const auto subscription = service.on_announcement([&connection](const agent::CheckedPresence& presence) {
      connection.queue.push(event_line(view_of(presence)));
    });
    stream_events(connection);
    service.unsubscribe(subscription);
  }

  /// Writes events until the follower goes away or the server closes. A comment now and then finds out the
  /// former.
  void stream_events(Connection& connection) {
    boost::system::error_code error;
    static constexpr std::string_view kHead =
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\nConnection: "
        "close\r\n\r\n"
        ": following\n\n";
    asio::write(connection.socket, asio::buffer(kHead), error);
    while (!error && !connection.queue.closed()) {
      const auto line = connection.queue.pop();
      asio::write(connection.socket, asio::buffer(line ? *line : std::string(": still here\n\n")), error);
    }
  }

  void close() {
    {
      const std::lock_guard lock(mutex);
      if (std::exchange(closing, true)) return;
    }
    // shutdown() wakes a blocked accept(), close() would not.
    ::shutdown(acceptor.native_handle(), SHUT_RDWR);
    if (accepting.joinable()) accepting.join();
    for (Connection& connection : connections) {
      connection.queue.close();
      ::shutdown(connection.socket.native_handle(), SHUT_RDWR);
      connection.thread.join();
    }
    connections.clear();
    ::unlink(path.c_str());
  }
};

ControlServer::ControlServer(std::unique_ptr<State> state) : state_(std::move(state)) {}
ControlServer::~ControlServer() { state_->close(); }

Result<std::unique_ptr<ControlServer>> ControlServer::listen(const std::filesystem::path& socket,
                                                             Service& service,
                                                             std::function<void()> on_stop) {
  STARLING_ASSIGN(const int listener, open_unix_listener(socket, kControlBacklog));
  auto state = std::make_unique<State>(service, std::move(on_stop));
  state->path = socket;
  boost::system::error_code error;
  state->acceptor.assign(asio::local::stream_protocol(), listener, error);
  if (error) {
    ::close(listener);
    return fail(Errc::cannot_listen);
  }
  State* raw = state.get();
  std::unique_ptr<ControlServer> server(new ControlServer(std::move(state)));
  raw->accepting = std::thread([raw] { raw->accept_loop(); });
  return server;
}

}  // namespace starling::api
