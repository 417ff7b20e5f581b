#include "format/eth_address.hpp"

namespace starling {
namespace {

using format::Errc;

constexpr std::size_t kHexDigits = 40;

// EIP-55: a letter is upper case when the same nibble of the Keccak-256 of the lowercase digits is 8 or more.
std::string with_checksum(std::string_view lowercase_digits) {
  const auto hash = crypto::keccak256(as_bytes(lowercase_digits));
  std::string out(lowercase_digits);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const unsigned nibble = i % 2 == 0 ? hash[i / 2] >> 4 : hash[i / 2] & 15u;
    if (out[i] >= 'a' && nibble >= 8) out[i] = static_cast<char>(out[i] - 'a' + 'A');
  }
  return out;
}

bool contains_in(std::string_view text, char first, char last) noexcept {
  return std::any_of(text.begin(), text.end(), [=](char c) { return c >= first && c <= last; });
}

}  // namespace

Result<EthAddress> EthAddress::from_bytes(ByteView bytes) noexcept {
  const auto fixed = to_fixed<20>(bytes);
  if (!fixed) return fail(Errc::bad_address);
  return EthAddress(*fixed);
}

Result<EthAddress> EthAddress::parse(std::string_view text) {
  if (text.starts_with("0x")) text.remove_prefix(2);
  // The length is checked before from_hex, which would take a second prefix.
  if (text.size() != kHexDigits) return fail(Errc::bad_address);
  const auto bytes = from_hex(text);
  if (!bytes || bytes->size() != 20) return fail(Errc::bad_address);
  const bool mixed = contains_in(text, 'a', 'f') && contains_in(text, 'A', 'F');
  if (mixed && text != with_checksum(to_hex(*bytes))) return fail(Errc::bad_address);
  return from_bytes(*bytes);
}

std::string EthAddress::to_string() const { return "0x" + with_checksum(to_hex(bytes_)); }
std::string EthAddress::to_lower_hex() const { return "0x" + to_hex(bytes_); }

namespace format {

crypto::Hash256 abi_word(std::uint64_t value) noexcept {
  crypto::Hash256 word{};
  for (std::size_t i = 0; i < 8; ++i) word[31 - i] = static_cast<std::uint8_t>(value >> (8 * i));
  return word;
}

crypto::Hash256 abi_word(const EthAddress& address) noexcept {
  crypto::Hash256 word{};
  std::copy(address.array().begin(), address.array().end(), word.begin() + 12);
  return word;
}

crypto::Hash256 eip712_digest(const crypto::Hash256& domain_separator,
                              const crypto::Hash256& struct_hash) noexcept {
  static constexpr std::uint8_t kPrefix[] = {0x19, 0x01};
  return crypto::keccak256({kPrefix, domain_separator, struct_hash});
}

crypto::Hash256 eip712_domain(std::string_view name, std::string_view version) noexcept {
  static constexpr std::string_view kType = "EIP712Domain(string name,string version)";
  return crypto::keccak256({crypto::keccak256(as_bytes(kType)), crypto::keccak256(as_bytes(name)),
                            crypto::keccak256(as_bytes(version))});
}

}  // namespace format
}  // namespace starling
