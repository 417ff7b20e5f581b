#include "crypto/errors.hpp"

namespace starling::crypto {
namespace {

std::string_view message(std::uint16_t code) noexcept {
  switch (static_cast<Errc>(code)) {
    case Errc::bad_key: return "not a valid key";
    case Errc::bad_signature: return "the signature does not verify";
    case Errc::unsupported_key: return "unsupported key type";
    case Errc::key_too_large: return "RSA key size outside the accepted range";
    case Errc::zero_shared_secret: return "the public key has low order";
    case Errc::open_failed: return "decryption failed: wrong key or altered bytes";
    case Errc::bad_parameter: return "parameter out of range";
    case Errc::library_failure: return "the cryptographic library failed";
  }
  return "unknown error";
}
constexpr ErrorCategory kCategory{"crypto", message};

Kind kind_of(Errc code) noexcept {
  switch (code) {
    case Errc::unsupported_key: return Kind::unsupported;
    case Errc::key_too_large: return Kind::limit;
    case Errc::bad_parameter:
    case Errc::library_failure: return Kind::internal;
    default: return Kind::malformed;
  }
}

}  // namespace

Error make_error(Errc code) noexcept { return {kCategory, static_cast<std::uint16_t>(code), kind_of(code)}; }

}  // namespace starling::crypto
