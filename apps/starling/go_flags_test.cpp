#include "go_flags.hpp"

#include <gtest/gtest.h>

namespace starling::cli {
namespace {

using namespace std::chrono_literals;
using Type = GoFlags::Type;

GoFlags some_flags() {
  GoFlags flags;
  flags.add("listen", Type::text, "here", "where to listen");
  flags.add("q", Type::toggle, "false", "be quiet");
  flags.add("echo", Type::toggle, "true", "answer");
  flags.add("low", Type::number, "16", "low water");
  flags.add("grace", Type::duration, "120s", "patience");
  return flags;
}

GoFlags parsed(const std::vector<std::string>& arguments) {
  GoFlags flags = some_flags();
  const auto outcome = flags.parse(arguments);
  EXPECT_TRUE(outcome) << outcome.failure().message;
  return flags;
}

std::string refusal_of(const std::vector<std::string>& arguments) {
  GoFlags flags = some_flags();
  const auto outcome = flags.parse(arguments);
  return outcome ? "taken" : outcome.failure().message;
}

TEST(GoFlags, WhatIsNotGivenIsAsItWasAdded) {
  const auto flags = parsed({});
  EXPECT_EQ(flags.text("listen"), "here");
  EXPECT_FALSE(flags.on("q"));
  EXPECT_TRUE(flags.on("echo"));
  EXPECT_EQ(flags.number("low"), 16);
  EXPECT_EQ(flags.duration("grace"), 2min);
  for (const auto* name : {"listen", "q", "echo", "low", "grace"}) EXPECT_FALSE(flags.given(name)) << name;
}

TEST(GoFlags, OneDashIsAsGoodAsTwo) {
  for (const std::string dashes : {"-", "--"}) {
    const auto flags = parsed({dashes + "listen=there", dashes + "q", dashes + "low", "-3"});
    EXPECT_EQ(flags.text("listen"), "there");
    EXPECT_TRUE(flags.on("q"));
    EXPECT_EQ(flags.number("low"), -3);
    EXPECT_TRUE(flags.given("q"));
    EXPECT_FALSE(flags.given("echo"));
  }
}

TEST(GoFlags, AValueStandsBehindAnEqualsSignOrInTheNextArgument) {
  EXPECT_EQ(parsed({"-listen=a=b"}).text("listen"), "a=b");
  EXPECT_EQ(parsed({"-listen", "a=b"}).text("listen"), "a=b");
  EXPECT_EQ(parsed({"-listen="}).text("listen"), "");
  EXPECT_EQ(parsed({"-listen", "-q"}).text("listen"), "-q");  // taken as it stands, as in Go
  EXPECT_FALSE(parsed({"-listen", "-q"}).on("q"));
}

TEST(GoFlags, ASwitchTakesItsValueOnlyBehindAnEqualsSign) {
  for (const auto* yes : {"1", "t", "T", "true", "TRUE", "True"})
    EXPECT_TRUE(parsed({std::string("-q=") + yes}).on("q")) << yes;
  for (const auto* no : {"0", "f", "F", "false", "FALSE", "False"})
    EXPECT_FALSE(parsed({std::string("-echo=") + no}).on("echo")) << no;
  const auto flags = parsed({"-echo", "false", "-q"});  // `false` is the first argument without a dash
  EXPECT_TRUE(flags.on("echo"));
  EXPECT_FALSE(flags.on("q"));
}

TEST(GoFlags, EndAtTheFirstArgumentWithoutADash) {
  for (const auto* end : {"word", "--", "-", ""}) {
    const auto flags = parsed({"-low=1", end, "-low=2", "-nonsense"});
    EXPECT_EQ(flags.number("low"), 1) << "'" << end << "'";
  }
}

TEST(GoFlags, TheLastOfTwoCounts) { EXPECT_EQ(parsed({"-low=1", "-low", "2"}).number("low"), 2); }

TEST(GoFlags, RefusalsNameTheFlag) {
  EXPECT_EQ(refusal_of({"-nonsense"}), "flag provided but not defined: -nonsense");
  EXPECT_EQ(refusal_of({"--nonsense=1"}), "flag provided but not defined: -nonsense");
  EXPECT_EQ(refusal_of({"-=1"}), "flag provided but not defined: -");
  EXPECT_EQ(refusal_of({"-q", "-low"}), "flag needs an argument: -low");
  EXPECT_EQ(refusal_of({"-q=maybe"}), "invalid value \"maybe\" for flag -q");
  EXPECT_EQ(refusal_of({"-q="}), "invalid value \"\" for flag -q");
}

TEST(GoFlags, ANumberIsOneWholeNumberOf64Bits) {
  EXPECT_EQ(parsed({"-low=9223372036854775807"}).number("low"), INT64_MAX);
  for (const auto* bad : {"", "x", "1x", " 1", "1.5", "9223372036854775808"})
    EXPECT_EQ(refusal_of({"-low", bad}), std::string("invalid value \"") + bad + "\" for flag -low");
}

TEST(GoFlags, ADurationIsCountsWithUnits) {
  EXPECT_EQ(GoFlags::parse_duration("0"), 0ns);
  EXPECT_EQ(GoFlags::parse_duration("100ms"), 100ms);
  EXPECT_EQ(GoFlags::parse_duration("1h2m3.5s"), 1h + 2min + 3500ms);
  EXPECT_EQ(GoFlags::parse_duration("1.5us"), 1500ns);
  EXPECT_EQ(GoFlags::parse_duration("2µs"), 2us);
  EXPECT_EQ(GoFlags::parse_duration("7ns"), 7ns);
  EXPECT_EQ(GoFlags::parse_duration("2562047h"), 2562047h);
  for (const auto* bad : {"", "1", "s", "-1s", "1x", "1s2", "1 s", "2562048h", "1e3s", "nan s", "inf"})
    EXPECT_EQ(GoFlags::parse_duration(bad), std::nullopt) << bad;
  EXPECT_EQ(parsed({"-grace", "1m"}).duration("grace"), 1min);
  EXPECT_EQ(refusal_of({"-grace=5"}), "invalid value \"5\" for flag -grace");
}

TEST(GoFlags, HelpIsAskedForByHOrHelpAndEndsTheFlags) {
  for (const auto* ask : {"-h", "--h", "-help", "--help"}) {
    const auto flags = parsed({"-q", ask, "-nonsense"});
    EXPECT_TRUE(flags.wants_help()) << ask;
    EXPECT_TRUE(flags.on("q"));
  }
  EXPECT_FALSE(parsed({"-q"}).wants_help());
}

TEST(GoFlags, HelpNamesEveryFlagWithItsKindAndWhatItIsOtherwise) {
  EXPECT_EQ(some_flags().help(),
            "  -echo\n    \tanswer (default true)\n"
            "  -grace duration\n    \tpatience (default 120s)\n"
            "  -listen string\n    \twhere to listen (default here)\n"
            "  -low int\n    \tlow water (default 16)\n"
            "  -q\n    \tbe quiet\n");
}

}  // namespace
}  // namespace starling::cli
