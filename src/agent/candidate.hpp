#pragma once
// The stateless part of judging gossip, fit for any thread: rows 3 to 5 of PROTOCOL.md §5, and the signature
// work of row 7 as a value that can be carried to where it is done.
#include <memory>
#include <optional>
#include <variant>

#include "agent/envelope.hpp"
#include "agent/node_status.hpp"
#include "agent/presence.hpp"
#include "agent/verdict.hpp"

namespace starling::agent {

/// A message of one of the three topics that passed rows 3 to 5. Immutable once made, so it is shared freely.
struct Candidate {
  Topic topic;
  PeerId author;
  Slice data;
  std::variant<CheckedPresence, CheckedEnvelope, CheckedStatus> content;

  const CheckedDelegation& delegation() const noexcept;
  const EthAddress& wallet() const noexcept { return delegation().fields.wallet; }
  const CheckedPresence* presence() const noexcept { return std::get_if<CheckedPresence>(&content); }
  const CheckedEnvelope* envelope() const noexcept { return std::get_if<CheckedEnvelope>(&content); }
  const CheckedStatus* status() const noexcept { return std::get_if<CheckedStatus>(&content); }
};

struct Prechecked {
  Verdict verdict;                             ///< accept means: rows 3 to 5 hold
  std::shared_ptr<const Candidate> candidate;  ///< set when they hold
};
/// Rows 3, 4 and 5. Depends on nothing but its arguments. `author` is the pubsub message's `from`, whose
/// signature row 2 has verified.
Prechecked precheck(Topic topic, const PeerId& author, Slice data, const NetworkName& network);

/// What row 7 must compute for a candidate. Two recovers or verifications at most, 30 to 100 µs each.
struct SignatureWork {
  std::shared_ptr<const Candidate> candidate;
  bool wallet = false;  ///< the delegation is not in the cache: recover
  bool node = false;    ///< a presence: verify the node key's signature
};
struct SignatureOutcome {
  std::optional<Error> wallet;  ///< why the wallet signature fails
  std::optional<Error> node;
};
/// Pure; any thread. Does the node's part only when the wallet's holds.
SignatureOutcome check_signatures(const SignatureWork& work, const Signatures& signatures);

}  // namespace starling::agent
