#include "p2pd.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>

#include "daemon/daemon.hpp"
#include "drop_report.hpp"
#include "format/multiaddr.hpp"
#include "go_flags.hpp"
#include "signals.hpp"
#include "starling/wait.hpp"

namespace starling::cli {
namespace {

using Type = GoFlags::Type;

constexpr int kUsageExit = 2;
constexpr int kSignalExit = 0x80;
constexpr long kDropReportSeconds = 10;
constexpr const char* kIpfsDht = "/ipfs/kad/1.0.0";
/// The public IPFS network's, which go-libp2p-kad-dht and so p2pd join through by themselves.
constexpr const char* kIpfsBootstrapPeers[] = {
    "/dnsaddr/bootstrap.libp2p.io/p2p/QmNnooDu7bfjPFoTZYxMNLWUQJyrVwtbZg5gBMjTezGAJN",
    "/dnsaddr/bootstrap.libp2p.io/p2p/QmQCU2EcMqAqQPR2i9bChDtGNJchTbq5TbXJJ16u19uLTa",
    "/dnsaddr/bootstrap.libp2p.io/p2p/QmbLHAnMoJPWSCR5Zhtx6BHJX9KiKNN6tpvbUcqanj75Nb",
    "/dnsaddr/bootstrap.libp2p.io/p2p/QmcZf59bWwK5XFi76CZX8cbJ4BhTzzA3gU1ZjYZcYW3dwt",
    "/ip4/104.131.131.82/tcp/4001/p2p/QmaCpDMGvV2BGHeYERUEnRQAwe3N8SzbUtfsmvsqQLuvuJ"};

struct FlagRow {
  const char* name;
  Type type;
  const char* value;
  const char* help;
  /// What is said when it asks for something that Starling does not offer; a daemon that would then behave
  /// otherwise than asked does not start.
  enum class Offered : std::uint8_t { yes, no_harmless, no } offered = Offered::yes;
};
constexpr auto kHarmless = FlagRow::Offered::no_harmless;
constexpr auto kMissing = FlagRow::Offered::no;
constexpr FlagRow kFlags[] = {
    {"listen", Type::text, "/unix/tmp/p2pd.sock",
     "daemon control listen multiaddr: /unix/PATH or /ip4/IP/tcp/PORT"},
    {"q", Type::toggle, "false", "be quiet"},
    {"id", Type::text, "", "peer identity; private key file"},
    {"b", Type::toggle, "false", "connects to bootstrap peers"},
    {"bootstrapPeers", Type::text, "",
     "comma separated list of bootstrap peers; defaults to the IPFS DHT peers"},
    {"dht", Type::toggle, "false", "Enables the DHT; serves it as soon as the host is known to be reachable"},
    {"dhtClient", Type::toggle, "false", "Enables the DHT in client mode"},
    {"dhtServer", Type::toggle, "false", "Enables the DHT in server mode"},
    {"connManager", Type::toggle, "false", "Sets the connection manager by the three flags below"},
    {"connLo", Type::number, "256", "Connection Manager Low Water mark"},
    {"connHi", Type::number, "512", "Connection Manager High Water mark"},
    {"connGrace", Type::duration, "120s", "Connection Manager grace period"},
    {"pubsub", Type::toggle, "false", "Enables pubsub"},
    {"pubsubRouter", Type::text, "gossipsub", "gossipsub, the one router"},
    {"pubsubSign", Type::toggle, "true", "messages are always signed"},
    {"pubsubSignStrict", Type::toggle, "true", "signatures are always required"},
    {"gossipsubHeartbeatInterval", Type::duration, "0", "not offered: one second", kHarmless},
    {"gossipsubHeartbeatInitialDelay", Type::duration, "0", "not offered", kHarmless},
    {"relay", Type::toggle, "true", "not offered", kHarmless},
    {"relayActive", Type::toggle, "false", "not offered", kHarmless},
    {"relayHop", Type::toggle, "false", "not offered", kHarmless},
    {"relayHopLimit", Type::number, "0", "not offered", kHarmless},
    {"relayDiscovery", Type::toggle, "false", "not offered", kHarmless},
    {"autoRelay", Type::toggle, "false", "not offered", kHarmless},
    {"autonat", Type::toggle, "false", "not offered", kHarmless},
    {"natPortMap", Type::toggle, "false", "not offered", kHarmless},
    {"quic", Type::toggle, "false", "not offered", kHarmless},
    {"hostAddrs", Type::text, "", "comma separated list of multiaddrs the host should listen on"},
    {"announceAddrs", Type::text, "", "not offered", kMissing},
    {"noListenAddrs", Type::toggle, "false", "sets the host to listen on no addresses"},
    {"metricsAddr", Type::text, "", "not offered", kHarmless},
    {"f", Type::text, "", "not offered: give flags", kMissing},
    {"i", Type::toggle, "false", "not offered: give flags", kMissing},
    {"pprof", Type::toggle, "false", "not offered", kHarmless},
    {"pprofPort", Type::number, "0", "not offered", kHarmless},
    {"noise", Type::toggle, "true", "Enables Noise for connections that the host dials"},
    {"tls", Type::toggle, "true", "Enables TLS 1.3 for connections that the host dials"},
    {"plaintext", Type::toggle, "true", "not offered", kHarmless},
    {"forceReachabilityPublic", Type::toggle, "false", "with -dht: serve it from the start"},
    {"forceReachabilityPrivate", Type::toggle, "false", "with -dht: never serve it"},
    {"muxer", Type::text, "yamux", "yamux, the one muxer"},
    {"echo", Type::toggle, "true", "answer on /echo/1.0.0"},
};

Failure refusal(std::string message) { return {"unsupported", "cli/p2pd", std::move(message)}; }

void warn(const std::string& message) { fmt::print(stderr, "p2pd: warning: {}\n", message); }

std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin < list.size();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    if (end > begin) parts.push_back(list.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

/// Refuses what changes what a client gets, warns of what only lacks.
Outcome<void> check_offered(const GoFlags& flags) {
  for (const auto& row : kFlags) {
    if (row.offered == FlagRow::Offered::yes || !flags.given(row.name)) continue;
    const std::string& value = flags.text(row.name);
    if (value.empty() || value == "false" || value == "0") continue;
    if (row.offered == kMissing) return refusal(fmt::format("-{} is not offered by Starling", row.name));
    warn(fmt::format("-{} is not offered by Starling and has no effect", row.name));
  }
  if (!flags.on("noise") && !flags.on("tls"))
    return refusal("at least one channel security protocol must be enabled");
  if (flags.text("muxer") != "yamux") return refusal("-muxer: Starling offers yamux only");
  if (flags.on("pubsub")) {
    if (flags.text("pubsubRouter") != "gossipsub")
      return refusal("-pubsubRouter: Starling offers gossipsub only (it also speaks to floodsub peers)");
    if (!flags.on("pubsubSign") || !flags.on("pubsubSignStrict"))
      return refusal("-pubsubSign=false, -pubsubSignStrict=false: Starling signs and checks every message");
  }
  if (flags.on("forceReachabilityPublic") && flags.on("forceReachabilityPrivate"))
    return refusal("forceReachability must be public or private, not both");
  return {};
}

/// The key file of go's daemon: a PrivateKey protobuf.
Outcome<HostKey> read_key(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string content((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!file) return refusal("-id: cannot read " + path);
  const auto key = format::decode_private_key(as_bytes(content));
  if (!key)
    return refusal(fmt::format("-id: {}: {} (a PrivateKey protobuf of type Ed25519 or Secp256k1 is expected)",
                               path, key.error().message()));
  HostKey out;
  out.type = key->type() == crypto::KeyType::ed25519 ? HostKey::Type::ed25519 : HostKey::Type::secp256k1;
  out.secret = to_bytes(key->secret());
  return out;
}

bool is_tcp(const std::string& text) {
  const auto address = Multiaddr::parse(text);
  return address && address->as_tcp().has_value();
}

Outcome<void> set_listen(const GoFlags& flags, HostOptions& host) {
  if (flags.on("noListenAddrs")) return {};
  const auto asked = split(flags.text("hostAddrs"));
  for (const auto& address : asked) {
    if (const auto parsed = Multiaddr::parse(address); !parsed)
      return refusal(fmt::format("-hostAddrs: '{}': {}", address, parsed.error().message()));
    if (is_tcp(address))
      host.listen.push_back(address);
    else
      warn(fmt::format("-hostAddrs: {} is left out, Starling listens on TCP only", address));
  }
  if (!asked.empty() && host.listen.empty())
    return refusal("-hostAddrs: none of the addresses is /ip4|ip6/IP/tcp/PORT");
  if (asked.empty()) {
    host.listen = {"/ip4/0.0.0.0/tcp/0"};
    if (std::filesystem::exists("/proc/net/if_inet6")) host.listen.emplace_back("/ip6/::/tcp/0");
  }
  return {};
}

Outcome<void> set_connections(const GoFlags& flags, HostOptions& host) {
  if (!flags.on("connManager")) return {};
  const auto low = flags.number("connLo");
  const auto high = flags.number("connHi");
  constexpr std::int64_t kMost = 1'000'000;
  if (low < 0 || high < low || high > kMost) return refusal("-connLo, -connHi: 0 <= low <= high <= 1000000");
  host.connections_low = static_cast<std::size_t>(low);
  host.connections_high = static_cast<std::size_t>(high);
  host.connections_total = std::max(host.connections_total, 2 * host.connections_high);
  host.connections_grace = flags.duration("connGrace");
  return {};
}

void set_dht(const GoFlags& flags, HostOptions& host) {
  if (!flags.on("dht") && !flags.on("dhtClient") && !flags.on("dhtServer")) return;
  DhtOptions dht;
  dht.protocol = kIpfsDht;
  dht.addresses = DhtOptions::Addresses::any;
  // As p2pd: -dht goes before -dhtClient, and that before -dhtServer.
  if (flags.on("dht")) {
    dht.mode = DhtOptions::Mode::automatic;
    if (flags.on("forceReachabilityPublic")) dht.mode = DhtOptions::Mode::server;
    if (flags.on("forceReachabilityPrivate")) dht.mode = DhtOptions::Mode::client;
  } else {
    dht.mode = flags.on("dhtClient") ? DhtOptions::Mode::client : DhtOptions::Mode::server;
  }
  host.dht = dht;
}

Outcome<daemon::DaemonOptions> options_of(const GoFlags& flags) {
  if (auto offered = check_offered(flags); !offered) return offered.failure();
  daemon::DaemonOptions options;
  options.control = flags.text("listen");
  options.echo = flags.on("echo") ? daemon::DaemonOptions::Echo::on : daemon::DaemonOptions::Echo::off;
  HostOptions& host = options.host;
  if (!flags.text("id").empty()) {
    auto key = read_key(flags.text("id"));
    if (!key) return key.failure();
    host.key = *std::move(key);
  }
  if (auto set = set_listen(flags, host); !set) return set.failure();
  if (auto set = set_connections(flags, host); !set) return set.failure();
  host.security.clear();
  for (const auto* protocol : {"noise", "tls"})
    if (flags.on(protocol)) host.security.emplace_back(protocol);
  set_dht(flags, host);
  host.gossip = flags.on("pubsub");
  host.own_messages = HostOptions::OwnMessages::delivered;
  host.agent_version = "starling-p2pd/" STARLING_VERSION;
  if (flags.on("b")) {
    host.bootstrap = split(flags.text("bootstrapPeers"));
    if (host.bootstrap.empty())
      host.bootstrap.assign(std::begin(kIpfsBootstrapPeers), std::end(kIpfsBootstrapPeers));
  }
  return options;
}

/// Word for word what p2pd prints: clients look for these lines.
void print_start(const GoFlags& flags, const daemon::Daemon& daemon) {
  fmt::print("Control socket: {}\nPeer ID: {}\nPeer Addrs:\n", daemon.control_address(), daemon.peer_id());
  for (const auto& address : daemon.addresses()) fmt::print("{}\n", address);
  const auto bootstrap = split(flags.text("bootstrapPeers"));
  if (flags.on("b") && !bootstrap.empty()) {
    fmt::print("Bootstrap peers:\n");
    for (const auto& peer : bootstrap) fmt::print("{}\n", peer);
  }
  std::fflush(stdout);
}

/// SIGUSR1: who is connected, and what for.
void print_diagnostics(Host& host) {
  const auto connections =
      wait<std::vector<ConnectionInfo>>([&](auto done) { host.connections(done); }, std::chrono::seconds(5));
  if (!connections) return;
  const auto table =
      wait<std::size_t>([&](auto done) { host.dht_table_size(done); }, std::chrono::seconds(5));
  if (table) fmt::print("DHT Routing Table: {} peers\n", *table);
  fmt::print("Connections ({}):\n", connections->size());
  for (const auto& connection : *connections)
    fmt::print("peer: {}, multiaddr: {}\n", connection.peer, connection.remote_address);
  std::fflush(stdout);
}

int fail_with(const Failure& failure, int exit_code) {
  fmt::print(stderr, "p2pd: {}\n", failure.message);
  return exit_code;
}

}  // namespace

int run_p2pd(const std::vector<std::string>& arguments) {
  GoFlags flags;
  for (const auto& row : kFlags) flags.add(row.name, row.type, row.value, row.help);
  if (const auto parsed = flags.parse(arguments); !parsed) return fail_with(parsed.failure(), kUsageExit);
  if (flags.wants_help()) {
    fmt::print("Usage of p2pd:\n{}", flags.help());
    return 0;
  }
  const Signals signals{SIGINT, SIGTERM, SIGUSR1};
  auto options = options_of(flags);
  if (!options) return fail_with(options.failure(), 1);
  auto daemon = daemon::Daemon::start(*std::move(options));
  if (!daemon) return fail_with(daemon.failure(), 1);
  if (!flags.on("q")) print_start(flags, **daemon);
  daemon::Drops reported;
  while (true) {
    const auto signal = signals.wait(kDropReportSeconds);
    if (signal == SIGUSR1) {
      print_diagnostics((*daemon)->host());
      continue;
    }
    const auto drops = (*daemon)->drops();
    // While it runs what is new, at the end all.
    if (const auto report = drop_report(drops, signal ? daemon::Drops() : reported)) warn(*report);
    reported = drops;
    if (!signal) continue;
    daemon->reset();
    return kSignalExit + *signal;
  }
}

}  // namespace starling::cli
