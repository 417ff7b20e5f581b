#include "api/dht_keys.hpp"

#include <algorithm>

#include "agent/names.hpp"
#include "format/multihash.hpp"
#include "format/peer_id.hpp"
#include "kad/limits.hpp"

namespace starling::api {
namespace {

constexpr std::string_view kPublicKeys = "/pk/";
constexpr std::string_view kAddresses = "/eth/";
constexpr std::uint8_t kCidVersion = 1;

Bytes public_key_key(const PeerId& peer) {
  Bytes out = to_bytes(kPublicKeys);
  append(out, peer.bytes());
  return out;
}

Result<Bytes> address_key(std::string_view text, KeyUse use) {
  const auto wallet = EthAddress::parse(text);
  if (!wallet) return fail(Errc::bad_key);
  return use == KeyUse::value ? agent::presence_key(*wallet) : agent::provider_key(*wallet);
}

/// Of a CIDv1: a bare multihash has no multibase form.
Result<Bytes> multihash_of_cid(std::string_view text) {
  const auto bytes = format::decode_multibase(text);
  if (!bytes || bytes->empty() || bytes->front() != kCidVersion) return fail(Errc::bad_key);
  const auto multihash = format::multihash_of_cid(*bytes);
  if (!multihash) return fail(Errc::bad_key);
  return to_bytes(*multihash);
}

Result<Bytes> parse(std::string_view text, KeyUse use) {
  if (text.starts_with("hex:")) {
    auto bytes = from_hex(text.substr(4));
    if (!bytes) return fail(Errc::bad_key);
    return *std::move(bytes);
  }
  if (text.starts_with("text:")) return to_bytes(text.substr(5));
  if (text.starts_with("0x")) return address_key(text, use);
  if (text.starts_with(kAddresses)) return address_key(text.substr(kAddresses.size()), KeyUse::value);
  if (text.starts_with(kPublicKeys)) {
    const auto peer = PeerId::parse(text.substr(kPublicKeys.size()));
    if (!peer) return fail(Errc::bad_key);
    return public_key_key(*peer);
  }
  if (text.starts_with("/")) return to_bytes(text);
  if (const auto peer = PeerId::parse(text))
    return use == KeyUse::value ? public_key_key(*peer) : to_bytes(peer->bytes());
  if (use == KeyUse::value) return fail(Errc::bad_key);
  if (const auto bytes = format::decode_base(format::Base::base58btc, text);
      bytes && format::parse_multihash(*bytes))
    return *bytes;
  return multihash_of_cid(text);
}

}  // namespace

Result<Bytes> parse_dht_key(std::string_view text, KeyUse use) {
  STARLING_ASSIGN(auto key, parse(text, use));
  const std::size_t most = use == KeyUse::value ? kad::kKeyBytesMax : kad::kProviderKeyBytesMax;
  if (key.empty() || key.size() > most) return fail(Errc::bad_key);
  return key;
}

std::string dht_key_text(ByteView key) {
  const std::string_view text = as_text(key);
  if (text.starts_with(kPublicKeys)) {
    if (const auto peer = PeerId::from_bytes(key.subspan(kPublicKeys.size())))
      return std::string(kPublicKeys) + peer->to_string();
  }
  const bool printable = std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
  if (printable && text.starts_with(kAddresses) && agent::parse_presence_key(key)) return std::string(text);
  const bool special = text.starts_with(kAddresses) || text.starts_with(kPublicKeys);
  if (printable && text.starts_with("/") && !special) return std::string(text);
  if (const auto peer = PeerId::from_bytes(key)) return peer->to_string();
  return "hex:" + to_hex(key);
}

}  // namespace starling::api
