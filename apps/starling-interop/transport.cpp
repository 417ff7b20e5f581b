// "transport" (A connection and a ping between every pair of implementations), both generations of its
// contract.
#include <algorithm>
#include <cstdio>

#include "participant.hpp"

namespace interop {
namespace {

using Ms = std::chrono::duration<double, std::milli>;

/// What the environment says; its names tell the generation.
struct Setup {
  bool dials = false;
  bool old_contract = false;
  std::string redis;
  std::string key;
  std::string ip;
  std::chrono::seconds limit{};
};

void need(const char* what, const std::string& value, std::initializer_list<std::string_view> spoken) {
  if (std::find(spoken.begin(), spoken.end(), value) != spoken.end()) return;
  std::string all;
  for (const std::string_view one : spoken) all += (all.empty() ? "" : " and ") + std::string(one);
  throw Failed{std::string(what) + " " + value + " is not spoken, only " + all};
}

Setup read_setup() {
  Setup out;
  out.old_contract = !variable("IS_DIALER");
  const std::string dials = needed({"IS_DIALER", "is_dialer"});
  if (dials != "true" && dials != "false") throw Failed{"IS_DIALER is neither true nor false: " + dials};
  out.dials = dials == "true";
  out.redis = out.old_contract ? variable("redis_addr").value_or("redis:6379") : needed({"REDIS_ADDR"});
  out.key = out.old_contract ? "listenerAddr" : needed({"TEST_KEY"}) + "_listener_multiaddr";
  out.ip = variable(out.old_contract ? "ip" : "LISTENER_IP").value_or("0.0.0.0");
  out.limit = time_limit();
  need("the transport", needed({"TRANSPORT", "transport"}), {"tcp"});
  need("the muxer", needed({"MUXER", "muxer"}), {"yamux"});
  return out;
}

void listen(const Setup& setup, starling::HostOptions options) {
  options.listen = {"/ip4/" + setup.ip + "/tcp/0"};
  starling::Host host(std::move(options));
  start(host);
  Redis redis(setup.redis, setup.limit);
  redis.del(setup.key);
  redis.push(setup.key, public_address(host));
  std::fprintf(stderr, "listening on %s\n", public_address(host).c_str());
  stay(setup.limit);
}

void report(const Setup& setup, double connected_ms, double ping_ms) {
  if (setup.old_contract)
    std::printf("{\"handshakePlusOneRTTMillis\": %.3f, \"pingRTTMilllis\": %.3f}\n", connected_ms, ping_ms);
  else
    std::printf("latency:\n  handshake_plus_one_rtt: %.3f\n  ping_rtt: %.3f\n  unit: ms\n", connected_ms,
                ping_ms);
}

void dial(const Setup& setup, starling::HostOptions options) {
  starling::Host host(std::move(options));
  start(host);
  const std::string address = Redis(setup.redis, setup.limit).pop(setup.key);
  std::fprintf(stderr, "dialling %s\n", address.c_str());
  const auto began = std::chrono::steady_clock::now();
  const auto peer = value_of(
      "connect", starling::wait<std::string>([&](auto done) { host.connect(address, done); }, setup.limit));
  const auto ping = value_of("ping", starling::wait<std::chrono::nanoseconds>(
                                         [&](auto done) { host.ping(peer, done); }, setup.limit));
  const Ms connected = std::chrono::steady_clock::now() - began;
  report(setup, connected.count(), Ms(ping).count());
}

}  // namespace

void run_transport() {
  const Setup setup = read_setup();
  starling::HostOptions options = host_options(false);
  options.security = {needed({"SECURE_CHANNEL", "security"})};
  need("the secure channel", options.security.front(), {"noise", "tls"});
  return setup.dials ? dial(setup, std::move(options)) : listen(setup, std::move(options));
}

}  // namespace interop
