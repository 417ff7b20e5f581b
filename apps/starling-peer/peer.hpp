#pragma once
// The running node with everything the commands touch.
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "contract.hpp"
#include "starling/host.hpp"
#include "starling/wait.hpp"

namespace peer {

/// Counts messages while it is on; latencies come from the time in the first 8 bytes.
class Counter {
 public:
  /// True when the message was counted, so that no event is to be written.
  bool take(const starling::Message& message);
  void begin();
  Fields end();

 private:
  std::mutex mutex_;
  bool on_ = false;
  std::size_t count_ = 0;
  std::size_t bytes_ = 0;
  double first_ms_ = 0;
  double last_ms_ = 0;
  std::set<std::string> distinct_;
  std::vector<double> latencies_;
};

/// One node and its commands. Commands run on threads of their own and may block.
class Peer {
 public:
  Peer(Flags flags, Output& output);
  ~Peer() { stop(); }

  /// Throws CommandError.
  void start();
  void stop();
  Fields ready() const;
  /// Throws CommandError.
  Fields run(const std::string& command, const Request& request);

 private:
  using Command = Fields (Peer::*)(const Request&);
  static const std::map<std::string, Command, std::less<>>& commands();

  template <class T, class Start>
  T ask(Start start) {
    return get(starling::wait<T>(std::move(start)));
  }
  /// The peer of a command that takes addr or peerId; addr is dialled first.
  starling::Connection target(const Request& request);
  void on_message(const starling::Message& message);
  starling::HostOptions dialer_options(const starling::EventLoops& loops) const;

  Fields connect(const Request& request);
  Fields disconnect(const Request& request);
  Fields identify(const Request& request);
  Fields ping(const Request& request);
  Fields peers(const Request& request);
  Fields echo(const Request& request);
  Fields subscribe(const Request& request);
  Fields publish(const Request& request);
  Fields mesh_peers(const Request& request);
  Fields counter(const Request& request);
  Fields provide(const Request& request);
  Fields find_providers(const Request& request);
  Fields put(const Request& request);
  Fields get_value(const Request& request);
  Fields find_peer(const Request& request);
  Fields table(const Request& request);
  Fields stats(const Request& request);
  Fields bench_handshake(const Request& request);
  Fields bench_perf(const Request& request);
  Fields bench_rr(const Request& request);
  Fields bench_stream(const Request& request);
  Fields bench_hold(const Request& request);
  Fields release(const Request& request);
  Fields bench_pub(const Request& request);
  Fields bench_fanout(const Request& request);

  Flags flags_;
  Output& output_;
  Counter counter_;
  starling::EventLoops bench_loops_;
  std::mutex held_mutex_;
  std::vector<std::unique_ptr<starling::Host>> held_;
  std::unique_ptr<starling::Host> host_;
};

/// Milliseconds since the process began; 10 ms is the kernel's unit.
double ms_since_process_start();
/// Milliseconds of CPU that the process has used.
double cpu_ms();

}  // namespace peer
