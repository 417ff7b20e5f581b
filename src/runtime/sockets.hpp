#pragma once
// TCP sockets as file descriptors, and addresses as the system writes them.
#include <sys/socket.h>

#include <optional>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "format/multiaddr.hpp"

namespace starling::runtime {

/// Owns a file descriptor.
class Descriptor {
 public:
  Descriptor() noexcept = default;
  explicit Descriptor(int fd) noexcept : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) {
      reset();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  ~Descriptor() { reset(); }
  int get() const noexcept { return fd_; }
  int release() noexcept { return std::exchange(fd_, -1); }
  void reset() noexcept;
  explicit operator bool() const noexcept { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

/// Nothing for families other than IP. IPv4 in IPv6 becomes IPv4.
std::optional<IpPort> from_system(const sockaddr_storage& address) noexcept;
socklen_t to_system(const IpPort& address, sockaddr_storage& out) noexcept;

/// A socket that listens on exactly this address; IPv6 ones take no IPv4.
Result<Descriptor> listen_on(const IpPort& address);
/// The address a socket is bound to.
std::optional<IpPort> local_address(int fd) noexcept;

struct Connecting {
  Descriptor socket;
  bool done = false;  ///< connected already; else wait until it is writable and ask connect_outcome()
};
/// Starts to connect from a port of the system's choice, never from one we listen on.
Result<Connecting> connect_to(const IpPort& address);
Result<void> connect_outcome(int fd) noexcept;

/// What every connection of ours has: no delay for small writes, no keep-alive probes of the kernel's.
void set_connection_options(int fd) noexcept;

/// The listen address, or in place of a wildcard those of the machine's interfaces that are up: public ones
/// first, then private ones, loopback ones only when there is nothing else; at most kInterfaceAddressesMax.
std::vector<Multiaddr> advertised_for(const IpPort& listening);

}  // namespace starling::runtime
