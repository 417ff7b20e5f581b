#include "agent/verdict.hpp"

namespace starling::agent {
namespace {

struct ReasonInfo {
  Ruling ruling;
  std::uint8_t row;
  std::string_view name;
  std::string_view text;
};

ReasonInfo info(Reason reason) noexcept {
  switch (reason) {
    case Reason::accepted: return {Ruling::accept, 9, "accepted", "every check passed"};
    case Reason::bad_key: return {Ruling::reject, 0, "bad_key", "the key is not a presence key"};
    case Reason::forwarder_over_rate:
      return {Ruling::ignore, 1, "forwarder_over_rate", "the forwarding peer sends more than its rate"};
    case Reason::queue_full:
      return {Ruling::ignore, 1, "queue_full", "too many messages wait for validation"};
    case Reason::bad_strict_sign:
      return {Ruling::reject, 2, "bad_strict_sign",
              "author, seqno or signature of the pubsub message is wrong"};
    case Reason::too_large: return {Ruling::reject, 3, "too_large", "the message is over its size limit"};
    case Reason::malformed:
      return {Ruling::reject, 3, "malformed", "the bytes are not a message of this kind"};
    case Reason::no_version: return {Ruling::reject, 3, "no_version", "the envelope states no version"};
    case Reason::later_version:
      return {Ruling::ignore, 4, "later_version", "the envelope is of a later version"};
    case Reason::bad_fields: return {Ruling::reject, 5, "bad_fields", "a field breaks a fixed rule"};
    case Reason::not_the_author:
      return {Ruling::reject, 5, "not_the_author", "the author is not the delegated node key"};
    case Reason::ended: return {Ruling::ignore, 6, "ended", "the message or its delegation has ended"};
    case Reason::from_the_future: return {Ruling::ignore, 6, "from_the_future", "a start lies in the future"};
    case Reason::not_fresh: return {Ruling::ignore, 6, "not_fresh", "the message was published too long ago"};
    case Reason::seen_before:
      return {Ruling::ignore, 6, "seen_before", "this publication was accepted before"};
    case Reason::recovers_spent:
      return {Ruling::ignore, 7, "recovers_spent", "the forwarding peer brings too many unknown delegations"};
    case Reason::forged_delegation:
      return {Ruling::reject, 7, "forged_delegation", "the delegation is not signed by its wallet"};
    case Reason::bad_node_signature:
      return {Ruling::reject, 7, "bad_node_signature", "not signed by the delegated node key"};
    case Reason::revoked: return {Ruling::ignore, 8, "revoked", "the delegation is revoked"};
    case Reason::outdated_presence:
      return {Ruling::ignore, 8, "outdated_presence", "a better record of this wallet is known"};
    case Reason::wallet_over_rate:
      return {Ruling::ignore, 8, "wallet_over_rate", "the wallet is over its rate"};
    case Reason::strangers_over_rate:
      return {Ruling::ignore, 8, "strangers_over_rate", "the wallets never met are over their common rate"};
  }
  return {Ruling::reject, 0, "unknown", "unknown"};
}

}  // namespace

std::string_view to_string(Ruling ruling) noexcept {
  switch (ruling) {
    case Ruling::accept: return "accept";
    case Ruling::ignore: return "ignore";
    case Ruling::reject: return "reject";
  }
  return "unknown";
}
std::string_view to_string(Reason reason) noexcept { return info(reason).name; }
std::string_view explain(Reason reason) noexcept { return info(reason).text; }

Verdict Verdict::of(Reason reason, std::optional<Error> detail) noexcept {
  const ReasonInfo i = info(reason);
  return {i.ruling, i.row, reason, detail};
}

std::string Verdict::to_string() const {
  std::string out(agent::to_string(ruling));
  out += " at check ";
  out += std::to_string(row);
  out += ": ";
  out += agent::to_string(reason);
  if (detail) {
    out += " (";
    out += detail->to_string();
    out += ')';
  }
  return out;
}

}  // namespace starling::agent
