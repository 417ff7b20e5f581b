#pragma once
// The one shape of every protocol machine (docs/architecture.md §2), as a concept instead of a base class.
#include <concepts>
#include <optional>

#include "base/time.hpp"

namespace starling {

/// Inputs are method calls with values and `now`; outputs are drained by `poll()`; one `deadline()`,
/// `never()` when idle. The driver's duty: input → drain `poll` → send → re-arm `deadline`. A machine never
/// calls out.
template <class M>
concept Machine = requires(M machine, const M constant, Instant now) {
  { constant.deadline() } -> std::same_as<Instant>;
  machine.on_deadline(now);
  machine.poll();
};

}  // namespace starling
