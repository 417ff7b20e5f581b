#include "drop_report.hpp"

#include <gtest/gtest.h>

namespace starling::cli {
namespace {

using daemon::Drops;

TEST(DropReport, SaysNothingWhenNothingWasDroppedSince) {
  EXPECT_FALSE(drop_report({}, {}));
  const Drops drops{3, {{"news", 2}}, 1};
  EXPECT_FALSE(drop_report(drops, drops));
}

TEST(DropReport, NamesTheTopicWhoseSubscribersDoNotRead) {
  EXPECT_EQ(drop_report({0, {{"news", 5}}, 0}, {0, {{"news", 2}}, 0}),
            "gossip messages dropped: 3 for subscribers that do not read topic \"news\"");
}

TEST(DropReport, OfSeveralTopicsNamesTheOneThatLostMostSince) {
  const Drops before{0, {{"news", 100}, {"weather", 1}}, 0};
  const Drops now{0, {{"markets", 3}, {"news", 102}, {"weather", 8}}, 4};
  EXPECT_EQ(drop_report(now, before),
            "gossip messages dropped: 16 for subscribers that do not read, of these 7 of topic \"weather\"");
}

TEST(DropReport, TellsThoseThatNobodyGot) {
  EXPECT_EQ(drop_report({7, {}, 0}, {2, {}, 0}),
            "gossip messages dropped: 5 for every subscriber, because they came too fast");
  EXPECT_EQ(drop_report({1, {}, 9}, {}),
            "gossip messages dropped: 9 for subscribers that do not read; 1 for every subscriber, "
            "because they came too fast");
}

TEST(DropReport, ATopicCannotWriteOnTheTerminal) {
  EXPECT_EQ(drop_report({0, {{"a\x1b[2J\n", 1}}, 0}, {}),
            "gossip messages dropped: 1 for subscribers that do not read topic \"a\\x1b[2J\\n\"");
}

}  // namespace
}  // namespace starling::cli
