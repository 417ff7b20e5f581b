#pragma once
// Presence (PROTOCOL.md §3): the signed record that says where an agent is and with which key to seal for it.
#include <compare>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "agent/node_signed.hpp"
#include "agent/roles.hpp"
#include "base/time.hpp"
#include "crypto/x25519.hpp"

namespace starling::agent {

/// What the node key signs.
struct Presence {
  EthAddress wallet;
  std::uint64_t epoch = 0;
  std::uint64_t seq = 0;
  WallTime issued_at;
  WallTime expires_at;
  std::vector<Bytes>
      addrs;         ///< multiaddrs as they came, best first; one that does not parse is skipped by its user
  std::string name;  ///< for people, never trusted as identity
  Role role = Role::agent;
  std::optional<crypto::X25519Key> seal_key;  ///< none: cannot receive sealed messages
  std::string agent_version;
  bool withdrawn = false;  ///< left on purpose
  std::optional<crypto::Hash256> card_hash;
};

/// The container: opaque parts and the node key's signature.
using SignedPresence = NodeSigned;

/// The selector of §3: highest (epoch, seq), on a tie the greater SHA-256 of the value.
struct PresenceRank {
  std::uint64_t epoch = 0;
  std::uint64_t seq = 0;
  crypto::Hash256 sha256{};
  friend std::strong_ordering operator<=>(const PresenceRank&, const PresenceRank&) = default;
  friend bool operator==(const PresenceRank&, const PresenceRank&) = default;
};

/// A record whose bytes keep every rule that bytes alone can keep (rows 3 and 5).
struct CheckedPresence {
  Presence fields;
  CheckedDelegation delegation;
  SignedPresence wire;
  PresenceRank rank;
  PeerId peer_id() const { return delegation.fields.peer_id(); }
};

Bytes encode(const Presence& presence);
/// Strict decoding with every size limit; relations are check_relations(). The Errc of the rule, or a format
/// error.
Result<Presence> decode_presence(ByteView bytes);
Result<void> check_relations(const Presence& presence, const Delegation& delegation);

/// Row 3: size and container. Errc::too_large or a format error.
Result<SignedPresence> decode_signed_presence(ByteView value);
/// Row 5: the opaque parts and all fixed relations. `value` is what was decoded, for the rank.
Result<CheckedPresence> check_fields(SignedPresence wire, ByteView value, const NetworkName& network);

/// Signs; `presence` must keep its fixed relations to the delegation, else their Errc. Returns the whole
/// value.
Result<Bytes> make_presence(const Presence& presence, const SignedDelegation& delegation,
                            const crypto::PrivateKey& node_key, const Signatures& signatures);
/// Errc::bad_node_signature.
Result<void> verify_node(const CheckedPresence& presence, const Signatures& signatures);

/// Index of the best value; undecodable ones are never chosen. Nothing when none decodes. Validity is the
/// caller's: only valid records are candidates.
std::optional<std::size_t> select_presence(std::span<const ByteView> values, const NetworkName& network);
/// expires_at of a value that decodes, for a store that must know when it ends. Nothing is verified.
std::optional<WallTime> presence_expiry(ByteView value);

}  // namespace starling::agent
