#pragma once
// Ethereum addresses and the ABI words that EIP-712 hashes.
#include <compare>
#include <string>

#include "base/bytes.hpp"
#include "crypto/hash.hpp"
#include "format/errors.hpp"

namespace starling {

/// The name of an agent: 20 bytes of a wallet's public key.
class EthAddress {
 public:
  constexpr EthAddress() noexcept = default;
  constexpr explicit EthAddress(FixedBytes<20> bytes) noexcept : bytes_(bytes) {}
  static Result<EthAddress> from_bytes(ByteView bytes) noexcept;
  /// `0x` (optional) and 40 hex digits; mixed case must be a right EIP-55 checksum.
  /// format::Errc::bad_address.
  static Result<EthAddress> parse(std::string_view text);
  ByteView bytes() const noexcept { return bytes_; }
  const FixedBytes<20>& array() const noexcept { return bytes_; }
  /// EIP-55 mixed case with `0x`.
  std::string to_string() const;
  /// `0x` and lowercase digits.
  std::string to_lower_hex() const;
  bool is_zero() const noexcept { return bytes_ == FixedBytes<20>{}; }
  friend constexpr auto operator<=>(const EthAddress&, const EthAddress&) noexcept = default;

 private:
  FixedBytes<20> bytes_{};
};

namespace format {
/// 32-byte ABI words, as EIP-712 encodes atomic values.
crypto::Hash256 abi_word(std::uint64_t value) noexcept;
crypto::Hash256 abi_word(const EthAddress& address) noexcept;
/// Keccak-256("\x19\x01" ‖ domain separator ‖ struct hash).
crypto::Hash256 eip712_digest(const crypto::Hash256& domain_separator,
                              const crypto::Hash256& struct_hash) noexcept;
/// Separator of a domain that has only a name and a version.
crypto::Hash256 eip712_domain(std::string_view name, std::string_view version) noexcept;
}  // namespace format

}  // namespace starling

template <>
struct std::hash<starling::EthAddress> {
  std::size_t operator()(const starling::EthAddress& a) const noexcept {
    return starling::hash_bytes(a.bytes());
  }
};
