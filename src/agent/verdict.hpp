#pragma once
// What a check says: the ruling, the row of PROTOCOL.md §5 that decided, a counted reason and the exact rule
// broken.
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace starling::agent {

/// gossip's three answers. Reject is for what every honest node would refuse at any time from these bytes
/// alone.
enum class Ruling : std::uint8_t { accept, ignore, reject };
std::string_view to_string(Ruling ruling) noexcept;

/// What is counted, one metric label each. The exact rule stands in Verdict::detail.
enum class Reason : std::uint8_t {
  accepted,             ///< row 9
  bad_key,              ///< before the table: a DHT key that is no presence key
  forwarder_over_rate,  ///< row 1
  queue_full,           ///< row 1
  bad_strict_sign,      ///< row 2
  too_large,            ///< row 3
  malformed,            ///< row 3
  no_version,           ///< row 3
  later_version,        ///< row 4
  bad_fields,           ///< row 5: sizes, limits, fixed relations
  not_the_author,       ///< row 5: somebody speaks for another
  ended,                ///< row 6
  from_the_future,      ///< row 6
  not_fresh,            ///< row 6
  seen_before,          ///< row 6: this (from, id, published_at)
  recovers_spent,       ///< row 7: the forwarder's budget of uncached wallet signatures
  forged_delegation,    ///< row 7
  bad_node_signature,   ///< row 7
  revoked,              ///< row 8: below the floor
  outdated_presence,    ///< row 8: loses to the known one
  wallet_over_rate,     ///< row 8
  strangers_over_rate,  ///< row 8
};
inline constexpr std::size_t kReasonCount = static_cast<std::size_t>(Reason::strangers_over_rate) + 1;
/// snake_case, as in metrics and JSON.
std::string_view to_string(Reason reason) noexcept;
/// One sentence for people.
std::string_view explain(Reason reason) noexcept;

/// Trivially copyable. `row` is 0 before the table, 9 when nothing failed.
struct Verdict {
  Ruling ruling = Ruling::accept;
  std::uint8_t row = 9;
  Reason reason = Reason::accepted;
  std::optional<Error> detail{};  ///< the rule of this protocol or of the encoding that was broken

  bool accepted() const noexcept { return ruling == Ruling::accept; }
  /// `reject at check 5: bad_fields (agent: …)`, stable for tests and the CLI.
  std::string to_string() const;
  /// Row and ruling follow from the reason.
  static Verdict of(Reason reason, std::optional<Error> detail = std::nullopt) noexcept;
};

}  // namespace starling::agent
