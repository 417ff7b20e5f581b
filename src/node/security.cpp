#include "node/security.hpp"

#include <algorithm>

#include "noise/handshake.hpp"
#include "tls/identity.hpp"

namespace starling::node {

std::string_view protocol_id(Security security) noexcept {
  return security == Security::tls ? tls::kProtocolId : noise::kProtocolId;
}

std::optional<std::vector<Security>> parse_security(const std::vector<std::string>& names) {
  std::vector<Security> out;
  for (const auto& name : names) {
    if (name != "noise" && name != "tls") return std::nullopt;
    const Security security = name == "tls" ? Security::tls : Security::noise;
    if (std::find(out.begin(), out.end(), security) != out.end()) return std::nullopt;
    out.push_back(security);
  }
  if (out.empty()) return std::nullopt;
  return out;
}

}  // namespace starling::node
