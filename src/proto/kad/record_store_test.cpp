#include "proto/kad/record_store.hpp"

#include <gtest/gtest.h>

#include <map>

#include "proto/kad/kad_testing.hpp"

namespace starling::kad {
namespace {

using testing::peer;
using testing::seq_key;
using testing::seq_value;

const KadId kSelf = KadId::of(peer(0));

StoredRecord record(std::uint64_t value, const PeerId& from = {}, std::uint64_t ends = 1000) {
  return {seq_value(value), WallTime::from_ms(1), WallTime::from_ms(ends), from};
}

/// Keys sorted by their distance from us, nearest first.
std::vector<Bytes> keys(std::size_t count) {
  std::vector<Bytes> out;
  for (std::uint64_t i = 0; i < count; ++i) out.push_back(seq_key(i));
  std::sort(out.begin(), out.end(), [](const Bytes& a, const Bytes& b) {
    return nearer(kSelf, KadId::of(ByteView(a)), KadId::of(ByteView(b)));
  });
  return out;
}

TEST(KadRecordStore, KeepsReplacesAndForgets) {
  MemoryRecordStore store(kSelf, StoreLimits{});
  EXPECT_FALSE(store.find(seq_key(1)));
  ASSERT_TRUE(store.put(seq_key(1), record(7)));
  ASSERT_TRUE(store.put(seq_key(1), record(8)));
  EXPECT_EQ(store.find(seq_key(1))->value, seq_value(8));
  EXPECT_EQ(store.size(), 1u);
  store.erase(seq_key(1));
  store.erase(seq_key(1));
  EXPECT_EQ(store.size(), 0u);
  EXPECT_EQ(store.size_bytes(), 0u);
}

TEST(KadRecordStore, DropsWhatHasEnded) {
  MemoryRecordStore store(kSelf, StoreLimits{});
  for (std::uint64_t i = 0; i < 10; ++i) ASSERT_TRUE(store.put(seq_key(i), record(1, peer(1), 100 + i)));
  EXPECT_EQ(store.expire(WallTime::from_ms(104)), 5u);
  EXPECT_EQ(store.size(), 5u);
  EXPECT_FALSE(store.find(seq_key(4)));
  EXPECT_TRUE(store.find(seq_key(5)));
}

// E.2 #9: store eviction.
TEST(KadRecordStore, WhenFullTheFarthestMakesRoomForANearer) {
  StoreLimits limits;
  limits.records_max = 10;
  MemoryRecordStore store(kSelf, limits);
  const auto all = keys(30);
  for (std::size_t i = 10; i < 20; ++i) ASSERT_TRUE(store.put(all[i], record(1)));
  EXPECT_EQ(store.put(all[20], record(1)).error(), make_error(Errc::store_full));
  EXPECT_EQ(store.size(), 10u);
  ASSERT_TRUE(store.put(all[0], record(1)));
  EXPECT_EQ(store.size(), 10u);
  EXPECT_FALSE(store.find(all[19]));
  EXPECT_TRUE(store.find(all[18]));
  // A flood of far keys changes nothing.
  for (std::size_t i = 19; i < 30; ++i) EXPECT_FALSE(store.put(all[i], record(1)));
  for (std::size_t i = 10; i < 19; ++i) EXPECT_TRUE(store.find(all[i]));
}

TEST(KadRecordStore, BoundsBytesToo) {
  StoreLimits limits;
  limits.record_bytes_max = 20'000;
  MemoryRecordStore store(kSelf, limits);
  const auto all = keys(100);
  StoredRecord big = record(1);
  big.value = Bytes(4000, 'v');
  for (std::size_t i = all.size(); i-- > 0;) (void)store.put(all[i], big);
  EXPECT_LE(store.size_bytes(), limits.record_bytes_max);
  EXPECT_EQ(store.size(), 4u);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_TRUE(store.find(all[i]));
  // A replacement that would not fit leaves what was there.
  big.value = Bytes(12'000, 'w');
  EXPECT_EQ(store.put(all[0], big).error(), make_error(Errc::store_full));
  EXPECT_EQ(store.find(all[0])->value.size(), 4000u);
  // One that can never fit drops nobody.
  big.value = Bytes(30'000, 'x');
  EXPECT_FALSE(store.put(seq_key(5000), big));
  EXPECT_EQ(store.size(), 4u);
}

// E.3 #28, E.2 #9: one peer cannot fill the disk.
TEST(KadRecordStore, GivesEachPeerAShare) {
  StoreLimits limits;
  limits.records_per_peer_max = 3;
  MemoryRecordStore store(kSelf, limits);
  for (std::uint64_t i = 0; i < 3; ++i) ASSERT_TRUE(store.put(seq_key(i), record(1, peer(1))));
  EXPECT_EQ(store.put(seq_key(3), record(1, peer(1))).error(), make_error(Errc::store_full));
  EXPECT_TRUE(store.put(seq_key(3), record(1, peer(2))));
  EXPECT_TRUE(store.put(seq_key(4), record(1)));           // ourselves
  EXPECT_TRUE(store.put(seq_key(0), record(2, peer(1))));  // replacing takes no more
  EXPECT_TRUE(store.put(seq_key(3), record(2, peer(1))));  // correcting another's record neither
  store.erase(seq_key(1));
  EXPECT_TRUE(store.put(seq_key(5), record(1, peer(1))));  // the share returns with the record
  EXPECT_EQ(store.put(seq_key(6), record(1, peer(1))).error(), make_error(Errc::store_full));
}

TEST(KadRecordStore, BehavesAsItsModelUnderRandomOperations) {
  SeededRng rng(testkit::seed(31));
  StoreLimits limits;
  limits.records_max = 20;
  limits.records_per_peer_max = 8;
  MemoryRecordStore store(kSelf, limits);
  std::map<Bytes, StoredRecord> model;
  const auto nearest_first = [](const Bytes& a, const Bytes& b) {
    return nearer(kSelf, KadId::of(ByteView(a)), KadId::of(ByteView(b)));
  };
  for (int step = 0; step < 5000; ++step) {
    const Bytes key = seq_key(rng.below(60));
    const auto known = model.find(key);
    switch (rng.below(5)) {
      case 0:
        store.erase(key);
        model.erase(key);
        break;
      case 1: {
        const auto now = WallTime::from_ms(rng.below(400));
        EXPECT_EQ(store.expire(now),
                  std::erase_if(model, [&](const auto& e) { return e.second.expires <= now; }));
        break;
      }
      default: {
        auto put = record(rng.below(100), peer(1 + rng.below(5)), 400 + rng.below(400));
        const auto result = store.put(key, put);
        if (known != model.end()) {
          EXPECT_TRUE(result);
          put.from = known->second.from;
          known->second = put;
          break;
        }
        const auto share = std::count_if(model.begin(), model.end(),
                                         [&](const auto& e) { return e.second.from == put.from; });
        bool expected = static_cast<std::size_t>(share) < limits.records_per_peer_max;
        if (expected && model.size() == limits.records_max) {
          const auto farthest =
              std::max_element(model.begin(), model.end(),
                               [&](const auto& a, const auto& b) { return nearest_first(a.first, b.first); });
          expected = nearest_first(key, farthest->first);
          if (expected) model.erase(farthest);
        }
        EXPECT_EQ(result.has_value(), expected);
        if (expected) model[key] = put;
        break;
      }
    }
    ASSERT_EQ(store.size(), model.size()) << "step " << step;
    for (const auto& [k, v] : model) {
      const auto found = store.find(k);
      ASSERT_TRUE(found);
      EXPECT_EQ(found->value, v.value);
      EXPECT_EQ(found->from, v.from);
    }
  }
}

}  // namespace
}  // namespace starling::kad
