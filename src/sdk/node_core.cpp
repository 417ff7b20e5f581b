#include "sdk/node_core.hpp"

#include "agent/limits.hpp"
#include "runtime/errors.hpp"
#include "runtime/system.hpp"
#include "sdk/agent_views.hpp"
#include "sdk/parse.hpp"

namespace starling::sdk {
namespace {

/// What a failed start is about: the folder, or the addresses to listen on.
Failure start_failure(const Error& error, const NodeOptions& options) {
  const std::string_view module = error.category().name;
  if (module == "home") return to_failure(error, "data_dir '" + options.data_dir + "'");
  if (module != "runtime") return to_failure(error);
  std::string where;
  for (const auto& address : options.listen) where += (where.empty() ? "" : ", ") + address;
  return to_failure(error, "listen '" + where + "'");
}

}  // namespace

Failure NodeCore::not_running() { return {"cancelled", "sdk/not_running", "the node does not run"}; }

// ---------------------------------------------------------------------------------------------- options

Outcome<AgentSetup> NodeCore::setup() const {
  AgentSetup setup;
  setup.data_dir = options_.data_dir;
  if (!options_.wallet.empty()) {
    const auto wallet = EthAddress::parse(options_.wallet);
    if (!wallet) return to_failure(wallet.error(), "wallet '" + options_.wallet + "'");
    if (options_.data_dir.empty()) return bad_option("wallet names a keystore, which needs a data_dir");
    if (!options_.wallet_secret.empty()) return bad_option("wallet and wallet_secret exclude each other");
    setup.wallet = *wallet;
  }
  setup.password = options_.password;
  if (!options_.wallet_secret.empty()) {
    auto key = crypto::PrivateKey::from_data(crypto::KeyType::secp256k1, options_.wallet_secret);
    if (!key) return to_failure(key.error(), "wallet_secret");
    setup.wallet_key = *std::move(key);
  }
  setup.node_key_type = options_.node_key_type == NodeOptions::KeyType::ed25519 ? crypto::KeyType::ed25519
                                                                                : crypto::KeyType::secp256k1;
  if (options_.role == Role::other) return bad_option("role is not one of agent, bootstrap, server, light");
  setup.role = to_core(options_.role);
  if (options_.name.size() > agent::kPresenceNameBytesMax) return bad_option("name is longer than 64 bytes");
  setup.name = options_.name;
  auto network = agent::NetworkName::parse(options_.network);
  if (!network) return to_failure(network.error(), "network '" + options_.network + "'");
  setup.network = *std::move(network);
  auto listen = parse_addresses(options_.listen, "listen");
  if (!listen) return listen.failure();
  setup.listen = *std::move(listen);
  auto bootstrap = parse_addresses(options_.bootstrap, "bootstrap");
  if (!bootstrap) return bootstrap.failure();
  setup.bootstrap = *std::move(bootstrap);
  setup.short_lived = options_.visibility == NodeOptions::Visibility::hidden;
  setup.status_messages = options_.status_messages;
  if (options_.connections > 0) setup.connections = options_.connections;
  setup.connections_bytes_max = options_.connections_bytes_max;
  setup.allow_private_addresses = options_.allow_private_addresses;
  setup.take_over = options_.take_over;
  auto security = parse_security(options_.security);
  if (!security) return security.failure();
  setup.security = *std::move(security);
  setup.threads = options_.threads;
  if (options_.loops) setup.loops = std::static_pointer_cast<runtime::LoopPool>(options_.loops->pool_);
  const auto level = parse_log_level(options_.log_level);
  if (!level)
    return bad_option("log_level '" + options_.log_level + "' is not one of trace, debug, info, warn, error");
  setup.log_level = *level;
  if (options_.log)
    setup.log = [log = options_.log](LogLevel line_level, std::string_view module, std::string_view text) {
      log(to_string(line_level), module, text);
    };
  return setup;
}

// ---------------------------------------------------------------------------------------------- life

Outcome<void> NodeCore::start() {
  // Without a lock: in a callback of this node there is nothing to wait for.
  if (running()) return to_failure(runtime::make_error(runtime::Errc::already_started));
  const std::lock_guard life(life_);
  if (running()) return to_failure(runtime::make_error(runtime::Errc::already_started));
  auto setup = this->setup();
  if (!setup) return setup.failure();
  if (options_.data_dir.empty()) {
    runtime::SystemRng rng;
    if (!setup->wallet_key) {
      if (!wallet_key_) wallet_key_ = crypto::PrivateKey::generate(crypto::KeyType::secp256k1, rng);
      setup->wallet_key = wallet_key_;
    }
    if (!node_key_) node_key_ = crypto::PrivateKey::generate(setup->node_key_type, rng);
    setup->node_key = node_key_;
  }
  auto opened = AgentCore::open(*std::move(setup));
  if (!opened) return start_failure(opened.error(), options_);
  const std::shared_ptr<AgentCore> core = *std::move(opened);
  subscribe(*core);
  {
    const std::lock_guard lock(mutex_);
    core_ = core;
  }
  const auto started = core->start();
  if (!started) core->stop();
  const std::lock_guard lock(mutex_);
  if (started)
    for (const auto& address : core->addresses()) addresses_.push_back(address.to_string());
  else
    core_ = nullptr;
  return started ? Outcome<void>() : start_failure(started.error(), options_);
}

/// Before anything can come; what callbacks want to know of the node is there from then on.
void NodeCore::subscribe(AgentCore& core) {
  {
    const std::lock_guard lock(mutex_);
    address_ = core.wallet().to_string();
    peer_id_ = core.peer_id().to_string();
  }
  core.on_message([this](const home::InboxEntry& entry) { tell(on_message_, entry); });
  core.on_announcement([this](const agent::CheckedPresence& heard) { tell(on_announcement_, heard); });
  core.on_status([this](const node::agent_event::Status& status) { tell(on_status_, status); });
}

template <class Callback, class Value>
void NodeCore::tell(const std::shared_ptr<const Callback>& member, const Value& value) const {
  std::shared_ptr<const Callback> callback;
  {
    const std::lock_guard lock(mutex_);
    callback = member;
  }
  if (callback) (*callback)(to_public(value));
}

void NodeCore::stop() {
  // Without a lock: who stops a node in its own callback is told so and not kept waiting.
  if (const auto core = running()) core->refuse_own_thread();
  const std::lock_guard life(life_);
  std::shared_ptr<AgentCore> core = running();
  if (!core) return;
  core->stop();
  const std::lock_guard lock(mutex_);
  core_ = nullptr;
  addresses_.clear();
}

std::shared_ptr<AgentCore> NodeCore::running() const {
  const std::lock_guard lock(mutex_);
  return core_;
}

std::string NodeCore::address() const {
  const std::lock_guard lock(mutex_);
  return address_;
}

std::string NodeCore::peer_id() const {
  const std::lock_guard lock(mutex_);
  return peer_id_;
}

std::vector<std::string> NodeCore::addresses() const {
  const std::lock_guard lock(mutex_);
  return addresses_;
}

}  // namespace starling::sdk
