#pragma once
// The names of PROTOCOL.md §1: network, DHT keys and protocols, topics, prefixes of what a node key signs.
#include <optional>
#include <string>
#include <string_view>

#include "agent/errors.hpp"
#include "format/eth_address.hpp"

namespace starling::agent {

inline constexpr std::string_view kPresenceProtocol = "/starling/presence/1.0.0";
inline constexpr std::string_view kMessageProtocol = "/starling/message/1.0.0";
inline constexpr std::string_view kPresencePrefix = "starling-presence/1:";
inline constexpr std::string_view kEnvelopePrefix = "starling-envelope/1:";
inline constexpr std::string_view kReceiptPrefix = "starling-receipt/1:";
inline constexpr std::string_view kSealInfo = "starling-seal/1";  // HPKE info
inline constexpr std::string_view kAadName = "starling-aad/1";

/// The three topics, exactly these.
enum class Topic : std::uint8_t { announcements, messages, status };
std::string_view to_string(Topic topic) noexcept;
/// Nothing for any other name.
std::optional<Topic> parse_topic(std::string_view name) noexcept;

/// A network's name: 1 to 32 bytes of [a-z0-9-]. Part of every delegation, so that a test network's
/// delegations mean nothing on another.
class NetworkName {
 public:
  /// `starling`.
  NetworkName() : name_("starling") {}
  /// Errc::bad_network_name.
  static Result<NetworkName> parse(std::string_view text);
  const std::string& text() const noexcept { return name_; }
  /// `/<network>/kad/1.0.0`.
  std::string kad_protocol() const;
  friend bool operator==(const NetworkName&, const NetworkName&) noexcept = default;

 private:
  explicit NetworkName(std::string name) noexcept : name_(std::move(name)) {}
  std::string name_;
};

/// The DHT key of a wallet's presence: the UTF-8 bytes of `/eth/0x…`, lowercase.
Bytes presence_key(const EthAddress& wallet);
/// Errc::bad_presence_key for anything else, mixed case and trailing bytes included.
Result<EthAddress> parse_presence_key(ByteView key);
/// The SHA-256 multihash of the key bytes: what ADD_PROVIDER and GET_PROVIDERS carry.
Bytes provider_key(const EthAddress& wallet);

}  // namespace starling::agent
