#pragma once
#include <boost/asio/ip/tcp.hpp>
#include <functional>

#include "runtime/shard.hpp"

namespace starling::runtime {

/// Accepts connections on one address, on the brain's shard.
///
/// Who is not admitted is closed before anything is allocated for it. Out of file descriptors: a spare one is
/// given up to take the waiting connection off the queue and close it, then the listener is silent for
/// kAcceptBackoff, so that it neither spins nor leaves the peer hanging.
class Listener {
 public:
  /// Refuses by returning an error.
  using Admit = std::function<Result<void>(const IpPort& remote)>;
  using Accepted = std::function<void(Descriptor socket, const IpPort& remote)>;

  Listener(Shard& home, Descriptor socket, bool v6, Admit admit, Accepted accepted);
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  /// Within a turn.
  void start() { await(); }
  void close();

 private:
  void await();
  void accept_some();
  void out_of_files();

  Shard& home_;
  boost::asio::ip::tcp::acceptor acceptor_;
  Admit admit_;
  Accepted accepted_;
  Descriptor spare_;
};

}  // namespace starling::runtime
