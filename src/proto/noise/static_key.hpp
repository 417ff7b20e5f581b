#pragma once
#include "base/rng.hpp"
#include "crypto/keys.hpp"
#include "crypto/x25519.hpp"
#include "noise/payload.hpp"

namespace starling::noise {

/// A Noise static key with the signature of the identity key over it, shared by all handshakes of a node.
///
/// What for: a handshake that makes its own pays a key generation and a signature each time.
/// Lifetime: made once when the node starts, outlives every handshake that uses it; immutable, so that every
/// shard may read it. The secret is wiped on destruction and never stored.
/// Spec: libp2p/specs noise, Static Key Authentication, allows one key for all sessions of a process. Forward
/// secrecy and replay protection do not rest on it: they come from the ephemeral keys of each handshake.
class StaticKey {
 public:
  StaticKey(const crypto::PrivateKey& identity, Rng& rng);
  StaticKey(const StaticKey&) = delete;
  StaticKey& operator=(const StaticKey&) = delete;
  ~StaticKey();
  const crypto::X25519KeyPair& pair() const noexcept { return pair_; }
  /// Whose signature it carries.
  const crypto::PublicKey& identity() const noexcept { return identity_; }
  /// The payload of a handshake that uses this key.
  Bytes payload(const std::vector<std::string>& muxers) const { return add_muxers(proof_, muxers); }

 private:
  crypto::X25519KeyPair pair_;
  crypto::PublicKey identity_;
  Bytes proof_;
};

}  // namespace starling::noise
