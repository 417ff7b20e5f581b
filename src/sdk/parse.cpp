#include "sdk/parse.hpp"

#include <algorithm>
#include <array>

#include "sdk/failure.hpp"

namespace starling::sdk {
namespace {

constexpr std::array<std::pair<LogLevel, std::string_view>, 5> kLevels{{{LogLevel::trace, "trace"},
                                                                        {LogLevel::debug, "debug"},
                                                                        {LogLevel::info, "info"},
                                                                        {LogLevel::warn, "warn"},
                                                                        {LogLevel::error, "error"}}};

}  // namespace

std::optional<LogLevel> parse_log_level(std::string_view name) noexcept {
  for (const auto& [level, text] : kLevels)
    if (text == name) return level;
  return std::nullopt;
}

std::string_view to_string(LogLevel level) noexcept {
  for (const auto& [known, text] : kLevels)
    if (known == level) return text;
  return "error";
}

Outcome<std::vector<Multiaddr>> parse_addresses(const std::vector<std::string>& texts,
                                                std::string_view what) {
  std::vector<Multiaddr> out;
  for (const auto& text : texts) {
    auto address = Multiaddr::parse(text);
    if (!address) return to_failure(address.error(), std::string(what) + " address '" + text + "'");
    out.push_back(*std::move(address));
  }
  return out;
}

Outcome<std::vector<node::Security>> parse_security(const std::vector<std::string>& names) {
  if (auto security = node::parse_security(names)) return *std::move(security);
  std::string given;
  for (const auto& name : names) given += (given.empty() ? "" : ", ") + name;
  return bad_option("security '" + given + "' is not noise, tls, or both in order of preference");
}

Failure bad_option(std::string message) { return {"malformed", "sdk/option", std::move(message)}; }

}  // namespace starling::sdk
