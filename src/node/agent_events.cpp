#include "node/agent_events.hpp"

namespace starling::node {

std::string_view to_string(PresenceSource source) noexcept {
  switch (source) {
    case PresenceSource::dht: return "dht";
    case PresenceSource::provider: return "provider";
    case PresenceSource::cache: return "cache";
  }
  return "dht";
}

std::string_view to_string(Kept what) noexcept {
  switch (what) {
    case Kept::issued: return "issued";
    case Kept::delegation: return "delegation";
    case Kept::seal_keys: return "seal_keys";
    case Kept::floors: return "floors";
    case Kept::delivered: return "delivered";
    case Kept::dht_record: return "dht_record";
    case Kept::dht_provider: return "dht_provider";
    case Kept::dht_provided: return "dht_provided";
    case Kept::dht_table: return "dht_table";
  }
  return "issued";
}

std::optional<Kept> parse_kept(std::string_view name) noexcept {
  for (std::size_t i = 0; i < kKeptKinds; ++i)
    if (const auto what = static_cast<Kept>(i); to_string(what) == name) return what;
  return std::nullopt;
}

}  // namespace starling::node
