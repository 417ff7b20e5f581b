#pragma once
// Peer ids and the PublicKey protobuf. Spec: libp2p/specs peer-ids/peer-ids.md.
#include <compare>
#include <string>

#include "base/bytes.hpp"
#include "crypto/keys.hpp"
#include "format/errors.hpp"
#include "format/limits.hpp"

namespace starling {

/// The multihash of a peer's public key. Value type without allocation.
class PeerId {
 public:
  PeerId() noexcept = default;
  /// Of the key's canonical protobuf: identity multihash up to 42 bytes, else SHA-256.
  static PeerId of(const crypto::PublicKey& key);
  /// Exactly one multihash: identity (at most 42 bytes) or sha2-256. format::Errc::bad_peer_id.
  static Result<PeerId> from_bytes(ByteView bytes) noexcept;
  /// The same again, unchecked but for the size: for bytes() of an id that is kept in another form meanwhile.
  static PeerId from_own_bytes(ByteView bytes) noexcept;
  /// Base58btc (`12D3Koo…`, `16Uiu2H…`, `Qm…`) or a CIDv1 of codec 0x72 in any multibase.
  static Result<PeerId> parse(std::string_view text);
  ByteView bytes() const noexcept { return {data_.data(), size_}; }
  bool empty() const noexcept { return size_ == 0; }
  /// Base58btc.
  std::string to_string() const;
  /// First and last characters, for logs.
  std::string short_string() const;
  /// The key inside an identity multihash. format::Errc::bad_public_key when it is hashed or not canonical.
  Result<crypto::PublicKey> inline_key() const;
  // Of constant size: what is behind the end is zero in both.
  friend bool operator==(const PeerId& a, const PeerId& b) noexcept {
    return a.size_ == b.size_ && a.data_ == b.data_;
  }
  friend std::strong_ordering operator<=>(const PeerId& a, const PeerId& b) noexcept {
    return compare(a.bytes(), b.bytes());
  }

 private:
  FixedBytes<kPeerIdBytesMax> data_{};
  std::uint8_t size_ = 0;
};

namespace format {
/// PublicKey { Type = 1; Data = 2 }, canonical.
Bytes encode_public_key(const crypto::PublicKey& key);
/// Errc::bad_public_key for anything that does not re-encode to the same bytes; crypto errors for bad key
/// data.
Result<crypto::PublicKey> decode_public_key(ByteView bytes);
/// PrivateKey { Type = 1; Data = 2 }: 64 bytes (seed ‖ public) for Ed25519, 32 for secp256k1, as go and js
/// store it.
Bytes encode_private_key(const crypto::PrivateKey& key);
Result<crypto::PrivateKey> decode_private_key(ByteView bytes);
}  // namespace format

}  // namespace starling

template <>
struct std::hash<starling::PeerId> {
  std::size_t operator()(const starling::PeerId& id) const noexcept {
    return starling::hash_bytes(id.bytes());
  }
};
