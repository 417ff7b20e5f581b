#include <gtest/gtest.h>

#include "sim/report.hpp"
#include "sim/run.hpp"
#include "testkit/testkit.hpp"

namespace starling::sim {
namespace {

constexpr std::string_view kSmall = R"(
name = "small"
[network]
nodes = 24
servers = 0.3
servers_join_over = "2s"
agents_join_over = "2s"
settle = "10s"
[[workload]]
do = "lookup"
name = "lookups"
count = 20
over = "5s"
[[check]]
of = "lookups"
measure = "success"
at_least = 1.0
)";

Scenario parsed(std::string_view text) {
  auto scenario = parse_scenario(text, "test.toml");
  EXPECT_TRUE(scenario.has_value()) << (scenario ? "" : scenario.error().text);
  return scenario.value_or(Scenario{});
}

std::string refusal(const std::string& text) {
  const auto scenario = parse_scenario(text, "test.toml");
  return scenario ? "accepted" : scenario.error().text;
}

std::string with(std::string_view line_after_network) {
  std::string text(kSmall);
  const std::string anchor = "[network]\n";
  return text.replace(text.find(anchor), anchor.size(), anchor + std::string(line_after_network) + "\n");
}

TEST(Scenario, AnUnknownKeyIsAnErrorThatNamesItsLine) {
  EXPECT_TRUE(
      refusal(with("node = 3")).starts_with("test.toml:4: [network] unknown key `node`; there are: "));
  EXPECT_TRUE(
      refusal(std::string(kSmall) + "at_last = 1\n").starts_with("test.toml:18: [[check]] unknown key"));
  EXPECT_TRUE(refusal("names = 1\n" + std::string(kSmall)).starts_with("test.toml:1: unknown key `names`"));
}

TEST(Scenario, WhatCannotFailIsRefused) {
  const std::string text(kSmall);
  EXPECT_NE(refusal(text.substr(0, text.find("[[check]]"))).find("no [[check]]"), std::string::npos);
  EXPECT_NE(refusal(text.substr(0, text.find("[[workload]]"))).find("no [[workload]]"), std::string::npos);
  EXPECT_NE(refusal(text.substr(0, text.find("at_least"))).find("neither `at_least` nor `at_most`"),
            std::string::npos);
}

TEST(Scenario, ValuesOutOfRangeAndReferencesToNothingAreErrors) {
  EXPECT_NE(refusal(with("settle = \"10 seconds\"")).find("test.toml:"), std::string::npos);
  EXPECT_NE(refusal(with("behind_nat = 1.5")).find("`behind_nat`"), std::string::npos);
  EXPECT_NE(refusal(with("gossip = 1")).find("`gossip` must be true or false"), std::string::npos);
  EXPECT_NE(refusal("level = \"C\"\n" + std::string(kSmall)).find("`level`"), std::string::npos);
  EXPECT_NE(
      refusal("level = \"B\"\n" + std::string(kSmall) + "[[adversary]]\nkind = \"silent\"\nshare = 0.1\n")
          .find("no adversaries"),
      std::string::npos);
  const std::string text(kSmall);
  EXPECT_NE(
      refusal(text + "[[event]]\nat = \"1s\"\ndo = \"crash\"\nwho = \"ghosts\"\n").find("no group `ghosts`"),
      std::string::npos);
  EXPECT_NE(refusal(text + "[[event]]\nat = \"1s\"\ndo = \"explode\"\n").find("one of crash"),
            std::string::npos);
  EXPECT_NE(refusal(text + "[[check]]\nof = \"nothing\"\nmeasure = \"p50\"\nat_most = \"1s\"\n")
                .find("names no workload"),
            std::string::npos);
  EXPECT_NE(refusal(text + "[[check]]\nmeasure = \"luck\"\nat_least = 1\n").find("one of success"),
            std::string::npos);
  EXPECT_NE(refusal(text + "[[workload]]\ndo = \"message\"\nname = \"m\"\ncount = 1\n").find("gossip = true"),
            std::string::npos);
  EXPECT_NE(refusal("end = \"1s\"\n" + text).find("`end` is before"), std::string::npos);
  EXPECT_NE(refusal("[network").find("test.toml:1: "), std::string::npos);
}

TEST(Scenario, TimesHaveAUnit) {
  EXPECT_EQ(parse_duration("250ms"), Duration(250ms));
  EXPECT_EQ(parse_duration("3s"), Duration(3s));
  EXPECT_EQ(parse_duration("5min"), Duration(5min));
  EXPECT_EQ(parse_duration("2h"), Duration(2h));
  for (const auto* wrong : {"", "5", "s", "-5s", "5 s", "5m", "1.5s", "99999999999s"})
    EXPECT_FALSE(parse_duration(wrong).has_value()) << wrong;
}

/// One value for all compilers. A change of the node's behaviour changes it, and is then meant: put the new
/// value here.
TEST(ScenarioRun, GivesTheSameStateHashOnEveryCompiler) {
  const auto scenario = parsed(kSmall);
  const auto first = run_scenario(scenario);
  const auto second = run_scenario(scenario);
  EXPECT_EQ(first.figures.state_hash, second.figures.state_hash);
  EXPECT_EQ(first.figures.state_hash, 5344363391124479214ULL);
  RunOptions other;
  other.seed = 2;
  EXPECT_NE(run_scenario(scenario, other).figures.state_hash, first.figures.state_hash);
}

TEST(ScenarioRun, AFailedCheckIsReportedWithTheCommandThatRepeatsTheRun) {
  std::string text(kSmall);
  text += "[[check]]\nof = \"lookups\"\nmeasure = \"p99\"\nat_most = \"1ms\"\n";
  const auto results = run_scenario(parsed(text));
  EXPECT_FALSE(results.good());
  const std::string table = to_table(results);
  EXPECT_NE(table.find("ok     success of lookups: 100.000 %"), std::string::npos) << table;
  EXPECT_NE(table.find("FAILED p99 of lookups"), std::string::npos);
  EXPECT_NE(table.find("replay: starling sim test.toml --seed 1"), std::string::npos);
  EXPECT_NE(to_json(results).find("\"holds\":false"), std::string::npos);
  const auto good = run_scenario(parsed(kSmall));
  EXPECT_TRUE(good.good());
  EXPECT_EQ(to_table(good).find("replay:"), std::string::npos);
  EXPECT_NE(to_svg(good).find("</svg>"), std::string::npos);
}

TEST(ScenarioRun, WithoutServersLookupsAreMissedAndTheCheckFails) {
  std::string text(kSmall);
  text += "[[event]]\nat = \"0s\"\ndo = \"vanish\"\nwho = \"servers\"\n";
  const auto results = run_scenario(parsed(text));
  EXPECT_FALSE(results.good());
  const auto samples = samples_of(results, "lookups");
  ASSERT_EQ(samples.size(), 20u);
  EXPECT_LT(find_measure("success")->of(samples), 0.5);
}

TEST(ScenarioRun, ACheckOverNoSamplesDoesNotHold) {
  Results results;
  CheckSpec check;
  check.measure = "forged";
  check.at_most = 0;
  results.scenario.checks.push_back(check);
  judge(results);
  EXPECT_FALSE(results.good());
}

TEST(Measures, QuantilesAreNearestRanksAndLeaveOutWhatHasNotEnded) {
  std::vector<Sample> samples(101);
  std::vector<const Sample*> all;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    samples[i].took = std::chrono::milliseconds(i + 1);
    samples[i].outcome = i == 100 ? Outcome::pending : Outcome::found;
    all.push_back(&samples[i]);
  }
  EXPECT_EQ(find_measure("p50")->of(all), 50);
  EXPECT_EQ(find_measure("p99")->of(all), 99);
  EXPECT_EQ(find_measure("max")->of(all), 100);
  EXPECT_EQ(find_measure("pending")->of(all), 1);
  EXPECT_NEAR(find_measure("success")->of(all), 100.0 / 101, 1e-9);
}

/// Every ```toml block of the page is a whole scenario, and holds what it promises.
TEST(SimulatorPage, ItsExamplesRunAndTheirChecksHold) {
  const std::string page = testkit::read_repo_file("docs/simulator.md");
  std::size_t count = 0;
  for (std::size_t at = page.find("```toml\n"); at != std::string::npos; at = page.find("```toml\n", at)) {
    at += 8;
    const std::string text = page.substr(at, page.find("```", at) - at);
    const auto results = run_scenario(parsed(text));
    EXPECT_TRUE(results.good()) << to_table(results);
    ++count;
  }
  EXPECT_GE(count, 2u);
}

/// The page names every key that the reader knows: an unknown key's error lists them.
TEST(SimulatorPage, NamesEveryKeyAndEveryMeasure) {
  const std::string page = testkit::read_repo_file("docs/simulator.md");
  const auto names_all = [&](std::string list) {
    list = list.substr(list.find("there are: ") + 11);
    for (std::size_t at = 0; at < list.size();) {
      const std::size_t end = std::min(list.find(", ", at), list.size());
      const std::string name = list.substr(at, end - at);
      EXPECT_NE(page.find("`" + name + "`"), std::string::npos) << name;
      at = end + 2;
    }
  };
  names_all(refusal("x = 1\n" + std::string(kSmall)));
  names_all(refusal(with("x = 1")));
  const std::string text(kSmall);
  names_all(refusal(text + "[links]\nx = 1\n"));
  names_all(refusal(text + "[[adversary]]\nkind = \"silent\"\nshare = 0.1\nx = 1\n"));
  names_all(refusal(text + "[[event]]\nat = \"1s\"\ndo = \"heal\"\nx = 1\n"));
  names_all(refusal(text + "[[workload]]\ndo = \"lookup\"\nname = \"l\"\ncount = 1\nx = 1\n"));
  names_all(refusal(text + "[[check]]\nmeasure = \"p50\"\nat_most = \"1s\"\nx = 1\n"));
  names_all("there are: " + measure_names());
}

}  // namespace
}  // namespace starling::sim
