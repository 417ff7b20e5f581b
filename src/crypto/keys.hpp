#pragma once
// The four libp2p key types. Ed25519 and secp256k1 sign and verify; ECDSA (P-256, P-384, P-521) and RSA only
// verify. Spec: libp2p/specs peer-ids/peer-ids.md.
#include <memory>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/rng.hpp"
#include "crypto/limits.hpp"

namespace starling::crypto {

/// Values are those of the PublicKey protobuf.
enum class KeyType : std::uint8_t { rsa = 0, ed25519 = 1, secp256k1 = 2, ecdsa = 3 };
std::string_view to_string(KeyType type) noexcept;

/// A validated public key. `data` is what the protobuf's Data field holds: 32 raw bytes for Ed25519, 33
/// compressed bytes for secp256k1, PKIX DER for RSA and ECDSA. Cheap to copy for the two small types.
class PublicKey {
 public:
  /// Errc::bad_key, Errc::key_too_large. secp256k1 must be a compressed point on the curve; Ed25519 32 bytes.
  static Result<PublicKey> from_data(KeyType type, ByteView data);
  KeyType type() const noexcept { return type_; }
  ByteView data() const noexcept { return data_; }
  /// Errc::bad_signature. Ed25519: RFC 8032 with S < L and canonical encodings. secp256k1: strict DER over
  /// SHA-256, high s refused. ECDSA: DER over SHA-256. RSA: PKCS#1 v1.5 over SHA-256.
  Result<void> verify(ByteView message, ByteView signature) const;
  friend bool operator==(const PublicKey& a, const PublicKey& b) noexcept {
    return a.type_ == b.type_ && a.data_ == b.data_;
  }

 private:
  PublicKey(KeyType type, Bytes data) noexcept : type_(type), data_(std::move(data)) {}
  KeyType type_;
  Bytes data_;
};

/// An Ed25519 seed or a secp256k1 scalar. Wiped on destruction.
class PrivateKey {
 public:
  static PrivateKey generate(KeyType type, Rng& rng);
  /// `data`: a 32-byte seed (or the 64-byte or 96-byte legacy forms of libp2p) for Ed25519, a 32-byte scalar
  /// for secp256k1. Errc::bad_key, Errc::unsupported_key.
  static Result<PrivateKey> from_data(KeyType type, ByteView data);
  PrivateKey(PrivateKey&&) noexcept = default;
  PrivateKey& operator=(PrivateKey&&) noexcept = default;
  PrivateKey(const PrivateKey&) = default;
  PrivateKey& operator=(const PrivateKey&) = default;
  ~PrivateKey();

  KeyType type() const noexcept { return public_key_.type(); }
  const PublicKey& public_key() const noexcept { return public_key_; }
  /// The 32-byte seed or scalar.
  ByteView secret() const noexcept { return secret_; }
  /// As libp2p signs: Ed25519 (64 bytes), or DER ECDSA over SHA-256 with RFC 6979 nonce and low s.
  Bytes sign(ByteView message) const;

 private:
  PrivateKey(FixedBytes<32> secret, PublicKey public_key) noexcept
      : secret_(secret), public_key_(std::move(public_key)) {}
  FixedBytes<32> secret_;
  PublicKey public_key_;
};

}  // namespace starling::crypto
