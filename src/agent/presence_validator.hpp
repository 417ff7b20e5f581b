#pragma once
#include <optional>

#include "agent/presence.hpp"
#include "agent/trust.hpp"
#include "agent/verdict.hpp"

namespace starling::agent {

struct PresenceJudgement {
  Verdict verdict;
  std::optional<CheckedPresence> presence;  ///< whenever rows 3 and 5 passed; only accept makes it valid
};

/// The validator of the DHT's `/eth` namespace (§3): on put, on get and from the store. Rows 3 to 8 of §5
/// without freshness and rates. Only accept is valid: what is ignored elsewhere (ended, revoked) has no place
/// in a store either.
PresenceJudgement validate_presence(ByteView key, ByteView value, Trust& trust, WallTime now);
/// The same for a value that came without a key (a presence stream, an announcement in a file).
PresenceJudgement validate_presence(ByteView value, Trust& trust, WallTime now);

}  // namespace starling::agent
