#include "agent/names.hpp"

#include <algorithm>

#include "agent/limits.hpp"
#include "format/multihash.hpp"

namespace starling::agent {
namespace {
constexpr std::string_view kKeyPrefix = "/eth/0x";

bool is_name_letter(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; }
bool is_lower_hex(char c) noexcept { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }
}  // namespace

std::string_view to_string(Topic topic) noexcept {
  switch (topic) {
    case Topic::announcements: return "agent-announcements";
    case Topic::messages: return "agent-messages";
    case Topic::status: return "node-status";
  }
  return "unknown";
}

std::optional<Topic> parse_topic(std::string_view name) noexcept {
  for (const Topic topic : {Topic::announcements, Topic::messages, Topic::status})
    if (name == to_string(topic)) return topic;
  return std::nullopt;
}

Result<NetworkName> NetworkName::parse(std::string_view text) {
  if (text.empty() || text.size() > kNetworkNameBytesMax || !std::ranges::all_of(text, is_name_letter))
    return fail(Errc::bad_network_name);
  return NetworkName(std::string(text));
}

std::string NetworkName::kad_protocol() const { return "/" + name_ + "/kad/1.0.0"; }

Bytes presence_key(const EthAddress& wallet) { return to_bytes("/eth/" + wallet.to_lower_hex()); }

Result<EthAddress> parse_presence_key(ByteView key) {
  const std::string_view text = as_text(key);
  if (text.size() != kKeyPrefix.size() + 40 || !text.starts_with(kKeyPrefix))
    return fail(Errc::bad_presence_key);
  const std::string_view digits = text.substr(kKeyPrefix.size());
  if (!std::ranges::all_of(digits, is_lower_hex)) return fail(Errc::bad_presence_key);
  const auto bytes = from_hex(digits);
  if (!bytes) return fail(Errc::bad_presence_key);
  return EthAddress::from_bytes(*bytes);
}

Bytes provider_key(const EthAddress& wallet) { return format::sha256_multihash(presence_key(wallet)); }

}  // namespace starling::agent
