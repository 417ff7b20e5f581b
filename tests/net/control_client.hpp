#pragma once
// A client of the libp2p daemon's control protocol as simple as any program would write it: blocking sockets.
#include <chrono>
#include <optional>
#include <string>

#include "daemon/codec.hpp"

namespace starling::net {

/// One control connection, or what it has become; also the socket that a handler of a stream is given.
class ControlSocket {
 public:
  /// To `/unix/…` or `/ip4/127.0.0.1/tcp/…`.
  static ControlSocket connect(const std::string& address);
  explicit ControlSocket(int fd) : fd_(fd) {}
  ControlSocket(ControlSocket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  ControlSocket& operator=(ControlSocket&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~ControlSocket() { close(); }

  bool send(ByteView bytes);
  bool send_frame(ByteView body);
  /// One read; empty at the end and on failure.
  Bytes receive_some(std::size_t most = 64 * 1024);
  /// Until the end of the stream.
  Bytes receive_all();
  /// Byte by byte up to its end, so that nothing behind it is read.
  std::optional<Bytes> receive_frame();
  void finish();
  void close();
  /// False when the other side has reset the connection.
  bool ended_cleanly() const { return last_error_ == 0; }
  int fd() const { return fd_; }

  /// Nothing when there is no answer.
  std::optional<daemon::Response> ask(const daemon::Request& request);
  std::optional<daemon::DhtResponse> receive_dht();
  std::optional<daemon::PubsubMessage> receive_message();

 private:
  int fd_ = -1;
  int last_error_ = 0;
};

/// Listens for streams that a daemon hands out.
class HandlerSocket {
 public:
  HandlerSocket();
  HandlerSocket(const HandlerSocket&) = delete;
  HandlerSocket& operator=(const HandlerSocket&) = delete;
  ~HandlerSocket();
  const std::string& address() const { return address_; }
  ControlSocket accept();
  /// Whether a stream is handed out within that time; accept() takes it.
  bool wait(std::chrono::milliseconds time) const;

 private:
  int fd_ = -1;
  std::string address_;
};

}  // namespace starling::net
