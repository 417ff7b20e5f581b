#pragma once
#include <optional>
#include <utility>

#include "crypto/hash.hpp"
#include "crypto/x25519.hpp"
#include "noise/cipher_state.hpp"

namespace starling::noise {

enum class Role : std::uint8_t { initiator, responder };

/// The SymmetricState of the Noise specification (§5.2) for SHA-256 and ChaCha20-Poly1305.
/// Lifetime: a part of HandshakeState. Its chaining key is wiped on destruction.
class SymmetricState {
 public:
  explicit SymmetricState(std::string_view protocol_name);
  SymmetricState(SymmetricState&&) noexcept = default;
  SymmetricState& operator=(SymmetricState&&) noexcept = default;
  ~SymmetricState();

  void mix_hash(ByteView data);
  void mix_key(ByteView key_material);
  /// Appends the ciphertext, or the plaintext itself while there is no key.
  Result<void> encrypt_and_hash(ByteView plaintext, Bytes& out);
  /// Decrypts in place, or returns the bytes as they are while there is no key.
  Result<MutableByteView> decrypt_and_hash(MutableByteView bytes);
  /// The two transport keys: of the initiator's and of the responder's messages.
  std::pair<CipherState, CipherState> split() const;
  const crypto::Hash256& handshake_hash() const noexcept { return hash_; }

 private:
  crypto::Hash256 chaining_key_;
  crypto::Hash256 hash_;
  std::optional<CipherState> cipher_;
};

/// Noise_XX_25519_ChaChaPoly_SHA256 as the Noise specification defines it, without anything of libp2p:
///     -> e
///     <- e, ee, s, es
///     -> s, se
///
/// Lifetime: one handshake, on the connection's shard. Call order: the initiator writes, reads, writes; the
/// responder reads, writes, reads; finished() is true after the third. Calls out of order are our own mistake
/// and asserted. Secrets are wiped on destruction. A read that fails ends the handshake: the object is not
/// used any more.
/// Spec: noiseprotocol.org revision 34, §5.3 and §7.5. Kept apart from libp2p so that the published Noise
/// vectors test it.
class HandshakeState {
 public:
  /// The ephemeral key is handed in too, which makes the machine a function of its inputs.
  HandshakeState(Role role, ByteView prologue, const crypto::X25519KeyPair& static_key,
                 const crypto::X25519KeyPair& ephemeral);
  HandshakeState(HandshakeState&&) noexcept = default;
  HandshakeState& operator=(HandshakeState&&) noexcept = default;
  ~HandshakeState();

  /// Appends the next message with this payload. Errc::low_order_point is possible only after a read accepted
  /// a key that a later token combines.
  Result<void> write_message(ByteView payload, Bytes& out);
  /// Reads the next message; decrypts in place and returns its payload, a view into `message`.
  /// Errc::truncated, Errc::low_order_point, Errc::decrypt_failed.
  Result<MutableByteView> read_message(MutableByteView message);
  bool finished() const noexcept { return step_ == 3; }
  /// Whether the next step is a write of ours.
  bool my_turn() const noexcept { return !finished() && (step_ % 2 == 0) == (role_ == Role::initiator); }
  /// The peer's static key, known after its message with `s` was read.
  const crypto::X25519Key& remote_static() const noexcept { return remote_static_; }
  const crypto::Hash256& handshake_hash() const noexcept { return symmetric_.handshake_hash(); }
  /// {sends, receives} of this side. After finished() only.
  std::pair<CipherState, CipherState> split() const;

 private:
  Result<void> mix_dh(const crypto::X25519Key& secret, const crypto::X25519Key& peer);
  Result<void> mix_ee() { return mix_dh(ephemeral_.secret, remote_ephemeral_); }
  Result<void> mix_es();
  Result<void> mix_se();

  Role role_;
  int step_ = 0;
  SymmetricState symmetric_;
  crypto::X25519KeyPair static_;
  crypto::X25519KeyPair ephemeral_;
  crypto::X25519Key remote_static_{};
  crypto::X25519Key remote_ephemeral_{};
};

}  // namespace starling::noise
