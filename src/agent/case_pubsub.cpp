// Kind `pubsub` of the case judge: rows 1 and 2 are gossipsub's, so this is the one file of the agent layer
// that sees it.
#include <algorithm>

#include "agent/case_bench.hpp"
#include "gossip/rpc_codec.hpp"
#include "gossip/strict_sign.hpp"

namespace starling::agent::cases {
namespace {

CaseResult result_of(const Verdict& verdict, bool seen_after) {
  CaseResult out;
  out.verdict = std::string(to_string(verdict.ruling));
  out.check = verdict.row;
  out.seen_after = seen_after;
  out.explanation = verdict.to_string();
  return out;
}

}  // namespace

CaseResult judge_pubsub(const Case& one) {
  Bench bench(one);
  const auto message = gossip::decode_message(one.inputs.empty() ? ByteView{} : ByteView(one.inputs.front()));
  if (message && std::ranges::find(one.state.seen, gossip::id_from_seqno(*message)) != one.state.seen.end()) {
    CaseResult out;
    out.verdict = std::string(to_string(Ruling::ignore));
    out.check = 0;
    out.seen_after = true;
    out.explanation = "its id is in the seen cache";
    return out;
  }
  if (one.state.queue_full) return result_of(Verdict::of(Reason::queue_full), false);
  if (!bench.judge().admit(bench.forwarder(), bench.now().mono))
    return result_of(Verdict::of(Reason::forwarder_over_rate), false);
  if (!message) return result_of(Verdict::of(Reason::bad_strict_sign, message.error()), false);
  const auto author = gossip::strict_sign::check(*message);
  if (!author) return result_of(Verdict::of(Reason::bad_strict_sign, author.error()), false);

  const auto topic = parse_topic(message->topic);
  if (!topic) {
    CaseResult out;
    out.verdict = "unknown topic";
    out.seen_after = true;
    return out;
  }
  bench.spend_wallet(precheck(*topic, *author, message->data, one.network).candidate.get());
  const auto judged =
      bench.judge().judge_gossip(*topic, *author, message->data, bench.forwarder(), bench.now());
  CaseResult out = result_of(judged.verdict, true);
  if (*topic == Topic::messages) out.deliver = judged.deliver;
  return out;
}

}  // namespace starling::agent::cases
