// `starling inspect`: every field of a record or message, every signature, and the verdict with the check
// that decided.
#include <filesystem>
#include <iostream>
#include <iterator>

#include "agent/judge.hpp"
#include "agent/presence_validator.hpp"
#include "api/case_file.hpp"
#include "api/views.hpp"
#include "command.hpp"
#include "format/multihash.hpp"
#include "home/files.hpp"
#include "runtime/system.hpp"

namespace starling::cli {
namespace {

namespace json = boost::json;

/// Hex, base64, a file's content or standard input, whichever it is.
Outcome<Bytes> read_input(const std::string& text) {
  std::string content = text;
  std::error_code ignored;
  if (text == "-") {
    content = std::string(std::istreambuf_iterator<char>(std::cin), {});
  } else if (std::filesystem::is_regular_file(text, ignored)) {
    auto bytes = home::read_file(text, 8 * 1024 * 1024);
    if (!bytes) return failure(bytes.error(), text);
    content = to_text(*bytes);
  }
  std::string trimmed = content;
  while (!trimmed.empty() && (trimmed.back() == '\n' || trimmed.back() == '\r' || trimmed.back() == ' '))
    trimmed.pop_back();
  if (auto bytes = from_hex(trimmed); bytes && !bytes->empty()) return *std::move(bytes);
  std::string unpadded = trimmed;
  while (!unpadded.empty() && unpadded.back() == '=') unpadded.pop_back();
  if (auto bytes = format::decode_base(format::Base::base64, unpadded); bytes && !bytes->empty())
    return *std::move(bytes);
  if (content == text)
    return failure(make_error(api::Errc::bad_input), "neither hex, base64 nor a file: '" + text + "'");
  return to_bytes(content);
}

json::object delegation_view(const agent::CheckedDelegation& delegation) {
  return {
      {"wallet", delegation.fields.wallet.to_string()},
      {"node_key", to_hex(format::encode_public_key(delegation.fields.node_key))},
      {"peer_id", delegation.fields.peer_id().to_string()},
      {"network", delegation.fields.network},
      {"not_before", delegation.fields.not_before.ms()},
      {"not_after", delegation.fields.not_after.ms()},
      {"epoch", delegation.fields.epoch},
      {"signature", to_hex(delegation.wire.signature)},
      {"wallet_signature", agent::verify_wallet(delegation, agent::real_signatures()) ? "good" : "forged"}};
}

json::object presence_view(const agent::CheckedPresence& presence) {
  json::object out = api::view_of(presence);
  out["issued_at"] = presence.fields.issued_at.ms();
  out["epoch"] = presence.fields.epoch;
  out["agent_version"] = presence.fields.agent_version;
  out["seal_key"] =
      presence.fields.seal_key ? json::value(to_hex(*presence.fields.seal_key)) : json::value(nullptr);
  out["sha256"] = to_hex(presence.rank.sha256);
  out["node_signature"] = agent::verify_node(presence, agent::real_signatures()) ? "good" : "bad";
  out["delegation"] = delegation_view(presence.delegation);
  return out;
}

json::object envelope_view(const agent::CheckedEnvelope& checked) {
  const agent::Envelope& envelope = checked.fields;
  json::object out{{"version", envelope.version},
                   {"id", to_hex(envelope.id)},
                   {"from", envelope.from.to_string()},
                   {"to", envelope.to ? json::value(envelope.to->to_string()) : json::value(nullptr)},
                   {"sent_at", envelope.sent_at.ms()},
                   {"expires_at", envelope.expires_at.ms()},
                   {"published_at", envelope.published_at.ms()},
                   {"kind", agent::to_string(envelope.kind)},
                   {"content_type", envelope.content_type},
                   {"digest", to_hex(agent::digest_of(envelope))}};
  if (envelope.body) out["body_base64"] = api::base64(*envelope.body);
  if (envelope.sealed)
    out["sealed"] = {{"seal_key", to_hex(envelope.sealed->seal_key)},
                     {"enc", to_hex(envelope.sealed->enc)},
                     {"ciphertext_bytes", envelope.sealed->ciphertext.size()}};
  if (!envelope.conversation.empty()) out["conversation"] = to_hex(envelope.conversation);
  if (envelope.in_reply_to) out["in_reply_to"] = to_hex(*envelope.in_reply_to);
  out["delegation"] = delegation_view(checked.delegation);
  return out;
}

json::object receipt_view(const agent::CheckedReceipt& receipt) {
  return {{"id", to_hex(receipt.fields.id)},
          {"from", receipt.fields.from.to_string()},
          {"to", receipt.fields.to.to_string()},
          {"state", agent::to_string(receipt.fields.state)},
          {"at", receipt.fields.at.ms()},
          {"code", receipt.fields.code},
          {"hint", receipt.fields.hint},
          {"digest", to_hex(receipt.fields.digest)},
          {"delegation", delegation_view(receipt.delegation)}};
}

struct Inspected {
  std::string kind;
  agent::Verdict verdict;
  json::object fields;
};

/// What is judged, with the state of a node that has seen nothing.
class Bench {
 public:
  Bench(agent::NetworkName network, Now now)
      : now_(now), trust_(std::move(network), agent::real_signatures()), judge_(trust_, {}) {}

  Inspected delegation(ByteView input) {
    Inspected out{"delegation", agent::judge_delegation(input, trust_, now_.wall), {}};
    if (auto wire = agent::decode_signed_delegation(input))
      if (const auto checked = agent::check_fields(*std::move(wire), trust_.network()))
        out.fields = delegation_view(*checked);
    return out;
  }
  Inspected presence(ByteView input, const std::optional<Bytes>& key) {
    const auto judged = key ? agent::validate_presence(*key, input, trust_, now_.wall)
                            : agent::validate_presence(input, trust_, now_.wall);
    return {"presence", judged.verdict, judged.presence ? presence_view(*judged.presence) : json::object()};
  }
  Inspected receipt(ByteView input) {
    const auto judged = agent::judge_receipt(input, trust_, now_.wall);
    return {"receipt", judged.verdict, judged.receipt ? receipt_view(*judged.receipt) : json::object()};
  }
  /// Envelopes and statuses, as gossip data of `author`; without one, of whom the delegation names.
  Inspected gossip(agent::Topic topic, ByteView input, std::optional<PeerId> author) {
    const Slice data = Slice::copy(input);
    if (!author) author = delegated(topic, data);
    const auto judged = judge_.judge_gossip(topic, author.value_or(PeerId()), data, PeerId(), now_);
    Inspected out{topic == agent::Topic::status ? "status" : "envelope", judged.verdict, {}};
    if (!judged.candidate) return out;
    if (const auto* envelope = judged.candidate->envelope()) out.fields = envelope_view(*envelope);
    if (const auto* status = judged.candidate->status()) {
      out.fields = api::view_of(
          node::agent_event::Status{judged.candidate->wallet(), judged.candidate->author, status->fields});
      out.fields["delegation"] = delegation_view(status->delegation);
    }
    return out;
  }

 private:
  std::optional<PeerId> delegated(agent::Topic topic, const Slice& data) const {
    std::optional<agent::SignedDelegation> wire;
    if (topic == agent::Topic::status) {
      if (auto status = agent::decode_status(data)) wire = std::move(status->delegation);
    } else if (auto fields = agent::decode_envelope_fields(data)) {
      wire = std::move(fields->delegation);
    }
    if (!wire) return std::nullopt;
    const auto checked = agent::decode_delegation(wire->delegation);
    return checked ? std::optional<PeerId>(checked->peer_id()) : std::nullopt;
  }
  Now now_;
  agent::Trust trust_;
  agent::Judge judge_;
};

void print_fields(const json::object& fields, const Output& output, const std::string& indent) {
  for (const auto& member : fields) {
    const std::string name(std::string_view(member.key()));
    if (member.value().is_object()) {
      output.text(indent + name);
      print_fields(member.value().get_object(), output, indent + "  ");
    } else {
      const auto& value = member.value();
      output.text(
          indent + name + ": " +
          (value.is_string() ? std::string(std::string_view(value.get_string())) : json::serialize(value)));
    }
  }
}

int run_cases(const std::string& path, const Output& output) {
  const auto content = home::read_file(path, 64 * 1024 * 1024);
  if (!content) return output.fail({content.error(), path});
  const auto cases = api::parse_cases(as_text(*content));
  if (!cases) return output.fail({cases.error().error, path + ": " + cases.error().where});
  std::size_t wrong = 0;
  for (const auto& one : *cases) {
    const auto lines =
        agent::differences(one.expected, agent::judge_case(one.input), agent::RowRule::three_or_five);
    if (lines.empty()) continue;
    ++wrong;
    json::array texts(lines.begin(), lines.end());
    if (output.json())
      output.line(
          {{"kind", one.input.kind}, {"name", one.input.name}, {"why", one.why}, {"differences", texts}});
    else
      for (const auto& line : lines) output.text(one.input.kind + ": " + one.input.name + ": " + line);
  }
  if (output.json())
    output.line({{"passed", cases->size() - wrong}, {"failed", wrong}});
  else
    output.text(std::to_string(cases->size() - wrong) + " passed, " + std::to_string(wrong) + " failed");
  return wrong == 0 ? 0 : 1;
}

}  // namespace

int run_inspect(const InspectOptions& options, const Output& output) {
  if (!options.cases.empty()) return run_cases(options.cases, output);
  if (options.kind.empty() || options.input.empty())
    return output.fail(
        {make_error(api::Errc::bad_input), "inspect needs a kind and an input, or --cases FILE"});
  const auto input = read_input(options.input);
  if (!input) return output.fail(input.error());
  auto network = agent::NetworkName::parse(options.network);
  if (!network) return output.fail({network.error(), options.network});
  Now now = runtime::read_clock();
  if (options.now_ms != 0) now.wall = WallTime::from_ms(options.now_ms);
  std::optional<Bytes> key;
  if (!options.dht_key.empty())
    key = options.dht_key.starts_with("/") ? to_bytes(options.dht_key) : from_hex(options.dht_key);
  std::optional<PeerId> author;
  if (!options.author.empty()) {
    const auto parsed = PeerId::parse(options.author);
    if (!parsed) return output.fail({parsed.error(), options.author});
    author = *parsed;
  }
  Bench bench(*std::move(network), now);
  Inspected inspected;
  if (options.kind == "delegation")
    inspected = bench.delegation(*input);
  else if (options.kind == "presence")
    inspected = bench.presence(*input, key);
  else if (options.kind == "receipt")
    inspected = bench.receipt(*input);
  else if (options.kind == "envelope")
    inspected = bench.gossip(agent::Topic::messages, *input, author);
  else if (options.kind == "status")
    inspected = bench.gossip(agent::Topic::status, *input, author);
  else
    return output.fail(
        {make_error(api::Errc::bad_input),
         "'" + options.kind + "' is not one of presence, delegation, envelope, receipt, status"});

  json::object result{{"kind", inspected.kind},
                      {"verdict", agent::to_string(inspected.verdict.ruling)},
                      {"check", inspected.verdict.row},
                      {"reason", agent::to_string(inspected.verdict.reason)},
                      {"explanation", agent::explain(inspected.verdict.reason)}};
  if (inspected.verdict.detail) result["rule"] = inspected.verdict.detail->to_string();
  if (output.json()) {
    result["fields"] = std::move(inspected.fields);
    output.line(result);
  } else {
    print_fields(inspected.fields, output, "");
    output.text(inspected.verdict.to_string());
  }
  return inspected.verdict.accepted() ? 0 : 1;
}

}  // namespace starling::cli
