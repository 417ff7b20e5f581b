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
  }
  return "issued";
}

}  // namespace starling::node
