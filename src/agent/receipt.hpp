#pragma once
// Receipts (PROTOCOL.md §6): codec and verdict. The outbox that moves on them is not part of this file.
#include <optional>
#include <span>
#include <string>

#include "agent/envelope.hpp"
#include "agent/node_signed.hpp"
#include "agent/trust.hpp"

namespace starling::agent {

/// The one vocabulary of API, logs, metrics and CLI. Unknown numbers are kept.
enum class DeliveryState : std::int32_t {
  none = 0,
  accepted = 1,
  sent = 2,
  received = 3,
  delivered = 4,
  acked = 5,
  rejected = 6,
  expired = 7,
  failed = 8,
  stored = 9,
};
std::string_view to_string(DeliveryState state) noexcept;

/// Codes of REJECTED. Unknown ones are like none.
enum class ReceiptCode : std::uint32_t {
  none = 0,
  unknown_seal_key = 1,
  cannot_open = 2,
  not_for_this_node = 3,
  policy = 4,
  over_rate = 5,
  storage_full = 6,
  too_big = 7,
  content_type = 8,
  revoked_delegation = 9,
};
std::string_view to_string(ReceiptCode code) noexcept;
/// Codes 1, 5 and 6 are no state: the outbox tries again and the addressee does not remember the pair.
bool is_retriable(ReceiptCode code) noexcept;

struct Receipt {
  EnvelopeId id{};
  EthAddress from;  ///< copied from the envelope: who sent it
  EthAddress to;    ///< copied from the envelope: who acknowledges
  DeliveryState state = DeliveryState::none;
  WallTime at;
  std::uint32_t code = 0;
  std::string hint;
  crypto::Hash256 digest{};
  MessageKey key() const noexcept { return {from, id}; }
};

using SignedReceipt = NodeSigned;
struct CheckedReceipt {
  Receipt fields;
  CheckedDelegation delegation;
  SignedReceipt wire;
};

/// The receipt that answers `envelope`, which must have a `to`.
Receipt receipt_for(const Envelope& envelope, DeliveryState state, WallTime now,
                    ReceiptCode code = ReceiptCode::none, std::string hint = {});

Bytes encode(const Receipt& receipt);
/// Strict with every size. Errc of the rule, or a format error.
Result<Receipt> decode_receipt(ByteView bytes);
/// Signs; returns the whole SignedReceipt.
Bytes make_receipt(const Receipt& receipt, const SignedDelegation& delegation,
                   const crypto::PrivateKey& node_key, const Signatures& signatures);
/// Row 3.
Result<SignedReceipt> decode_signed_receipt(ByteView bytes);

struct ReceiptJudgement {
  Verdict verdict;  ///< accept: by a node of delegation.wallet, not revoked, in its window
  std::optional<CheckedReceipt> receipt;  ///< whenever rows 3 and 5 passed
};
/// Rows 3 to 8 as they apply to a receipt at its arrival. `at` is compared with nothing.
ReceiptJudgement judge_receipt(ByteView signed_receipt, Trust& trust, WallTime now);

/// A message of ours that waits for receipts; one digest per sealing.
struct Awaited {
  EnvelopeId id{};
  EthAddress from;
  EthAddress to;
  std::vector<crypto::Hash256> digests;
};
/// True when an accepted receipt says something about this message: same id, from, to, one of its digests,
/// signed by a node of `to`, and a state that counts on the wire (STORED does not, until mailboxes are
/// defined).
bool counts_for(const CheckedReceipt& receipt, const Awaited& message) noexcept;

/// A receipt's way over gossip: the envelope of kind RECEIPT that carries `signed_receipt` back to the sender
/// of `about`. `carrier` is the addressee's start_envelope() to `about.from`; its life is cut to an hour.
Envelope receipt_envelope(Envelope carrier, const Envelope& about, ByteView signed_receipt);
/// What the addressee of such an envelope demands before it looks inside: kind RECEIPT, an addressee,
/// in_reply_to, a plain body of at most 4 KiB, at most an hour of life. Anything else is dropped, never
/// answered. Gives the SignedReceipt.
Result<ByteView> receipt_in(const Envelope& envelope);

}  // namespace starling::agent
