#include "base/node_map.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "base/rng.hpp"

namespace starling {
namespace {

TEST(NodeMap, AgreesWithAnOrderedMapThroughAnyCourse) {
  SeededRng rng(7);
  NodeMap<int, std::string> map;
  std::map<int, std::string> model;
  for (int step = 0; step < 20'000; ++step) {
    const int key = static_cast<int>(rng.below(200));
    switch (rng.below(3)) {
      case 0: map[key] = model[key] = std::to_string(step); break;
      case 1: ASSERT_EQ(map.erase(key), model.erase(key) > 0); break;
      default:
        ASSERT_EQ(map.contains(key), model.contains(key));
        if (const std::string* found = map.find(key)) {
          ASSERT_EQ(*found, model.at(key));
        }
    }
    ASSERT_EQ(map.size(), model.size());
    ASSERT_EQ(map.empty(), model.empty());
  }
  std::map<int, std::string> all;
  map.for_each([&](int key, const std::string& value) { EXPECT_TRUE(all.emplace(key, value).second); });
  EXPECT_EQ(all, model);
}

TEST(NodeMap, LeavesEntriesWhereTheyAreWhileOthersComeAndGo) {
  NodeMap<int, int> map;
  const int* first = &map[1];
  for (int key = 2; key < 1'000; ++key) map[key] = key;
  for (int key = 2; key < 1'000; key += 2) map.erase(key);
  EXPECT_EQ(map.find(1), first);
}

}  // namespace
}  // namespace starling
