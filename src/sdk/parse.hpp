#pragma once
// What hosts and nodes read from the texts of their options.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/env.hpp"
#include "format/multiaddr.hpp"
#include "node/security.hpp"
#include "starling/outcome.hpp"

namespace starling::sdk {

std::optional<LogLevel> parse_log_level(std::string_view name) noexcept;
std::string_view to_string(LogLevel level) noexcept;
/// The failure names `what` and the text.
Outcome<std::vector<Multiaddr>> parse_addresses(const std::vector<std::string>& texts, std::string_view what);
Outcome<std::vector<node::Security>> parse_security(const std::vector<std::string>& names);
Failure bad_option(std::string message);

}  // namespace starling::sdk
