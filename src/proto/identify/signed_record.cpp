#include "identify/signed_record.hpp"

#include "base/assert.hpp"
#include "format/protobuf.hpp"
#include "format/varint.hpp"

namespace starling::identify {
namespace {

// Envelope.
constexpr std::uint32_t kPublicKey = 1;
constexpr std::uint32_t kPayloadType = 2;
constexpr std::uint32_t kPayload = 3;
constexpr std::uint32_t kSignature = 5;
// PeerRecord and its AddressInfo.
constexpr std::uint32_t kPeerId = 1;
constexpr std::uint32_t kSeq = 2;
constexpr std::uint32_t kAddresses = 3;
constexpr std::uint32_t kMultiaddr = 1;

// RFC 0002: domain, payload type and payload, each with its length, so that no two triples give the same
// bytes.
Bytes signed_bytes(const RecordType& type, ByteView payload) {
  Bytes out;
  format::put_frame(out, as_bytes(type.domain));
  format::put_frame(out, as_bytes(type.payload_type));
  format::put_frame(out, payload);
  return out;
}

Bytes encode_record(const PeerRecord& record) {
  Bytes out;
  pb::Writer writer(out);
  writer.bytes(kPeerId, record.peer.bytes());
  writer.varint_if(kSeq, record.seq);
  for (const auto& addr : record.addrs) {
    Bytes info;
    pb::Writer(info).bytes(kMultiaddr, addr.bytes());
    writer.bytes(kAddresses, info);
  }
  return out;
}

// The address of one AddressInfo; nothing when it has none that we can read.
Result<std::optional<Multiaddr>> decode_address(ByteView bytes) {
  pb::Reader reader(bytes);
  pb::Once once;
  std::optional<Multiaddr> found;
  for (;;) {
    STARLING_ASSIGN(const auto field, reader.next());
    if (!field) return found;
    if (field->id != kMultiaddr) continue;
    STARLING_TRY(once.check(kMultiaddr));
    STARLING_ASSIGN(const ByteView value, pb::as_bytes(*field));
    auto addr = Multiaddr::from_bytes(value);
    if (addr && !addr->empty()) found = std::move(*addr);
  }
}

Result<PeerRecord> decode_record(ByteView bytes) {
  PeerRecord record;
  pb::Reader reader(bytes);
  pb::Once once;
  for (;;) {
    STARLING_ASSIGN(const auto field, reader.next());
    if (!field) return record;
    if (field->id == kPeerId) {
      STARLING_TRY(once.check(kPeerId));
      STARLING_ASSIGN(const ByteView value, pb::as_bytes(*field));
      STARLING_ASSIGN(record.peer, PeerId::from_bytes(value));
    } else if (field->id == kSeq) {
      STARLING_TRY(once.check(kSeq));
      STARLING_ASSIGN(record.seq, pb::as_u64(*field));
    } else if (field->id == kAddresses && record.addrs.size() < kRecordAddressesMax) {
      STARLING_ASSIGN(const ByteView value, pb::as_bytes(*field));
      STARLING_ASSIGN(auto addr, decode_address(value));
      if (addr) record.addrs.push_back(std::move(*addr));
    }
  }
}

struct RawEnvelope {
  std::optional<ByteView> public_key;
  ByteView payload_type;
  ByteView payload;
  ByteView signature;
};

Result<RawEnvelope> decode_raw(ByteView bytes) {
  RawEnvelope raw;
  pb::Reader reader(bytes);
  pb::Once once;
  for (;;) {
    STARLING_ASSIGN(const auto field, reader.next());
    if (!field) return raw;
    if (field->id == 0 || field->id > kSignature || field->id == 4) continue;
    STARLING_TRY(once.check(field->id));
    STARLING_ASSIGN(const ByteView value, pb::as_bytes(*field));
    switch (field->id) {
      case kPublicKey: raw.public_key = value; break;
      case kPayloadType: raw.payload_type = value; break;
      case kPayload: raw.payload = value; break;
      default: raw.signature = value; break;
    }
  }
}

}  // namespace

Envelope Envelope::seal(const crypto::PrivateKey& key, const RecordType& type, ByteView payload) {
  return {key.public_key(), to_bytes(type.payload_type), to_bytes(payload),
          key.sign(signed_bytes(type, payload))};
}

Result<Envelope> Envelope::decode(ByteView bytes) {
  if (bytes.size() > kEnvelopeBytesMax) return fail(Errc::bad_envelope);
  const auto raw = decode_raw(bytes);
  if (!raw || !raw->public_key) return fail(Errc::bad_envelope);
  auto key = format::decode_public_key(*raw->public_key);
  if (!key) return fail(Errc::bad_public_key);
  return Envelope{std::move(*key), to_bytes(raw->payload_type), to_bytes(raw->payload),
                  to_bytes(raw->signature)};
}

Bytes Envelope::encode() const {
  Bytes out;
  pb::Writer writer(out);
  writer.bytes(kPublicKey, format::encode_public_key(signer));
  writer.bytes(kPayloadType, payload_type);
  writer.bytes(kPayload, payload);
  writer.bytes(kSignature, signature);
  return out;
}

Result<void> Envelope::verify(const RecordType& type) const {
  if (!equal(payload_type, as_bytes(type.payload_type))) return fail(Errc::unknown_record_type);
  if (signature.size() > crypto::kSignatureBytesMax || !signer.verify(signed_bytes(type, payload), signature))
    return fail(Errc::bad_signature);
  return {};
}

Bytes seal_record(const PeerRecord& record, const crypto::PrivateKey& key, const RecordType& type) {
  STARLING_ASSERT(PeerId::of(key.public_key()) == record.peer);
  return Envelope::seal(key, type, encode_record(record)).encode();
}

Result<PeerRecord> open_record(ByteView envelope) {
  STARLING_ASSIGN(const auto opened, Envelope::decode(envelope));
  const bool rfc = equal(opened.payload_type, as_bytes(kPeerRecordTypeRfc.payload_type));
  STARLING_TRY(opened.verify(rfc ? kPeerRecordTypeRfc : kPeerRecordType));
  auto record = decode_record(opened.payload);
  if (!record) return fail(Errc::bad_record);
  if (record->peer != PeerId::of(opened.signer)) return fail(Errc::foreign_record);
  return std::move(*record);
}

}  // namespace starling::identify
