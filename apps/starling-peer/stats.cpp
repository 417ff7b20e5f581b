#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "peer.hpp"

namespace peer {
namespace {

std::uint64_t resident_kb() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmRSS:")) return std::stoull(line.substr(6));
  return 0;
}

}  // namespace

double ms_since_process_start() {
  std::ifstream stat("/proc/self/stat");
  std::ifstream uptime("/proc/uptime");
  std::string line;
  double up_seconds = 0;
  if (!std::getline(stat, line) || !(uptime >> up_seconds)) return 0;
  // The name in brackets may contain anything; the start time is the 20th word behind it.
  std::istringstream words(line.substr(line.rfind(')') + 1));
  std::string word;
  for (int i = 0; i < 20; ++i) words >> word;
  const double ticks_per_second = static_cast<double>(::sysconf(_SC_CLK_TCK));
  return std::max(0.0, (up_seconds - std::stod(word) / ticks_per_second) * 1000);
}

double cpu_ms() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto ms = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) * 1000 + static_cast<double>(t.tv_usec) / 1000;
  };
  return ms(usage.ru_utime) + ms(usage.ru_stime);
}

Fields Peer::stats(const Request&) {
  const auto stats = ask<starling::HostStats>([&](auto done) { host_->stats(done); });
  Fields counters;
  for (const auto& [name, value] : stats.counters) counters[name] = value;
  return {{"rssKb", resident_kb()},
          {"cpuMs", cpu_ms()},
          {"conns", stats.connections},
          {"counters", std::move(counters)}};
}

}  // namespace peer
