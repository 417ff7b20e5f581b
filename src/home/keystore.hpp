#pragma once
// Wallets on disk as geth, cast and every other Ethereum tool keep them: Web3 Secret Storage, version 3.
#include <filesystem>
#include <string>
#include <vector>

#include "base/rng.hpp"
#include "crypto/kdf.hpp"
#include "crypto/keys.hpp"
#include "format/eth_address.hpp"
#include "home/errors.hpp"

namespace starling::home {

/// What a wrong guess costs. `standard` is geth's: 256 MiB and about a second. `light` is for keys whose
/// password is itself 256 random bits, where slowness protects nothing.
enum class KeystoreCost : std::uint8_t { standard, light };
crypto::ScryptCost scrypt_cost(KeystoreCost cost) noexcept;

/// The JSON of a new keystore: scrypt, aes-128-ctr, Keccak MAC.
Result<std::string> encrypt_keystore(const crypto::PrivateKey& wallet, std::string_view password,
                                     KeystoreCost cost, Rng& rng);
/// Reads scrypt and pbkdf2 (hmac-sha256). Errc::bad_keystore, unsupported_keystore, wrong_password.
Result<crypto::PrivateKey> decrypt_keystore(std::string_view json, std::string_view password);
/// The address that the file names, without a password.
Result<EthAddress> keystore_address(std::string_view json);

struct KeystoreEntry {
  EthAddress address;
  std::filesystem::path file;
};

/// A folder of keystore files, one a wallet, named as geth names them.
class Keystore {
 public:
  explicit Keystore(std::filesystem::path folder) : folder_(std::move(folder)) {}
  /// Sorted by file name, which is by age. Files that are no keystores are passed over.
  std::vector<KeystoreEntry> list() const;
  /// Errc::wallet_exists, cannot_write.
  Result<KeystoreEntry> add(const crypto::PrivateKey& wallet, std::string_view password, KeystoreCost cost,
                            Rng& rng, std::uint64_t unix_ms);
  /// Errc::no_such_wallet and those of decrypt_keystore().
  Result<crypto::PrivateKey> open(const EthAddress& address, std::string_view password) const;
  const std::filesystem::path& folder() const noexcept { return folder_; }

 private:
  std::filesystem::path folder_;
};

}  // namespace starling::home
