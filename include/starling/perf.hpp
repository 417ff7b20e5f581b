#pragma once
/// /perf/1.0.0: how fast a connection carries bytes, measured the way other libp2p stacks do.
#include <cstdint>
#include <functional>

#include "starling/host.hpp"

namespace starling {

inline constexpr const char* kPerfProtocol = "/perf/1.0.0";

/// Offers the protocol. Whoever connects can then make this host take, and send, as many bytes as it likes:
/// no host does so unless it is told to. Before Host::start(). Spec: libp2p/specs perf/perf.md.
void serve_perf(Host& host);

/// Bytes so far. Sent are those that the connection has accepted, the eight of the request not among them.
struct PerfProgress {
  std::uint64_t sent_bytes = 0;
  std::uint64_t received_bytes = 0;
};

/// Sends `up_bytes` to the peer on a stream of its own, then receives `down_bytes` from it. `progress`, which
/// may be empty, is called as bytes go and come, `done` at the end; both on the connection's thread. Fails
/// with kind `misbehaviour` when another number of bytes comes back.
void measure_perf(const Connection& connection, std::uint64_t up_bytes, std::uint64_t down_bytes,
                  std::function<void(const PerfProgress&)> progress,
                  std::function<void(Outcome<PerfProgress>)> done);

}  // namespace starling
