// Every case of cases.json, with its verdict and the check that decides.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "conformance/agent_vectors.hpp"

namespace starling::agent {
namespace {

TEST(AgentCases, EveryCaseEndsAsTheFileSaysAtTheVeryCheck) {
  const auto cases = vectors::all_cases();
  std::map<std::string, int> counts;
  for (const auto& [input, expected, why] : cases) {
    const CaseResult got = judge_case(input);
    EXPECT_THAT(differences(expected, got, RowRule::exact), testing::IsEmpty())
        << input.kind << ": " << input.name << " (" << why << "); got " << got.explanation;
    ++counts[input.kind];
  }
  EXPECT_EQ(cases.size(), 239U);
  const std::map<std::string, int> wanted{{"announcement", 14}, {"delegation", 37}, {"dial", 5},
                                          {"envelope", 53},     {"frame", 7},       {"open", 13},
                                          {"presence", 44},     {"pubsub", 13},     {"receipt", 19},
                                          {"selector", 6},      {"status", 12},     {"stream", 16}};
  EXPECT_EQ(counts, wanted);
}

TEST(AgentCases, DifferencesNameWhatIsWrong) {
  CaseResult expected;
  expected.verdict = "reject";
  expected.check = 3;
  expected.deliver = false;
  CaseResult got = expected;
  EXPECT_THAT(differences(expected, got, RowRule::exact), testing::IsEmpty());
  got.check = 5;
  EXPECT_THAT(differences(expected, got, RowRule::exact), testing::ElementsAre("check: expected 3, got 5"));
  EXPECT_THAT(differences(expected, got, RowRule::three_or_five), testing::IsEmpty());
  got.verdict = "ignore";
  got.check = 4;
  got.deliver.reset();
  EXPECT_THAT(differences(expected, got, RowRule::three_or_five),
              testing::ElementsAre("verdict: expected reject, got ignore", "check: expected 3, got 4",
                                   "deliver: expected false, got nothing"));
}

TEST(AgentCases, AnUnknownKindIsSaidToBeOne) {
  Case one;
  one.kind = "mailbox";
  EXPECT_EQ(judge_case(one).verdict, "unknown kind");
}

}  // namespace
}  // namespace starling::agent
