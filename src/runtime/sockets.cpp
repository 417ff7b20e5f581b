#include "runtime/sockets.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "runtime/errors.hpp"
#include "runtime/limits.hpp"

namespace starling::runtime {
namespace {

bool is_wildcard(const IpPort& address) noexcept {
  const ByteView ip = address.ip_bytes();
  return std::all_of(ip.begin(), ip.end(), [](std::uint8_t byte) { return byte == 0; });
}

void set_option(int fd, int level, int name, int value) noexcept {
  ::setsockopt(fd, level, name, &value, sizeof value);
}

/// Public before private before link-local before loopback.
int rank(const IpPort& address) noexcept {
  switch (classify(address)) {
    case AddrClass::public_net: return 0;
    case AddrClass::private_net: return 1;
    case AddrClass::link_local: return 2;
    case AddrClass::loopback: return 3;
  }
  return 3;
}

}  // namespace

void Descriptor::reset() noexcept {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

std::optional<IpPort> from_system(const sockaddr_storage& address) noexcept {
  IpPort out;
  if (address.ss_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &address, sizeof v4);
    std::memcpy(out.ip.data(), &v4.sin_addr, 4);
    out.port = ntohs(v4.sin_port);
    return out;
  }
  if (address.ss_family != AF_INET6) return std::nullopt;
  sockaddr_in6 v6{};
  std::memcpy(&v6, &address, sizeof v6);
  out.port = ntohs(v6.sin6_port);
  if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
    std::memcpy(out.ip.data(), v6.sin6_addr.s6_addr + 12, 4);
    return out;
  }
  out.v6 = true;
  std::memcpy(out.ip.data(), v6.sin6_addr.s6_addr, 16);
  return out;
}

socklen_t to_system(const IpPort& address, sockaddr_storage& out) noexcept {
  out = {};
  if (!address.v6) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(address.port);
    std::memcpy(&v4.sin_addr, address.ip.data(), 4);
    std::memcpy(&out, &v4, sizeof v4);
    return sizeof v4;
  }
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(address.port);
  std::memcpy(v6.sin6_addr.s6_addr, address.ip.data(), 16);
  std::memcpy(&out, &v6, sizeof v6);
  return sizeof v6;
}

Result<Descriptor> listen_on(const IpPort& address) {
  Descriptor fd(::socket(address.v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return fail(listen_error(errno));
  set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (address.v6) set_option(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1);
  sockaddr_storage system{};
  const socklen_t size = to_system(address, system);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&system), size) != 0)
    return fail(listen_error(errno));
  if (::listen(fd.get(), kListenBacklog) != 0) return fail(listen_error(errno));
  return fd;
}

std::optional<IpPort> local_address(int fd) noexcept {
  sockaddr_storage system{};
  socklen_t size = sizeof system;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&system), &size) != 0) return std::nullopt;
  return from_system(system);
}

Result<Connecting> connect_to(const IpPort& address) {
  Connecting out;
  out.socket =
      Descriptor(::socket(address.v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!out.socket) return fail(connection_error(errno));
  sockaddr_storage system{};
  const socklen_t size = to_system(address, system);
  if (::connect(out.socket.get(), reinterpret_cast<const sockaddr*>(&system), size) == 0)
    out.done = true;
  else if (errno != EINPROGRESS)
    return fail(connection_error(errno));
  return out;
}

Result<void> connect_outcome(int fd) noexcept {
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  if (error != 0) return fail(connection_error(error));
  return {};
}

void set_connection_options(int fd) noexcept {
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 0);
  set_option(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, kUnsentBytesMax);
}

std::vector<Multiaddr> advertised_for(const IpPort& listening) {
  if (!is_wildcard(listening)) return {Multiaddr::tcp(listening)};
  std::vector<IpPort> found;
  ifaddrs* raw = nullptr;
  if (::getifaddrs(&raw) != 0) return {};
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> list(raw, &::freeifaddrs);
  for (const ifaddrs* entry = list.get(); entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr || (entry->ifa_flags & IFF_UP) == 0) continue;
    if (entry->ifa_addr->sa_family != (listening.v6 ? AF_INET6 : AF_INET)) continue;
    sockaddr_storage system{};
    std::memcpy(&system, entry->ifa_addr, listening.v6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in));
    auto address = from_system(system);
    if (!address) continue;
    // A link-local IPv6 address means nothing without its zone, which only this machine knows.
    if (address->v6 && classify(*address) == AddrClass::link_local) continue;
    address->port = listening.port;
    found.push_back(*address);
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const IpPort& a, const IpPort& b) { return rank(a) < rank(b); });
  const bool only_loopback = !found.empty() && rank(found.front()) == 3;
  std::vector<Multiaddr> out;
  for (const IpPort& address : found) {
    if (out.size() == kInterfaceAddressesMax) break;
    if (rank(address) == 3 && !only_loopback) continue;
    Multiaddr multiaddr = Multiaddr::tcp(address);
    if (std::find(out.begin(), out.end(), multiaddr) == out.end()) out.push_back(std::move(multiaddr));
  }
  return out;
}

}  // namespace starling::runtime
