#include "api/views.hpp"
#include "command.hpp"
#include "home/data_dir.hpp"
#include "home/files.hpp"
#include "runtime/system.hpp"

namespace starling::cli {
namespace {

namespace json = boost::json;

home::Keystore keystore_of(const NodeOptions& options) {
  return home::Keystore(data_dir_of(options) / "keystore");
}

/// Passwords come from a file only: neither a command line nor the environment hides them from other users.
Outcome<std::string> password_of(const NodeOptions& options) {
  if (options.password_file.empty())
    return failure(make_error(api::Errc::bad_config), "a keystore needs --password-file FILE");
  auto password = home::read_password(options.password_file);
  if (!password) return failure(password.error(), options.password_file);
  return *std::move(password);
}

int store(const crypto::PrivateKey& key, const WalletOptions& options, const Output& output) {
  const auto password = password_of(options.node);
  if (!password) return output.fail(password.error());
  runtime::SystemRng rng;
  auto keystore = keystore_of(options.node);
  const auto cost = options.light ? home::KeystoreCost::light : home::KeystoreCost::standard;
  const auto entry = keystore.add(key, *password, cost, rng, runtime::read_clock().wall.ms());
  if (!entry) return output.fail({entry.error(), keystore.folder().string()});
  if (output.json())
    output.line({{"address", entry->address.to_string()}, {"file", entry->file.string()}});
  else
    output.text(entry->address.to_string() + "  " + entry->file.string());
  return 0;
}

}  // namespace

int run_wallet_new(const WalletOptions& options, const Output& output) {
  runtime::SystemRng rng;
  return store(crypto::PrivateKey::generate(crypto::KeyType::secp256k1, rng), options, output);
}

/// Takes a keystore of another tool (same password) or a file with 64 hex digits. Never a key on the command
/// line.
int run_wallet_import(const WalletOptions& options, const Output& output) {
  auto content = home::read_file(options.file, 64 * 1024);
  if (!content) return output.fail({content.error(), options.file});
  std::string text = to_text(*content);
  crypto::wipe(*content);
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.pop_back();
  if (const auto raw = from_hex(text); raw && raw->size() == 32) {
    const auto key = crypto::PrivateKey::from_data(crypto::KeyType::secp256k1, *raw);
    if (!key) return output.fail({key.error(), options.file});
    return store(*key, options, output);
  }
  const auto password = password_of(options.node);
  if (!password) return output.fail(password.error());
  const auto key = home::decrypt_keystore(text, *password);
  if (!key) return output.fail({key.error(), options.file});
  return store(*key, options, output);
}

int run_wallet_list(const WalletOptions& options, const Output& output) {
  json::array out;
  for (const auto& entry : keystore_of(options.node).list()) {
    if (!output.json()) output.text(entry.address.to_string() + "  " + entry.file.string());
    out.push_back({{"address", entry.address.to_string()}, {"file", entry.file.string()}});
  }
  if (output.json()) output.line(out);
  return 0;
}

int run_wallet_show(const WalletOptions& options, const Output& output) {
  const auto wanted = EthAddress::parse(options.address);
  if (!wanted) return output.fail({wanted.error(), options.address});
  for (const auto& entry : keystore_of(options.node).list()) {
    if (entry.address != *wanted) continue;
    const std::string key = to_text(agent::presence_key(*wanted));
    if (output.json()) {
      output.line({{"address", wanted->to_string()}, {"file", entry.file.string()}, {"dht_key", key}});
    } else {
      output.text("address  " + wanted->to_string());
      output.text("file     " + entry.file.string());
      output.text("dht key  " + key);
    }
    return 0;
  }
  return output.fail({make_error(home::Errc::no_such_wallet), options.address});
}

}  // namespace starling::cli
