#pragma once
#include <functional>
#include <optional>
#include <string>

#include "agent/envelope.hpp"
#include "agent/presence.hpp"
#include "agent/trust.hpp"
#include "base/rng.hpp"
#include "crypto/keys.hpp"
#include "format/multiaddr.hpp"

namespace starling::agent {

/// What must be on disk before a record leaves the node (§3): issued_at = seq strictly increases, across
/// restarts and epochs, and expires_at never shrinks.
struct IssuedState {
  std::uint64_t last_issued = 0;  ///< Unix ms
  WallTime largest_expiry;
  friend bool operator==(const IssuedState&, const IssuedState&) = default;
};

/// What a node says about itself in its record; the rest is Identity's.
struct PresenceContent {
  std::vector<Multiaddr>
      addrs;  ///< best first; a trailing /p2p/<own id> is dropped; over the limits: left out
  std::string name;
  Role role = Role::agent;
  std::optional<crypto::X25519Key> seal_key;
  std::string agent_version;
  std::optional<crypto::Hash256> card_hash;
};

/// Who this node is: a wallet's address, a node key, and the delegation that ties them (§2). The wallet's key
/// may be here (hot: it renews by itself) or elsewhere (cold: only its delegation is here).
///
/// Makes records (issued_at = seq = max(last + 1, clock)); renews the delegation at half time with the same
/// epoch. Not thread-safe. Persist `issued()` and `delegation()` after each make_record()/renew() and before
/// publishing. Private keys are wiped on destruction. `signatures` outlives it.
class Identity {
 public:
  /// With the wallet's key. `stored` is the delegation of the last run: kept while it is ours and inside its
  /// window. Without one, a new wallet takes the clock as its epoch.
  static Result<Identity> hot(crypto::PrivateKey wallet, crypto::PrivateKey node_key, NetworkName network,
                              std::optional<SignedDelegation> stored, IssuedState issued, WallTime now,
                              const Signatures& signatures);
  /// With a delegation only. Errc::not_our_delegation, forged_delegation, errors of check_fields().
  static Result<Identity> cold(SignedDelegation delegation, crypto::PrivateKey node_key, NetworkName network,
                               IssuedState issued, const Signatures& signatures);

  const EthAddress& wallet() const noexcept { return delegation_.fields.wallet; }
  const PeerId& peer_id() const noexcept { return peer_id_; }
  const crypto::PrivateKey& node_key() const noexcept { return node_key_; }
  const CheckedDelegation& delegation() const noexcept { return delegation_; }
  const NetworkName& network() const noexcept { return network_; }
  const Signatures& signatures() const noexcept { return signatures_.get(); }
  bool is_hot() const noexcept { return wallet_key_.has_value(); }
  const IssuedState& issued() const noexcept { return issued_; }

  /// When renew() has something to do: half the window for a hot one; a cold one should be renewed by its
  /// owner then.
  WallTime renew_at() const noexcept;
  /// Renews when it is time. True when the delegation changed. A cold identity: Errc::wallet_is_cold when
  /// due.
  Result<bool> renew(WallTime now);
  /// Takes a delegation that the owner of a cold wallet signed meanwhile. Same errors as cold().
  Result<void> adopt(SignedDelegation delegation);

  /// The next record, signed. Errc::delegation_ended, clock_behind (the last record lies more than the skew
  /// ahead of the clock: everybody would ignore it), errors of check_relations().
  Result<Bytes> make_record(const PresenceContent& content, WallTime now);
  /// The record that says we left.
  Result<Bytes> make_withdrawal(WallTime now);

  /// A valid presence was met, from anywhere. When it is of our wallet, by another key and higher by (epoch,
  /// seq) than what we published, we are superseded: stop publishing, keep receiving. True when that changed.
  bool meet(const CheckedPresence& presence);
  /// After a restart nothing is known of the others: look the own wallet up before the first record.
  std::optional<PeerId> superseded_by() const;
  /// `--take-over`: the next record is above the other's. Nothing to do when nobody supersedes us. When the
  /// other's epoch is higher, a hot wallet delegates anew with that epoch; a cold one: Errc::wallet_is_cold.
  Result<void> take_over(WallTime now);
  /// The wallet's floor rose above our epoch: our delegation is revoked.
  bool is_revoked(const Floors& floors) const {
    return floors.is_revoked(wallet(), delegation_.fields.epoch);
  }

  /// Fills id, from, to, version, delegation and the times; `life` is cut to 7 days and to the delegation's
  /// end. Errc::delegation_ended.
  Result<Envelope> start_envelope(const EnvelopeId& id, std::optional<EthAddress> to, WallTime now,
                                  Duration life = kEnvelopeLifeDefault) const;

 private:
  Identity(std::optional<crypto::PrivateKey> wallet_key, crypto::PrivateKey node_key, NetworkName network,
           CheckedDelegation delegation, IssuedState issued, const Signatures& signatures);
  Result<Bytes> issue(Presence presence, WallTime now);
  struct Rival {
    PeerId peer;
    std::uint64_t epoch;
    std::uint64_t seq;
  };

  std::optional<crypto::PrivateKey> wallet_key_;
  crypto::PrivateKey node_key_;
  PeerId peer_id_;
  NetworkName network_;
  CheckedDelegation delegation_;
  IssuedState issued_;
  std::optional<Rival> rival_;
  std::reference_wrapper<const Signatures> signatures_;
};

/// A new delegation by a wallet whose key is here: window from now, 14 days unless said otherwise.
/// `epoch` nothing: the clock, which revokes everything older.
Result<CheckedDelegation> delegate(const crypto::PrivateKey& wallet, const crypto::PublicKey& node_key,
                                   const NetworkName& network, WallTime now,
                                   std::optional<std::uint64_t> epoch, Duration window,
                                   const Signatures& signatures);

/// Everything `starling wallet revoke` publishes: a delegation with epoch = now for a fresh key, and that
/// key's withdrawn record. Call again every 24 h until the longest old delegation has ended.
struct Revocation {
  CheckedDelegation delegation;
  Bytes record;
};
Result<Revocation> revoke_all(const crypto::PrivateKey& wallet, const NetworkName& network, WallTime now,
                              Rng& rng, const Signatures& signatures);

}  // namespace starling::agent
