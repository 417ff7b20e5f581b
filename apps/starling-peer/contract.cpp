#include "contract.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <cstdio>

namespace peer {
namespace {

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  while (begin <= text.size()) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    if (end > begin) parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

starling::HostKey parse_key(const std::string& text) {
  const auto colon = text.find(':');
  const std::string type = text.substr(0, colon);
  starling::HostKey key;
  if (type == "secp256k1")
    key.type = starling::HostKey::Type::secp256k1;
  else if (type != "ed25519")
    throw CommandError("--key: unknown type '" + type + "'; ed25519 or secp256k1");
  if (colon != std::string::npos) key.secret = from_hex(std::string_view(text).substr(colon + 1));
  constexpr std::size_t kSecretBytes = 32;
  if (key.secret.size() != kSecretBytes) throw CommandError("--key needs 64 hex digits behind the type");
  return key;
}

void apply(Flags& flags, const std::string& name, const std::string& value) {
  if (name == "--listen") {
    flags.listen.push_back(value);
  } else if (name == "--key") {
    flags.key = parse_key(value);
  } else if (name == "--sec") {
    if (value != "noise" && value != "tls")
      throw CommandError("--sec must be noise or tls, not '" + value + "'");
    flags.security = value;
  } else if (name == "--kad") {
    flags.kad = value;
  } else if (name == "--kad-mode") {
    if (value != "server" && value != "client")
      throw CommandError("--kad-mode must be server or client, not '" + value + "'");
    flags.kad_client = value == "client";
  } else if (name == "--topics") {
    flags.gossip = true;
    flags.topics = split(value);
  } else if (name == "--bootstrap") {
    flags.bootstrap.push_back(value);
  } else if (name == "--threads") {
    try {
      flags.threads = std::stoul(value);
    } catch (const std::exception&) {
      throw CommandError("--threads needs a number, not '" + value + "'");
    }
  } else {
    throw CommandError("unknown flag " + name);
  }
}

}  // namespace

Flags parse_flags(const std::vector<std::string>& arguments) {
  Flags flags;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& name = arguments[i];
    if (const auto equals = name.find('='); equals != std::string::npos && name.starts_with("--")) {
      apply(flags, name.substr(0, equals), name.substr(equals + 1));
      continue;
    }
    if (i + 1 == arguments.size()) throw CommandError(name + " needs a value");
    apply(flags, name, arguments[++i]);
  }
  if (flags.listen.empty()) flags.listen = {"/ip4/127.0.0.1/tcp/0"};
  if (flags.listen == std::vector<std::string>{"none"}) flags.listen.clear();
  return flags;
}

void Output::emit(const Fields& fields) {
  std::string line = boost::json::serialize(fields);
  line += '\n';
  const std::lock_guard lock(mutex_);
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fflush(stdout);
}

std::optional<std::string> Request::optional_text(std::string_view name) const {
  const auto* value = find(name);
  if (value == nullptr || value->is_null()) return std::nullopt;
  if (!value->is_string()) throw CommandError(std::string(name) + " must be a text");
  return std::string(value->get_string());
}

std::string Request::text(std::string_view name) const {
  auto value = optional_text(name);
  if (!value) throw CommandError(std::string(name) + " is needed");
  return *std::move(value);
}

double Request::number(std::string_view name, double otherwise) const {
  const auto* value = find(name);
  if (value == nullptr || value->is_null()) return otherwise;
  if (!value->is_number()) throw CommandError(std::string(name) + " must be a number");
  return value->to_number<double>();
}

std::uint64_t Request::count(std::string_view name, std::uint64_t otherwise) const {
  const double value = number(name, static_cast<double>(otherwise));
  if (value < 0) throw CommandError(std::string(name) + " must not be negative");
  return static_cast<std::uint64_t>(value);
}

bool Request::flag(std::string_view name) const {
  const auto* value = find(name);
  return value != nullptr && value->is_bool() && value->get_bool();
}

std::vector<std::uint8_t> Request::hex(std::string_view name) const { return from_hex(text(name)); }

std::vector<std::uint8_t> from_hex(std::string_view text) {
  const auto digit = [](char c) -> int {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    throw CommandError("not a hex digit");
  };
  if (text.size() % 2 != 0) throw CommandError("an odd number of hex digits");
  std::vector<std::uint8_t> out;
  for (std::size_t i = 0; i < text.size(); i += 2)
    out.push_back(static_cast<std::uint8_t>(digit(text[i]) * 16 + digit(text[i + 1])));
  return out;
}

std::string to_hex(starling::ByteSpan bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const std::uint8_t byte : bytes) {
    out += kDigits[byte >> 4U];
    out += kDigits[byte & 15U];
  }
  return out;
}

double quantile(const std::vector<double>& sorted, double q) {
  if (sorted.empty()) return 0;
  return sorted[std::min(sorted.size() - 1,
                         static_cast<std::size_t>(q * static_cast<double>(sorted.size())))];
}

double quantile_of(std::vector<double>& values, double q) {
  if (values.empty()) return 0;
  const auto index =
      std::min(values.size() - 1, static_cast<std::size_t>(q * static_cast<double>(values.size())));
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(index);
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

double now_ms() {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

double epoch_ms() {
  return std::chrono::duration<double, std::milli>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace peer
