// From the public options to the configuration of the core.
#include "runtime/system.hpp"
#include "sdk/host_core.hpp"
#include "sdk/parse.hpp"

namespace starling::sdk {
namespace {

/// More than any benchmark reaches.
constexpr std::size_t kUnlimited = 1 << 30;
constexpr double kUnlimitedRate = 1e12;

Result<crypto::PrivateKey> make_key(const HostKey& key) {
  const auto type =
      key.type == HostKey::Type::ed25519 ? crypto::KeyType::ed25519 : crypto::KeyType::secp256k1;
  if (!key.secret.empty()) return crypto::PrivateKey::from_data(type, key.secret);
  runtime::SystemRng rng;
  return crypto::PrivateKey::generate(type, rng);
}

kad::Config kad_config(const DhtOptions& options, HostOptions::Protection protection) {
  kad::Config config;
  // An automatic one begins as a client.
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

Outcome<HostCore::Setup> HostCore::prepare(const HostOptions& options) {
  auto key = make_key(options.key);
  if (!key) return to_failure(key.error(), "key");
  Setup setup(*std::move(key));
  auto listen = parse_addresses(options.listen, "listen");
  if (!listen) return listen.failure();
  setup.options.listen = *std::move(listen);
  auto security = parse_security(options.security);
  if (!security) return security.failure();
  setup.options.security = *std::move(security);
  setup.options.threads = options.threads;
  const auto level = parse_log_level(options.log_level);
  if (!level)
    return bad_option("log_level '" + options.log_level + "' is not one of trace, debug, info, warn, error");
  setup.options.log_level = *level;
  auto bootstrap = parse_addresses(options.bootstrap, "bootstrap");
  if (!bootstrap) return bootstrap.failure();
  setup.host.bootstrap = *std::move(bootstrap);
  setup.host.agent_version = options.agent_version;
  setup.host.connections.low = options.connections_low;
  setup.host.connections.high = options.connections_high;
  setup.host.connections.total = options.connections_total;
  setup.host.connections.grace = options.connections_grace;
  setup.options.connections_bytes_max = options.connections_bytes_max;
  if (options.protection == HostOptions::Protection::off) {
    setup.host.connections.low = setup.host.connections.high = setup.host.connections.total = kUnlimited;
    setup.host.connections.per_ip = kUnlimited;
  }
  if (options.dht) {
    setup.host.kad = kad_config(*options.dht, options.protection);
    setup.host.kad_protocol = options.dht->protocol;
    if (options.dht->mode == DhtOptions::Mode::automatic) setup.host.dht_mode = node::DhtMode::automatic;
    setup.host.reachability_scope = setup.host.kad->scope;
    if (options.dht->records == DhtOptions::Records::anything)
      setup.records = runtime::HostBrain::Records::anything;
  }
  if (options.gossip) {
    auto gossip = gossip::make_config(gossip_config(options.protection));
    if (!gossip) return to_failure(gossip.error());
    setup.host.gossip = *std::move(gossip);
    if (options.own_messages == HostOptions::OwnMessages::delivered)
      setup.host.own_messages = node::OwnMessages::delivered;
  }
  return setup;
}

std::shared_ptr<runtime::LoopPool> HostCore::loops_of(const HostOptions& options) {
  return options.loops ? std::static_pointer_cast<runtime::LoopPool>(options.loops->pool_) : nullptr;
}

}  // namespace starling::sdk

namespace starling {

bool sdk::on_event_loop() noexcept { return runtime::on_loop_thread(); }

EventLoops::EventLoops(std::size_t threads) : pool_(runtime::make_loops(threads)) {}

}  // namespace starling
