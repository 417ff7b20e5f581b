#pragma once
// The keys of the DHT as people write and read them.
#include <string>

#include "api/errors.hpp"
#include "base/bytes.hpp"

namespace starling::api {

/// What a key is for: an agent's address stands for its record, or for the key under which it is provided.
enum class KeyUse : std::uint8_t { value, provider };

/// - `0x…`, 40 digits: the record of an agent (`/eth/0x…`), or its provider key
/// - `/eth/0x…`, `/pk/PEER_ID`, any other `/namespace/rest`: those bytes, the peer id in binary
/// - a peer id: `/pk/…` for values; a peer id, a CID or a base58 multihash: its multihash for providers
/// - `hex:…`, `text:…`: exactly those bytes
/// Errc::bad_key for anything else, an empty key and one that no DHT message may carry.
Result<Bytes> parse_dht_key(std::string_view text, KeyUse use);
/// A form that parse_dht_key() reads as the same bytes.
std::string dht_key_text(ByteView key);

}  // namespace starling::api
