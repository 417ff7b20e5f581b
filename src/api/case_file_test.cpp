#include "api/case_file.hpp"

#include <gmock/gmock.h>

#include <map>

#include "testkit/testkit.hpp"

namespace starling::api {
namespace {

TEST(CaseFile, EveryCaseOfTheProtocolEndsAsTheFileSaysAtTheVeryCheck) {
  const auto cases = parse_cases(testkit::read_repo_file("tests/conformance/vectors/agent/cases.json"));
  ASSERT_TRUE(cases.has_value()) << cases.error().where;
  std::map<std::string, int> counts;
  for (const auto& [input, expected, why] : *cases) {
    const agent::CaseResult got = agent::judge_case(input);
    EXPECT_THAT(agent::differences(expected, got, agent::RowRule::exact), testing::IsEmpty())
        << input.kind << ": " << input.name << " (" << why << "); got " << got.explanation;
    ++counts[input.kind];
  }
  const std::map<std::string, int> wanted{{"announcement", 14}, {"delegation", 37}, {"dial", 5},
                                          {"envelope", 53},     {"frame", 7},       {"open", 13},
                                          {"presence", 44},     {"pubsub", 13},     {"receipt", 19},
                                          {"selector", 6},      {"status", 12},     {"stream", 16}};
  EXPECT_EQ(counts, wanted);
}

TEST(CaseFile, SaysWhichMemberOfWhichCaseCannotBeRead) {
  const std::string head =
      R"({"network":"starling","me":"9a6ba754742841f0fe3bb61eb58724cdaa97e1a0",)"
      R"("bob_seal_private":"b5f34a71af781669f3de56bc76df0e5ab30682725840cb1200331b86b69aa758",)";
  const auto error_of = [&](const std::string& cases) {
    const auto parsed = parse_cases(head + "\"cases\":" + cases + "}");
    return parsed ? std::string("none") : parsed.error().where;
  };
  EXPECT_EQ(error_of("[]"), "none");
  EXPECT_EQ(error_of("7"), "no array \"cases\"");
  EXPECT_EQ(error_of(R"([{"kind":"delegation","input":"zz"}])"), "case 1, \"input\"");
  EXPECT_EQ(error_of(R"([{"kind":"delegation","input":[{"byte":"00","times":"99999999999"}]}])"),
            "case 1, \"times\"");
  EXPECT_EQ(error_of(R"([{"kind":"dial","input":[]},{"kind":"status","now":-1}])"), "case 2, \"now\"");
  EXPECT_TRUE(parse_cases("{").error().where.starts_with("not JSON"));
}

}  // namespace
}  // namespace starling::api
