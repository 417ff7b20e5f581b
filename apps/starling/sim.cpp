// `starling sim`: a scenario in virtual time.
#include <sys/resource.h>

#include <cstdio>
#include <fstream>

#include "command.hpp"
#include "sim/report.hpp"
#include "sim/run.hpp"

namespace starling::cli {
namespace {

constexpr int kRefused = 2;        // the scenario is wrong, not the network
constexpr double kWordEvery = 10;  // seconds of virtual time

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

std::uint64_t peak_rss_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
}

bool write_file(const std::string& file, const std::string& text) {
  std::ofstream out(file, std::ios::trunc);
  out << text;
  return out.good();
}

}  // namespace

int run_sim(const SimOptions& options, const Output& output) {
  const auto scenario = sim::read_scenario(options.scenario);
  if (!scenario) {
    std::fprintf(stderr, "%s\n", scenario.error().text.c_str());
    return kRefused;
  }
  const double began = cpu_seconds();
  double told = 0;
  sim::RunOptions run;
  run.seed = options.seed;
  run.progress = [&](std::string_view phase, double virtual_s, std::uint64_t events) {
    if (!options.verbose || virtual_s < told + kWordEvery) return;
    told = virtual_s;
    std::fprintf(stderr, "%s: %.0f s of virtual time, %.2f million events, %.1f s of CPU, %.0f MiB\n",
                 std::string(phase).c_str(), virtual_s, static_cast<double>(events) / 1e6,
                 cpu_seconds() - began, static_cast<double>(peak_rss_bytes()) / (1 << 20));
  };
  auto results = sim::run_scenario(*scenario, run);
  results.figures.cpu_s = cpu_seconds() - began;
  results.figures.rss_bytes = peak_rss_bytes();
  if (!options.json_file.empty() && !write_file(options.json_file, sim::to_json(results) + "\n")) {
    std::fprintf(stderr, "%s: cannot be written\n", options.json_file.c_str());
    return kRefused;
  }
  if (!options.plot_file.empty() && !write_file(options.plot_file, sim::to_svg(results))) {
    std::fprintf(stderr, "%s: cannot be written\n", options.plot_file.c_str());
    return kRefused;
  }
  output.text(output.json() ? sim::to_json(results) : sim::to_table(results));
  return results.good() ? 0 : 1;
}

}  // namespace starling::cli
