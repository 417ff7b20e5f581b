// From the public options to the configuration of the core.
#include "runtime/system.hpp"
#include "sdk/host_core.hpp"

namespace starling::sdk {
namespace {

/// More than any benchmark reaches.
constexpr std::size_t kUnlimited = 1 << 30;
constexpr double kUnlimitedRate = 1e12;

LogLevel log_level(std::string_view name) noexcept {
  if (name == "trace") return LogLevel::trace;
  if (name == "debug") return LogLevel::debug;
  if (name == "info") return LogLevel::info;
  if (name == "error") return LogLevel::error;
  return LogLevel::warn;
}

Result<crypto::PrivateKey> make_key(const HostKey& key) {
  const auto type =
      key.type == HostKey::Type::ed25519 ? crypto::KeyType::ed25519 : crypto::KeyType::secp256k1;
  if (!key.secret.empty()) return crypto::PrivateKey::from_data(type, key.secret);
  runtime::SystemRng rng;
  return crypto::PrivateKey::generate(type, rng);
}

Result<std::vector<Multiaddr>> parse_all(const std::vector<std::string>& texts) {
  std::vector<Multiaddr> out;
  for (const auto& text : texts) {
    STARLING_ASSIGN(Multiaddr address, Multiaddr::parse(text));
    out.push_back(std::move(address));
  }
  return out;
}

kad::Config kad_config(const DhtOptions& options, HostOptions::Protection protection) {
  kad::Config config;
  config.mode = options.mode == DhtOptions::Mode::server ? kad::Mode::server : kad::Mode::client;
  config.scope = options.addresses == DhtOptions::Addresses::any ? kad::AddressScope::any
                                                                 : kad::AddressScope::public_only;
  if (protection == HostOptions::Protection::off) {
    config.rates = {kUnlimitedRate, kUnlimitedRate, kUnlimitedRate, kUnlimitedRate};
    config.stores.records_per_peer_max = config.stores.records_max;
    config.stores.provided_keys_per_peer_max = config.stores.providers_max;
  }
  return config;
}

gossip::Config gossip_config(HostOptions::Protection protection) {
  gossip::Config config;
  if (protection == HostOptions::Protection::off) {
    config.forwarder_rate_per_s = kUnlimitedRate;
    config.forwarder_burst = kUnlimitedRate;
    config.validations_max = kUnlimited;
    config.validations_per_peer_max = kUnlimited;
    config.validation_bytes_max = kUnlimited;
  }
  return config;
}

}  // namespace

Result<HostCore::Setup> HostCore::prepare(const HostOptions& options) {
  STARLING_ASSIGN(crypto::PrivateKey key, make_key(options.key));
  Setup setup(std::move(key));
  STARLING_ASSIGN(setup.options.listen, parse_all(options.listen));
  setup.options.threads = options.threads;
  setup.options.log_level = log_level(options.log_level);
  STARLING_ASSIGN(setup.host.bootstrap, parse_all(options.bootstrap));
  setup.host.agent_version = options.agent_version;
  setup.host.connections.low = options.connections_low;
  setup.host.connections.high = options.connections_high;
  setup.host.connections.total = options.connections_total;
  setup.options.connections_bytes_max = options.connections_bytes_max;
  if (options.protection == HostOptions::Protection::off) {
    setup.host.connections.low = setup.host.connections.high = setup.host.connections.total = kUnlimited;
    setup.host.connections.per_ip = kUnlimited;
  }
  if (options.dht) {
    setup.host.kad = kad_config(*options.dht, options.protection);
    setup.host.kad_protocol = options.dht->protocol;
    if (options.dht->records == DhtOptions::Records::anything)
      setup.records = runtime::HostBrain::Records::anything;
  }
  if (options.gossip) {
    STARLING_ASSIGN(setup.host.gossip, gossip::make_config(gossip_config(options.protection)));
  }
  return setup;
}

std::shared_ptr<runtime::LoopPool> HostCore::loops_of(const HostOptions& options) {
  return options.loops ? std::static_pointer_cast<runtime::LoopPool>(options.loops->pool_) : nullptr;
}

}  // namespace starling::sdk

namespace starling {

EventLoops::EventLoops(std::size_t threads) : pool_(runtime::make_loops(threads)) {}

}  // namespace starling
