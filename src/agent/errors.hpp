#pragma once
#include "base/result.hpp"

namespace starling::agent {

/// One per rule that bytes can break, so that `inspect` names the very rule. What each counts as is in
/// Reason.
enum class Errc : std::uint16_t {
  too_large = 1,     ///< over the size limit of its message
  bad_network_name,  ///< not 1 to 32 bytes of [a-z0-9-]
  bad_presence_key,  ///< not `/eth/0x` + 40 lowercase hex digits
  // Delegation (§2)
  no_delegation,              ///< absent or empty
  bad_wallet,                 ///< wallet is not 20 bytes
  bad_node_key,               ///< not a canonical secp256k1 or Ed25519 public key
  not_canonical,              ///< delegation bytes that do not re-encode to themselves
  other_network,              ///< signed for another network
  bad_window,                 ///< not_before < not_after ≤ not_before + 90 d does not hold
  epoch_after_start,          ///< epoch > not_before
  node_key_is_wallet,         ///< the node key is the wallet's own key
  bad_wallet_signature_size,  ///< not 65 bytes
  forged_delegation,          ///< the wallet signature does not recover to the wallet
  delegation_ended,           ///< now is at or past not_after
  delegation_not_started,     ///< not_before is in the future
  revoked,                    ///< epoch below the wallet's floor
  // Presence (§3)
  not_the_delegation,  ///< wallet, epoch or from differ from the delegation's
  bad_seq,             ///< seq > issued_at
  bad_life,            ///< an expires_at outside its fixed relation
  too_many_addrs,
  addr_too_long,
  text_too_long,          ///< name, agent_version, content_type, version or hint over its limit
  bad_seal_key,           ///< not 32 bytes, or a low-order point
  bad_card_hash,          ///< neither absent nor 32 bytes
  bad_withdrawal,         ///< withdrawn with addrs or seal_key, or not the longest life
  bad_node_signature,     ///< not signed by the delegated node key
  key_of_another_wallet,  ///< a record under the DHT key of somebody else
  // Envelope (§4)
  no_version,       ///< version 0 or absent
  later_version,    ///< version above ours
  bad_id,           ///< id is not 16 bytes
  bad_to,           ///< to is neither absent nor 20 bytes
  body_and_sealed,  ///< both or neither of body and sealed
  sealed_without_to,
  field_outside_seal,      ///< content_type, conversation, in_reply_to or kind beside sealed
  bad_sealed,              ///< sizes of Sealed: 32, 32, at least 16
  bad_conversation,        ///< over 32 bytes
  bad_in_reply_to,         ///< neither absent nor 16 bytes, or missing in a RESPONSE
  published_at_on_stream,  ///< other than 0 in a SignedEnvelope
  not_the_author,          ///< the pubsub author is not the delegated node key
  broadcast_on_stream,
  // Receipts and status (§6, §7)
  bad_from,    ///< from is not 20 bytes
  bad_digest,  ///< not 32 bytes
  too_many_topics,
  not_a_receipt,  ///< an envelope that is not of kind RECEIPT with a plain body
  // Sealing (§4)
  unknown_seal_key,  ///< receipt code 1
  cannot_open,       ///< receipt code 2
  no_seal_key,       ///< the addressee cannot receive sealed messages
  // Our own doing
  clock_behind,        ///< our clock is behind what we published before by more than the skew
  not_our_delegation,  ///< a delegation for another node key or network
  wallet_is_cold,      ///< the wallet's key is not here: nothing can be signed with it
};
Error make_error(Errc code) noexcept;

}  // namespace starling::agent
