#include "sim/results.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace starling::sim {
namespace {

using Samples = std::vector<const Sample*>;

double share_of(const Samples& samples, std::initializer_list<Outcome> outcomes) {
  if (samples.empty()) return 0;
  const auto hits = std::count_if(samples.begin(), samples.end(), [&](const Sample* s) {
    return std::find(outcomes.begin(), outcomes.end(), s->outcome) != outcomes.end();
  });
  return static_cast<double>(hits) / static_cast<double>(samples.size());
}

double count_of(const Samples& samples, Outcome outcome) {
  return static_cast<double>(
      std::count_if(samples.begin(), samples.end(), [&](const Sample* s) { return s->outcome == outcome; }));
}

template <class Of>
double mean_of(const Samples& samples, Of of) {
  double sum = 0;
  for (const Sample* sample : samples) sum += static_cast<double>(of(*sample));
  return samples.empty() ? 0 : sum / static_cast<double>(samples.size());
}

/// The smallest value that at least `share` of the samples do not exceed (nearest rank).
template <class Of>
double quantile_of(const Samples& samples, double share, Of of) {
  std::vector<double> values;
  for (const Sample* sample : samples)
    if (sample->outcome != Outcome::pending) values.push_back(static_cast<double>(of(*sample)));
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(values.size())));
  return values[std::max<std::size_t>(rank, 1) - 1];
}

double ms_of(const Sample& s) { return std::chrono::duration<double, std::milli>(s.took).count(); }
double requests_of(const Sample& s) { return s.requests; }
double hops_of(const Sample& s) { return s.hops; }

constexpr auto kGood = {Outcome::found, Outcome::absent, Outcome::withdrawn};

constexpr std::array kMeasures{
    Measure{"success", Unit::share, "found, truthfully not found, or truthfully withdrawn",
            [](const Samples& s) { return share_of(s, kGood); }},
    Measure{"truthful", Unit::share, "neither forged nor resurrected",
            [](const Samples& s) {
              return s.empty() ? 0 : 1 - share_of(s, {Outcome::forged, Outcome::resurrected});
            }},
    Measure{"found", Unit::count, "the newest record",
            [](const Samples& s) { return count_of(s, Outcome::found); }},
    Measure{"absent", Unit::count, "truthfully not found",
            [](const Samples& s) { return count_of(s, Outcome::absent); }},
    Measure{"withdrawn", Unit::count, "truthfully withdrawn",
            [](const Samples& s) { return count_of(s, Outcome::withdrawn); }},
    Measure{"missed", Unit::count, "not found although published",
            [](const Samples& s) { return count_of(s, Outcome::missed); }},
    Measure{"stale", Unit::count, "an older record than the published one",
            [](const Samples& s) { return count_of(s, Outcome::stale); }},
    Measure{"forged", Unit::count, "a record that its owner never made",
            [](const Samples& s) { return count_of(s, Outcome::forged); }},
    Measure{"resurrected", Unit::count, "a record that was withdrawn or had expired",
            [](const Samples& s) { return count_of(s, Outcome::resurrected); }},
    Measure{"pending", Unit::count, "not done when the run ended",
            [](const Samples& s) { return count_of(s, Outcome::pending); }},
    Measure{"p50", Unit::time, "time to the answer, median",
            [](const Samples& s) { return quantile_of(s, 0.5, ms_of); }},
    Measure{"p99", Unit::time, "time to the answer, 99 of 100",
            [](const Samples& s) { return quantile_of(s, 0.99, ms_of); }},
    Measure{"max", Unit::time, "time to the answer, the slowest",
            [](const Samples& s) { return quantile_of(s, 1.0, ms_of); }},
    Measure{"hops_mean", Unit::count, "servers one after the other, mean",
            [](const Samples& s) { return mean_of(s, hops_of); }},
    Measure{"hops_max", Unit::count, "servers one after the other, most",
            [](const Samples& s) { return quantile_of(s, 1.0, hops_of); }},
    Measure{"requests_mean", Unit::count, "requests sent for one lookup, mean",
            [](const Samples& s) { return mean_of(s, requests_of); }},
    Measure{"requests_p99", Unit::count, "requests sent for one lookup, 99 of 100",
            [](const Samples& s) { return quantile_of(s, 0.99, requests_of); }},
    Measure{"delivered", Unit::share, "messages that arrived, of those that should",
            [](const Samples& s) {
              double got = 0, wanted = 0;
              for (const Sample* sample : s) {
                got += sample->delivered;
                wanted += sample->expected;
              }
              return wanted > 0 ? got / wanted : 0;
            }},
    Measure{"duplicates", Unit::count, "copies of messages beyond the first at one receiver",
            [](const Samples& s) {
              double sum = 0;
              for (const Sample* sample : s) sum += sample->duplicates;
              return sum;
            }},
};

}  // namespace

std::string_view to_string(Outcome outcome) noexcept {
  constexpr std::array<std::string_view, 8> kNames = {"pending", "found", "absent", "withdrawn",
                                                      "missed",  "stale", "forged", "resurrected"};
  return kNames[static_cast<std::size_t>(outcome)];
}

const Measure* find_measure(std::string_view name) noexcept {
  const auto it =
      std::find_if(kMeasures.begin(), kMeasures.end(), [&](const Measure& m) { return m.name == name; });
  return it == kMeasures.end() ? nullptr : &*it;
}

std::string measure_names() {
  std::string out;
  for (const Measure& measure : kMeasures) out += (out.empty() ? "" : ", ") + std::string(measure.name);
  return out;
}

bool Results::good() const noexcept {
  return !verdicts.empty() &&
         std::all_of(verdicts.begin(), verdicts.end(), [](const Verdict& verdict) { return verdict.holds; });
}

Samples samples_of(const Results& results, std::string_view work) {
  Samples out;
  for (const WorkResult& result : results.works)
    if (work.empty() || result.name == work)
      for (const Sample& sample : result.samples) out.push_back(&sample);
  return out;
}

void judge(Results& results) {
  results.verdicts.clear();
  for (const CheckSpec& check : results.scenario.checks) {
    const auto samples = samples_of(results, check.of);
    const double value = find_measure(check.measure)->of(samples);
    const bool holds = !samples.empty() && (!check.at_least || value >= *check.at_least) &&
                       (!check.at_most || value <= *check.at_most);
    results.verdicts.push_back({check, value, holds});
  }
}

}  // namespace starling::sim
