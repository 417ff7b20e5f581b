#include "daemon/codec.hpp"

#include "daemon/limits.hpp"
#include "format/protobuf.hpp"

namespace starling::daemon {
namespace {

using pb::field_bit;

constexpr std::uint32_t kType = 1;  // of every message that has a type

namespace request {
constexpr std::uint32_t kConnect = 2;
constexpr std::uint32_t kStreamOpen = 3;
constexpr std::uint32_t kStreamHandler = 4;
constexpr std::uint32_t kDht = 5;
constexpr std::uint32_t kConnManager = 6;
constexpr std::uint32_t kDisconnect = 7;
constexpr std::uint32_t kPubsub = 8;
}  // namespace request

namespace response {
constexpr std::uint32_t kError = 2;
constexpr std::uint32_t kStreamInfo = 3;
constexpr std::uint32_t kIdentify = 4;
constexpr std::uint32_t kDht = 5;
constexpr std::uint32_t kPeers = 6;
constexpr std::uint32_t kPubsub = 7;
constexpr std::uint64_t kOk = 0;
constexpr std::uint64_t kFailed = 1;
}  // namespace response

Result<void> take(const pb::Field& field, Bytes& out) {
  STARLING_ASSIGN(const ByteView bytes, pb::as_bytes(field));
  out = to_bytes(bytes);
  return {};
}
Result<void> take(const pb::Field& field, std::optional<Bytes>& out) { return take(field, out.emplace()); }
// Not checked for UTF-8: go does not either, and names of protocols and topics are bytes on the wire.
Result<void> take(const pb::Field& field, std::string& out) {
  STARLING_ASSIGN(const ByteView bytes, pb::as_bytes(field));
  out = to_text(bytes);
  return {};
}
Result<void> take(const pb::Field& field, std::optional<std::string>& out) {
  return take(field, out.emplace());
}
Result<void> take(const pb::Field& field, std::int64_t& out) {
  STARLING_ASSIGN(const auto number, pb::as_u64(field));
  out = static_cast<std::int64_t>(number);
  return {};
}
Result<void> take(const pb::Field& field, std::int32_t& out) {
  STARLING_ASSIGN(out, pb::as_i32(field));
  return {};
}
template <class T>
Result<void> take_one_more(const pb::Field& field, std::vector<T>& out, std::size_t most) {
  if (out.size() >= most) return fail(Errc::too_many_entries);
  return take(field, out.emplace_back());
}
/// A number of an enum whose last value is `last`.
template <class Enum>
Result<void> take_enum(const pb::Field& field, Enum last, std::optional<Enum>& out) {
  STARLING_ASSIGN(const auto number, pb::as_i32(field));
  if (number < 0 || number > static_cast<std::int32_t>(last)) return fail(Errc::unknown_type);
  out = static_cast<Enum>(number);
  return {};
}
template <class T>
Result<void> take_message(const pb::Field& field, std::optional<T>& out, Result<T> (*decode)(ByteView)) {
  STARLING_ASSIGN(const ByteView bytes, pb::as_bytes(field));
  STARLING_ASSIGN(out, decode(bytes));
  return {};
}

template <class Enum>
void put_type(pb::Writer& writer, Enum type) {
  // Written when it is 0 too: proto2 `required`.
  writer.varint(kType, static_cast<std::uint64_t>(type));
}
void put_all(pb::Writer& writer, std::uint32_t field, const std::vector<Bytes>& values) {
  for (const auto& value : values) writer.bytes(field, value);
}
void put_all(pb::Writer& writer, std::uint32_t field, const std::vector<std::string>& values) {
  for (const auto& value : values) writer.string(field, value);
}
void put(pb::Writer& writer, std::uint32_t field, const std::optional<Bytes>& value) {
  if (value) writer.bytes(field, *value);
}

// ---------------------------------------------------------------------------------------------- requests

Bytes encode(const ConnectRequest& connect) {
  Bytes out;
  pb::Writer writer(out);
  writer.bytes(1, connect.peer);
  put_all(writer, 2, connect.addrs);
  writer.varint_if(3, static_cast<std::uint64_t>(connect.timeout_s));
  return out;
}

Result<ConnectRequest> decode_connect(ByteView body) {
  ConnectRequest out;
  STARLING_TRY(pb::each_field(body, field_bit(1) | field_bit(3), field_bit(2),
                              [&](const pb::Field& field) -> Result<void> {
                                switch (field.id) {
                                  case 1: return take(field, out.peer);
                                  case 2: return take_one_more(field, out.addrs, kAddrsPerRequestMax);
                                  default: return take(field, out.timeout_s);
                                }
                              }));
  return out;
}

Bytes encode(const StreamOpenRequest& open) {
  Bytes out;
  pb::Writer writer(out);
  writer.bytes(1, open.peer);
  put_all(writer, 2, open.protocols);
  writer.varint_if(3, static_cast<std::uint64_t>(open.timeout_s));
  return out;
}

Result<StreamOpenRequest> decode_stream_open(ByteView body) {
  StreamOpenRequest out;
  STARLING_TRY(pb::each_field(body, field_bit(1) | field_bit(3), field_bit(2),
                              [&](const pb::Field& field) -> Result<void> {
                                switch (field.id) {
                                  case 1: return take(field, out.peer);
                                  case 2: return take_one_more(field, out.protocols, kProtocolsPerRequestMax);
                                  default: return take(field, out.timeout_s);
                                }
                              }));
  return out;
}

Bytes encode(const StreamHandlerRequest& handler) {
  Bytes out;
  pb::Writer writer(out);
  writer.bytes(1, handler.addr);
  put_all(writer, 2, handler.protocols);
  return out;
}

Result<StreamHandlerRequest> decode_stream_handler(ByteView body) {
  StreamHandlerRequest out;
  STARLING_TRY(pb::each_field(body, field_bit(1), field_bit(2), [&](const pb::Field& field) -> Result<void> {
    if (field.id == 1) return take(field, out.addr);
    return take_one_more(field, out.protocols, kProtocolsPerRequestMax);
  }));
  return out;
}

Bytes encode(const DhtRequest& dht) {
  Bytes out;
  pb::Writer writer(out);
  put_type(writer, dht.type);
  put(writer, 2, dht.peer);
  put(writer, 3, dht.cid);
  put(writer, 4, dht.key);
  put(writer, 5, dht.value);
  if (dht.count != 0) writer.int32(6, dht.count);
  writer.varint_if(7, static_cast<std::uint64_t>(dht.timeout_s));
  return out;
}

Result<DhtRequest> decode_dht_request(ByteView body) {
  DhtRequest out;
  std::optional<DhtRequestType> type;
  STARLING_TRY(pb::each_field(body, pb::field_range(1, 7), 0, [&](const pb::Field& field) -> Result<void> {
    switch (field.id) {
      case kType: return take_enum(field, DhtRequestType::provide, type);
      case 2: return take(field, out.peer);
      case 3: return take(field, out.cid);
      case 4: return take(field, out.key);
      case 5: return take(field, out.value);
      case 6: return take(field, out.count);
      default: return take(field, out.timeout_s);
    }
  }));
  if (!type) return fail(Errc::bad_message);
  out.type = *type;
  return out;
}

Bytes encode(const ConnManagerRequest& manager) {
  Bytes out;
  pb::Writer writer(out);
  put_type(writer, manager.type);
  writer.bytes_if(2, manager.peer);
  writer.string_if(3, manager.tag);
  writer.varint_if(4, static_cast<std::uint64_t>(manager.weight));
  return out;
}

Result<ConnManagerRequest> decode_conn_manager(ByteView body) {
  ConnManagerRequest out;
  std::optional<ConnManagerRequestType> type;
  STARLING_TRY(pb::each_field(body, pb::field_range(1, 4), 0, [&](const pb::Field& field) -> Result<void> {
    switch (field.id) {
      case kType: return take_enum(field, ConnManagerRequestType::trim, type);
      case 2: return take(field, out.peer);
      case 3: return take(field, out.tag);
      default: return take(field, out.weight);
    }
  }));
  if (!type) return fail(Errc::bad_message);
  out.type = *type;
  return out;
}

Bytes encode(const DisconnectRequest& disconnect) {
  Bytes out;
  pb::Writer(out).bytes(1, disconnect.peer);
  return out;
}

Result<DisconnectRequest> decode_disconnect(ByteView body) {
  DisconnectRequest out;
  STARLING_TRY(
      pb::each_field(body, field_bit(1), 0, [&](const pb::Field& field) { return take(field, out.peer); }));
  return out;
}

Bytes encode(const PubsubRequest& pubsub) {
  Bytes out;
  pb::Writer writer(out);
  put_type(writer, pubsub.type);
  if (pubsub.topic) writer.string(2, *pubsub.topic);
  writer.bytes_if(3, pubsub.data);
  return out;
}

Result<PubsubRequest> decode_pubsub_request(ByteView body) {
  PubsubRequest out;
  std::optional<PubsubRequestType> type;
  STARLING_TRY(pb::each_field(body, pb::field_range(1, 3), 0, [&](const pb::Field& field) -> Result<void> {
    switch (field.id) {
      case kType: return take_enum(field, PubsubRequestType::subscribe, type);
      case 2: return take(field, out.topic);
      default: return take(field, out.data);
    }
  }));
  if (!type) return fail(Errc::bad_message);
  out.type = *type;
  return out;
}

// ---------------------------------------------------------------------------------------------- answers

Bytes encode(const PeerEntry& peer) {
  Bytes out;
  pb::Writer writer(out);
  writer.bytes(1, peer.id);
  put_all(writer, 2, peer.addrs);
  return out;
}

Result<PeerEntry> decode_peer(ByteView body) {
  PeerEntry out;
  STARLING_TRY(pb::each_field(body, field_bit(1), field_bit(2), [&](const pb::Field& field) -> Result<void> {
    return field.id == 1 ? take(field, out.id) : take_one_more(field, out.addrs, kListEntriesMax);
  }));
  return out;
}

Bytes encode(const PubsubResponse& pubsub) {
  Bytes out;
  pb::Writer writer(out);
  put_all(writer, 1, pubsub.topics);
  put_all(writer, 2, pubsub.peer_ids);
  return out;
}

Result<PubsubResponse> decode_pubsub_response(ByteView body) {
  PubsubResponse out;
  STARLING_TRY(pb::each_field(body, 0, pb::field_range(1, 2), [&](const pb::Field& field) -> Result<void> {
    return field.id == 1 ? take_one_more(field, out.topics, kListEntriesMax)
                         : take_one_more(field, out.peer_ids, kListEntriesMax);
  }));
  return out;
}

Result<std::string> decode_error(ByteView body) {
  std::string out;
  STARLING_TRY(
      pb::each_field(body, field_bit(1), 0, [&](const pb::Field& field) { return take(field, out); }));
  return out;
}

Bytes encode_error(const std::string& text) {
  Bytes out;
  pb::Writer(out).string(1, text);
  return out;
}

}  // namespace

Bytes encode(const Request& value) {
  Bytes out;
  pb::Writer writer(out);
  put_type(writer, value.type);
  if (value.connect) writer.bytes(request::kConnect, encode(*value.connect));
  if (value.stream_open) writer.bytes(request::kStreamOpen, encode(*value.stream_open));
  if (value.stream_handler) writer.bytes(request::kStreamHandler, encode(*value.stream_handler));
  if (value.dht) writer.bytes(request::kDht, encode(*value.dht));
  if (value.conn_manager) writer.bytes(request::kConnManager, encode(*value.conn_manager));
  if (value.disconnect) writer.bytes(request::kDisconnect, encode(*value.disconnect));
  if (value.pubsub) writer.bytes(request::kPubsub, encode(*value.pubsub));
  return out;
}

Result<Request> decode_request(ByteView body) {
  if (body.size() > kRequestBytesMax) return fail(Errc::bad_message);
  Request out;
  std::optional<RequestType> type;
  STARLING_TRY(pb::each_field(body, pb::field_range(1, 8), 0, [&](const pb::Field& field) -> Result<void> {
    switch (field.id) {
      case kType: return take_enum(field, RequestType::pubsub, type);
      case request::kConnect: return take_message(field, out.connect, decode_connect);
      case request::kStreamOpen: return take_message(field, out.stream_open, decode_stream_open);
      case request::kStreamHandler: return take_message(field, out.stream_handler, decode_stream_handler);
      case request::kDht: return take_message(field, out.dht, decode_dht_request);
      case request::kConnManager: return take_message(field, out.conn_manager, decode_conn_manager);
      case request::kDisconnect: return take_message(field, out.disconnect, decode_disconnect);
      default: return take_message(field, out.pubsub, decode_pubsub_request);
    }
  }));
  if (!type) return fail(Errc::bad_message);
  out.type = *type;
  return out;
}

Bytes encode(const Response& value) {
  Bytes out;
  pb::Writer writer(out);
  writer.varint(kType, value.error ? response::kFailed : response::kOk);
  if (value.error) writer.bytes(response::kError, encode_error(*value.error));
  if (value.stream_info) writer.bytes(response::kStreamInfo, encode(*value.stream_info));
  if (value.identify) writer.bytes(response::kIdentify, encode(*value.identify));
  if (value.dht) writer.bytes(response::kDht, encode(*value.dht));
  for (const auto& peer : value.peers) writer.bytes(response::kPeers, encode(peer));
  if (value.pubsub) writer.bytes(response::kPubsub, encode(*value.pubsub));
  return out;
}

Result<Response> decode_response(ByteView body) {
  Response out;
  std::optional<std::uint64_t> type;
  const std::uint64_t repeated = field_bit(response::kPeers);
  STARLING_TRY(pb::each_field(body, pb::field_range(1, 7) & ~repeated, repeated,
                              [&](const pb::Field& field) -> Result<void> {
                                switch (field.id) {
                                  case kType: {
                                    STARLING_ASSIGN(type, pb::as_u64(field));
                                    return {};
                                  }
                                  case response::kError: return take_message(field, out.error, decode_error);
                                  case response::kStreamInfo:
                                    return take_message(field, out.stream_info, decode_stream_info);
                                  case response::kIdentify:
                                    return take_message(field, out.identify, decode_peer);
                                  case response::kDht:
                                    return take_message(field, out.dht, decode_dht_response);
                                  case response::kPeers: {
                                    if (out.peers.size() >= kListEntriesMax)
                                      return fail(Errc::too_many_entries);
                                    STARLING_ASSIGN(const ByteView bytes, pb::as_bytes(field));
                                    STARLING_ASSIGN(auto peer, decode_peer(bytes));
                                    out.peers.push_back(std::move(peer));
                                    return {};
                                  }
                                  default: return take_message(field, out.pubsub, decode_pubsub_response);
                                }
                              }));
  if (!type || *type > response::kFailed) return fail(Errc::bad_message);
  if (*type == response::kFailed && !out.error) out.error.emplace();
  if (*type == response::kOk) out.error.reset();
  return out;
}

Bytes encode(const StreamInfo& info) {
  Bytes out;
  pb::Writer writer(out);
  writer.bytes(1, info.peer);
  writer.bytes(2, info.addr);
  writer.string(3, info.protocol);
  return out;
}

Result<StreamInfo> decode_stream_info(ByteView body) {
  StreamInfo out;
  STARLING_TRY(pb::each_field(body, pb::field_range(1, 3), 0, [&](const pb::Field& field) -> Result<void> {
    switch (field.id) {
      case 1: return take(field, out.peer);
      case 2: return take(field, out.addr);
      default: return take(field, out.protocol);
    }
  }));
  return out;
}

Bytes encode(const DhtResponse& value) {
  Bytes out;
  pb::Writer writer(out);
  put_type(writer, value.type);
  if (value.peer) writer.bytes(2, encode(*value.peer));
  put(writer, 3, value.value);
  return out;
}

Result<DhtResponse> decode_dht_response(ByteView body) {
  DhtResponse out;
  std::optional<DhtResponseType> type;
  STARLING_TRY(pb::each_field(body, pb::field_range(1, 3), 0, [&](const pb::Field& field) -> Result<void> {
    switch (field.id) {
      case kType: return take_enum(field, DhtResponseType::end, type);
      case 2: return take_message(field, out.peer, decode_peer);
      default: return take(field, out.value);
    }
  }));
  if (!type) return fail(Errc::bad_message);
  out.type = *type;
  return out;
}

Bytes encode(const PubsubMessage& message) {
  Bytes out;
  out.reserve(message.data.size() + 256);
  pb::Writer writer(out);
  writer.bytes_if(1, message.from);
  writer.bytes(2, message.data);
  writer.bytes_if(3, message.seqno);
  put_all(writer, 4, message.topics);
  writer.bytes_if(5, message.signature);
  writer.bytes_if(6, message.key);
  return out;
}

Result<PubsubMessage> decode_pubsub_message(ByteView body) {
  PubsubMessage out;
  const std::uint64_t repeated = field_bit(4);
  STARLING_TRY(pb::each_field(body, pb::field_range(1, 6) & ~repeated, repeated,
                              [&](const pb::Field& field) -> Result<void> {
                                switch (field.id) {
                                  case 1: return take(field, out.from);
                                  case 2: return take(field, out.data);
                                  case 3: return take(field, out.seqno);
                                  case 4: return take_one_more(field, out.topics, kListEntriesMax);
                                  case 5: return take(field, out.signature);
                                  default: return take(field, out.key);
                                }
                              }));
  return out;
}

}  // namespace starling::daemon
