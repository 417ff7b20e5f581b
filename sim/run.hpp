#pragma once
#include <functional>

#include "sim/results.hpp"

namespace starling::sim {

/// Runs a scenario with its own seed or another one and judges it. `progress` hears of the course now and
/// then.
struct RunOptions {
  std::optional<std::uint64_t> seed;
  std::function<void(std::string_view phase, double virtual_s, std::uint64_t events)> progress;
};
Results run_scenario(const Scenario& scenario, const RunOptions& options = {});

}  // namespace starling::sim
