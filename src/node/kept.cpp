// How the agent brain's tables lie on disk. Fixed widths, big-endian; damaged bytes are refused as a whole.
#include "node/agent_node.hpp"

namespace starling::node {

Bytes encode_floors(const std::vector<agent::FloorEntry>& entries) {
  Bytes out;
  for (const auto& entry : entries) {
    append(out, entry.wallet.bytes());
    put_u64_be(out, entry.epoch);
    put_u64_be(out, entry.last_seen.ms());
  }
  return out;
}

Result<std::vector<agent::FloorEntry>> decode_floors(ByteView bytes) {
  constexpr std::size_t kEntryBytes = 36;
  if (bytes.size() % kEntryBytes != 0 || bytes.size() / kEntryBytes > agent::kFloorMetMax)
    return fail(format::Errc::length_out_of_bounds);
  std::vector<agent::FloorEntry> out;
  for (; !bytes.empty(); bytes = bytes.subspan(kEntryBytes)) {
    out.push_back({*EthAddress::from_bytes(bytes.first(20)), get_u64_be(bytes.subspan(20).first<8>()),
                   WallTime::from_ms(get_u64_be(bytes.subspan(28).first<8>()))});
  }
  return out;
}

std::string delivered_key(const agent::MessageKey& key) { return to_hex(key.from.bytes()) + to_hex(key.id); }

Bytes encode_delivered(WallTime until) {
  Bytes out;
  put_u64_be(out, until.ms());
  return out;
}

Result<agent::DeliveryEntry> decode_delivered(std::string_view key, ByteView value) {
  const auto bytes = from_hex(key);
  if (!bytes || bytes->size() != 20 + agent::kEnvelopeIdBytes || value.size() != 8)
    return fail(format::Errc::length_out_of_bounds);
  agent::DeliveryEntry entry;
  entry.key.from = *EthAddress::from_bytes(ByteView(*bytes).first(20));
  entry.key.id = *to_fixed<agent::kEnvelopeIdBytes>(ByteView(*bytes).subspan(20));
  entry.until = WallTime::from_ms(get_u64_be(value.first<8>()));
  return entry;
}

}  // namespace starling::node
