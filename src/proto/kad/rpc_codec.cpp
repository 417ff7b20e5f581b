#include "proto/kad/rpc_codec.hpp"

#include "format/protobuf.hpp"
#include "format/varint.hpp"
#include "proto/kad/limits.hpp"

namespace starling::kad {
namespace {

namespace field {
// Message
constexpr std::uint32_t kType = 1;
constexpr std::uint32_t kKey = 2;
constexpr std::uint32_t kRecord = 3;
constexpr std::uint32_t kCloserPeers = 8;
constexpr std::uint32_t kProviderPeers = 9;
// Message.Peer
constexpr std::uint32_t kPeerId = 1;
constexpr std::uint32_t kPeerAddrs = 2;
constexpr std::uint32_t kPeerConnection = 3;
// Record
constexpr std::uint32_t kRecordKey = 1;
constexpr std::uint32_t kRecordValue = 2;
constexpr std::uint32_t kRecordTimeReceived = 5;
}  // namespace field

Bytes encode_record(const Record& record) {
  Bytes out;
  out.reserve(record.key.size() + record.value.size() + 48);
  pb::Writer writer(out);
  writer.bytes_if(field::kRecordKey, record.key);
  writer.bytes_if(field::kRecordValue, record.value);
  writer.string_if(field::kRecordTimeReceived, record.time_received);
  return out;
}

Bytes encode_peer(const PeerInfo& peer) {
  Bytes out;
  out.reserve(64);
  pb::Writer writer(out);
  writer.bytes(field::kPeerId, peer.id.bytes());
  std::size_t count = 0;
  for (const Multiaddr& addr : peer.addrs) {
    if (addr.empty() || addr.bytes().size() > kAddrBytesMax) continue;
    if (count++ == kAddrsPerPeerSentMax) break;
    writer.bytes(field::kPeerAddrs, addr.bytes());
  }
  writer.varint_if(field::kPeerConnection, static_cast<std::uint64_t>(peer.connection));
  return out;
}

/// Appends peers until the next would make `out` longer than `end`.
void put_peers(Bytes& out, std::uint32_t id, const std::vector<PeerInfo>& peers, std::size_t end) {
  pb::Writer writer(out);
  std::size_t count = 0;
  for (const PeerInfo& peer : peers) {
    if (count++ == kPeersPerListMax) return;
    const Bytes encoded = encode_peer(peer);
    if (out.size() + 1 + format::varint_size(encoded.size()) + encoded.size() > end) return;
    writer.bytes(id, encoded);
  }
}

Result<void> check_length(ByteView bytes, std::size_t max, Errc error) {
  if (bytes.size() > max) return fail(error);
  return {};
}

Result<Record> decode_record(ByteView bytes) {
  Record out;
  pb::Reader reader(bytes);
  pb::Once once;
  for (;;) {
    STARLING_ASSIGN(const auto next, reader.next());
    if (!next) return out;
    if (next->id == field::kRecordKey) {
      STARLING_TRY(once.check(next->id));
      STARLING_ASSIGN(const ByteView key, pb::as_bytes(*next));
      STARLING_TRY(check_length(key, kKeyBytesMax, Errc::key_too_long));
      out.key = to_bytes(key);
    } else if (next->id == field::kRecordValue) {
      STARLING_TRY(once.check(next->id));
      STARLING_ASSIGN(const ByteView value, pb::as_bytes(*next));
      STARLING_TRY(check_length(value, kValueBytesMax, Errc::value_too_long));
      out.value = to_bytes(value);
    } else if (next->id == field::kRecordTimeReceived && next->type == pb::WireType::length_delimited) {
      // Another wire type (py has sent floats) is skipped like an unknown field: nothing depends on it.
      if (next->payload.size() <= kTimeReceivedBytesMax) out.time_received = to_text(next->payload);
    }
  }
}

/// Nothing when the id is of no kind that we know.
Result<std::optional<PeerInfo>> decode_peer(ByteView bytes) {
  PeerInfo out;
  pb::Reader reader(bytes);
  pb::Once once;
  std::size_t addrs = 0;
  for (;;) {
    STARLING_ASSIGN(const auto next, reader.next());
    if (!next) break;
    if (next->id == field::kPeerId) {
      STARLING_TRY(once.check(next->id));
      STARLING_ASSIGN(const ByteView id, pb::as_bytes(*next));
      if (const auto peer = PeerId::from_bytes(id)) out.id = *peer;
    } else if (next->id == field::kPeerAddrs) {
      STARLING_ASSIGN(const ByteView addr, pb::as_bytes(*next));
      if (addrs++ >= kAddrsPerPeerMax || addr.empty() || addr.size() > kAddrBytesMax) continue;
      if (auto parsed = Multiaddr::from_bytes(addr)) out.addrs.push_back(std::move(*parsed));
    } else if (next->id == field::kPeerConnection) {
      STARLING_ASSIGN(const auto value, pb::as_i32(*next));
      if (value >= 0 && value <= static_cast<std::int32_t>(ConnectionType::cannot_connect))
        out.connection = static_cast<ConnectionType>(value);
    }
  }
  if (out.id.empty()) return std::nullopt;
  return std::optional<PeerInfo>(std::move(out));
}

Result<void> take_peer(const pb::Field& found, std::size_t& seen, std::vector<PeerInfo>& out) {
  STARLING_ASSIGN(const ByteView bytes, pb::as_bytes(found));
  if (seen++ >= kPeersPerListMax) return {};
  STARLING_ASSIGN(auto peer, decode_peer(bytes));
  if (peer) out.push_back(std::move(*peer));
  return {};
}

Result<MessageType> to_type(const pb::Field& found) {
  STARLING_ASSIGN(const auto value, pb::as_i32(found));
  if (value < 0 || value > static_cast<std::int32_t>(MessageType::ping)) return fail(Errc::bad_message);
  return static_cast<MessageType>(value);
}

}  // namespace

Bytes encode(const Message& message) {
  Bytes out;
  out.reserve(128);
  pb::Writer writer(out);
  writer.varint_if(field::kType, static_cast<std::uint64_t>(message.type));
  writer.bytes_if(field::kKey, message.key);
  if (message.record) writer.bytes(field::kRecord, encode_record(*message.record));
  const std::size_t room = kMessageBytesSentMax - std::min(kMessageBytesSentMax, out.size());
  const std::size_t for_providers = message.closer_peers.empty() ? room : room / 2;
  put_peers(out, field::kProviderPeers, message.provider_peers, out.size() + for_providers);
  put_peers(out, field::kCloserPeers, message.closer_peers, kMessageBytesSentMax);
  return out;
}

Result<Message> decode(ByteView bytes) {
  STARLING_TRY(check_length(bytes, kMessageBytesMax, Errc::bad_message));
  Message out;
  out.type = MessageType::put_value;  // value 0 is left out on the wire
  pb::Reader reader(bytes);
  pb::Once once;
  std::size_t closer = 0;
  std::size_t providers = 0;
  for (;;) {
    STARLING_ASSIGN(const auto next, reader.next());
    if (!next) return out;
    switch (next->id) {
      case field::kType: {
        STARLING_TRY(once.check(next->id));
        STARLING_ASSIGN(out.type, to_type(*next));
        break;
      }
      case field::kKey: {
        STARLING_TRY(once.check(next->id));
        STARLING_ASSIGN(const ByteView key, pb::as_bytes(*next));
        STARLING_TRY(check_length(key, kKeyBytesMax, Errc::key_too_long));
        out.key = to_bytes(key);
        break;
      }
      case field::kRecord: {
        STARLING_TRY(once.check(next->id));
        STARLING_ASSIGN(const ByteView record, pb::as_bytes(*next));
        STARLING_ASSIGN(out.record, decode_record(record));
        break;
      }
      case field::kCloserPeers: STARLING_TRY(take_peer(*next, closer, out.closer_peers)); break;
      case field::kProviderPeers: STARLING_TRY(take_peer(*next, providers, out.provider_peers)); break;
      default: break;  // clusterLevelRaw and whatever comes
    }
  }
}

}  // namespace starling::kad
