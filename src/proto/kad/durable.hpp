#pragma once
// What of the DHT outlives a restart, as bytes. Fixed widths, big-endian; an entry that ends starts with its
// end in Unix ms, so that storage can drop it unread. Damaged bytes are refused whole.
#include <span>
#include <utility>
#include <vector>

#include "proto/kad/message.hpp"
#include "proto/kad/record_store.hpp"

namespace starling::kad {

/// Kinds of entries. A driver stores values under (kind, key) and hands all of them to Kad::restore() at the
/// next start.
enum class Durable : std::uint8_t {
  record,        ///< a record that we store; the key is the record's
  provider,      ///< a provider that somebody told us; the key is that of provider_entry_key()
  provided_key,  ///< a key that we provide ourselves, with the time when it is to be published again
  table,         ///< the servers of the routing table, one value under the empty key
};

/// `t` of the monotonic clock as wall time, and back, saturated to a hundred days either way: no longer life
/// is kept.
WallTime to_wall(Instant t, Now now) noexcept;
Instant to_mono(WallTime t, Now now) noexcept;

Bytes encode_record_entry(const StoredRecord& record);
/// Errc::bad_entry, here and below.
Result<StoredRecord> decode_record_entry(ByteView bytes);

Bytes provider_entry_key(ByteView key, const PeerId& provider);
Result<std::pair<Bytes, PeerId>> parse_provider_entry_key(ByteView bytes);
Bytes encode_provider_entry(const PeerInfo& provider, WallTime expires);
/// The addresses and the end; the id stands in the key.
struct ProviderEntry {
  std::vector<Multiaddr> addrs;
  WallTime expires;
};
Result<ProviderEntry> decode_provider_entry(ByteView bytes);

Bytes encode_due(WallTime due);
Result<WallTime> decode_due(ByteView bytes);

/// At most kSavedPeersMax peers with kSavedAddrsMax addresses each; the rest is left out.
Bytes encode_peers(std::span<const PeerInfo> peers);
Result<std::vector<PeerInfo>> decode_peers(ByteView bytes);

}  // namespace starling::kad
