#pragma once
#include <memory>
#include <string>
#include <vector>

#include "daemon/drops.hpp"
#include "daemon/limits.hpp"
#include "starling/host.hpp"

namespace starling::daemon {

struct DaemonOptions {
  /// HostEvents::message is the daemon's own.
  HostOptions host;
  /// Where clients connect: `/unix/PATH` (mode 0600) or `/ip4|ip6/IP/tcp/PORT`, on which nobody is asked who
  /// he is.
  std::string control = "/unix/tmp/p2pd.sock";
  /// Whether the host answers on `/echo/1.0.0`.
  enum class Echo : std::uint8_t { off, on } echo = Echo::off;
  Limits limits;
};

/// A libp2p host that programs in any language use over a socket, by the control protocol of
/// go-libp2p-daemon (specs/CONTROL.md, DHT.md, PUBSUB.md, CM.md there). README.md says what differs.
///
/// Whoever may connect to the control socket may do everything that the host can. Threads: any but the host's
/// own. start() blocks until it listens, the destructor until everything has ended; both ends of all streams
/// are then closed.
class Daemon {
 public:
  /// Fails as Host::start() does, and when the control address is bad or taken.
  static Outcome<std::unique_ptr<Daemon>> start(DaemonOptions options);
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;
  ~Daemon();

  /// With the real port.
  const std::string& control_address() const noexcept;
  const std::string& peer_id() const noexcept;
  /// Without `/p2p/…`.
  std::vector<std::string> addresses() const;
  Host& host() noexcept;
  /// Since the start. Any thread.
  Drops drops() const;

 private:
  struct State;
  explicit Daemon(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace starling::daemon
