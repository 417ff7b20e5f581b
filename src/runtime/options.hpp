#pragma once
// What a driver of a node may be told, whatever brain it drives.
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/env.hpp"
#include "format/multiaddr.hpp"
#include "node/limits.hpp"
#include "node/security.hpp"
#include "yamux/session.hpp"

namespace starling::runtime {

class LoopPool;

/// Where log lines go. Called from any of the node's threads.
using LogFunction = std::function<void(LogLevel level, std::string_view module, std::string_view text)>;

struct Options {
  /// `/ip4|ip6/…/tcp/port`, port 0 for any; empty: this node only dials. 0.0.0.0 and :: are advertised as the
  /// addresses of the machine's interfaces.
  std::vector<Multiaddr> listen;
  /// Event loops, each one thread; 0: one per core, at most kThreadsMax. Not looked at when `loops` is set.
  std::size_t threads = 0;
  /// Loops that several nodes share; nothing: the node has its own.
  std::shared_ptr<LoopPool> loops;
  yamux::Config mux;
  /// What is proposed when dialling, in order of preference; not empty. Listeners take Noise and TLS.
  std::vector<node::Security> security = {node::Security::noise};
  /// Bytes that all connections together hold for their peers; see ByteBudget.
  std::size_t connections_bytes_max = node::kConnectionsBytesMax;
  LogLevel log_level = LogLevel::warn;
  /// Nothing: standard error.
  LogFunction log;
};

/// Counters and gauges of all shards, added up.
using MetricsSnapshot = std::map<std::string, std::uint64_t, std::less<>>;

/// Loops for Options::loops. `threads` as there.
std::shared_ptr<LoopPool> make_loops(std::size_t threads);
/// Whether the calling thread is a loop of any pool.
bool on_loop_thread() noexcept;

}  // namespace starling::runtime
