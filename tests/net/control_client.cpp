#include "net/control_client.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "format/multiaddr.hpp"
#include "format/varint.hpp"
#include "net/hosts.hpp"

namespace starling::net {
namespace {

/// Nothing waits longer than a test has patience.
void set_patience(int fd) {
  const timeval patience{std::chrono::seconds(kPatience).count(), 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

}  // namespace

ControlSocket ControlSocket::connect(const std::string& text) {
  int fd = -1;
  bool connected = false;
  if (text.starts_with("/unix/")) {
    const std::string path = text.substr(5);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    connected = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  } else {
    const auto address = loopback(Multiaddr::parse(text)->as_tcp()->port);
    fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    connected = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  if (!connected) {
    ::close(fd);
    fd = -1;
  }
  set_patience(fd);
  return ControlSocket(fd);
}

bool ControlSocket::send(ByteView bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(sent));
  }
  return true;
}

bool ControlSocket::send_frame(ByteView body) { return send(format::make_frame(body)); }

Bytes ControlSocket::receive_some(std::size_t most) {
  Bytes buffer(most);
  const auto got = ::recv(fd_, buffer.data(), buffer.size(), 0);
  if (got < 0) last_error_ = errno;
  buffer.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return buffer;
}

Bytes ControlSocket::receive_all() {
  Bytes all;
  while (true) {
    const Bytes some = receive_some();
    if (some.empty()) return all;
    append(all, some);
  }
}

std::optional<Bytes> ControlSocket::receive_frame() {
  Bytes head;
  std::size_t body_size = 0;
  while (true) {
    const Bytes byte = receive_some(1);
    if (byte.empty()) return std::nullopt;
    append(head, byte);
    if (byte.front() >= 0x80) continue;
    body_size = static_cast<std::size_t>(format::read_varint(head)->value);
    break;
  }
  Bytes body;
  while (body.size() < body_size) {
    const Bytes more = receive_some(body_size - body.size());
    if (more.empty()) return std::nullopt;
    append(body, more);
  }
  return body;
}

void ControlSocket::finish() { ::shutdown(fd_, SHUT_WR); }

void ControlSocket::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

std::optional<daemon::Response> ControlSocket::ask(const daemon::Request& request) {
  if (!send_frame(daemon::encode(request))) return std::nullopt;
  const auto body = receive_frame();
  if (!body) return std::nullopt;
  auto response = daemon::decode_response(*body);
  if (!response) return std::nullopt;
  return *std::move(response);
}

std::optional<daemon::DhtResponse> ControlSocket::receive_dht() {
  const auto body = receive_frame();
  if (!body) return std::nullopt;
  auto response = daemon::decode_dht_response(*body);
  if (!response) return std::nullopt;
  return *std::move(response);
}

std::optional<daemon::PubsubMessage> ControlSocket::receive_message() {
  const auto body = receive_frame();
  if (!body) return std::nullopt;
  auto message = daemon::decode_pubsub_message(*body);
  if (!message) return std::nullopt;
  return *std::move(message);
}

HandlerSocket::HandlerSocket() {
  fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  auto address = loopback(0);
  socklen_t size = sizeof address;
  if (::bind(fd_, reinterpret_cast<const sockaddr*>(&address), size) != 0) std::abort();
  ::listen(fd_, 128);
  ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
  address_ = "/ip4/127.0.0.1/tcp/" + std::to_string(ntohs(address.sin_port));
  set_patience(fd_);
}

HandlerSocket::~HandlerSocket() { ::close(fd_); }

ControlSocket HandlerSocket::accept() {
  const int fd = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
  set_patience(fd);
  return ControlSocket(fd);
}

bool HandlerSocket::wait(std::chrono::milliseconds time) const {
  pollfd waiting{fd_, POLLIN, 0};
  return ::poll(&waiting, 1, static_cast<int>(time.count())) == 1;
}

}  // namespace starling::net
