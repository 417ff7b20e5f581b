// The PublicKey and PrivateKey messages of libp2p.
#include "crypto/errors.hpp"
#include "crypto/hash.hpp"
#include "format/peer_id.hpp"
#include "format/protobuf.hpp"
#include "format/varint.hpp"

namespace starling::format {
namespace {

constexpr std::uint32_t kTypeField = 1;
constexpr std::uint32_t kDataField = 2;
constexpr std::uint8_t kTypeTag = 0x08;
constexpr std::uint8_t kDataTag = 0x12;

Bytes encode_key(crypto::KeyType type, ByteView data) {
  Bytes out;
  pb::Writer writer(out);
  // proto2 `required`: the zero of RSA is written too.
  writer.varint(kTypeField, static_cast<std::uint8_t>(type));
  writer.bytes(kDataField, data);
  return out;
}

Result<crypto::KeyType> key_type(std::uint64_t value) noexcept {
  if (value > static_cast<std::uint8_t>(crypto::KeyType::ecdsa)) return fail(crypto::Errc::unsupported_key);
  return static_cast<crypto::KeyType>(value);
}

// Takes `tag` and a minimal varint from the front; nothing when they do not stand there.
std::optional<std::uint64_t> take(ByteView& bytes, std::uint8_t tag) noexcept {
  if (bytes.empty() || bytes[0] != tag) return std::nullopt;
  const auto number = read_minimal_varint(bytes.subspan(1));
  if (!number) return std::nullopt;
  bytes = bytes.subspan(1 + number->size);
  return number->value;
}

}  // namespace

Bytes encode_public_key(const crypto::PublicKey& key) { return encode_key(key.type(), key.data()); }

// A peer id is the hash of these bytes: a second encoding of a key would be a second identity. So this
// accepts one sequence of bytes only, and needs no re-encoding to know it.
Result<crypto::PublicKey> decode_public_key(ByteView bytes) {
  const auto type_value = take(bytes, kTypeTag);
  if (!type_value) return fail(Errc::bad_public_key);
  const auto length = take(bytes, kDataTag);
  if (!length || *length != bytes.size()) return fail(Errc::bad_public_key);
  STARLING_ASSIGN(const auto type, key_type(*type_value));
  return crypto::PublicKey::from_data(type, bytes);
}

Bytes encode_private_key(const crypto::PrivateKey& key) {
  Bytes data = to_bytes(key.secret());
  if (key.type() == crypto::KeyType::ed25519) append(data, key.public_key().data());
  Bytes out = encode_key(key.type(), data);
  crypto::wipe(data);
  return out;
}

Result<crypto::PrivateKey> decode_private_key(ByteView bytes) {
  std::optional<std::uint64_t> type_value;
  std::optional<ByteView> data;
  pb::Reader reader(bytes);
  pb::Once once;
  for (;;) {
    STARLING_ASSIGN(const auto field, reader.next());
    if (!field) break;
    if (field->id == kTypeField) {
      STARLING_TRY(once.check(field->id));
      STARLING_ASSIGN(type_value, pb::as_u64(*field));
    } else if (field->id == kDataField) {
      STARLING_TRY(once.check(field->id));
      STARLING_ASSIGN(data, pb::as_bytes(*field));
    }
  }
  if (!type_value || !data) return fail(crypto::Errc::bad_key);
  STARLING_ASSIGN(const auto type, key_type(*type_value));
  return crypto::PrivateKey::from_data(type, *data);
}

}  // namespace starling::format
