#pragma once
#include "base/result.hpp"

namespace starling::crypto {

enum class Errc : std::uint16_t {
  bad_key = 1,         ///< not a key of its type: wrong size, not on the curve, not canonical
  bad_signature,       ///< the signature does not verify, or is malformed or malleable (high s)
  unsupported_key,     ///< a key type or curve that we do not use
  key_too_large,       ///< an RSA key above kRsaBitsMax or below kRsaBitsMin
  zero_shared_secret,  ///< X25519 with a low-order point
  open_failed,         ///< AEAD tag mismatch
  bad_parameter,       ///< e.g. scrypt cost out of range
  library_failure,     ///< the underlying library refused what it must accept
};
Error make_error(Errc code) noexcept;

}  // namespace starling::crypto
