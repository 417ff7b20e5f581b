#include "format/peer_id.hpp"

#include "base/assert.hpp"
#include "format/multihash.hpp"

namespace starling {
namespace {

using format::Errc;

constexpr std::size_t kSha256Bytes = 32;
constexpr std::uint8_t kCidPrefix[] = {0x01, 0x72};  // CIDv1, codec libp2p-key

}  // namespace

PeerId PeerId::of(const crypto::PublicKey& key) {
  const Bytes encoded = format::encode_public_key(key);
  const Bytes multihash = encoded.size() <= kInlinePublicKeyBytesMax
                              ? format::make_multihash(format::kHashIdentity, encoded)
                              : format::sha256_multihash(encoded);
  auto id = from_bytes(multihash);
  STARLING_ASSERT(id.has_value());
  return *id;
}

Result<PeerId> PeerId::from_bytes(ByteView bytes) noexcept {
  if (bytes.size() > kPeerIdBytesMax) return fail(Errc::bad_peer_id);
  const auto hash = format::parse_multihash(bytes);
  if (!hash) return fail(Errc::bad_peer_id);
  const bool is_identity = hash->code == format::kHashIdentity && !hash->digest.empty() &&
                           hash->digest.size() <= kInlinePublicKeyBytesMax;
  const bool is_sha256 = hash->code == format::kHashSha256 && hash->digest.size() == kSha256Bytes;
  if (!is_identity && !is_sha256) return fail(Errc::bad_peer_id);
  return from_own_bytes(bytes);
}

PeerId PeerId::from_own_bytes(ByteView bytes) noexcept {
  STARLING_ASSERT(bytes.size() <= kPeerIdBytesMax);
  PeerId id;
  std::copy(bytes.begin(), bytes.end(), id.data_.begin());
  id.size_ = static_cast<std::uint8_t>(bytes.size());
  return id;
}

Result<PeerId> PeerId::parse(std::string_view text) {
  if (text.size() > kPeerIdTextMax) return fail(Errc::bad_peer_id);
  // The spec's rule: base58 of a multihash starts with 1 (identity) or Qm (sha2-256), and no multibase prefix
  // does.
  if (text.starts_with('1') || text.starts_with("Qm")) {
    const auto bytes = format::decode_base(format::Base::base58btc, text);
    if (!bytes) return fail(Errc::bad_peer_id);
    return from_bytes(*bytes);
  }
  const auto cid = format::decode_multibase(text);
  if (!cid || cid->size() < sizeof kCidPrefix || !equal(ByteView(*cid).first(sizeof kCidPrefix), kCidPrefix))
    return fail(Errc::bad_peer_id);
  return from_bytes(ByteView(*cid).subspan(sizeof kCidPrefix));
}

std::string PeerId::to_string() const { return format::encode_base(format::Base::base58btc, bytes()); }

std::string PeerId::short_string() const {
  std::string text = to_string();
  if (text.size() <= 12) return text;
  return text.substr(0, 4) + ".." + text.substr(text.size() - 6);
}

Result<crypto::PublicKey> PeerId::inline_key() const {
  const auto hash = format::parse_multihash(bytes());
  if (!hash || hash->code != format::kHashIdentity) return fail(Errc::bad_public_key);
  return format::decode_public_key(hash->digest);
}

}  // namespace starling
