#include "home/data_dir.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "format/peer_id.hpp"
#include "home/files.hpp"

namespace starling::home {

namespace fs = std::filesystem;

Result<DataDir> DataDir::open(const fs::path& folder, Lock lock) {
  std::error_code error;
  const bool is_new = !fs::exists(folder, error);
  fs::create_directories(folder, error);
  if (error || !fs::is_directory(folder, error)) return fail(Errc::cannot_write);
  if (is_new) fs::permissions(folder, fs::perms::owner_all, error);
  if (lock == Lock::none) return DataDir(folder, -1);
  const int descriptor = ::open((folder / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) return fail(Errc::cannot_write);
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    ::close(descriptor);
    return fail(Errc::in_use);
  }
  return DataDir(folder, descriptor);
}

DataDir::DataDir(DataDir&& other) noexcept
    : folder_(std::move(other.folder_)), lock_(std::exchange(other.lock_, -1)) {}
DataDir& DataDir::operator=(DataDir&& other) noexcept {
  std::swap(folder_, other.folder_);
  std::swap(lock_, other.lock_);
  return *this;
}
DataDir::~DataDir() {
  if (lock_ >= 0) ::close(lock_);
}

Result<crypto::PrivateKey> DataDir::node_key(crypto::KeyType type_if_new, Rng& rng) {
  const fs::path file = folder_ / "node.key";
  std::error_code error;
  if (fs::exists(file, error)) {
    STARLING_TRY(check_private(file));
    STARLING_ASSIGN(const Bytes content, read_file(file, 4096));
    auto key = format::decode_private_key(content);
    if (!key) return fail(Errc::damaged);
    return key;
  }
  auto key = crypto::PrivateKey::generate(type_if_new, rng);
  STARLING_TRY(write_secret(file, format::encode_private_key(key)));
  return key;
}

Result<DataDir::OpenedWallet> DataDir::wallet(std::optional<EthAddress> address,
                                              const std::optional<std::string>& password, Rng& rng,
                                              std::uint64_t unix_ms) {
  Keystore store = keystore();
  const auto wallets = store.list();
  const fs::path own_password = folder_ / "wallet.password";
  std::error_code error;
  if (wallets.empty() && !address) {
    const std::string made = to_hex(rng.bytes<32>());
    STARLING_TRY(write_secret(own_password, as_bytes(made)));
    auto key = crypto::PrivateKey::generate(crypto::KeyType::secp256k1, rng);
    const std::string& chosen = password ? *password : made;
    const auto cost = password ? KeystoreCost::standard : KeystoreCost::light;
    STARLING_ASSIGN(const auto entry, store.add(key, chosen, cost, rng, unix_ms));
    if (password) fs::remove(own_password, error);
    return OpenedWallet{std::move(key), entry.address, true};
  }
  const EthAddress wanted = address ? *address : wallets.front().address;
  std::string secret;
  if (password) {
    secret = *password;
  } else if (fs::exists(own_password, error)) {
    STARLING_TRY(check_private(own_password));
    STARLING_ASSIGN(secret, read_password(own_password));
  }
  STARLING_ASSIGN(auto key, store.open(wanted, secret));
  return OpenedWallet{std::move(key), wanted, false};
}

Result<std::string> read_password(const fs::path& file) {
  STARLING_ASSIGN(const Bytes content, read_file(file, 4096));
  std::string text = to_text(content);
  text.resize(std::min(text.find_first_of("\r\n"), text.size()));
  return text;
}

}  // namespace starling::home
