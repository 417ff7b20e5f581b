#pragma once
#include "base/result.hpp"

namespace starling::home {

enum class Errc : std::uint16_t {
  bad_keystore = 1,      ///< not a Web3 Secret Storage file of version 3
  unsupported_keystore,  ///< a KDF or cipher that nobody uses, or a cost beyond reason
  wrong_password,        ///< the MAC does not match
  no_such_wallet,        ///< no keystore of that address or name
  wallet_exists,         ///< a keystore of this address is there already
  cannot_read,           ///< a file that should be readable is not
  cannot_write,          ///< disk full, no permission, not a directory
  in_use,                ///< another node runs on this data directory
  unsafe_permissions,    ///< a secret that others may read
  damaged,               ///< a file or database that does not hold what it should
  newer_schema,          ///< written by a later version of Starling
  database_failed,       ///< SQLite said no
};
Error make_error(Errc code) noexcept;

}  // namespace starling::home
