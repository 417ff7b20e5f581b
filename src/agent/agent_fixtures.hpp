#pragma once
// What the agent layer's tests, fuzz targets and the simulator share: actors with wallets and node keys, and
// a stand-in for signatures that costs nothing and guards nothing.
#include <string>

#include "agent/envelope.hpp"
#include "agent/identity.hpp"
#include "agent/node_status.hpp"
#include "agent/presence.hpp"
#include "crypto/errors.hpp"
#include "crypto/recoverable.hpp"

namespace starling::agent::fixtures {

inline constexpr WallTime kNow = WallTime::from_ms(1'795'000'000'000);
inline constexpr Instant kStart = Instant::from_ns(1'000'000'000'000);

/// Both clocks, `after` a fixed start.
constexpr Now now_at(Duration after = Duration::zero()) noexcept { return {kStart + after, kNow + after}; }

/// A "signature" is a hash of who and what. Anybody can forge it; it keeps the shape of real ones, so that a
/// simulated network runs the same code at a hundredth of the cost.
class CheapSignatures final : public Signatures {
 public:
  Result<EthAddress> recover(const crypto::Hash256& digest, ByteView signature65) const override {
    ++recovers;
    if (signature65.size() != kWalletSignatureBytes || !equal(signature65.first(32), digest))
      return fail(crypto::Errc::bad_signature);
    return EthAddress(*to_fixed<20>(signature65.subspan(32, 20)));
  }
  crypto::RecoverableSignature sign_as_wallet(const crypto::PrivateKey& wallet,
                                              const crypto::Hash256& digest) const override {
    crypto::RecoverableSignature out{};
    const auto address = crypto::ethereum_address_of(wallet.public_key()).value();
    std::copy(digest.begin(), digest.end(), out.begin());
    std::copy(address.begin(), address.end(), out.begin() + 32);
    out.back() = 27;
    return out;
  }
  Result<void> verify(const crypto::PublicKey& key, std::string_view prefix, ByteView message,
                      ByteView signature) const override {
    ++verifications;
    if (!equal(tag(key, prefix, message), signature)) return fail(crypto::Errc::bad_signature);
    return {};
  }
  Bytes sign(const crypto::PrivateKey& key, std::string_view prefix, ByteView message) const override {
    return to_bytes(tag(key.public_key(), prefix, message));
  }
  mutable std::uint64_t recovers = 0;
  mutable std::uint64_t verifications = 0;

 private:
  static crypto::Hash256 tag(const crypto::PublicKey& key, std::string_view prefix, ByteView message) {
    return crypto::sha256({key.data(), as_bytes(prefix), message});
  }
};

/// The secret that belongs to a name, the same in every run.
inline crypto::PrivateKey key_of(std::string_view name, crypto::KeyType type) {
  const auto secret = crypto::sha256(as_bytes(name));
  return crypto::PrivateKey::from_data(type, secret).value();
}

/// Somebody with a wallet, a node key and a delegation that started a day ago.
class Actor {
 public:
  Actor(const std::string& name, const Signatures& signatures,
        crypto::KeyType type = crypto::KeyType::ed25519, std::uint64_t epoch = kNow.ms() - 86'400'000)
      : wallet(key_of(name + " wallet", crypto::KeyType::secp256k1)),
        node(key_of(name + " node", type)),
        signatures_(signatures),
        delegation(delegate(wallet, node.public_key(), NetworkName(), kNow + -Duration(24h), epoch,
                            kDelegationWindowDefault, signatures)
                       .value()) {}

  const EthAddress& address() const { return delegation.fields.wallet; }
  PeerId peer() const { return PeerId::of(node.public_key()); }

  Envelope envelope(std::uint8_t id, std::optional<EthAddress> to, std::string_view text = "hello") const {
    Envelope out;
    out.id.fill(id);
    out.from = address();
    out.to = to;
    out.sent_at = kNow;
    out.expires_at = kNow + 24h;
    out.body = Slice::copy(as_bytes(text));
    out.delegation = delegation.wire;
    return out;
  }
  Slice published(const Envelope& envelope, WallTime at) const {
    return Slice::copy(make_publication(envelope, at).value());
  }
  Slice framed(const Envelope& envelope) const {
    return Slice::copy(make_signed_envelope(envelope, node, signatures_).value());
  }
  Presence presence(WallTime issued_at = kNow) const {
    Presence out;
    out.wallet = address();
    out.epoch = delegation.fields.epoch;
    out.seq = issued_at.ms();
    out.issued_at = issued_at;
    out.expires_at = issued_at + 24h;
    out.name = "somebody";
    out.addrs.push_back(to_bytes(Multiaddr::parse("/ip4/93.184.216.34/tcp/4001").value().bytes()));
    return out;
  }
  Slice record(const Presence& presence) const {
    return Slice::copy(make_presence(presence, delegation.wire, node, signatures_).value());
  }
  Slice record(WallTime issued_at = kNow) const { return record(presence(issued_at)); }
  Slice status(WallTime sent_at = kNow) const {
    NodeStatus out;
    out.delegation = delegation.wire;
    out.sent_at = sent_at;
    out.version = "test/1";
    return Slice::copy(encode(out));
  }

  crypto::PrivateKey wallet;
  crypto::PrivateKey node;

 private:
  const Signatures& signatures_;

 public:
  CheckedDelegation delegation;
};

}  // namespace starling::agent::fixtures
