#pragma once
// A scenario as data: what docs/simulator.md describes. Read from TOML, judged by its own checks.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "sim/link_model.hpp"

namespace starling::sim {

/// Nodes at the start and how they join. Shares are of all nodes unless a line says otherwise.
struct NetworkSpec {
  std::size_t nodes = 0;
  double servers = 0.1;        ///< share that are DHT servers, bootstrap nodes included
  std::size_t bootstraps = 3;  ///< servers that everybody else is told of
  Duration servers_join_over = 20s;
  Duration agents_join_over = 60s;
  Duration settle = 60s;  ///< after the last has joined; then the timeline begins
  bool gossip = false;
  std::size_t agent_connections = 0;  ///< upper bound; 0 = the role's
  std::size_t server_connections = 0;
  Duration refresh = 10min;
  Duration republish = 8h;
  double behind_nat = 0;      ///< share of the agents
  Duration clock_skew_max{};  ///< every wall clock is off by up to this, either way
};

enum class LieAboutPeers : std::uint8_t {
  honest,  ///< names the nearest servers, as it should
  gang,    ///< names the nearest of its own gang
  invent,  ///< names ids next to the target that nobody has
};
enum class LieAboutRecords : std::uint8_t {
  withhold,  ///< says that it has none
  stale,     ///< gives the first one it was ever given
  forge,     ///< gives one with altered bytes
};

struct AdversarySpec {
  enum class Kind : std::uint8_t { liars, silent, ring };
  Kind kind = Kind::liars;
  double share = 0;                  ///< of the servers, which they replace (liars, silent)
  double per_server = 0;             ///< of the honest servers, beside them (ring)
  std::vector<LieAboutPeers> peers;  ///< each adversary takes one of them
  std::vector<LieAboutRecords> records;
  std::size_t groups = 0;  ///< address groups (/16) that they own together; 0 = one each
  Duration at{};           ///< ring: when it joins
};

struct EventSpec {
  enum class Do : std::uint8_t { crash, vanish, leave, restart, join, partition, heal, skew, loss };
  Do what = Do::crash;
  Duration at{};
  std::string who = "agents";
  double share = 0;
  std::size_t count = 0;        ///< instead of share; neither = all of them
  std::string as;               ///< a name for those whom it hit
  Duration over{};              ///< spread over this time
  std::string from = "agents";  ///< partition: from …
  std::string to = "servers";   ///< … to
  std::string how = "both";     ///< partition: both, one_way, dials
  Duration by{};                ///< skew
  bool back = false;            ///< skew: into the past
  double value = 0;             ///< loss: share of dials that fail from now on
};

struct WorkloadSpec {
  enum class Do : std::uint8_t { lookup, message, broadcast, provide };
  Do what = Do::lookup;
  std::string name;
  Duration at{};
  Duration over = 10s;
  std::size_t count = 0;
  std::string by = "agents";
  std::string of = "agents";  ///< whose address; `unknown` = addresses of nobody
};

struct CheckSpec {
  std::string of;  ///< workload; empty = all of them together
  std::string measure;
  std::optional<double> at_least;
  std::optional<double> at_most;  ///< milliseconds where the measure is a time
  std::size_t line = 0;
};

struct Scenario {
  std::string name;
  std::string about;
  std::string file;
  std::uint64_t seed = 1;
  Level level = Level::messages;
  Duration end{};  ///< of the timeline
  NetworkSpec network;
  LinkModel links;
  std::vector<double> region_shares;
  std::vector<AdversarySpec> adversaries;
  std::vector<EventSpec> events;
  std::vector<WorkloadSpec> workloads;
  std::vector<CheckSpec> checks;
};

/// What is wrong, with `file:line: ` in front.
struct ScenarioError {
  std::string text;
};
/// Refuses unknown keys, values out of range, references to nothing, and a scenario without checks.
tl::expected<Scenario, ScenarioError> parse_scenario(std::string_view toml, std::string_view file);
tl::expected<Scenario, ScenarioError> read_scenario(const std::string& file);

/// `250ms`, `3s`, `5min`, `2h`; nothing for anything else.
std::optional<Duration> parse_duration(std::string_view text) noexcept;

}  // namespace starling::sim
