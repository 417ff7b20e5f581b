// Scenarios from TOML. toml++ stays in this file.
#include <toml++/toml.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <set>
#include <sstream>

#include "sim/results.hpp"
#include "sim/scenario.hpp"

namespace starling::sim {
namespace {

constexpr std::size_t kNodesMax = 200'000;
constexpr std::size_t kWorkMax = 1'000'000;

/// The words of an enumeration. Spelled so that it deduces nothing.
template <class Enum>
using NameList = std::type_identity_t<std::span<const std::pair<std::string_view, Enum>>>;

/// One table of the file: hands out values by name, remembers which names were asked for and what was wrong
/// first.
class Reader {
 public:
  Reader(const toml::table& table, std::string where, std::string_view file,
         std::optional<std::string>& error)
      : table_(table), where_(std::move(where)), file_(file), error_(error) {}

  std::size_t line() const { return table_.source().begin.line; }
  void complain(std::size_t line, const std::string& text) {
    if (!error_) error_ = std::string(file_) + ":" + std::to_string(line) + ": " + where_ + text;
  }
  const toml::node* take(std::string_view name) {
    asked_.emplace(name);
    return table_.get(name);
  }
  bool has(std::string_view name) const { return table_.contains(name); }

  void text(std::string_view name, std::string& out) {
    const auto* node = take(name);
    if (node == nullptr) return;
    if (const auto value = node->value_exact<std::string>())
      out = *value;
    else
      wrong(*node, name, "a string");
  }
  template <class Integer>
  void count(std::string_view name, Integer& out, std::uint64_t least, std::uint64_t most) {
    const auto* node = take(name);
    if (node == nullptr) return;
    const auto value = node->value_exact<std::int64_t>();
    if (value && *value >= 0 && static_cast<std::uint64_t>(*value) >= least &&
        static_cast<std::uint64_t>(*value) <= most)
      out = static_cast<Integer>(*value);
    else
      wrong(*node, name, "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  }
  void number(std::string_view name, double& out, double least, double most) {
    const auto* node = take(name);
    if (node == nullptr) return;
    const auto value = node->value<double>();
    if (value && *value >= least && *value <= most)
      out = *value;
    else
      wrong(*node, name, "a number in its range");
  }
  void share(std::string_view name, double& out) { number(name, out, 0, 1); }
  void flag(std::string_view name, bool& out) {
    const auto* node = take(name);
    if (node == nullptr) return;
    if (const auto value = node->value_exact<bool>())
      out = *value;
    else
      wrong(*node, name, "true or false");
  }
  void time(std::string_view name, Duration& out) {
    const auto* node = take(name);
    if (node != nullptr) time_of(*node, name, out);
  }
  void time_of(const toml::node& node, std::string_view name, Duration& out) {
    const auto value = node.value_exact<std::string>();
    const auto parsed = value ? parse_duration(*value) : std::nullopt;
    if (parsed)
      out = *parsed;
    else
      wrong(node, name, "a time such as \"250ms\", \"3s\", \"5min\" or \"2h\"");
  }
  template <class Enum>
  void choice(std::string_view name, Enum& out, NameList<Enum> names) {
    const auto* node = take(name);
    if (node != nullptr) choice_of(*node, name, out, names);
  }
  template <class Enum>
  void choice_of(const toml::node& node, std::string_view name, Enum& out, NameList<Enum> names) {
    const auto value = node.value_exact<std::string>();
    std::string all;
    for (const auto& [text, meaning] : names) {
      if (value && *value == text) {
        out = meaning;
        return;
      }
      all += (all.empty() ? "" : ", ") + std::string(text);
    }
    wrong(node, name, "one of " + all);
  }
  template <class Enum>
  void choices(std::string_view name, std::vector<Enum>& out, NameList<Enum> names) {
    const auto* node = take(name);
    if (node == nullptr) return;
    const auto* list = node->as_array();
    if (list == nullptr || list->empty()) return wrong(*node, name, "a list");
    for (const auto& item : *list) choice_of(item, name, out.emplace_back(), names);
  }
  void wrong(const toml::node& node, std::string_view name, const std::string& expected) {
    complain(node.source().begin.line, "`" + std::string(name) + "` must be " + expected);
  }
  void required(std::string_view name) {
    if (!has(name)) complain(line(), "`" + std::string(name) + "` is missing");
  }
  void finish() {
    for (const auto& [key, node] : table_) {
      if (asked_.contains(key.str())) continue;
      std::string all;
      for (const auto& name : asked_) all += (all.empty() ? "" : ", ") + name;
      complain(key.source().begin.line, "unknown key `" + std::string(key.str()) + "`; there are: " + all);
    }
  }
  const std::string& where() const { return where_; }

 private:
  const toml::table& table_;
  std::string where_;
  std::string_view file_;
  std::optional<std::string>& error_;
  std::set<std::string, std::less<>> asked_;
};

template <class Enum>
using Names = std::pair<std::string_view, Enum>;

constexpr Names<AdversarySpec::Kind> kKinds[] = {{"liars", AdversarySpec::Kind::liars},
                                                 {"silent", AdversarySpec::Kind::silent},
                                                 {"ring", AdversarySpec::Kind::ring}};
constexpr Names<LieAboutPeers> kPeerLies[] = {
    {"honest", LieAboutPeers::honest}, {"gang", LieAboutPeers::gang}, {"invent", LieAboutPeers::invent}};
constexpr Names<LieAboutRecords> kRecordLies[] = {{"withhold", LieAboutRecords::withhold},
                                                  {"stale", LieAboutRecords::stale},
                                                  {"forge", LieAboutRecords::forge}};
constexpr Names<EventSpec::Do> kEvents[] = {
    {"crash", EventSpec::Do::crash}, {"vanish", EventSpec::Do::vanish},
    {"leave", EventSpec::Do::leave}, {"restart", EventSpec::Do::restart},
    {"join", EventSpec::Do::join},   {"partition", EventSpec::Do::partition},
    {"heal", EventSpec::Do::heal},   {"skew", EventSpec::Do::skew},
    {"loss", EventSpec::Do::loss}};
constexpr Names<WorkloadSpec::Do> kWork[] = {{"lookup", WorkloadSpec::Do::lookup},
                                             {"message", WorkloadSpec::Do::message},
                                             {"broadcast", WorkloadSpec::Do::broadcast},
                                             {"provide", WorkloadSpec::Do::provide}};

class Parser {
 public:
  explicit Parser(std::string_view file) : file_(file) { scenario_.file = file; }

  tl::expected<Scenario, ScenarioError> parse(std::string_view text) {
    try {
      const toml::table root = toml::parse(text, std::string(file_));
      read(root);
    } catch (const toml::parse_error& error) {
      error_ = std::string(file_) + ":" + std::to_string(error.source().begin.line) + ": " +
               std::string(error.description());
    }
    if (error_) return tl::unexpected(ScenarioError{*error_});
    return std::move(scenario_);
  }

 private:
  Reader reader(const toml::table& table, std::string where) {
    return {table, std::move(where), file_, error_};
  }

  void read(const toml::table& root) {
    Reader top = reader(root, "");
    top.required("name");
    top.text("name", scenario_.name);
    top.text("about", scenario_.about);
    top.count("seed", scenario_.seed, 0, std::uint64_t{1} << 62);
    std::string level = "A";
    top.text("level", level);
    if (level != "A" && level != "B") top.complain(1, "`level` must be \"A\" or \"B\"");
    scenario_.level = level == "B" ? Level::bytes : Level::messages;
    table(top, "network", [&](Reader& r) { network(r); });
    top.required("network");
    table(top, "links", [&](Reader& r) { links(r); });
    tables(top, "adversary", [&](Reader& r) { adversary(r); });
    tables(top, "event", [&](Reader& r) { event(r); });
    tables(top, "workload", [&](Reader& r) { workload(r); });
    tables(top, "check", [&](Reader& r) { check(r); });
    Duration last{};
    for (const auto& event : scenario_.events) last = std::max(last, event.at + event.over);
    for (const auto& work : scenario_.workloads) last = std::max(last, work.at + work.over);
    scenario_.end = last + 60s;
    top.time("end", scenario_.end);
    top.finish();
    if (scenario_.end < last) top.complain(1, "`end` is before the last event or workload");
    if (scenario_.level == Level::bytes && !scenario_.adversaries.empty())
      top.complain(1, "level \"B\" has no adversaries: they have no keys to secure a connection with");
    if (scenario_.workloads.empty()) top.complain(1, "no [[workload]]: nothing would be measured");
    if (scenario_.checks.empty()) top.complain(1, "no [[check]]: a scenario that cannot fail shows nothing");
  }

  template <class Read>
  void table(Reader& top, std::string_view name, Read read) {
    const auto* node = top.take(name);
    if (node == nullptr) return;
    const auto* sub = node->as_table();
    if (sub == nullptr) return top.wrong(*node, name, "a table");
    Reader r = reader(*sub, "[" + std::string(name) + "] ");
    read(r);
    r.finish();
  }
  template <class Read>
  void tables(Reader& top, std::string_view name, Read read) {
    const auto* node = top.take(name);
    if (node == nullptr) return;
    const auto* list = node->as_array();
    if (list == nullptr) return top.wrong(*node, name, "written [[" + std::string(name) + "]]");
    for (const auto& item : *list) {
      const auto* sub = item.as_table();
      if (sub == nullptr) return top.wrong(item, name, "written [[" + std::string(name) + "]]");
      Reader r = reader(*sub, "[[" + std::string(name) + "]] ");
      read(r);
      r.finish();
    }
  }

  void network(Reader& r) {
    NetworkSpec& net = scenario_.network;
    r.required("nodes");
    r.count("nodes", net.nodes, 3, kNodesMax);
    r.share("servers", net.servers);
    r.count("bootstraps", net.bootstraps, 1, 1000);
    r.time("servers_join_over", net.servers_join_over);
    r.time("agents_join_over", net.agents_join_over);
    r.time("settle", net.settle);
    r.flag("gossip", net.gossip);
    r.count("agent_connections", net.agent_connections, 0, 10'000);
    r.count("server_connections", net.server_connections, 0, 100'000);
    r.time("refresh", net.refresh);
    r.time("republish", net.republish);
    r.share("behind_nat", net.behind_nat);
    r.time("clock_skew_max", net.clock_skew_max);
  }

  void links(Reader& r) {
    LinkModel& links = scenario_.links;
    r.time("latency_min", links.latency_min);
    r.time("latency_max", links.latency_max);
    if (links.latency_min > links.latency_max) r.complain(r.line(), "`latency_min` is above `latency_max`");
    r.time("jitter_max", links.jitter_max);
    r.share("dial_loss", links.loss);
    r.share("packet_loss", links.packet_loss);
    r.share("reordering", links.reordering);
    r.count("bandwidth_bytes_per_s", links.bandwidth_bytes_per_s, 0, std::uint64_t{1} << 40);
    const auto* regions = r.take("regions_ms");
    if (const auto* shares = r.take("region_shares"); shares != nullptr) {
      const auto* list = shares->as_array();
      if (list == nullptr) return r.wrong(*shares, "region_shares", "a list of shares");
      for (const auto& item : *list) scenario_.region_shares.push_back(item.value<double>().value_or(-1));
      double sum = 0;
      for (const double share : scenario_.region_shares) sum += share < 0 ? 2 : share;
      if (sum < 0.999 || sum > 1.001) r.wrong(*shares, "region_shares", "shares that add up to 1");
    }
    if (regions == nullptr) {
      if (!scenario_.region_shares.empty()) r.complain(r.line(), "`region_shares` needs `regions_ms`");
      return;
    }
    const auto* rows = regions->as_array();
    const auto expected = "a square matrix of one-way milliseconds";
    if (rows == nullptr || rows->empty()) return r.wrong(*regions, "regions_ms", expected);
    for (const auto& row : *rows) {
      const auto* cells = row.as_array();
      if (cells == nullptr || cells->size() != rows->size()) return r.wrong(row, "regions_ms", expected);
      auto& out = links.regions.emplace_back();
      for (const auto& cell : *cells) {
        const auto ms = cell.value_exact<std::int64_t>();
        if (!ms || *ms < 0 || *ms > 60'000) return r.wrong(cell, "regions_ms", expected);
        out.push_back(std::chrono::milliseconds(*ms));
      }
    }
    if (scenario_.region_shares.empty())
      scenario_.region_shares.assign(links.regions.size(), 1.0 / static_cast<double>(links.regions.size()));
    if (scenario_.region_shares.size() != links.regions.size())
      r.wrong(*regions, "region_shares", "as long as `regions_ms`");
  }

  void adversary(Reader& r) {
    AdversarySpec& spec = scenario_.adversaries.emplace_back();
    r.required("kind");
    r.choice("kind", spec.kind, kKinds);
    r.share("share", spec.share);
    r.number("per_server", spec.per_server, 0, 1000);
    r.choices("peers", spec.peers, kPeerLies);
    r.choices("records", spec.records, kRecordLies);
    r.count("groups", spec.groups, 0, 16'384);
    r.time("at", spec.at);
    if (spec.peers.empty()) spec.peers = {LieAboutPeers::gang};
    if (spec.records.empty()) spec.records = {LieAboutRecords::withhold};
    const bool ring = spec.kind == AdversarySpec::Kind::ring;
    r.required(ring ? "per_server" : "share");
    if (!ring && spec.share > 0.95) r.complain(r.line(), "`share` leaves no honest server");
    if (!ring && r.has("at")) r.complain(r.line(), "`at` is for rings; others join with the servers");
  }

  void event(Reader& r) {
    EventSpec& spec = scenario_.events.emplace_back();
    r.required("do");
    r.required("at");
    r.choice("do", spec.what, kEvents);
    r.time("at", spec.at);
    r.time("over", spec.over);
    r.text("who", spec.who);
    r.share("share", spec.share);
    r.count("count", spec.count, 1, kNodesMax);
    r.text("as", spec.as);
    r.text("from", spec.from);
    r.text("to", spec.to);
    r.text("how", spec.how);
    r.time("by", spec.by);
    r.flag("back", spec.back);
    r.share("value", spec.value);
    for (const auto* group : {&spec.who, &spec.from, &spec.to}) known_group(r, *group);
    if (spec.how != "both" && spec.how != "one_way" && spec.how != "dials")
      r.complain(r.line(), "`how` must be one of both, one_way, dials");
    if (!spec.as.empty()) groups_.insert(spec.as);
  }

  void workload(Reader& r) {
    WorkloadSpec& spec = scenario_.workloads.emplace_back();
    r.required("do");
    r.required("name");
    r.required("count");
    r.choice("do", spec.what, kWork);
    r.text("name", spec.name);
    r.time("at", spec.at);
    r.time("over", spec.over);
    r.count("count", spec.count, 1, kWorkMax);
    r.text("by", spec.by);
    r.text("of", spec.of);
    known_group(r, spec.by);
    if (spec.of != "unknown") known_group(r, spec.of);
    const bool gossips = spec.what == WorkloadSpec::Do::message || spec.what == WorkloadSpec::Do::broadcast;
    if (gossips && !scenario_.network.gossip)
      r.complain(r.line(), "messages need `gossip = true` in [network]");
    if (!works_.insert(spec.name).second) r.complain(r.line(), "`name` is taken by an earlier workload");
  }

  void check(Reader& r) {
    CheckSpec& spec = scenario_.checks.emplace_back();
    spec.line = r.line();
    r.required("measure");
    r.text("measure", spec.measure);
    r.text("of", spec.of);
    const auto measure = find_measure(spec.measure);
    if (!measure) r.complain(r.line(), "`measure` must be one of " + measure_names());
    bound(r, "at_least", spec.at_least, measure && measure->unit == Unit::time);
    bound(r, "at_most", spec.at_most, measure && measure->unit == Unit::time);
    if (!spec.at_least && !spec.at_most) r.complain(r.line(), "neither `at_least` nor `at_most`");
    if (!spec.of.empty() && !works_.contains(spec.of))
      r.complain(r.line(), "`of` names no workload: " + spec.of);
  }

  void bound(Reader& r, std::string_view name, std::optional<double>& out, bool time) {
    const auto* node = r.take(name);
    if (node == nullptr) return;
    if (time) {
      Duration value{};
      r.time_of(*node, name, value);
      out = std::chrono::duration<double, std::milli>(value).count();
    } else if (const auto value = node->value<double>()) {
      out = *value;
    } else {
      r.wrong(*node, name, "a number");
    }
  }

  void known_group(Reader& r, const std::string& group) {
    if (groups_.contains(group)) return;
    std::string all;
    for (const auto& name : groups_) all += (all.empty() ? "" : ", ") + name;
    r.complain(r.line(), "no group `" + group + "`; there are: " + all);
  }

  std::string_view file_;
  std::optional<std::string> error_;
  Scenario scenario_;
  std::set<std::string, std::less<>> groups_ = {"all",    "servers", "bootstraps",
                                                "agents", "target",  "holders"};
  std::set<std::string, std::less<>> works_;
};

}  // namespace

std::optional<Duration> parse_duration(std::string_view text) noexcept {
  std::uint64_t value = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (status != std::errc() || end == text.data() || value > 1'000'000'000) return std::nullopt;
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  const auto count = static_cast<std::int64_t>(value);
  if (unit == "us") return std::chrono::microseconds(count);
  if (unit == "ms") return std::chrono::milliseconds(count);
  if (unit == "s") return std::chrono::seconds(count);
  if (unit == "min" && count < 1'000'000) return std::chrono::minutes(count);
  if (unit == "h" && count < 100'000) return std::chrono::hours(count);
  return std::nullopt;
}

tl::expected<Scenario, ScenarioError> parse_scenario(std::string_view toml, std::string_view file) {
  return Parser(file).parse(toml);
}

tl::expected<Scenario, ScenarioError> read_scenario(const std::string& file) {
  std::ifstream in(file);
  if (!in) return tl::unexpected(ScenarioError{file + ": cannot be read"});
  std::ostringstream text;
  text << in.rdbuf();
  return parse_scenario(text.str(), file);
}

}  // namespace starling::sim
