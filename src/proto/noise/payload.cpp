#include "noise/payload.hpp"

#include "format/peer_id.hpp"
#include "format/protobuf.hpp"

namespace starling::noise {
namespace {

constexpr std::uint32_t kIdentityKey = 1;
constexpr std::uint32_t kIdentitySignature = 2;
constexpr std::uint32_t kExtensions = 4;
constexpr std::uint32_t kStreamMuxers = 2;

Bytes signed_bytes(const crypto::X25519Key& static_public) {
  Bytes out = to_bytes(kSignaturePrefix);
  append(out, static_public);
  return out;
}

Result<void> read_extensions(ByteView bytes, std::vector<std::string>& muxers) {
  pb::Reader reader(bytes);
  for (;;) {
    STARLING_ASSIGN(const auto field, reader.next());
    if (!field) return {};
    if (field->id != kStreamMuxers) continue;
    STARLING_ASSIGN(const ByteView muxer, pb::as_bytes(*field));
    if (muxers.size() >= kMuxersMax || muxer.size() > kMuxerBytesMax) return fail(Errc::bad_payload);
    muxers.push_back(to_text(muxer));
  }
}

struct RawPayload {
  std::optional<ByteView> key;
  std::optional<ByteView> signature;
  std::vector<std::string> muxers;
};

Result<RawPayload> read_fields(ByteView bytes) {
  RawPayload raw;
  pb::Reader reader(bytes);
  pb::Once once;
  for (;;) {
    STARLING_ASSIGN(const auto field, reader.next());
    if (!field) return raw;
    if (field->id != kIdentityKey && field->id != kIdentitySignature && field->id != kExtensions) continue;
    STARLING_TRY(once.check(field->id));
    STARLING_ASSIGN(const ByteView value, pb::as_bytes(*field));
    if (field->id == kIdentityKey) raw.key = value;
    if (field->id == kIdentitySignature) raw.signature = value;
    if (field->id == kExtensions) STARLING_TRY(read_extensions(value, raw.muxers));
  }
}

}  // namespace

Bytes make_proof(const crypto::PrivateKey& identity, const crypto::X25519Key& static_public) {
  Bytes out;
  pb::Writer writer(out);
  writer.bytes(kIdentityKey, format::encode_public_key(identity.public_key()));
  writer.bytes(kIdentitySignature, identity.sign(signed_bytes(static_public)));
  return out;
}

Bytes add_muxers(Bytes proof, const std::vector<std::string>& muxers) {
  if (muxers.empty()) return proof;
  Bytes extensions;
  pb::Writer inner(extensions);
  for (const auto& muxer : muxers) inner.string(kStreamMuxers, muxer);
  pb::Writer(proof).bytes(kExtensions, extensions);
  return proof;
}

Result<Payload> read_payload(ByteView bytes, const crypto::X25519Key& static_public) {
  auto raw = read_fields(bytes);
  if (!raw || !raw->key || !raw->signature) return fail(Errc::bad_payload);
  auto key = format::decode_public_key(*raw->key);
  if (!key) return fail(Errc::bad_identity_key);
  if (raw->signature->size() > crypto::kSignatureBytesMax ||
      !key->verify(signed_bytes(static_public), *raw->signature)) {
    return fail(Errc::bad_identity_signature);
  }
  return Payload{std::move(*key), std::move(raw->muxers)};
}

}  // namespace starling::noise
