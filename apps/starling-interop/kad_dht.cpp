// "kad-dht": a bootstrap server, a provider and a querier, each of any implementation.
#include <cstdio>

#include "participant.hpp"

namespace interop {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes bytes_of(const std::string& text) { return {text.begin(), text.end()}; }

/// A host of the test's DHT, which believes records of every namespace.
starling::HostOptions dht_options(starling::DhtOptions::Mode mode) {
  starling::HostOptions options = host_options(mode == starling::DhtOptions::Mode::server);
  starling::DhtOptions dht;
  dht.protocol = "/ipfs/kad/1.0.0";
  dht.mode = mode;
  dht.records = starling::DhtOptions::Records::anything;
  dht.addresses = starling::DhtOptions::Addresses::any;
  options.dht = dht;
  return options;
}

struct Run {
  std::string key;
  std::string redis;
  std::chrono::seconds limit;

  template <class T, class Start>
  T ask(const char* what, Start begin) const {
    return value_of(what, starling::wait<T>(std::move(begin), limit));
  }
  void join(starling::Host& host, Redis& words) const {
    start(host);
    const std::string address = words.wait_for(key + "_bootstrap_addr");
    ask<std::string>("connect", [&](auto done) { host.connect(address, done); });
    // A server is asked nothing before identify has told that it is one.
    const auto end = std::chrono::steady_clock::now() + limit;
    while (ask<std::size_t>("table", [&](auto done) { host.dht_table_size(done); }) == 0) {
      if (std::chrono::steady_clock::now() > end) throw Failed{"the bootstrap node offers no DHT"};
      ask<void>("wait",
                [&](auto done) { host.post_after(std::chrono::milliseconds(10), [done] { done({}); }); });
    }
  }
  std::string provided() const { return "interop-test-key-" + key; }
  std::string record() const { return "/example/data/" + key; }
};

void bootstrap(const Run& run) {
  starling::Host host(dht_options(starling::DhtOptions::Mode::server));
  start(host);
  Redis(run.redis, run.limit).set(run.key + "_bootstrap_addr", public_address(host));
  stay(run.limit);
}

void provider(const Run& run) {
  Redis redis(run.redis, run.limit);
  starling::Host host(dht_options(starling::DhtOptions::Mode::server));
  run.join(host, redis);
  run.ask<void>("provide", [&](auto done) { host.dht_provide(bytes_of(run.provided()), done); });
  run.ask<void>("put", [&](auto done) {
    host.dht_put(bytes_of(run.record()), bytes_of("hello from starling client"), done);
  });
  redis.set(run.key + "_provider_done", "done");
  stay(run.limit);
}

void querier(const Run& run) {
  Redis redis(run.redis, run.limit);
  starling::Host host(dht_options(starling::DhtOptions::Mode::client));
  (void)redis.wait_for(run.key + "_provider_done");
  run.join(host, redis);
  const auto found = run.ask<std::vector<std::string>>(
      "find providers", [&](auto done) { host.dht_find_providers(bytes_of(run.provided()), 20, done); });
  if (found.empty()) throw Failed{"nobody provides the key"};
  const auto value = run.ask<Bytes>("get", [&](auto done) { host.dht_get(bytes_of(run.record()), done); });
  const std::string text(value.begin(), value.end());
  if (text.find("hello from") == std::string::npos) throw Failed{"the value is another one: " + text};
}

}  // namespace

void run_kad_dht() {
  const Run run{needed({"TEST_KEY"}), needed({"REDIS_ADDR"}), time_limit()};
  const std::string role = needed({"ROLE"});
  if (role == "bootstrap") return bootstrap(run);
  if (role == "provider") return provider(run);
  if (role != "querier") throw Failed{"ROLE is none of bootstrap, provider, querier: " + role};
  try {
    querier(run);
  } catch (const Failed& failed) {
    std::printf("status: fail\nerror: %s\n", failed.what.c_str());
    std::fflush(stdout);
    throw;
  }
  std::printf("status: pass\n");
}

}  // namespace interop
