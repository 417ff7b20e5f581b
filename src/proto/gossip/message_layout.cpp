#include "proto/gossip/message_layout.hpp"

#include "format/protobuf.hpp"
#include "format/varint.hpp"
#include "proto/gossip/rpc_codec.hpp"
#include "proto/gossip/rpc_fields.hpp"

namespace starling::gossip {
namespace {

void put_length_prefix(Bytes& out, std::uint32_t field, std::size_t size) {
  format::put_varint(out, field << 3 | static_cast<std::uint32_t>(pb::WireType::length_delimited));
  format::put_varint(out, size);
}

/// What comes before the bytes of `data`.
Bytes head_of(const Message& message, std::size_t data_size) {
  Bytes out;
  pb::Writer(out).bytes_if(field::kMessageFrom, message.from);
  put_length_prefix(out, field::kMessageData, data_size);
  return out;
}

void put_seqno_and_topic(Bytes& out, const Message& message) {
  pb::Writer writer(out);
  writer.bytes_if(field::kMessageSeqno, message.seqno);
  writer.string(field::kMessageTopic, message.topic);
}

Bytes tail_of(const Message& message) {
  Bytes out;
  put_seqno_and_topic(out, message);
  pb::Writer writer(out);
  writer.bytes_if(field::kMessageSignature, message.signature);
  writer.bytes_if(field::kMessageKey, message.key);
  return out;
}

}  // namespace

void lay_out(Message& message, ByteView data) {
  const Bytes head = head_of(message, data.size());
  const Bytes tail = tail_of(message);
  Slice raw = Slice::concat({head, data, tail});
  message.data = raw.sub(head.size(), data.size());
  message.raw = std::move(raw);
}

void put_signed_fields(Bytes& out, const Message& message) {
  append(out, head_of(message, message.data.size()));
  append(out, message.data);
  put_seqno_and_topic(out, message);
}

Bytes encode_message(const Message& message) {
  Bytes out = head_of(message, message.data.size());
  append(out, message.data);
  append(out, tail_of(message));
  return out;
}

}  // namespace starling::gossip
