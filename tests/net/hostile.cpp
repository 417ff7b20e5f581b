#include "net/hostile.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <stdexcept>

#include "noise/handshake.hpp"
#include "yamux/frame.hpp"

namespace starling::net {

RawPeer::RawPeer() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}

void RawPeer::connect(std::uint16_t port) {
  IpPort address;
  address.ip = {127, 0, 0, 1};
  address.port = port;
  sockaddr_storage system{};
  const socklen_t size = runtime::to_system(address, system);
  if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&system), size) != 0)
    throw std::runtime_error("cannot connect");
}

bool RawPeer::send(ByteView bytes) {
  while (!bytes.empty()) {
    pollfd wanted{socket_.get(), POLLOUT, 0};
    constexpr int kStuckMs = 200;  // a peer that does not read us: enough was said
    if (::poll(&wanted, 1, kStuckMs) <= 0) return true;
    const ssize_t count = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0 && errno == EAGAIN) continue;
    if (count < 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return true;
}

std::optional<Bytes> RawPeer::receive(std::chrono::milliseconds limit) {
  pollfd wanted{socket_.get(), POLLIN, 0};
  if (::poll(&wanted, 1, static_cast<int>(limit.count())) <= 0) return Bytes();
  Bytes bytes(1 << 16);
  const ssize_t count = ::recv(socket_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (count < 0 && errno == EAGAIN) return Bytes();
  if (count <= 0) return std::nullopt;
  bytes.resize(static_cast<std::size_t>(count));
  return bytes;
}

bool RawPeer::cut_within(std::chrono::milliseconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (true) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    const auto got = receive(std::max(left, std::chrono::milliseconds(0)));
    if (!got) return true;
    if (got->empty() && left.count() <= 0) return false;
  }
}

void RawPeer::abort() {
  const linger option{1, 0};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &option, sizeof option);
  socket_.reset();
}

RawMuxPeer::RawMuxPeer(std::uint16_t port) : raw_(port) {
  const auto key = crypto::PrivateKey::generate(crypto::KeyType::ed25519, rng_);
  noise::Config config;
  config.muxers = {"/yamux/1.0.0"};
  noise::Handshake handshake(noise::Role::initiator, key, rng_, std::move(config),
                             runtime::read_clock().mono);
  // Each multistream message is a varint length, a text and a newline.
  raw_.send("\x13/multistream/1.0.0\n\x07/noise\n");
  Bytes waiting;
  const std::size_t agreement = 20 + 8;
  bool agreed = false;
  while (true) {
    const ByteView out = handshake.to_send();
    if (!raw_.send(out)) throw std::runtime_error("cut during the handshake");
    handshake.sent(out.size());
    if (handshake.complete()) break;
    const auto got = raw_.receive(std::chrono::seconds(5));
    if (!got || got->empty()) throw std::runtime_error("no handshake");
    append(waiting, *got);
    if (!agreed) {
      if (waiting.size() < agreement) continue;
      waiting.erase(waiting.begin(), waiting.begin() + static_cast<std::ptrdiff_t>(agreement));
      agreed = true;
    }
    const auto taken = handshake.receive(waiting);
    if (!taken) throw std::runtime_error(taken.error().to_string());
    waiting.erase(waiting.begin(), waiting.begin() + static_cast<std::ptrdiff_t>(*taken));
  }
  transport_.emplace(std::move(handshake.take().transport));
}

bool RawMuxPeer::send(ByteView plaintext) {
  Bytes sealed;
  if (!transport_->seal({&plaintext, 1}, sealed)) return false;
  return raw_.send(sealed);
}

Bytes RawMuxPeer::frame(std::uint8_t type, std::uint16_t flags, std::uint32_t stream, std::uint32_t length) {
  yamux::HeaderBytes header{};
  yamux::encode_header(static_cast<yamux::FrameType>(type), flags, stream, length, header);
  return {header.begin(), header.end()};
}

}  // namespace starling::net
