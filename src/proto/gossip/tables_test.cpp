// The router's tables one by one: peers, topics, seen ids, message cache, backoffs, promises, deliveries,
// validations.
#include <gmock/gmock.h>

#include <deque>
#include <set>

#include "proto/gossip/backoff.hpp"
#include "proto/gossip/deliveries.hpp"
#include "proto/gossip/keyed_hash.hpp"
#include "proto/gossip/mcache.hpp"
#include "proto/gossip/peers.hpp"
#include "proto/gossip/promises.hpp"
#include "proto/gossip/router_fixtures.hpp"
#include "proto/gossip/seen_cache.hpp"
#include "proto/gossip/topics.hpp"
#include "proto/gossip/validations.hpp"

namespace starling::gossip {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr Instant at_s(std::int64_t seconds) { return Instant::from_ns(seconds * 1'000'000'000); }

PeerRef ref(std::uint32_t number) { return {number, number + 100}; }
MessageId id_of(std::uint64_t number) {
  MessageId id;
  put_u64_be(id, number);
  return id;
}

TEST(GossipKeyedHash, IsSipHash24) {
  // The example of the SipHash paper, appendix A: key 00..0f, input 00..0e.
  FixedBytes<16> key;
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::uint8_t>(i);
  Bytes input(15);
  for (std::size_t i = 0; i < input.size(); ++i) input[i] = static_cast<std::uint8_t>(i);
  EXPECT_EQ(KeyedHash(key)(input), 0xa129ca6149be45e5ULL);
  // First and ninth entry of the reference implementation's vectors_sip64: empty input, and eight bytes.
  EXPECT_EQ(KeyedHash(key)({}), 0x726fdb47dd0e0e31ULL);
  EXPECT_EQ(KeyedHash(key)(ByteView(input).first(8)), 0x93f5f5799a932462ULL);
}

TEST(GossipSeenCache, RemembersForTheWholeTimeAndAQuarterLongerAtMost) {
  SeenCache cache(120s, 1000);
  EXPECT_TRUE(cache.insert(7, at_s(0)));
  EXPECT_FALSE(cache.insert(7, at_s(1)));
  for (std::int64_t t = 1; t <= 120; ++t) {
    cache.expire(at_s(t));
    ASSERT_TRUE(cache.contains(7)) << t;
  }
  cache.expire(at_s(150));
  EXPECT_FALSE(cache.contains(7));
  EXPECT_TRUE(cache.insert(7, at_s(150)));
}

TEST(GossipSeenCache, ForgetsEverythingOverALongSleep) {
  SeenCache cache(120s, 1000);
  for (std::uint64_t i = 0; i < 100; ++i) cache.insert(i, at_s(static_cast<std::int64_t>(i)));
  cache.expire(Instant::never());
  EXPECT_EQ(cache.size(), 0U);
  EXPECT_EQ(cache.memory_bytes(), 0U);
}

TEST(GossipSeenCache, StaysWithinItsCapacityAndKeepsTheNewest) {
  SeenCache cache(120s, 1000);
  for (std::uint64_t i = 0; i < 100000; ++i) cache.insert(i, at_s(1));
  EXPECT_LE(cache.size(), 1000U);
  EXPECT_GE(cache.size(), 800U);
  EXPECT_TRUE(cache.contains(99999));
  EXPECT_FALSE(cache.contains(0));
}

TEST(GossipSeenCache, AgreesWithAModelThatKeepsTimes) {
  SeededRng rng(testkit::seed(2));
  SeenCache cache(60s, 100000);
  std::map<std::uint64_t, Instant> model;
  Instant now = at_s(0);
  for (int i = 0; i < 20000; ++i) {
    now = now + Duration(static_cast<std::int64_t>(rng.below(200'000'000)));
    const std::uint64_t value = rng.below(500);
    const bool fresh = cache.insert(value, now);
    const auto it = model.find(value);
    if (it == model.end() || now - it->second > 75s) {
      ASSERT_TRUE(fresh);
    } else if (now - it->second <= 60s) {
      ASSERT_FALSE(fresh);
    }
    if (fresh) model[value] = now;
  }
}

TEST(GossipPeerTable, AReferenceOutlivesItsPeerAndFindsNobody) {
  PeerTable peers;
  const TokenBucket bucket(1, 1);
  const PeerRef first = peers.add(test_peer(1), bucket).ref;
  peers.add(test_peer(2), bucket);
  peers.remove(first.slot);
  const PeerRef reused = peers.add(test_peer(3), bucket).ref;
  EXPECT_EQ(reused.slot, first.slot);
  EXPECT_EQ(peers.alive(first), nullptr);
  EXPECT_EQ(peers.alive(reused)->id, test_peer(3));
  EXPECT_EQ(peers.find(test_peer(1)), nullptr);
  EXPECT_EQ(peers.alive({99, 1}), nullptr);
  // In the order of arrival, although slots are reused.
  EXPECT_THAT(peers.all(), ElementsAre(peers.find(test_peer(2))->ref, reused));
}

TEST(GossipPeerTable, OwnsNothingOnceEmpty) {
  PeerTable peers;
  const std::size_t before = peers.memory_bytes();
  for (std::uint64_t i = 0; i < 500; ++i) peers.add(test_peer(i), TokenBucket(1, 1));
  EXPECT_GT(peers.memory_bytes(), 500 * sizeof(Peer));
  for (std::uint64_t i = 0; i < 500; ++i) peers.remove(peers.find(test_peer(i))->ref.slot);
  EXPECT_LE(peers.memory_bytes(), before + 128);
}

TEST(GossipTopicTable, ANameLivesAsLongAsSomebodyNeedsIt) {
  TopicTable topics;
  const TopicIndex held = topics.hold("a");
  const auto seen = topics.subscribe("b", ref(1));
  ASSERT_TRUE(seen);
  EXPECT_EQ(topics.subscribe("b", ref(2)), seen);
  EXPECT_THAT(topics.peers(*seen), ElementsAre(ref(1), ref(2)));
  topics.unsubscribe(*seen, ref(1));
  EXPECT_TRUE(topics.find("b"));
  topics.unsubscribe(*seen, ref(2));
  EXPECT_FALSE(topics.find("b"));
  topics.unsubscribe(held, ref(9));
  EXPECT_TRUE(topics.find("a"));
  topics.release(held);
  EXPECT_FALSE(topics.find("a"));
  EXPECT_LE(topics.memory_bytes(), 512U);
}

TEST(GossipTopicTable, AgreesWithAModelAndGivesFloodsBack) {
  SeededRng rng(testkit::seed(11));
  TopicTable topics;
  const TopicIndex ours = topics.hold("ours");
  std::map<std::string, std::pair<TopicIndex, std::set<std::uint32_t>>> model;
  for (int i = 0; i < 20000; ++i) {
    const std::string name = "t" + std::to_string(rng.below(300));
    const auto peer = static_cast<std::uint32_t>(rng.below(5));
    if (rng.below(100) < ((i / 2000) % 2 == 0 ? 70U : 30U)) {
      const auto index = topics.subscribe(name, ref(peer));
      ASSERT_TRUE(index);
      ASSERT_NE(*index, ours);
      const auto [it, fresh] = model.try_emplace(name, *index, std::set<std::uint32_t>{});
      ASSERT_EQ(it->second.first, *index);
      it->second.second.insert(peer);
    } else if (const auto it = model.find(name); it != model.end()) {
      topics.unsubscribe(it->second.first, ref(peer));
      it->second.second.erase(peer);
      if (it->second.second.empty()) model.erase(it);
    }
    ASSERT_EQ(topics.size(), model.size() + 1);
  }
  for (const auto& [name, entry] : model) {
    ASSERT_EQ(topics.find(name), entry.first);
    ASSERT_EQ(topics.name(entry.first), name);
    ASSERT_EQ(topics.peers(entry.first).size(), entry.second.size());
    for (const std::uint32_t peer : entry.second) topics.unsubscribe(entry.first, ref(peer));
  }
  EXPECT_EQ(topics.size(), 1U);
  EXPECT_LE(topics.memory_bytes(), 1024U);
  EXPECT_EQ(topics.name(ours), "ours");
}

TEST(GossipTopicTable, NamesOfPeersAreCappedOursFit) {
  TopicTable topics;
  for (std::size_t i = 0; i < kTopicsMax; ++i) ASSERT_TRUE(topics.subscribe("t" + std::to_string(i), ref(1)));
  EXPECT_FALSE(topics.subscribe("one more", ref(1)));
  EXPECT_TRUE(topics.subscribe("t0", ref(2)));
  const TopicIndex ours = topics.hold("ours");
  EXPECT_EQ(topics.name(ours), "ours");
}

TEST(GossipMessageCache, AnnouncesForThreeShiftsAndServesForFive) {
  MessageCache cache(5, 3, 1 << 20);
  cache.put(id_of(1), test_message(test_peer(1), 1, "t"));
  for (int shifts = 0; shifts < 5; ++shifts) {
    EXPECT_EQ(cache.gossip_ids("t").size(), shifts < 3 ? 1U : 0U) << shifts;
    EXPECT_NE(cache.find(id_of(1)), nullptr) << shifts;
    cache.shift();
  }
  EXPECT_EQ(cache.find(id_of(1)), nullptr);
  EXPECT_TRUE(cache.empty());
}

TEST(GossipMessageCache, AnnouncesPerTopicNewestFirst) {
  MessageCache cache(5, 3, 1 << 20);
  cache.put(id_of(1), test_message(test_peer(1), 1, "a"));
  cache.put(id_of(2), test_message(test_peer(1), 2, "b"));
  cache.shift();
  cache.put(id_of(3), test_message(test_peer(1), 3, "a"));
  cache.put(id_of(3), test_message(test_peer(1), 9, "b"));  // the id is taken
  EXPECT_THAT(cache.gossip_ids("a"), ElementsAre(id_of(3), id_of(1)));
  EXPECT_THAT(cache.gossip_ids("b"), ElementsAre(id_of(2)));
  EXPECT_THAT(cache.gossip_ids("c"), IsEmpty());
}

TEST(GossipMessageCache, CountsHowOftenEachPeerAsked) {
  MessageCache cache(5, 3, 1 << 20);
  cache.put(id_of(1), test_message(test_peer(1), 1, "a"));
  EXPECT_EQ(cache.get_for(id_of(1), ref(1)).second, 1U);
  EXPECT_EQ(cache.get_for(id_of(1), ref(1)).second, 2U);
  EXPECT_EQ(cache.get_for(id_of(1), ref(2)).second, 1U);
  EXPECT_EQ(cache.get_for(id_of(2), ref(1)).first, nullptr);
  for (std::uint32_t i = 3; i <= kAskersPerMessageMax; ++i)
    ASSERT_NE(cache.get_for(id_of(1), ref(i)).first, nullptr);
  EXPECT_EQ(cache.get_for(id_of(1), ref(5000)).first, nullptr);
  EXPECT_EQ(cache.get_for(id_of(1), ref(1)).second, 3U);
}

TEST(GossipMessageCache, TheOldestGoesWhenBytesRunOut) {
  MessageCache cache(5, 3, 20000);
  for (std::uint64_t i = 0; i < 100; ++i)
    cache.put(id_of(i), test_message(test_peer(1), i, "a", std::string(1000, 'x')));
  EXPECT_EQ(cache.find(id_of(0)), nullptr);
  EXPECT_NE(cache.find(id_of(99)), nullptr);
  EXPECT_LE(cache.size(), 20U);
  EXPECT_GE(cache.size(), 10U);
}

TEST(GossipBackoffs, ClampWhatTheWireSays) {
  EXPECT_EQ(Backoffs::clamp(0, 60s), 60s);
  EXPECT_EQ(Backoffs::clamp(1, 60s), 1s);
  EXPECT_EQ(Backoffs::clamp(3600, 60s), 1h);
  for (const std::uint64_t huge : {std::uint64_t{3601}, std::uint64_t{1} << 31, (std::uint64_t{1} << 63) - 1,
                                   std::uint64_t{1} << 63, ~std::uint64_t{0}})
    EXPECT_EQ(Backoffs::clamp(huge, 60s), kBackoffMax);
}

TEST(GossipBackoffs, LastAnHourAtMostWhoeverAsks) {
  Backoffs backoffs;
  backoffs.add("t", test_peer(1), 100h, at_s(0));
  backoffs.add("t", test_peer(2), Duration::max(), at_s(0));
  backoffs.add("t", test_peer(3), Duration::min(), at_s(5));
  EXPECT_EQ(backoffs.end_of("t", test_peer(1)), at_s(3600));
  EXPECT_EQ(backoffs.end_of("t", test_peer(2)), at_s(3600));
  EXPECT_EQ(backoffs.end_of("t", test_peer(3)), at_s(5));
}

TEST(GossipBackoffs, AreProlongedAndNeverShortened) {
  Backoffs backoffs;
  backoffs.add("t", test_peer(1), 60s, at_s(0));
  backoffs.add("t", test_peer(1), 10s, at_s(1));
  EXPECT_EQ(backoffs.end_of("t", test_peer(1)), at_s(60));
  backoffs.add("t", test_peer(1), 60s, at_s(5));
  EXPECT_EQ(backoffs.end_of("t", test_peer(1)), at_s(65));
  EXPECT_FALSE(backoffs.end_of("u", test_peer(1)));
  EXPECT_FALSE(backoffs.end_of("t", test_peer(2)));
  EXPECT_EQ(backoffs.size(), 1U);
}

TEST(GossipBackoffs, ExpireWithTheirSlack) {
  Backoffs backoffs;
  backoffs.add("t", test_peer(1), 10s, at_s(0));
  backoffs.add("t", test_peer(2), 20s, at_s(0));
  backoffs.expire(at_s(11), 2s);
  EXPECT_EQ(backoffs.size(), 2U);
  backoffs.expire(at_s(12), 2s);
  EXPECT_FALSE(backoffs.end_of("t", test_peer(1)));
  EXPECT_EQ(backoffs.size(), 1U);
  // Times at the end of the range neither wrap nor stay for ever.
  backoffs.add("t", test_peer(3), Duration::max(),
               Instant::from_ns(std::numeric_limits<std::int64_t>::max() - 5));
  backoffs.expire(at_s(100), Duration::max());
  EXPECT_TRUE(backoffs.end_of("t", test_peer(3))->is_never());
}

TEST(GossipBackoffs, AreBoundedAndTheSoonestGoes) {
  Backoffs backoffs;
  backoffs.add("t", test_peer(0), 5s, at_s(0));
  for (std::uint64_t i = 1; i <= kBackoffsMax; ++i) backoffs.add("t", test_peer(i), 60s, at_s(0));
  EXPECT_EQ(backoffs.size(), kBackoffsMax);
  EXPECT_FALSE(backoffs.end_of("t", test_peer(0)));
  EXPECT_TRUE(backoffs.end_of("t", test_peer(kBackoffsMax)));
}

TEST(GossipPromises, AreBrokenOnlyWhenNobodyDelivers) {
  Promises promises;
  promises.add(1, ref(1), at_s(0), 3s);
  promises.add(1, ref(2), at_s(1), 3s);
  promises.add(1, ref(2), at_s(1), 3s);  // the same once more
  promises.add(2, ref(1), at_s(1), 3s);
  EXPECT_EQ(promises.size(), 3U);
  promises.fulfilled(2);
  EXPECT_THAT(promises.take_broken(at_s(2)), IsEmpty());
  EXPECT_THAT(promises.take_broken(at_s(3)), ElementsAre(ref(1)));
  EXPECT_THAT(promises.take_broken(at_s(10)), ElementsAre(ref(2)));
  EXPECT_EQ(promises.size(), 0U);
}

TEST(GossipPromises, AnOldDueTimeDoesNotBreakANewPromise) {
  Promises promises;
  promises.add(1, ref(1), at_s(0), 3s);
  promises.fulfilled(1);
  promises.add(1, ref(1), at_s(2), 3s);
  EXPECT_THAT(promises.take_broken(at_s(3)), IsEmpty());
  EXPECT_THAT(promises.take_broken(at_s(5)), ElementsAre(ref(1)));
}

TEST(GossipPromises, AreBounded) {
  Promises promises;
  for (std::uint64_t i = 0; i < kPromisesMax + 100; ++i) promises.add(i, ref(1), at_s(0), 3s);
  EXPECT_EQ(promises.size(), kPromisesMax);
}

TEST(GossipDeliveries, CountEachPeerOncePerMessageWithinTheWindow) {
  Deliveries deliveries;
  deliveries.add(1, Deliveries::State::valid, 0, {ref(1)}, at_s(10));
  EXPECT_FALSE(deliveries.late_copy(1, 0, ref(1), at_s(5)));
  EXPECT_EQ(deliveries.late_copy(1, 0, ref(2), at_s(5)), Deliveries::State::valid);
  EXPECT_FALSE(deliveries.late_copy(1, 0, ref(2), at_s(5)));
  EXPECT_FALSE(deliveries.late_copy(1, 7, ref(3), at_s(5)));
  EXPECT_FALSE(deliveries.late_copy(1, 0, ref(3), at_s(11)));
  EXPECT_FALSE(deliveries.late_copy(2, 0, ref(3), at_s(5)));
  deliveries.expire(at_s(11));
  EXPECT_EQ(deliveries.size(), 0U);
}

TEST(GossipDeliveries, AreBounded) {
  Deliveries deliveries;
  deliveries.add(0, Deliveries::State::invalid, 0, {}, at_s(100));
  for (std::uint64_t i = 1; i <= 2 * kDeliveryRecordsMax; ++i)
    deliveries.add(i, Deliveries::State::valid, 0, {}, at_s(10));
  EXPECT_EQ(deliveries.size(), kDeliveryRecordsMax);
  EXPECT_TRUE(deliveries.late_copy(0, 0, ref(1), at_s(5)));
  for (std::uint32_t i = 2; i <= kDeliverersPerMessageMax; ++i)
    ASSERT_TRUE(deliveries.late_copy(0, 0, ref(i), at_s(5)));
  EXPECT_FALSE(deliveries.late_copy(0, 0, ref(1000), at_s(5)));
}

class GossipValidations : public ::testing::Test {
 protected:
  MessagePtr forged(std::uint64_t n) {
    return test_message(test_peer(1), 1, "t", "x", "forged" + std::to_string(n));
  }
  MessagePtr honest = test_message(test_peer(1), 1, "t", "x", "good");
  MessageId id = id_from_seqno(*honest);
  Validations validations{4, 1 << 20};
  std::optional<PeerRef> evicted;
};

TEST_F(GossipValidations, TheSameBytesJoinTheCopyUnderValidation) {
  validations.begin(id, {honest, ref(1), 0, {}}, at_s(30));
  const auto again = std::make_shared<const Message>(*honest);
  EXPECT_EQ(validations.hold(id, {again, ref(2), 0, {}}, evicted), Held::same);
  EXPECT_EQ(validations.hold(id, {again, ref(2), 0, {}}, evicted), Held::dropped);
  EXPECT_EQ(validations.hold(id, {again, ref(1), 0, {}}, evicted), Held::dropped);
  EXPECT_THAT(validations.find(id)->current.others, ElementsAre(ref(2)));
  EXPECT_TRUE(validations.find(id)->waiting.empty());
}

TEST_F(GossipValidations, DifferentBytesWaitOnePerPeer) {
  validations.begin(id, {forged(0), ref(1), 0, {}}, at_s(30));
  EXPECT_EQ(validations.hold(id, {forged(1), ref(1), 0, {}}, evicted), Held::dropped);
  EXPECT_EQ(validations.hold(id, {honest, ref(2), 0, {}}, evicted), Held::waits);
  EXPECT_EQ(validations.hold(id, {forged(2), ref(2), 0, {}}, evicted), Held::dropped);
  EXPECT_EQ(validations.hold(id, {honest, ref(3), 0, {}}, evicted), Held::same);
  EXPECT_EQ(validations.find(id)->waiting.size(), 1U);
}

TEST_F(GossipValidations, ManyForgersCannotCrowdOutABetterPeer) {
  validations.begin(id, {forged(0), ref(0), 0, {}}, at_s(30));
  for (std::uint32_t i = 1; i <= kWaitingCopiesMax; ++i)
    EXPECT_EQ(validations.hold(id, {forged(i), ref(i), 0, {}}, evicted), Held::waits);
  EXPECT_EQ(validations.hold(id, {forged(100), ref(100), 0, {}}, evicted), Held::dropped);
  EXPECT_EQ(validations.hold(id, {honest, ref(101), 0.5, {}}, evicted), Held::waits);
  EXPECT_EQ(evicted, ref(1));
  EXPECT_EQ(validations.find(id)->waiting.size(), kWaitingCopiesMax);
}

TEST_F(GossipValidations, ResumeTakesTheNextCopyUnderANewId) {
  const auto first = validations.begin(id, {forged(0), ref(1), 0, {}}, at_s(30));
  validations.hold(id, {honest, ref(2), 0, {}}, evicted);
  auto taken = validations.take(*first);
  ASSERT_TRUE(taken);
  EXPECT_FALSE(validations.take(*first));
  EXPECT_EQ(validations.bytes(), 0U);
  const ValidationId second = validations.resume(std::move(*taken), at_s(40));
  EXPECT_NE(second, *first);
  EXPECT_EQ(validations.find(id)->current.message, honest);
  EXPECT_FALSE(validations.overdue(at_s(39)));
  EXPECT_EQ(validations.overdue(at_s(40)), second);
}

TEST_F(GossipValidations, AreBoundedByCountAndBytes) {
  for (std::uint64_t i = 0; i < 4; ++i)
    EXPECT_TRUE(validations.begin(id_of(i), {honest, ref(1), 0, {}}, at_s(30)));
  EXPECT_FALSE(validations.begin(id_of(4), {honest, ref(1), 0, {}}, at_s(30)));
  Validations small(100, 10000);
  const auto large = test_message(test_peer(1), 1, "t", std::string(4000, 'x'));
  const auto other = test_message(test_peer(1), 1, "t", std::string(4000, 'y'));
  EXPECT_TRUE(small.begin(id_of(1), {large, ref(1), 0, {}}, at_s(30)));
  EXPECT_TRUE(small.begin(id_of(2), {large, ref(1), 0, {}}, at_s(30)));
  EXPECT_FALSE(small.begin(id_of(3), {large, ref(1), 0, {}}, at_s(30)));
  EXPECT_EQ(small.hold(id_of(1), {other, ref(2), 0, {}}, evicted), Held::dropped);
}

}  // namespace
}  // namespace starling::gossip
