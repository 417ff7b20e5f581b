#pragma once
// A run's results for people and for programs.
#include <string>

#include "sim/results.hpp"

namespace starling::sim {

/// A table of the workloads, the checks with their values, the run's figures.
std::string to_table(const Results& results);
/// One JSON object: scenario, seed, figures, works (counts and measures), checks.
std::string to_json(const Results& results);
/// Latency (median and 99 of 100) and success over the time of the run.
std::string to_svg(const Results& results);
/// What repeats the run exactly.
std::string replay_command(const Results& results);

}  // namespace starling::sim
