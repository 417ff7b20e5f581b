#pragma once
// Delegation (PROTOCOL.md §2): a wallet says once, by EIP-712, that a node key speaks for it.
#include <optional>

#include "agent/errors.hpp"
#include "agent/names.hpp"
#include "agent/signatures.hpp"
#include "base/time.hpp"
#include "crypto/keys.hpp"
#include "format/eth_address.hpp"
#include "format/peer_id.hpp"

namespace starling::agent {

/// The fields that the wallet signs. A decoded one has a valid node key of an allowed type.
struct Delegation {
  EthAddress wallet;
  crypto::PublicKey node_key;
  std::string network;
  WallTime not_before;
  WallTime not_after;
  std::uint64_t epoch = 0;  ///< Unix ms; only revoking raises it

  PeerId peer_id() const { return PeerId::of(node_key); }
};

/// The container as it travels: opaque bytes and the wallet's signature over their fields.
struct SignedDelegation {
  Bytes delegation;
  Bytes signature;
  bool absent() const noexcept { return delegation.empty() && signature.empty(); }
  friend bool operator==(const SignedDelegation&, const SignedDelegation&) = default;
};

/// A delegation whose bytes keep every rule that bytes alone can keep (rows 3 and 5 of §5). Not yet:
/// signature, clock, floor.
struct CheckedDelegation {
  Delegation fields;
  SignedDelegation wire;
};

Bytes encode(const Delegation& delegation);
/// Canonical bytes only (fields ascending, each once, minimal varints, zeros left out): EIP-712 signs fields,
/// so any freedom in the bytes would let a stranger make twins of a delegation and walk past caches.
/// Errc::not_canonical, bad_wallet, bad_node_key; format errors.
Result<Delegation> decode_delegation(ByteView bytes);

/// keccak256 of the type string, and of the struct's encoding; the digest that the wallet signs.
crypto::Hash256 delegation_type_hash() noexcept;
crypto::Hash256 delegation_domain_separator() noexcept;
crypto::Hash256 struct_hash(const Delegation& delegation);
crypto::Hash256 digest(const Delegation& delegation);
/// The JSON that `eth_signTypedData_v4` takes: what a browser or hardware wallet shows its owner.
std::string typed_data_json(const Delegation& delegation);

/// The fixed relations of §2, which never depend on a clock.
Result<void> check_relations(const Delegation& delegation, const NetworkName& network);

Bytes encode(const SignedDelegation& delegation);
/// Row 3: the container only, its parts stay opaque. Empty parts are absent.
Result<SignedDelegation> decode_signed_delegation(ByteView bytes);
/// Row 5: decodes the opaque bytes, checks relations and the signature's length.
Result<CheckedDelegation> check_fields(SignedDelegation wire, const NetworkName& network);

/// Signs with the wallet's key.
SignedDelegation sign_delegation(const Delegation& delegation, const crypto::PrivateKey& wallet,
                                 const Signatures& signatures);
/// Recovers and compares: Errc::forged_delegation. One recover, about 35 µs.
Result<void> verify_wallet(const CheckedDelegation& delegation, const Signatures& signatures);
/// SHA-256(delegation ‖ signature), under which a verified one is cached.
crypto::Hash256 cache_key(const SignedDelegation& delegation) noexcept;

/// Turns v 0/1, as hardware wallets give it, into 27/28. Nothing for other sizes or values. For tools, never
/// for bytes from a peer.
std::optional<Bytes> normalise_wallet_signature(ByteView signature);

}  // namespace starling::agent
