#include "home/errors.hpp"

namespace starling::home {
namespace {

std::string_view message(std::uint16_t code) noexcept {
  switch (static_cast<Errc>(code)) {
    case Errc::bad_keystore: return "not a version 3 keystore file";
    case Errc::unsupported_keystore:
      return "the keystore uses a key derivation or cipher that is not supported";
    case Errc::wrong_password: return "wrong password";
    case Errc::no_such_wallet: return "no such wallet";
    case Errc::wallet_exists: return "a wallet with this address exists already";
    case Errc::cannot_read: return "cannot read the file";
    case Errc::cannot_write: return "cannot write the file";
    case Errc::in_use: return "another node is running on this data directory";
    case Errc::unsafe_permissions: return "the file is readable by others; chmod 600 it";
    case Errc::damaged: return "the file is damaged";
    case Errc::newer_schema: return "the data directory was written by a later version";
    case Errc::database_failed: return "the database failed";
  }
  return "unknown error";
}
constexpr ErrorCategory kCategory{"home", message};

Kind kind_of(Errc code) noexcept {
  switch (code) {
    case Errc::bad_keystore: return Kind::malformed;
    case Errc::unsupported_keystore:
    case Errc::newer_schema: return Kind::unsupported;
    case Errc::wrong_password:
    case Errc::unsafe_permissions:
    case Errc::wallet_exists:
    case Errc::in_use: return Kind::refused;
    case Errc::no_such_wallet: return Kind::not_found;
    default: return Kind::storage;
  }
}

}  // namespace

Error make_error(Errc code) noexcept { return {kCategory, static_cast<std::uint16_t>(code), kind_of(code)}; }

}  // namespace starling::home
