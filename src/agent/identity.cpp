#include "agent/identity.hpp"

#include <algorithm>

#include "agent/limits.hpp"
#include "agent/times.hpp"

namespace starling::agent {
namespace {

/// A stored delegation of this wallet and network with a good signature, whatever its window and node key
/// say.
std::optional<CheckedDelegation> own_delegation(std::optional<SignedDelegation> stored,
                                                const EthAddress& wallet, const NetworkName& network,
                                                const Signatures& signatures) {
  if (!stored) return std::nullopt;
  auto checked = check_fields(std::move(*stored), network);
  if (!checked || checked->fields.wallet != wallet || !verify_wallet(*checked, signatures))
    return std::nullopt;
  return std::move(*checked);
}

/// The address as a record carries it; nothing when it has no place in one.
std::optional<Bytes> record_addr(const Multiaddr& addr, const PeerId& own) {
  const Multiaddr bare = addr.peer_id() == own ? addr.without_peer_id() : addr;
  if (bare.empty() || bare.bytes().size() > kPresenceAddrBytesMax) return std::nullopt;
  return to_bytes(bare.bytes());
}

}  // namespace

Result<CheckedDelegation> delegate(const crypto::PrivateKey& wallet, const crypto::PublicKey& node_key,
                                   const NetworkName& network, WallTime now,
                                   std::optional<std::uint64_t> epoch, Duration window,
                                   const Signatures& signatures) {
  STARLING_ASSIGN(const auto address, crypto::ethereum_address_of(wallet.public_key()));
  const std::uint64_t its_epoch = epoch.value_or(now.ms());
  // epoch ≤ not_before holds even when our clock went back since the epoch was taken.
  const WallTime not_before = later(now, WallTime::from_ms(its_epoch));
  const Delegation fields{EthAddress(address), node_key, network.text(), not_before,
                          not_before + window, its_epoch};
  return check_fields(sign_delegation(fields, wallet, signatures), network);
}

Identity::Identity(std::optional<crypto::PrivateKey> wallet_key, crypto::PrivateKey node_key,
                   NetworkName network, CheckedDelegation delegation, IssuedState issued,
                   const Signatures& signatures)
    : wallet_key_(std::move(wallet_key)),
      node_key_(std::move(node_key)),
      peer_id_(PeerId::of(node_key_.public_key())),
      network_(std::move(network)),
      delegation_(std::move(delegation)),
      issued_(issued),
      signatures_(signatures) {}

Result<Identity> Identity::hot(crypto::PrivateKey wallet, crypto::PrivateKey node_key, NetworkName network,
                               std::optional<SignedDelegation> stored, IssuedState issued, WallTime now,
                               const Signatures& signatures) {
  STARLING_ASSIGN(const auto address, crypto::ethereum_address_of(wallet.public_key()));
  auto delegation = own_delegation(std::move(stored), EthAddress(address), network, signatures);
  const bool usable = delegation && delegation->fields.node_key == node_key.public_key() &&
                      !check_window(delegation->fields, now);
  if (!usable) {
    // The same epoch where there is one: only revoking raises it.
    std::optional<std::uint64_t> epoch;
    if (delegation) epoch = delegation->fields.epoch;
    STARLING_ASSIGN(delegation, delegate(wallet, node_key.public_key(), network, now, epoch,
                                         kDelegationWindowDefault, signatures));
  }
  return Identity(std::move(wallet), std::move(node_key), std::move(network), std::move(*delegation), issued,
                  signatures);
}

Result<Identity> Identity::cold(SignedDelegation delegation, crypto::PrivateKey node_key, NetworkName network,
                                IssuedState issued, const Signatures& signatures) {
  STARLING_ASSIGN(CheckedDelegation checked, check_fields(std::move(delegation), network));
  if (checked.fields.node_key != node_key.public_key()) return fail(Errc::not_our_delegation);
  STARLING_TRY(verify_wallet(checked, signatures));
  return Identity(std::nullopt, std::move(node_key), std::move(network), std::move(checked), issued,
                  signatures);
}

WallTime Identity::renew_at() const noexcept {
  const Delegation& fields = delegation_.fields;
  return fields.not_before + time_until(fields.not_after, fields.not_before) / 2;
}

Result<bool> Identity::renew(WallTime now) {
  if (now < renew_at()) return false;
  if (!wallet_key_) return fail(Errc::wallet_is_cold);
  STARLING_ASSIGN(delegation_, delegate(*wallet_key_, node_key_.public_key(), network_, now,
                                        delegation_.fields.epoch, kDelegationWindowDefault, signatures()));
  return true;
}

Result<void> Identity::adopt(SignedDelegation delegation) {
  STARLING_ASSIGN(CheckedDelegation checked, check_fields(std::move(delegation), network_));
  if (checked.fields.node_key != node_key_.public_key() || checked.fields.wallet != wallet())
    return fail(Errc::not_our_delegation);
  STARLING_TRY(verify_wallet(checked, signatures()));
  delegation_ = std::move(checked);
  return {};
}

Result<Bytes> Identity::make_record(const PresenceContent& content, WallTime now) {
  Presence presence;
  for (const Multiaddr& addr : content.addrs) {
    if (presence.addrs.size() >= kPresenceAddrsMax) break;
    if (auto bytes = record_addr(addr, peer_id_)) presence.addrs.push_back(std::move(*bytes));
  }
  presence.name = content.name;
  presence.role = content.role;
  presence.seal_key = content.seal_key;
  presence.agent_version = content.agent_version;
  presence.card_hash = content.card_hash;
  return issue(std::move(presence), now);
}

Result<Bytes> Identity::make_withdrawal(WallTime now) {
  Presence presence;
  presence.withdrawn = true;
  return issue(std::move(presence), now);
}

Result<Bytes> Identity::issue(Presence presence, WallTime now) {
  const std::uint64_t next = issued_.last_issued == UINT64_MAX ? UINT64_MAX : issued_.last_issued + 1;
  const WallTime issued_at = WallTime::from_ms(std::max(next, now.ms()));
  if (!start_is_good(issued_at, now)) return fail(Errc::clock_behind);
  if (!end_is_good(delegation_.fields.not_after, issued_at)) return fail(Errc::delegation_ended);

  const WallTime longest = earlier(issued_at + kPresenceLifeMax, delegation_.fields.not_after);
  const WallTime wanted = later(issued_at + kPresenceLifeDefault, issued_.largest_expiry);
  presence.wallet = wallet();
  presence.epoch = delegation_.fields.epoch;
  presence.seq = issued_at.ms();
  presence.issued_at = issued_at;
  presence.expires_at = presence.withdrawn ? longest : earlier(wanted, longest);
  STARLING_ASSIGN(Bytes value, make_presence(presence, delegation_.wire, node_key_, signatures()));
  issued_ = {issued_at.ms(), later(issued_.largest_expiry, presence.expires_at)};
  return value;
}

bool Identity::meet(const CheckedPresence& presence) {
  const Presence& fields = presence.fields;
  if (fields.wallet != wallet() || presence.peer_id() == peer_id_) return false;
  const std::pair ours{delegation_.fields.epoch, issued_.last_issued};
  const std::pair theirs{fields.epoch, fields.seq};
  if (theirs <= ours || (rival_ && theirs <= std::pair{rival_->epoch, rival_->seq})) return false;
  rival_ = Rival{presence.peer_id(), fields.epoch, fields.seq};
  return true;
}

std::optional<PeerId> Identity::superseded_by() const {
  if (!rival_) return std::nullopt;
  return rival_->peer;
}

Result<void> Identity::take_over(WallTime now) {
  if (!rival_) return {};
  if (rival_->epoch > delegation_.fields.epoch) {
    if (!wallet_key_) return fail(Errc::wallet_is_cold);
    STARLING_ASSIGN(delegation_, delegate(*wallet_key_, node_key_.public_key(), network_, now, rival_->epoch,
                                          kDelegationWindowDefault, signatures()));
  }
  issued_.last_issued = std::max(issued_.last_issued, rival_->seq);
  rival_.reset();
  return {};
}

Result<Envelope> Identity::start_envelope(const EnvelopeId& id, std::optional<EthAddress> to, WallTime now,
                                          Duration life) const {
  const Delegation& fields = delegation_.fields;
  if (!end_is_good(fields.not_after, now)) return fail(Errc::delegation_ended);
  Envelope out;
  out.id = id;
  out.from = wallet();
  out.to = to;
  out.sent_at = now;
  out.expires_at = earlier(now + std::min(life, Duration(kEnvelopeLifeMax)), fields.not_after);
  out.delegation = delegation_.wire;
  return out;
}

Result<Revocation> revoke_all(const crypto::PrivateKey& wallet, const NetworkName& network, WallTime now,
                              Rng& rng, const Signatures& signatures) {
  // A key that nobody has: it signs one record and is gone.
  const auto fresh = crypto::PrivateKey::generate(crypto::KeyType::secp256k1, rng);
  STARLING_ASSIGN(CheckedDelegation delegation, delegate(wallet, fresh.public_key(), network, now, now.ms(),
                                                         kDelegationWindowDefault, signatures));
  STARLING_ASSIGN(Identity identity, Identity::cold(delegation.wire, fresh, network, {}, signatures));
  STARLING_ASSIGN(Bytes record, identity.make_withdrawal(now));
  return Revocation{std::move(delegation), std::move(record)};
}

}  // namespace starling::agent
