#pragma once
// Reads tests/conformance/vectors/agent/*.json for tests: plain accessors over Boost.JSON, and the cases as
// the library takes them.
#include <string>
#include <utility>
#include <vector>

#include "agent/case_judge.hpp"
#include "testkit/json.hpp"

namespace starling::vectors {

namespace json = testkit::json;
using testkit::at;
using testkit::has;

inline json::value load(std::string_view file) {
  return testkit::read_json("tests/conformance/vectors/agent/" + std::string(file));
}
inline std::string text(const json::value& object, std::string_view name) {
  return testkit::text_at(object, name);
}
inline Bytes bytes_of(const json::value& value) { return testkit::hex(value.as_string()); }
/// Empty when the field is absent.
inline Bytes bytes(const json::value& object, std::string_view name) {
  return has(object, name) ? bytes_of(at(object, name)) : Bytes{};
}
inline std::uint64_t number_of(const json::value& value) {
  if (value.is_string()) return std::stoull(std::string(value.as_string()));
  return value.is_uint64() ? value.as_uint64() : static_cast<std::uint64_t>(value.as_int64());
}
/// 0 when the field is absent.
inline std::uint64_t number(const json::value& object, std::string_view name) {
  return has(object, name) ? testkit::number_at(object, name) : 0;
}
inline WallTime time(const json::value& object, std::string_view name) {
  return WallTime::from_ms(number(object, name));
}
template <std::size_t N>
FixedBytes<N> fixed(const json::value& object, std::string_view name) {
  return to_fixed<N>(bytes(object, name)).value();
}
inline EthAddress address(const json::value& object, std::string_view name) {
  return EthAddress(fixed<20>(object, name));
}
inline agent::NetworkName network(std::string_view name) { return agent::NetworkName::parse(name).value(); }

/// The entry of `list` whose `name` is this.
inline const json::value& named(const json::value& list, std::string_view name) {
  for (const auto& item : list.as_array())
    if (at(item, "name").as_string() == name) return item;
  std::abort();
}

/// The private keys of keys.json.
inline crypto::PrivateKey wallet_key(std::string_view name) {
  const auto keys = load("keys.json");
  return crypto::PrivateKey::from_data(crypto::KeyType::secp256k1,
                                       bytes(named(at(keys, "wallets"), name), "private"))
      .value();
}
inline crypto::PrivateKey node_key(std::string_view name) {
  const auto keys = load("keys.json");
  const auto& entry = named(at(keys, "nodes"), name);
  const auto type = text(entry, "type") == "ed25519" ? crypto::KeyType::ed25519 : crypto::KeyType::secp256k1;
  return crypto::PrivateKey::from_data(type, bytes(entry, "private")).value();
}
inline crypto::X25519KeyPair pair_of(const Bytes& secret) {
  const auto key = to_fixed<32>(secret).value();
  return {key, crypto::x25519_public(key)};
}

/// `input`: hex, or parts to join.
inline Bytes joined(const json::value& input) {
  if (input.is_string()) return bytes_of(input);
  Bytes out;
  for (const auto& part : input.as_array()) {
    if (part.is_string()) {
      append(out, bytes_of(part));
    } else {
      out.insert(out.end(), static_cast<std::size_t>(number(part, "times")), bytes(part, "byte").at(0));
    }
  }
  return out;
}

struct CaseOfFile {
  agent::Case input;
  agent::CaseResult expected;
  std::string why;
};

inline agent::CaseState state_of(const json::value& from) {
  agent::CaseState out;
  const auto list = [&](std::string_view name) {
    return has(from, name) ? at(from, name).as_array() : json::array{};
  };
  if (has(from, "floors"))
    for (const auto& [wallet, epoch] : at(from, "floors").as_object())
      out.floors.emplace_back(EthAddress(to_fixed<20>(testkit::hex(wallet)).value()), number_of(epoch));
  for (const auto& wallet : list("met")) out.met.emplace_back(to_fixed<20>(bytes_of(wallet)).value());
  for (const auto& key : list("cached")) out.cached.push_back(to_fixed<32>(bytes_of(key)).value());
  for (const auto& known : list("known"))
    out.known.push_back(
        {address(known, "wallet"), number(known, "epoch"), number(known, "seq"), fixed<32>(known, "sha256")});
  for (const auto& item : list("forwarded"))
    out.forwarded.push_back(
        {address(item, "from"), fixed<16>(item, "id"), number(item, "published_at"), number(item, "at")});
  for (const auto& item : list("delivered"))
    out.delivered.push_back({address(item, "from"), fixed<16>(item, "id"), number(item, "until")});
  for (const auto& id : list("seen")) out.seen.push_back(bytes_of(id));
  out.queue_full = has(from, "queue_full") && at(from, "queue_full").as_bool();
  for (const auto& bucket : list("spent")) out.spent.emplace_back(bucket.as_string());
  return out;
}

inline CaseOfFile case_of(const json::value& from, const json::value& head) {
  CaseOfFile out;
  agent::Case& one = out.input;
  one.kind = text(from, "kind");
  one.name = text(from, "name");
  one.network = network(text(head, "network"));
  one.me = address(head, "me");
  one.seal_key = pair_of(bytes(head, "bob_seal_private"));
  one.now = time(from, "now");
  const auto& input = at(from, "input");
  if (one.kind == "selector" || one.kind == "dial") {
    for (const auto& item : input.as_array()) one.inputs.push_back(joined(item));
  } else {
    one.inputs.push_back(joined(input));
  }
  one.key = bytes(from, "key");
  one.author = bytes(from, "author");
  if (has(from, "outbox")) {
    for (const auto& message : at(from, "outbox").as_array()) {
      agent::Awaited awaited{fixed<16>(message, "id"), address(message, "from"), address(message, "to"), {}};
      for (const auto& digest : at(message, "digests").as_array())
        awaited.digests.push_back(to_fixed<32>(bytes_of(digest)).value());
      one.outbox.push_back(std::move(awaited));
    }
  }
  one.frame_max = number(from, "max");
  if (has(from, "own"))
    for (const auto& item : at(from, "own").as_array()) one.own.emplace_back(item.as_string());
  if (has(from, "state")) one.state = state_of(at(from, "state"));

  agent::CaseResult& expected = out.expected;
  expected.verdict = text(from, "verdict");
  if (has(from, "check")) expected.check = static_cast<int>(number(from, "check"));
  if (has(from, "deliver")) expected.deliver = at(from, "deliver").as_bool();
  if (has(from, "valid")) expected.valid = at(from, "valid").as_bool();
  if (has(from, "seen_after")) expected.seen_after = at(from, "seen_after").as_bool();
  if (has(from, "state_answered"))
    expected.state_answered = static_cast<std::uint32_t>(number(from, "state_answered"));
  if (has(from, "code")) expected.code = static_cast<std::uint32_t>(number(from, "code"));
  if (has(from, "body")) expected.body = bytes(from, "body");
  if (has(from, "lengths")) {
    expected.lengths.emplace();
    for (const auto& length : at(from, "lengths").as_array()) expected.lengths->push_back(number_of(length));
  }
  out.why = text(from, "why");
  return out;
}

inline std::vector<CaseOfFile> all_cases() {
  const auto file = load("cases.json");
  std::vector<CaseOfFile> out;
  for (const auto& item : at(file, "cases").as_array()) out.push_back(case_of(item, file));
  return out;
}

}  // namespace starling::vectors
