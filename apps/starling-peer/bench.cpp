// The bench commands: they drive the node and count; nothing here is a limit of the node.
#include <algorithm>
#include <atomic>
#include <thread>

#include "peer.hpp"
#include "starling/perf.hpp"
#include "streams.hpp"
#include "together.hpp"

namespace peer {

using starling::Host;
using starling::Outcome;

namespace {

constexpr std::size_t kHoldersAtOnce = 16;

/// Dials, waits for the other's identify when asked to, closes, again.
struct Dialer : std::enable_shared_from_this<Dialer> {
  Host* host = nullptr;
  std::string addr;
  double end_ms = 0;
  std::size_t count = 0;
  Together* together = nullptr;

  void step() {
    if (now_ms() >= end_ms || together->failed()) return together->end({});
    host->connect(addr, [self = shared_from_this()](const Outcome<std::string>& peer) {
      if (!peer) return self->together->end(peer.failure());
      self->host->disconnect(*peer, [self](const Outcome<void>& closed) {
        if (!closed) return self->together->end(closed.failure());
        ++self->count;
        self->step();
      });
    });
  }
};

/// One of the requests in flight; a new one begins when it ends.
struct Requester : std::enable_shared_from_this<Requester> {
  starling::Connection connection;
  double end_ms = 0;
  std::vector<double> times_us;
  Together* together = nullptr;

  void step() {
    const double began = now_ms();
    if (began >= end_ms) return together->end({});
    ask_rr(connection, [self = shared_from_this(), began](const Outcome<void>& answered) {
      if (!answered) return self->together->end(answered);
      self->times_us.push_back((now_ms() - began) * 1000);
      self->step();
    });
  }
};

}  // namespace

Fields Peer::bench_handshake(const Request& request) {
  const std::size_t dialers = std::max<std::uint64_t>(request.count("dialers", 1), 1);
  const std::string addr = request.text("addr");
  const double seconds = request.number("seconds", 1);
  const starling::EventLoops loops(flags_.threads);
  std::vector<std::unique_ptr<Host>> hosts;
  for (std::size_t i = 0; i < dialers; ++i) {
    hosts.push_back(std::make_unique<Host>(dialer_options(loops)));
    get(hosts.back()->start());
  }
  Together together(dialers);
  std::vector<std::shared_ptr<Dialer>> running;
  const double began = now_ms();
  for (const auto& host : hosts) {
    const auto dialer = std::make_shared<Dialer>();
    dialer->host = host.get();
    dialer->addr = addr;
    dialer->end_ms = began + seconds * 1000;
    dialer->together = &together;
    running.push_back(dialer);
    dialer->step();
  }
  together.wait();
  const double took = (now_ms() - began) / 1000;
  std::size_t count = 0;
  for (const auto& dialer : running) count += dialer->count;
  return {{"count", count}, {"perSec", static_cast<double>(count) / took}};
}

Fields Peer::bench_perf(const Request& request) {
  const auto connection = target(request);
  const std::uint64_t up = request.count("up", 0);
  const std::uint64_t down = request.count("down", 0);
  const double began = now_ms();
  ask<starling::PerfProgress>([&](auto done) { starling::measure_perf(connection, up, down, {}, done); });
  const double seconds = (now_ms() - began) / 1000;
  return {{"seconds", seconds}, {"gbps", static_cast<double>(up + down) * 8 / 1e9 / seconds}};
}

Fields Peer::bench_rr(const Request& request) {
  const auto connection = target(request);
  const std::size_t depth = std::max<std::uint64_t>(request.count("depth", 1), 1);
  ask<void>([&](auto done) { ask_rr(connection, done); });
  Together together(depth);
  std::vector<std::shared_ptr<Requester>> running;
  const double began = now_ms();
  for (std::size_t i = 0; i < depth; ++i) {
    const auto requester = std::make_shared<Requester>();
    requester->connection = connection;
    requester->end_ms = began + request.number("seconds", 1) * 1000;
    requester->together = &together;
    running.push_back(requester);
    connection.post([requester] { requester->step(); });
  }
  together.wait();
  const double seconds = (now_ms() - began) / 1000;
  std::vector<double> all;
  for (const auto& requester : running)
    all.insert(all.end(), requester->times_us.begin(), requester->times_us.end());
  std::sort(all.begin(), all.end());
  return {{"perSec", static_cast<double>(all.size()) / seconds},
          {"p50us", quantile(all, 0.5)},
          {"p99us", quantile(all, 0.99)}};
}

Fields Peer::bench_stream(const Request& request) {
  const auto connection = target(request);
  const std::size_t depth = std::max<std::uint64_t>(request.count("depth", 1), 1);
  const double seconds = request.number("seconds", 1);
  auto exchanged = ask<Exchanged>([&](auto done) { ask_messages(connection, depth, seconds, done); });
  return {{"perSec", static_cast<double>(exchanged.times_us.size()) / exchanged.seconds},
          {"p50us", quantile_of(exchanged.times_us, 0.5)},
          {"p99us", quantile_of(exchanged.times_us, 0.99)}};
}

Fields Peer::bench_hold(const Request& request) {
  const std::string addr = request.text("addr");
  const std::uint64_t wanted = request.count("n", 1);
  {
    const std::lock_guard lock(held_mutex_);
    if (held_.empty()) bench_loops_ = starling::EventLoops(flags_.threads);
  }
  std::vector<std::unique_ptr<Host>> opened;
  while (opened.size() < wanted) {
    const std::size_t batch = std::min<std::uint64_t>(kHoldersAtOnce, wanted - opened.size());
    Together together(batch);
    for (std::size_t i = 0; i < batch; ++i) {
      opened.push_back(std::make_unique<Host>(dialer_options(bench_loops_)));
      get(opened.back()->start());
      Host* host = opened.back().get();
      host->connect(addr, [host, &together](const Outcome<std::string>& peer) {
        if (!peer) return together.end(peer.failure());
        host->peer_info(*peer, [&together](const Outcome<starling::PeerInfo>& info) {
          together.end(info ? Outcome<void>() : Outcome<void>(info.failure()));
        });
      });
    }
    together.wait();
  }
  const std::lock_guard lock(held_mutex_);
  for (auto& host : opened) held_.push_back(std::move(host));
  return {{"n", wanted}};
}

Fields Peer::release(const Request&) {
  std::vector<std::unique_ptr<Host>> going;
  {
    const std::lock_guard lock(held_mutex_);
    going.swap(held_);
  }
  std::atomic<std::size_t> next = 0;
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < std::min(kHoldersAtOnce, going.size()); ++i) {
    threads.emplace_back([&] {
      for (std::size_t k = next++; k < going.size(); k = next++) going[k].reset();
    });
  }
  for (auto& thread : threads) thread.join();
  return {{"n", going.size()}};
}

}  // namespace peer
