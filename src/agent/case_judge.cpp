#include "agent/case_judge.hpp"

#include <algorithm>

#include "agent/case_bench.hpp"
#include "agent/dial_policy.hpp"
#include "agent/presence_validator.hpp"
#include "agent/seal_keys.hpp"
#include "agent/sealing.hpp"
#include "format/varint.hpp"

namespace starling::agent {
namespace {

using cases::Bench;

CaseResult result_of(const Verdict& verdict) {
  CaseResult out;
  out.verdict = std::string(to_string(verdict.ruling));
  out.check = verdict.row;
  out.explanation = verdict.to_string();
  return out;
}

ByteView first_input(const Case& one) {
  return one.inputs.empty() ? ByteView{} : ByteView(one.inputs.front());
}

CaseResult judge_presence(const Case& one) {
  Bench bench(one);
  const auto judged = validate_presence(one.key, first_input(one), bench.trust(), one.now);
  CaseResult out = result_of(judged.verdict);
  out.valid = judged.verdict.accepted();
  return out;
}

CaseResult judge_selector(const Case& one) {
  const std::vector<ByteView> values(one.inputs.begin(), one.inputs.end());
  const auto best = select_presence(values, one.network);
  CaseResult out;
  out.verdict = best ? std::to_string(*best) : "none";
  return out;
}

CaseResult judge_gossip(const Case& one, Topic topic) {
  const auto author = PeerId::from_bytes(one.author);
  CaseResult out;
  if (!author) {
    out.verdict = "bad author";
    return out;
  }
  Bench bench(one);
  const Slice data = Slice::copy(first_input(one));
  bench.spend_wallet(precheck(topic, *author, data, one.network).candidate.get());
  const auto judged = bench.judge().judge_gossip(topic, *author, data, bench.forwarder(), bench.now());
  out = result_of(judged.verdict);
  if (topic == Topic::messages) out.deliver = judged.deliver;
  return out;
}

CaseResult judge_stream(const Case& one) {
  Bench bench(one);
  const Slice frame = Slice::copy(first_input(one));
  bench.spend_sender(frame);
  const auto judged = bench.judge().judge_stream(frame, bench.forwarder(), bench.now());
  CaseResult out = result_of(judged.verdict);
  out.verdict = std::string(to_string(judged.ruling));
  if (judged.ruling == StreamRuling::receipt) {
    out.state_answered = static_cast<std::uint32_t>(judged.state);
    out.code = static_cast<std::uint32_t>(judged.code);
  }
  return out;
}

CaseResult judge_open(const Case& one) {
  CaseResult out;
  const Slice data = Slice::copy(first_input(one));
  const auto fields = decode_envelope_fields(data);
  const auto checked = fields ? check_content_fields(*fields, data) : tl::unexpected(fields.error());
  if (!checked) {
    out.verdict = "malformed";
    out.explanation = checked.error().to_string();
    return out;
  }
  SealKeys keys;
  if (one.seal_key) keys.restore({{*one.seal_key, one.now, one.now + kPresenceLifeDefault}}, one.now);
  const auto inner = open_envelope(*checked, keys);
  out.verdict = inner ? "opens" : "fails";
  if (inner) {
    out.body = inner->body;
  } else {
    const auto code =
        inner.error().is(Errc::unknown_seal_key) ? ReceiptCode::unknown_seal_key : ReceiptCode::cannot_open;
    out.code = static_cast<std::uint32_t>(code);
    out.explanation = inner.error().to_string();
  }
  return out;
}

CaseResult judge_receipt_case(const Case& one) {
  Bench bench(one);
  const auto judged = judge_receipt(first_input(one), bench.trust(), one.now);
  CaseResult out = result_of(judged.verdict);
  if (!judged.verdict.accepted()) return out;
  const bool counts = std::ranges::any_of(
      one.outbox, [&](const Awaited& message) { return counts_for(*judged.receipt, message); });
  if (!counts) {
    out.verdict = std::string(to_string(Ruling::ignore));
    out.explanation = "it says nothing about a message of the outbox";
  }
  return out;
}

CaseResult judge_frame(const Case& one) {
  format::FrameReader reader(one.frame_max);
  reader.receive(first_input(one));
  CaseResult out;
  out.lengths.emplace();
  while (true) {
    const auto frame = reader.next();
    if (!frame) {
      out.verdict = "reset";
      out.explanation = frame.error().to_string();
      return out;
    }
    if (!*frame) break;
    out.lengths->push_back((*frame)->size());
  }
  out.verdict = reader.in_frame() ? "wait" : "accept";
  return out;
}

CaseResult judge_dial(const Case& one) {
  DialClasses classes;
  for (const std::string& name : one.own) {
    classes.loopback = classes.loopback || name == "loopback";
    classes.link_local = classes.link_local || name == "link-local";
    classes.private_net = classes.private_net || name == "private";
  }
  CaseResult out;
  for (const std::size_t index : select_dialable(one.inputs, classes))
    out.verdict += (out.verdict.empty() ? "" : ",") + std::to_string(index);
  if (out.verdict.empty()) out.verdict = "none";
  return out;
}

template <class T>
std::string shown(const T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    return value ? "true" : "false";
  } else if constexpr (std::is_same_v<T, Bytes>) {
    return to_hex(value);
  } else if constexpr (std::is_same_v<T, std::vector<std::uint64_t>>) {
    std::string out = "[";
    for (const std::uint64_t item : value) out += (out.size() == 1 ? "" : ",") + std::to_string(item);
    return out + "]";
  } else {
    return std::to_string(value);
  }
}

template <class T>
void compare_field(std::vector<std::string>& out, std::string_view name, const std::optional<T>& expected,
                   const std::optional<T>& got) {
  if (!expected || expected == got) return;
  out.push_back(std::string(name) + ": expected " + shown(*expected) + ", got " +
                (got ? shown(*got) : "nothing"));
}

}  // namespace

CaseResult judge_case(const Case& one) {
  if (one.kind == "delegation") {
    Bench bench(one);
    return result_of(judge_delegation(first_input(one), bench.trust(), one.now));
  }
  if (one.kind == "presence") return judge_presence(one);
  if (one.kind == "selector") return judge_selector(one);
  if (one.kind == "announcement") return judge_gossip(one, Topic::announcements);
  if (one.kind == "envelope") return judge_gossip(one, Topic::messages);
  if (one.kind == "status") return judge_gossip(one, Topic::status);
  if (one.kind == "pubsub") return cases::judge_pubsub(one);
  if (one.kind == "stream") return judge_stream(one);
  if (one.kind == "open") return judge_open(one);
  if (one.kind == "receipt") return judge_receipt_case(one);
  if (one.kind == "frame") return judge_frame(one);
  if (one.kind == "dial") return judge_dial(one);
  CaseResult out;
  out.verdict = "unknown kind";
  return out;
}

std::vector<std::string> differences(const CaseResult& expected, const CaseResult& got, RowRule rule) {
  std::vector<std::string> out;
  if (expected.verdict != got.verdict)
    out.push_back("verdict: expected " + expected.verdict + ", got " + got.verdict);
  const auto is_form = [](std::optional<int> row) { return row == 3 || row == 5; };
  if (rule == RowRule::exact || !is_form(expected.check) || !is_form(got.check))
    compare_field(out, "check", expected.check, got.check);
  compare_field(out, "deliver", expected.deliver, got.deliver);
  compare_field(out, "valid", expected.valid, got.valid);
  compare_field(out, "seen_after", expected.seen_after, got.seen_after);
  compare_field(out, "state_answered", expected.state_answered, got.state_answered);
  compare_field(out, "code", expected.code, got.code);
  compare_field(out, "body", expected.body, got.body);
  compare_field(out, "lengths", expected.lengths, got.lengths);
  return out;
}

}  // namespace starling::agent
