#include <toml++/toml.h>
#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <sstream>

#include "command.hpp"
#include "home/data_dir.hpp"
#include "home/files.hpp"

namespace starling::cli {
namespace {

struct Key {
  std::string_view name;
  void (*set)(NodeOptions&, const toml::node&, bool& good);
};

template <std::string NodeOptions::*Member>
void set_text(NodeOptions& options, const toml::node& node, bool& good) {
  const auto value = node.value<std::string>();
  good = value.has_value();
  if (good) options.*Member = *value;
}

template <std::vector<std::string> NodeOptions::*Member>
void set_list(NodeOptions& options, const toml::node& node, bool& good) {
  good = node.is_array();
  if (!good) return;
  (options.*Member).clear();
  for (const auto& item : *node.as_array()) {
    const auto value = item.value<std::string>();
    good = good && value.has_value();
    if (value) (options.*Member).push_back(*value);
  }
}

template <std::size_t NodeOptions::*Member>
void set_count(NodeOptions& options, const toml::node& node, bool& good) {
  const auto value = node.value<std::int64_t>();
  good = value && *value >= 0 && *value <= 1'000'000;
  if (good) options.*Member = static_cast<std::size_t>(*value);
}

template <bool NodeOptions::*Member>
void set_flag(NodeOptions& options, const toml::node& node, bool& good) {
  const auto value = node.value<bool>();
  good = value.has_value();
  if (good) options.*Member = *value;
}

constexpr Key kKeys[] = {
    {"data-dir", set_text<&NodeOptions::data_dir>},
    {"role", set_text<&NodeOptions::role>},
    {"name", set_text<&NodeOptions::name>},
    {"network", set_text<&NodeOptions::network>},
    {"listen", set_list<&NodeOptions::listen>},
    {"bootstrap", set_list<&NodeOptions::bootstrap>},
    {"security", set_list<&NodeOptions::security>},
    {"wallet", set_text<&NodeOptions::wallet>},
    {"password-file", set_text<&NodeOptions::password_file>},
    {"key-type", set_text<&NodeOptions::key_type>},
    {"threads", set_count<&NodeOptions::threads>},
    {"connections", set_count<&NodeOptions::connections>},
    {"connection-memory-mib", set_count<&NodeOptions::connection_memory_mib>},
    {"log-level", set_text<&NodeOptions::log_level>},
    {"no-status", set_flag<&NodeOptions::no_status>},
    {"allow-private", set_flag<&NodeOptions::allow_private>},
    {"take-over", set_flag<&NodeOptions::take_over>},
};

std::string known_keys() {
  std::string out;
  for (const auto& key : kKeys) {
    if (!out.empty()) out += ", ";
    out += key.name;
  }
  return out;
}

std::optional<LogLevel> level_named(std::string_view name) {
  if (name == "trace") return LogLevel::trace;
  if (name == "debug") return LogLevel::debug;
  if (name == "info") return LogLevel::info;
  if (name == "warn") return LogLevel::warn;
  if (name == "error") return LogLevel::error;
  return std::nullopt;
}

Error bad_config() { return make_error(api::Errc::bad_config); }

}  // namespace

std::filesystem::path default_data_dir() {
  if (const char* home = std::getenv("STARLING_HOME"); home != nullptr && *home != '\0') return home;
  const char* user = std::getenv("HOME");
  return std::filesystem::path(user != nullptr && *user != '\0' ? user : ".") / ".starling";
}

std::filesystem::path data_dir_of(const NodeOptions& options) {
  return options.data_dir.empty() ? default_data_dir() : std::filesystem::path(options.data_dir);
}

Outcome<void> apply_config(NodeOptions& options, const std::vector<std::string>& given) {
  if (options.config.empty()) return {};
  const auto content = home::read_file(options.config);
  if (!content) return failure(content.error(), options.config);
  toml::table table;
  try {
    table = toml::parse(as_text(*content), options.config);
  } catch (const toml::parse_error& error) {
    std::ostringstream where;
    where << options.config << ", line " << error.source().begin.line << ": " << error.description();
    return failure(bad_config(), where.str());
  }
  for (const auto& [name, node] : table) {
    const std::string_view key = name.str();
    const auto* known =
        std::find_if(std::begin(kKeys), std::end(kKeys), [&](const Key& k) { return k.name == key; });
    std::ostringstream where;
    where << options.config << ", line " << node.source().begin.line << ": ";
    if (known == std::end(kKeys))
      return failure(bad_config(),
                     where.str() + "unknown key '" + std::string(key) + "'; known: " + known_keys());
    if (std::find(given.begin(), given.end(), key) != given.end()) continue;
    bool good = false;
    known->set(options, node, good);
    if (!good)
      return failure(bad_config(), where.str() + "'" + std::string(key) + "' has a value of the wrong type");
  }
  return {};
}

Outcome<Multiaddr> parse_address(const std::string& text, std::string_view what) {
  auto address = Multiaddr::parse(text);
  if (!address) return failure(address.error(), std::string(what) + " '" + text + "'");
  return *std::move(address);
}

Outcome<api::ServiceConfig> service_config(const NodeOptions& options) {
  api::ServiceConfig config;
  config.data_dir = data_dir_of(options);
  const auto role = agent::parse_role(options.role);
  if (!role)
    return failure(bad_config(), "role '" + options.role + "' is not one of bootstrap, agent, server, light");
  config.role = *role;
  config.name = options.name;
  auto network = agent::NetworkName::parse(options.network);
  if (!network) return failure(network.error(), "network '" + options.network + "'");
  config.network = *std::move(network);
  for (const auto& text : options.listen) {
    auto address = parse_address(text, "listen address");
    if (!address) return tl::unexpected<Failure>(address.error());
    config.listen.push_back(*std::move(address));
  }
  for (const auto& text : options.bootstrap) {
    auto address = parse_address(text, "bootstrap address");
    if (!address) return tl::unexpected<Failure>(address.error());
    config.bootstrap.push_back(*std::move(address));
  }
  auto security = node::parse_security(options.security);
  if (!security) return failure(bad_config(), "security is not noise, tls, or both in order of preference");
  config.security = *std::move(security);
  if (!options.wallet.empty()) {
    const auto wallet = EthAddress::parse(options.wallet);
    if (!wallet) return failure(wallet.error(), "wallet '" + options.wallet + "'");
    config.wallet = *wallet;
  }
  if (!options.password_file.empty()) {
    auto password = home::read_password(options.password_file);
    if (!password) return failure(password.error(), options.password_file);
    config.password = *std::move(password);
  }
  if (options.key_type != "secp256k1" && options.key_type != "ed25519")
    return failure(bad_config(), "key-type '" + options.key_type + "' is not one of secp256k1, ed25519");
  config.node_key_type =
      options.key_type == "ed25519" ? crypto::KeyType::ed25519 : crypto::KeyType::secp256k1;
  config.threads = options.threads;
  if (options.connections > 0) config.connections = options.connections;
  if (options.connection_memory_mib > 0) config.connections_bytes_max = options.connection_memory_mib << 20U;
  const auto level = level_named(options.log_level);
  if (!level)
    return failure(bad_config(),
                   "log-level '" + options.log_level + "' is not one of trace, debug, info, warn, error");
  config.log_level = *level;
  config.status_messages = !options.no_status;
  config.allow_private_addresses = options.allow_private;
  config.take_over = options.take_over;
  return config;
}

}  // namespace starling::cli
