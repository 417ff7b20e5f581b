#include "node/security.hpp"

#include <algorithm>
#include <memory>

#include "noise/handshake.hpp"

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

const tls::Identity& SharedTlsIdentity::get(const crypto::PrivateKey& key, Rng& rng) {
  if (const tls::Identity* made = identity_.load(std::memory_order_acquire)) return *made;
  auto fresh = std::make_unique<const tls::Identity>(key, rng);
  const tls::Identity* first = nullptr;
  if (identity_.compare_exchange_strong(first, fresh.get(), std::memory_order_acq_rel))
    return *fresh.release();
  return *first;
}

}  // namespace starling::node
