#include "sim/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <map>

namespace starling::sim {
namespace {

namespace json = boost::json;

std::string shown(const Measure& measure, double value) {
  switch (measure.unit) {
    case Unit::share: return fmt::format("{:.3f} %", value * 100);
    case Unit::time:
      return value >= 10'000 ? fmt::format("{:.1f} s", value / 1000) : fmt::format("{:.0f} ms", value);
    case Unit::count: break;
  }
  return value == static_cast<double>(static_cast<std::int64_t>(value)) ? fmt::format("{:.0f}", value)
                                                                        : fmt::format("{:.2f}", value);
}

double value_of(const std::vector<const Sample*>& samples, std::string_view measure) {
  return find_measure(measure)->of(samples);
}

std::string_view word_for(WorkloadSpec::Do what) {
  switch (what) {
    case WorkloadSpec::Do::lookup: return "lookup";
    case WorkloadSpec::Do::message: return "message";
    case WorkloadSpec::Do::broadcast: return "broadcast";
    case WorkloadSpec::Do::provide: return "provide";
  }
  return "";
}

bool is_message(WorkloadSpec::Do what) {
  return what == WorkloadSpec::Do::message || what == WorkloadSpec::Do::broadcast;
}

std::map<std::string_view, std::size_t> outcomes_of(const std::vector<const Sample*>& samples) {
  std::map<std::string_view, std::size_t> out;
  for (const Sample* sample : samples) ++out[to_string(sample->outcome)];
  return out;
}

/// Why lookups missed, by the words of their errors.
std::map<std::string, std::size_t> misses_of(const std::vector<const Sample*>& samples) {
  std::map<std::string, std::size_t> out;
  for (const Sample* sample : samples)
    if (sample->outcome == Outcome::missed && sample->error) ++out[sample->error->to_string()];
  return out;
}

}  // namespace

std::string replay_command(const Results& results) {
  return fmt::format("starling sim {} --seed {}", results.scenario.file, results.figures.seed);
}

std::string to_table(const Results& results) {
  const RunFigures& f = results.figures;
  std::string out = fmt::format("{}: {}\n\n", results.scenario.name, results.scenario.about);
  out += fmt::format("{:<20} {:>7} {:>10} {:>9} {:>9} {:>9} {:>6} {:>9}  {}\n", "workload", "count",
                     "success", "p50", "p99", "max", "hops", "requests", "outcomes");
  for (const WorkResult& work : results.works) {
    const auto samples = samples_of(results, work.name);
    std::string outcomes;
    for (const auto& [name, count] : outcomes_of(samples)) outcomes += fmt::format("{} {}  ", name, count);
    for (const auto& [why, count] : misses_of(samples)) outcomes += fmt::format("({}: {})  ", why, count);
    if (is_message(work.what))
      outcomes = fmt::format("delivered {}, duplicates {:.0f}",
                             shown(*find_measure("delivered"), value_of(samples, "delivered")),
                             value_of(samples, "duplicates"));
    const auto cell = [&](std::string_view name) {
      return shown(*find_measure(name), value_of(samples, name));
    };
    out += fmt::format("{:<20} {:>7} {:>10} {:>9} {:>9} {:>9} {:>6.2f} {:>9.1f}  {}\n", work.name,
                       samples.size(), cell("success"), cell("p50"), cell("p99"), cell("max"),
                       value_of(samples, "hops_mean"), value_of(samples, "requests_mean"), outcomes);
  }
  out += "\n";
  for (const Verdict& verdict : results.verdicts) {
    const Measure& measure = *find_measure(verdict.check.measure);
    std::string bounds;
    if (verdict.check.at_least) bounds += " at least " + shown(measure, *verdict.check.at_least);
    if (verdict.check.at_most) bounds += " at most " + shown(measure, *verdict.check.at_most);
    out += fmt::format("{} {} of {}: {} (must be{})\n", verdict.holds ? "ok    " : "FAILED", measure.name,
                       verdict.check.of.empty() ? "all" : verdict.check.of, shown(measure, verdict.value),
                       bounds);
  }
  out += fmt::format(
      "\nseed {}, state hash {:016x}\n{} nodes ({} adversaries), {} connections at the end; {:.0f} s of "
      "virtual time, {} events, {:.1f} MB between nodes\n",
      f.seed, f.state_hash, f.nodes, f.adversaries, f.connections, f.virtual_s, f.events,
      static_cast<double>(f.bytes) / 1e6);
  if (f.cpu_s > 0)
    out += fmt::format(
        "{:.1f} s of CPU, {:.0f} events/s, {:.0f} MiB resident, {:.0f} KiB a node\n", f.cpu_s,
        static_cast<double>(f.events) / f.cpu_s, static_cast<double>(f.rss_bytes) / (1 << 20),
        static_cast<double>(f.rss_bytes) / 1024 / static_cast<double>(std::max<std::size_t>(f.nodes, 1)));
  if (!results.good()) out += "replay: " + replay_command(results) + "\n";
  return out;
}

std::string to_json(const Results& results) {
  const RunFigures& f = results.figures;
  json::object root;
  root["scenario"] = results.scenario.name;
  root["file"] = results.scenario.file;
  root["good"] = results.good();
  root["replay"] = replay_command(results);
  root["seed"] = f.seed;
  root["state_hash"] = fmt::format("{:016x}", f.state_hash);
  root["nodes"] = f.nodes;
  root["adversaries"] = f.adversaries;
  root["connections"] = f.connections;
  root["events"] = f.events;
  root["bytes"] = f.bytes;
  root["virtual_s"] = f.virtual_s;
  root["cpu_s"] = f.cpu_s;
  root["rss_bytes"] = f.rss_bytes;
  json::array works;
  for (const WorkResult& work : results.works) {
    const auto samples = samples_of(results, work.name);
    json::object entry{{"name", work.name}, {"do", word_for(work.what)}, {"count", samples.size()}};
    for (const std::string_view name : {"success", "truthful", "p50", "p99", "max", "hops_mean", "hops_max",
                                        "requests_mean", "requests_p99", "delivered", "duplicates"})
      entry[std::string(name) + (find_measure(name)->unit == Unit::time ? "_ms" : "")] =
          value_of(samples, name);
    json::object outcomes;
    for (const auto& [name, count] : outcomes_of(samples)) outcomes[name] = count;
    entry["outcomes"] = std::move(outcomes);
    json::object misses;
    for (const auto& [why, count] : misses_of(samples)) misses[why] = count;
    entry["misses"] = std::move(misses);
    works.push_back(std::move(entry));
  }
  root["works"] = std::move(works);
  json::array checks;
  for (const Verdict& verdict : results.verdicts) {
    json::object entry{{"measure", verdict.check.measure},
                       {"of", verdict.check.of},
                       {"value", verdict.value},
                       {"holds", verdict.holds}};
    if (verdict.check.at_least) entry["at_least"] = *verdict.check.at_least;
    if (verdict.check.at_most) entry["at_most"] = *verdict.check.at_most;
    checks.push_back(std::move(entry));
  }
  root["checks"] = std::move(checks);
  return json::serialize(root);
}

// ---------------------------------------------------------------------------------------------- plot

namespace {

constexpr int kWidth = 900, kHeight = 520, kLeft = 70, kRight = 20, kTop = 50, kGap = 50, kBottom = 40;
constexpr std::size_t kBuckets = 60;

struct Panel {
  int top;
  int height;
  double y_max;
  double y_of(double value) const { return top + height - value / y_max * height; }
};

double x_of(double share) { return kLeft + share * (kWidth - kLeft - kRight); }

std::string line_of(const Panel& panel, const std::vector<std::optional<double>>& values,
                    std::string_view color) {
  std::string points, out;
  const auto flush = [&] {
    if (!points.empty())
      out += fmt::format("<polyline fill=\"none\" stroke=\"{}\" stroke-width=\"2\" points=\"{}\"/>\n", color,
                         points);
    points.clear();
  };
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!values[i]) continue;
    const double x = x_of((static_cast<double>(i) + 0.5) / static_cast<double>(values.size()));
    points += fmt::format("{:.1f},{:.1f} ", x, panel.y_of(*values[i]));
    out += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"2.5\" fill=\"{}\"/>\n", x,
                       panel.y_of(*values[i]), color);
  }
  flush();
  return out;
}

std::string frame(const Panel& panel, std::string_view title, std::string_view unit) {
  std::string out =
      fmt::format("<text x=\"{}\" y=\"{}\" class=\"t\">{}</text>\n", kLeft, panel.top - 8, title);
  for (int i = 0; i <= 4; ++i) {
    const double value = panel.y_max * i / 4;
    out += fmt::format(
        "<line x1=\"{0}\" x2=\"{1}\" y1=\"{2:.1f}\" y2=\"{2:.1f}\" class=\"g\"/>"
        "<text x=\"{3}\" y=\"{4:.1f}\" class=\"l\" text-anchor=\"end\">{5:.0f}{6}</text>\n",
        kLeft, kWidth - kRight, panel.y_of(value), kLeft - 6, panel.y_of(value) + 4, value, unit);
  }
  return out;
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '<')
      out += "&lt;";
    else if (c == '&')
      out += "&amp;";
    else
      out += c;
  }
  return out;
}

}  // namespace

std::string to_svg(const Results& results) {
  const double end = std::chrono::duration<double>(results.scenario.end).count();
  std::vector<std::vector<const Sample*>> buckets(kBuckets);
  for (const Sample* sample : samples_of(results, "")) {
    const double at = std::chrono::duration<double>(sample->at).count();
    buckets[std::min(kBuckets - 1, static_cast<std::size_t>(at / end * kBuckets))].push_back(sample);
  }
  std::vector<std::optional<double>> p50(kBuckets), p99(kBuckets), success(kBuckets);
  double slowest = 1;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    if (buckets[i].empty()) continue;
    p50[i] = value_of(buckets[i], "p50");
    p99[i] = value_of(buckets[i], "p99");
    success[i] = value_of(buckets[i], "success") * 100;
    slowest = std::max(slowest, *p99[i]);
  }
  const int height = (kHeight - kTop - kGap - kBottom) / 2;
  const Panel above{kTop, height, slowest * 1.05}, below{kTop + height + kGap, height, 100};
  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" font-family=\"sans-serif\">\n"
      "<style>.t{{font-size:13px;font-weight:bold}}.l{{font-size:11px;fill:#555}}.g{{stroke:#ddd}}"
      ".e{{stroke:#c33;stroke-dasharray:4 3}}</style>\n<rect width=\"{0}\" height=\"{1}\" fill=\"white\"/>\n"
      "<text x=\"{2}\" y=\"20\" class=\"t\">{3}, seed {4}</text>\n",
      kWidth, kHeight, kLeft, escaped(results.scenario.name), results.figures.seed);
  out += frame(above, "time to the answer: median (blue), 99 of 100 (orange)", " ms");
  out += frame(below, "success", " %");
  out += line_of(above, p50, "#1f77b4") + line_of(above, p99, "#ff7f0e") + line_of(below, success, "#2ca02c");
  for (const EventSpec& event : results.scenario.events) {
    const double x = x_of(std::chrono::duration<double>(event.at).count() / end);
    out += fmt::format("<line x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1}\" y2=\"{2}\" class=\"e\"/>\n", x, kTop,
                       below.top + below.height);
  }
  for (int i = 0; i <= 6; ++i)
    out += fmt::format("<text x=\"{:.1f}\" y=\"{}\" class=\"l\" text-anchor=\"middle\">{:.0f} s</text>\n",
                       x_of(i / 6.0), below.top + below.height + 18, end * i / 6);
  return out + "</svg>\n";
}

}  // namespace starling::sim
