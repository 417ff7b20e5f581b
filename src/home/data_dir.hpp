#pragma once
#include <filesystem>
#include <optional>
#include <string>

#include "base/rng.hpp"
#include "crypto/keys.hpp"
#include "home/errors.hpp"
#include "home/keystore.hpp"

namespace starling::home {

/// A node's folder: `node.key`, `keystore/`, `wallet.password` (only for a wallet that the node made itself),
/// `node.db`, `control.sock`, `lock`. Mode 0700.
///
/// One node per folder: open() takes a lock that the kernel releases with the process, however it ends.
class DataDir {
 public:
  enum class Lock : std::uint8_t { exclusive, none };
  /// Creates the folder when missing. Errc::in_use, cannot_write.
  static Result<DataDir> open(const std::filesystem::path& folder, Lock lock);
  DataDir(DataDir&& other) noexcept;
  DataDir& operator=(DataDir&& other) noexcept;
  ~DataDir();

  /// The node's libp2p key; made at first use. Errc::damaged, unsafe_permissions, cannot_write.
  Result<crypto::PrivateKey> node_key(crypto::KeyType type_if_new, Rng& rng);

  struct OpenedWallet {
    crypto::PrivateKey key;
    EthAddress address;
    bool made = false;  ///< just now, by us
  };
  /// The wallet to run with: `address` when given, else the only one, else the oldest; made when there is
  /// none. `password`: for a keystore that a person made; one that we made opens with wallet.password.
  Result<OpenedWallet> wallet(std::optional<EthAddress> address, const std::optional<std::string>& password,
                              Rng& rng, std::uint64_t unix_ms);

  Keystore keystore() const { return Keystore(folder_ / "keystore"); }
  std::filesystem::path database() const { return folder_ / "node.db"; }
  std::filesystem::path control_socket() const { return folder_ / "control.sock"; }
  const std::filesystem::path& folder() const noexcept { return folder_; }

 private:
  DataDir(std::filesystem::path folder, int lock) noexcept : folder_(std::move(folder)), lock_(lock) {}
  std::filesystem::path folder_;
  int lock_ = -1;
};

/// A password file's first line, without its end. Errc::cannot_read.
Result<std::string> read_password(const std::filesystem::path& file);

}  // namespace starling::home
