#pragma once
// Peers that do not mean well, made by hand on blocking sockets.
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.hpp"
#include "crypto/keys.hpp"
#include "noise/transport.hpp"
#include "runtime/sockets.hpp"
#include "runtime/system.hpp"

namespace starling::net {

/// A TCP connection that says whatever it is told to.
class RawPeer {
 public:
  /// A socket that is connected to nothing yet.
  RawPeer();
  explicit RawPeer(std::uint16_t port) : RawPeer() { connect(port); }
  void connect(std::uint16_t port);
  /// False when the other side has closed.
  bool send(ByteView bytes);
  bool send(std::string_view text) { return send(as_bytes(text)); }
  /// What has come; nothing once the other side has closed and everything was read.
  std::optional<Bytes> receive(std::chrono::milliseconds limit);
  /// Whether the other side closes within the limit; what it still says is thrown away.
  bool cut_within(std::chrono::milliseconds limit);
  /// Whether it has closed by now.
  bool cut() { return cut_within(std::chrono::milliseconds(0)); }
  void close() { socket_.reset(); }
  /// Closes with a RST.
  void abort();
  bool is_open() const noexcept { return static_cast<bool>(socket_); }

 private:
  runtime::Descriptor socket_;
};

/// One that shakes hands properly and then speaks yamux as it likes.
class RawMuxPeer {
 public:
  explicit RawMuxPeer(std::uint16_t port);
  /// Seals and sends. False when the other side has closed.
  bool send(ByteView plaintext);
  /// A frame header with this content, without a body.
  static Bytes frame(std::uint8_t type, std::uint16_t flags, std::uint32_t stream, std::uint32_t length);
  RawPeer& raw() noexcept { return raw_; }

 private:
  RawPeer raw_;
  runtime::SystemRng rng_;
  std::optional<noise::Transport> transport_;
};

}  // namespace starling::net
