#pragma once
#include <array>
#include <memory>
#include <vector>

#include "agent/candidate.hpp"
#include "agent/delivery_memory.hpp"
#include "agent/known_presences.hpp"
#include "agent/publication_memory.hpp"
#include "agent/rates.hpp"
#include "agent/receipt.hpp"
#include "agent/trust.hpp"

namespace starling::agent {

/// What the checks say about one gossip message.
struct GossipJudgement {
  Verdict verdict;
  bool deliver = false;  ///< accepted, for a wallet served here (or a broadcast), and not delivered before
  bool repeat =
      false;  ///< accepted and for a wallet served here, but RECEIVED before: answer its last receipt again
  std::shared_ptr<const Candidate> candidate;  ///< whenever rows 3 to 5 passed
};

/// What a message stream answers to one SignedEnvelope (§6).
enum class StreamRuling : std::uint8_t {
  accept,   ///< new and for us: persist, `delivered().remember`, answer RECEIVED
  repeat,   ///< answer the last receipt again
  receipt,  ///< answer a receipt with `state` and `code`
  reset,    ///< reset the stream, no receipt
};
std::string_view to_string(StreamRuling ruling) noexcept;
struct StreamJudgement {
  StreamRuling ruling = StreamRuling::reset;
  Verdict verdict;  ///< row and reason behind the ruling
  DeliveryState state = DeliveryState::none;
  ReceiptCode code = ReceiptCode::none;
  std::optional<CheckedEnvelope> envelope;  ///< whenever rows 3 to 5 passed
  Slice last_receipt;                       ///< for repeat; empty when none was sent yet
};

/// The checks of PROTOCOL.md §5 (and, on streams, §6) with all the state they need: freshness memory, known
/// presences, rates, delivery memory; delegation cache and floors are the node's Trust.
///
/// Thread rule: the judge is single-threaded and lives in the brain. Heavy work may be done elsewhere:
///   1. `precheck()` (candidate.hpp): rows 3 to 5, any thread;
///   2. `begin()`: row 6 and what row 7 needs, here: a verdict, or work;
///   3. `check_signatures()`: the work, any thread;
///   4. `finish()`: rows 7, 8 and the repeat of row 6's memory, here.
/// `judge_gossip()` does all four at once. The deciding row is the page's whichever way is taken: nothing
/// later than the first failing row is looked at, and no state moves for a message that fails before it. Row
/// 1 is `admit()`, before the signature check of row 2, which is gossipsub's.
///
/// Limits: TableLimits and RateLimits. Attacks: a forged delegation costs its forwarder a token of a bucket
/// of its own (§8), never its wallet; wallets are free, so strangers share a bucket; replays meet freshness
/// and memory; only what was Accepted enters a memory, so that an ignored message cannot poison it.
class Judge {
 public:
  /// `trust` outlives the judge. `served`: the wallets whose node this is.
  Judge(Trust& trust, std::vector<EthAddress> served, const RateLimits& rates = {},
        const TableLimits& tables = {});

  /// Row 1: false when the forwarder is over its rate. Call before row 2; counts.
  bool admit(const PeerId& forwarder, Instant now);
  /// Counts a verdict of rows 1 and 2 that somebody else made (queue full, StrictSign).
  void count(Reason reason) noexcept { ++counts_[static_cast<std::size_t>(reason)]; }

  /// Rows 3 to 9.
  GossipJudgement judge_gossip(Topic topic, const PeerId& author, Slice data, const PeerId& forwarder,
                               Now now);

  using Begun = std::variant<GossipJudgement, SignatureWork>;
  Begun begin(const Prechecked& prechecked, const PeerId& forwarder, Now now);
  GossipJudgement finish(const SignatureWork& work, const SignatureOutcome& outcome, Now now);

  /// One SignedEnvelope frame of /starling/message/1.0.0, in the order of §6. `peer` is whose stream it is:
  /// its budget of recovers is drawn on; it need not be the signer.
  StreamJudgement judge_stream(const Slice& frame, const PeerId& peer, Now now);

  Trust& trust() noexcept { return trust_; }
  DeliveryMemory& delivered() noexcept { return delivered_; }
  KnownPresences& known() noexcept { return known_; }
  PublicationMemory& publications() noexcept { return publications_; }
  WalletRates& wallet_rates() noexcept { return wallet_rates_; }
  ForwarderRates& forwarder_rates() noexcept { return forwarder_rates_; }
  bool serves(const EthAddress& wallet) const noexcept;
  /// How often each reason decided, indexed by Reason.
  const std::array<std::uint64_t, kReasonCount>& counts() const noexcept { return counts_; }

 private:
  std::optional<Verdict> check_times(const Candidate& candidate, Now now);
  std::optional<Verdict> check_rates(const EthAddress& wallet, RateClass what, Instant now);
  GossipJudgement decided(Verdict verdict, std::shared_ptr<const Candidate> candidate = nullptr);
  std::optional<Verdict> check_stream_signatures(const CheckedEnvelope& envelope, const SignedEnvelope& wire,
                                                 const PeerId& peer, Now now);
  StreamJudgement reset(Verdict verdict, std::optional<CheckedEnvelope> envelope = std::nullopt);

  Trust& trust_;
  std::vector<EthAddress> served_;
  WalletRates wallet_rates_;
  ForwarderRates forwarder_rates_;
  PublicationMemory publications_;
  DeliveryMemory delivered_;
  KnownPresences known_;
  std::array<std::uint64_t, kReasonCount> counts_{};
};

}  // namespace starling::agent
