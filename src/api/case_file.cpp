#include "api/case_file.hpp"

#include <boost/json.hpp>
#include <charconv>

namespace starling::api {

namespace json = boost::json;

namespace {

/// Thrown inside this file only, and caught by parse_cases().
struct Unreadable {
  std::string member;
};

const json::value* find(const json::value& from, std::string_view name) {
  return from.is_object() ? from.get_object().if_contains(name) : nullptr;
}

std::string text_of(const json::value& value, std::string_view name) {
  if (!value.is_string()) throw Unreadable{std::string(name)};
  return std::string(std::string_view(value.get_string()));
}

std::string text(const json::value& from, std::string_view name) {
  const auto* value = find(from, name);
  return value == nullptr ? std::string() : text_of(*value, name);
}

Bytes bytes_of(const json::value& value, std::string_view name) {
  auto bytes = from_hex(text_of(value, name));
  if (!bytes) throw Unreadable{std::string(name)};
  return *std::move(bytes);
}

/// Empty when absent.
Bytes bytes(const json::value& from, std::string_view name) {
  const auto* value = find(from, name);
  return value == nullptr ? Bytes() : bytes_of(*value, name);
}

template <std::size_t N>
FixedBytes<N> fixed_of(const json::value& value, std::string_view name) {
  const auto out = to_fixed<N>(bytes_of(value, name));
  if (!out) throw Unreadable{std::string(name)};
  return *out;
}

template <std::size_t N>
FixedBytes<N> fixed(const json::value& from, std::string_view name) {
  const auto* value = find(from, name);
  if (value == nullptr) throw Unreadable{std::string(name)};
  return fixed_of<N>(*value, name);
}

/// A number or a decimal string.
std::uint64_t number_of(const json::value& value, std::string_view name) {
  if (value.is_uint64()) return value.get_uint64();
  if (value.is_int64() && value.get_int64() >= 0) return static_cast<std::uint64_t>(value.get_int64());
  const std::string digits = text_of(value, name);
  std::uint64_t out = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), out);
  if (parsed.ec != std::errc() || parsed.ptr != digits.data() + digits.size())
    throw Unreadable{std::string(name)};
  return out;
}

/// 0 when absent.
std::uint64_t number(const json::value& from, std::string_view name) {
  const auto* value = find(from, name);
  return value == nullptr ? 0 : number_of(*value, name);
}

bool flag_of(const json::value& value, std::string_view name) {
  if (!value.is_bool()) throw Unreadable{std::string(name)};
  return value.get_bool();
}

/// Calls `each` for the items of an array; nothing happens when it is absent.
template <class Each>
void for_items(const json::value& from, std::string_view name, Each each) {
  const auto* value = find(from, name);
  if (value == nullptr) return;
  if (!value->is_array()) throw Unreadable{std::string(name)};
  for (const auto& item : value->get_array()) each(item);
}

constexpr std::uint64_t kRepeatMax = 16 * 1024 * 1024;

/// Hex, or parts to join: hex and {"byte","times"}.
Bytes joined(const json::value& input) {
  if (input.is_string()) return bytes_of(input, "input");
  if (!input.is_array()) throw Unreadable{"input"};
  Bytes out;
  for (const auto& part : input.get_array()) {
    if (part.is_string()) {
      append(out, bytes_of(part, "input"));
      continue;
    }
    const std::uint64_t times = number(part, "times");
    if (times > kRepeatMax) throw Unreadable{"times"};
    out.insert(out.end(), static_cast<std::size_t>(times), fixed<1>(part, "byte")[0]);
  }
  return out;
}

agent::CaseState state_of(const json::value& from) {
  agent::CaseState out;
  if (const auto* floors = find(from, "floors"); floors != nullptr && floors->is_object()) {
    for (const auto& [wallet, epoch] : floors->get_object())
      out.floors.emplace_back(fixed_of<20>(json::value(wallet), "floors"), number_of(epoch, "floors"));
  }
  for_items(from, "met", [&](const auto& item) { out.met.emplace_back(fixed_of<20>(item, "met")); });
  for_items(from, "cached", [&](const auto& item) { out.cached.push_back(fixed_of<32>(item, "cached")); });
  for_items(from, "known", [&](const auto& item) {
    out.known.push_back({EthAddress(fixed<20>(item, "wallet")), number(item, "epoch"), number(item, "seq"),
                         fixed<32>(item, "sha256")});
  });
  for_items(from, "forwarded", [&](const auto& item) {
    out.forwarded.push_back({EthAddress(fixed<20>(item, "from")), fixed<16>(item, "id"),
                             number(item, "published_at"), number(item, "at")});
  });
  for_items(from, "delivered", [&](const auto& item) {
    out.delivered.push_back(
        {EthAddress(fixed<20>(item, "from")), fixed<16>(item, "id"), number(item, "until")});
  });
  for_items(from, "seen", [&](const auto& item) { out.seen.push_back(bytes_of(item, "seen")); });
  if (const auto* full = find(from, "queue_full")) out.queue_full = flag_of(*full, "queue_full");
  for_items(from, "spent", [&](const auto& item) { out.spent.push_back(text_of(item, "spent")); });
  return out;
}

agent::Case input_of(const json::value& from, const json::value& head) {
  agent::Case one;
  one.kind = text(from, "kind");
  one.name = text(from, "name");
  auto network = agent::NetworkName::parse(text(head, "network"));
  if (!network) throw Unreadable{"network"};
  one.network = *std::move(network);
  one.me = EthAddress(fixed<20>(head, "me"));
  const auto secret = fixed<32>(head, "bob_seal_private");
  one.seal_key = crypto::X25519KeyPair{secret, crypto::x25519_public(secret)};
  one.now = WallTime::from_ms(number(from, "now"));
  if (one.kind == "selector" || one.kind == "dial") {
    for_items(from, "input", [&](const auto& item) { one.inputs.push_back(joined(item)); });
  } else if (const auto* input = find(from, "input")) {
    one.inputs.push_back(joined(*input));
  }
  one.key = bytes(from, "key");
  one.author = bytes(from, "author");
  for_items(from, "outbox", [&](const auto& message) {
    agent::Awaited awaited{fixed<16>(message, "id"),
                           EthAddress(fixed<20>(message, "from")),
                           EthAddress(fixed<20>(message, "to")),
                           {}};
    for_items(message, "digests",
              [&](const auto& item) { awaited.digests.push_back(fixed_of<32>(item, "digests")); });
    one.outbox.push_back(std::move(awaited));
  });
  one.frame_max = number(from, "max");
  for_items(from, "own", [&](const auto& item) { one.own.push_back(text_of(item, "own")); });
  if (const auto* state = find(from, "state")) one.state = state_of(*state);
  return one;
}

agent::CaseResult expected_of(const json::value& from) {
  agent::CaseResult out;
  out.verdict = text(from, "verdict");
  if (find(from, "check") != nullptr) out.check = static_cast<int>(number(from, "check"));
  if (const auto* value = find(from, "deliver")) out.deliver = flag_of(*value, "deliver");
  if (const auto* value = find(from, "valid")) out.valid = flag_of(*value, "valid");
  if (const auto* value = find(from, "seen_after")) out.seen_after = flag_of(*value, "seen_after");
  if (find(from, "state_answered") != nullptr)
    out.state_answered = static_cast<std::uint32_t>(number(from, "state_answered"));
  if (find(from, "code") != nullptr) out.code = static_cast<std::uint32_t>(number(from, "code"));
  if (find(from, "body") != nullptr) out.body = bytes(from, "body");
  if (find(from, "lengths") != nullptr) {
    out.lengths.emplace();
    for_items(from, "lengths", [&](const auto& item) { out.lengths->push_back(number_of(item, "lengths")); });
  }
  return out;
}

}  // namespace

tl::expected<std::vector<FileCase>, CaseFileError> parse_cases(std::string_view text_of_file) {
  const auto unreadable = [](std::string where) {
    return tl::unexpected<CaseFileError>(CaseFileError{make_error(Errc::bad_input), std::move(where)});
  };
  boost::system::error_code error;
  const json::value file = json::parse(text_of_file, error);
  if (error) return unreadable("not JSON: " + error.message());
  const auto* cases = find(file, "cases");
  if (cases == nullptr || !cases->is_array()) return unreadable("no array \"cases\"");
  std::vector<FileCase> out;
  for (const auto& item : cases->get_array()) {
    try {
      out.push_back({input_of(item, file), expected_of(item), text(item, "why")});
    } catch (const Unreadable& bad) {
      return unreadable("case " + std::to_string(out.size() + 1) + ", \"" + bad.member + "\"");
    }
  }
  return out;
}

}  // namespace starling::api
