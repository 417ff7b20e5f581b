#include "proto/kad/provider_store.hpp"

#include <gtest/gtest.h>

#include <set>

#include "proto/kad/kad_testing.hpp"

namespace starling::kad {
namespace {

using testing::info;
using testing::ip4;
using testing::peer;
using testing::public_addr;

const Instant kNow = Instant{} + 1h;
const Instant kEnd = Instant{} + 49h;
const Bytes kKey = to_bytes("key");

TEST(KadProviderStore, KeepsRenewsAndForgets) {
  SeededRng rng(1);
  ProviderStore store(StoreLimits{});
  ASSERT_TRUE(store.add(kKey, info(1), kNow, kNow + 1h));
  ASSERT_TRUE(store.add(kKey, info(2), kNow, kEnd));
  PeerInfo moved = info(1);
  moved.addrs = {public_addr(500)};
  ASSERT_TRUE(store.add(kKey, moved, kNow, kNow + 2h));
  EXPECT_EQ(store.find(kKey, 20, kNow, rng), (std::vector<PeerInfo>{moved, info(2)}));
  EXPECT_EQ(store.find(kKey, 20, kNow + 2h, rng), (std::vector<PeerInfo>{info(2)}));
  EXPECT_TRUE(store.find(to_bytes("other"), 20, kNow, rng).empty());
  EXPECT_EQ(store.expire(kNow + 2h), 1u);
  EXPECT_EQ(store.size(), 1u);
  store.remove(kKey, peer(2));
  store.remove(kKey, peer(2));
  EXPECT_EQ(store.size(), 0u);
  EXPECT_EQ(store.key_count(), 0u);
}

// E.3 #32 (rust-libp2p PR 5536): a provider list could be taken over by ids nearer to the key.
TEST(KadProviderStore, NoNewcomerDisplacesALiveProvider) {
  StoreLimits limits;
  limits.providers_per_key_max = 5;
  ProviderStore store(limits);
  SeededRng rng(1);
  for (std::uint64_t i = 1; i <= 5; ++i) ASSERT_TRUE(store.add(kKey, info(i), kNow, kEnd));
  const auto before = store.find(kKey, 20, kNow, rng);
  for (std::uint64_t i = 100; i < 1100; ++i)  // among them many that are nearer to the key than the five
    EXPECT_EQ(store.add(kKey, info(i), kNow, kEnd + 1h).error(), make_error(Errc::store_full));
  EXPECT_EQ(store.find(kKey, 20, kNow, rng), before);
  EXPECT_TRUE(store.add(kKey, info(100), kEnd, kEnd + 1h));  // the dead make room
  EXPECT_EQ(store.size(), 1u);
}

TEST(KadProviderStore, OneOperatorDoesNotFillAList) {
  ProviderStore store(StoreLimits{});
  std::size_t taken = 0;
  for (int i = 0; i < 64; ++i) {
    const PeerInfo sybil{peer(static_cast<std::uint64_t>(i)), {ip4(66, 7, i, 1)}, {}};
    taken += store.add(kKey, sybil, kNow, kEnd) ? 1u : 0u;
  }
  EXPECT_EQ(taken, kProvidersPerGroupMax);
  EXPECT_TRUE(store.add(kKey, info(1000), kNow, kEnd));
}

// E.2 #9: a million keys.
TEST(KadProviderStore, BoundsEntriesInAllAndPerPeer) {
  StoreLimits limits;
  limits.providers_max = 100;
  limits.provided_keys_per_peer_max = 60;
  ProviderStore store(limits);
  std::size_t taken = 0;
  for (std::uint64_t i = 0; i < 10'000; ++i)
    taken += store.add(testing::seq_key(i), info(1), kNow, kEnd) ? 1u : 0u;
  EXPECT_EQ(taken, 60u);
  for (std::uint64_t i = 0; i < 10'000; ++i)
    taken += store.add(testing::seq_key(i), info(2), kNow, kEnd) ? 1u : 0u;
  EXPECT_EQ(taken, 100u);
  EXPECT_EQ(store.size(), 100u);
  EXPECT_EQ(store.expire(kEnd), 100u);
  EXPECT_EQ(store.key_count(), 0u);
  EXPECT_TRUE(store.add(kKey, info(1), kEnd, kEnd + 1h));
}

TEST(KadProviderStore, SamplesALongList) {
  StoreLimits limits;
  ProviderStore store(limits);
  SeededRng rng(testkit::seed(5));
  for (std::uint64_t i = 0; i < 60; ++i) ASSERT_TRUE(store.add(kKey, info(i), kNow, kEnd));
  std::set<PeerId> seen;
  for (int ask = 0; ask < 60; ++ask) {
    const auto found = store.find(kKey, 20, kNow, rng);
    EXPECT_EQ(found.size(), 20u);
    for (const PeerInfo& provider : found) seen.insert(provider.id);
  }
  EXPECT_EQ(seen.size(), 60u);
}

}  // namespace
}  // namespace starling::kad
