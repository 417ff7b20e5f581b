#pragma once
// What a run has measured, and what its checks make of it.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "sim/scenario.hpp"

namespace starling::sim {

/// What became of one lookup, message or other piece of work, as who knows the truth sees it.
enum class Outcome : std::uint8_t {
  pending,      ///< the run ended first
  found,        ///< the newest record that its owner had published when the lookup began
  absent,       ///< truthfully not found: there was no live record
  withdrawn,    ///< truthfully reported as withdrawn
  missed,       ///< not found, although a live record was published
  stale,        ///< a genuine record that is older than what was published
  forged,       ///< never made by the owner of the address
  resurrected,  ///< genuine once, but withdrawn or expired before the lookup began
};
std::string_view to_string(Outcome outcome) noexcept;

struct Sample {
  Duration at{};    ///< on the timeline
  Duration took{};  ///< until the answer; nothing for pending
  Outcome outcome = Outcome::pending;
  std::uint32_t hops = 0;
  std::uint32_t requests = 0;
  std::optional<Error> error;    ///< what a lookup said that brought nothing back
  std::uint32_t expected = 0;    ///< messages: how many receivers
  std::uint32_t delivered = 0;   ///< messages: how many of them have it
  std::uint32_t duplicates = 0;  ///< messages: copies beyond the first, and copies to others
};

struct WorkResult {
  std::string name;
  WorkloadSpec::Do what = WorkloadSpec::Do::lookup;
  std::vector<Sample> samples;
};

struct RunFigures {
  std::uint64_t seed = 0;
  std::uint64_t state_hash = 0;
  std::uint64_t events = 0;
  std::uint64_t bytes = 0;
  double virtual_s = 0;
  double cpu_s = 0;  ///< of the driver's clock; not part of any check
  std::size_t nodes = 0;
  std::size_t adversaries = 0;
  std::size_t connections = 0;
  std::uint64_t rss_bytes = 0;
};

enum class Unit : std::uint8_t { share, count, time };
struct Measure {
  std::string_view name;
  Unit unit;
  std::string_view about;
  /// Milliseconds for times.
  double (*of)(const std::vector<const Sample*>& samples);
};
const Measure* find_measure(std::string_view name) noexcept;
std::string measure_names();

struct Verdict {
  CheckSpec check;
  double value = 0;
  bool holds = false;
};

struct Results {
  Scenario scenario;
  RunFigures figures;
  std::vector<WorkResult> works;
  std::vector<Verdict> verdicts;
  bool good() const noexcept;
};

/// Fills `verdicts`. A check over no samples at all does not hold.
void judge(Results& results);
/// All samples of one workload, or of all of them.
std::vector<const Sample*> samples_of(const Results& results, std::string_view work);

}  // namespace starling::sim
