#pragma once
// Inside the case judge: a node in the state that a case describes.
#include "agent/case_judge.hpp"
#include "agent/judge.hpp"
#include "base/time.hpp"

namespace starling::agent::cases {

/// Trust and judge as `one.state` says, at `one.now`. Buckets of the forwarder and of strangers are spent at
/// once; those of a wallet once it is known whose message the case is. Short-lived; `one` outlives it.
class Bench {
 public:
  explicit Bench(const Case& one);
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;
  Trust& trust() noexcept { return trust_; }
  Judge& judge() noexcept { return judge_; }
  const PeerId& forwarder() const noexcept { return forwarder_; }
  Now now() const noexcept { return now_; }
  bool is_spent(std::string_view bucket) const;
  /// Spends the buckets of the wallet that the candidate is by; nothing for nullptr.
  void spend_wallet(const Candidate* candidate);
  /// The same for the sender of a SignedEnvelope; nothing when it does not decode.
  void spend_sender(const Slice& frame);

 private:
  void spend(const EthAddress& wallet);
  const Case& case_;
  Now now_;
  PeerId forwarder_;
  Trust trust_;
  Judge judge_;
};

/// Kind `pubsub`: a whole pubsub message through checks 1 to 9.
CaseResult judge_pubsub(const Case& one);

}  // namespace starling::agent::cases
