#include "api/control_client.hpp"

#include <sys/un.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

namespace starling::api {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using Socket = asio::local::stream_protocol::socket;

constexpr std::size_t kAnswerBytesMax = 64 * 1024 * 1024;

bool connect(Socket& socket, const std::filesystem::path& path) {
  if (path.string().size() >= sizeof(sockaddr_un::sun_path)) return false;
  boost::system::error_code error;
  socket.connect(asio::local::stream_protocol::endpoint(path.string()), error);
  return !error;
}

}  // namespace

bool ControlClient::reachable() const {
  asio::io_context context;
  Socket socket(context);
  return connect(socket, socket_);
}

Result<ControlClient::Answer> ControlClient::get(std::string_view target) const {
  return request("GET", target, {});
}

Result<ControlClient::Answer> ControlClient::post(std::string_view target,
                                                  const boost::json::object& body) const {
  return request("POST", target, boost::json::serialize(body));
}

Result<ControlClient::Answer> ControlClient::request(std::string_view method, std::string_view target,
                                                     std::string body) const {
  asio::io_context context;
  Socket socket(context);
  if (!connect(socket, socket_)) return fail(Errc::no_node);
  http::request<http::string_body> request;
  request.method_string(method);
  request.target(target);
  request.version(11);
  request.set(http::field::host, "starling");
  request.set(http::field::content_type, "application/json");
  request.keep_alive(false);
  request.body() = std::move(body);
  request.prepare_payload();
  boost::system::error_code error;
  http::write(socket, request, error);
  if (error) return fail(Errc::no_node);
  boost::beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(kAnswerBytesMax);
  http::read(socket, buffer, parser, error);
  if (error) return fail(Errc::bad_answer);
  const auto& response = parser.get();
  Answer answer{response.result_int(), nullptr};
  if (response[http::field::content_type].starts_with("application/json")) {
    answer.body = boost::json::parse(response.body(), error);
    if (error) return fail(Errc::bad_answer);
  } else {
    answer.body = boost::json::string(response.body());
  }
  return answer;
}

Result<void> ControlClient::follow(std::string_view target,
                                   const std::function<bool(const boost::json::value&)>& on_event) const {
  asio::io_context context;
  Socket socket(context);
  if (!connect(socket, socket_)) return fail(Errc::no_node);
  boost::system::error_code error;
  asio::write(socket, asio::buffer("GET " + std::string(target) + " HTTP/1.1\r\nHost: starling\r\n\r\n"),
              error);
  std::string received;
  bool in_body = false;
  while (!error) {
    const std::size_t n =
        asio::read_until(socket, asio::dynamic_buffer(received, kAnswerBytesMax), '\n', error);
    if (error) break;
    std::string line = received.substr(0, n);
    received.erase(0, n);
    while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.pop_back();
    if (!in_body) {
      in_body = line.empty();
      continue;
    }
    constexpr std::string_view kData = "data: ";
    if (!line.starts_with(kData)) continue;
    boost::system::error_code parse_error;
    const auto value = boost::json::parse(std::string_view(line).substr(kData.size()), parse_error);
    if (!parse_error && !on_event(value)) return {};
  }
  return {};
}

}  // namespace starling::api
