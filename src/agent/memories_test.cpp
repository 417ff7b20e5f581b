// Floors, publications, deliveries, rates: everything that a peer can fill, with its bound.
#include <gtest/gtest.h>

#include <map>

#include "agent/agent_fixtures.hpp"
#include "agent/delivery_memory.hpp"
#include "agent/floors.hpp"
#include "agent/limits.hpp"
#include "agent/publication_memory.hpp"
#include "agent/rates.hpp"
#include "testkit/testkit.hpp"

namespace starling::agent {
namespace {

using fixtures::kNow;
using fixtures::kStart;

EthAddress wallet(std::uint16_t number) {
  FixedBytes<20> bytes{};
  bytes[0] = static_cast<std::uint8_t>(number >> 8);
  bytes[1] = static_cast<std::uint8_t>(number);
  return EthAddress(bytes);
}
MessageKey key(std::uint16_t from, std::uint16_t id) {
  EnvelopeId bytes{};
  bytes[0] = static_cast<std::uint8_t>(id >> 8);
  bytes[1] = static_cast<std::uint8_t>(id);
  return {wallet(from), bytes};
}

TEST(FloorTable, OnlyRises) {
  Floors floors(10, 10);
  EXPECT_EQ(floors.floor_of(wallet(1)), 0U);
  floors.saw(wallet(1), 100, kNow);
  floors.saw(wallet(1), 50, kNow);
  EXPECT_EQ(floors.floor_of(wallet(1)), 100U);
  EXPECT_TRUE(floors.is_revoked(wallet(1), 99));
  EXPECT_FALSE(floors.is_revoked(wallet(1), 100));
}

TEST(FloorTable, StrangersEvictStrangersOnly) {
  Floors floors(4, 4);
  floors.saw(wallet(1), 100, kNow);
  floors.meet(wallet(1), kNow);
  for (std::uint16_t i = 2; i < 1000; ++i) floors.saw(wallet(i), 7, kNow);
  EXPECT_EQ(floors.floor_of(wallet(1)), 100U);
  EXPECT_EQ(floors.stranger_count(), 4U);
  EXPECT_EQ(floors.met_count(), 1U);
}

TEST(FloorTable, TheLeastRecentOfTheMetBecomesAStrangerAgain) {
  Floors floors(4, 2);
  for (std::uint16_t i = 1; i <= 3; ++i) {
    floors.saw(wallet(i), i, kNow);
    floors.meet(wallet(i), kNow);
  }
  EXPECT_EQ(floors.met_count(), 2U);
  EXPECT_FALSE(floors.is_met(wallet(1)));
  EXPECT_EQ(floors.floor_of(wallet(1)), 1U);
}

TEST(FloorTable, GoesToDiskAndBackForNinetyDays) {
  Floors floors(10, 10);
  floors.saw(wallet(9), 5, kNow);  // a stranger stays in memory only
  floors.saw(wallet(1), 100, kNow);
  floors.meet(wallet(1), kNow);
  floors.meet(wallet(2), kNow + Days(1));
  const auto entries = floors.met_entries(kNow + Days(1));
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0], (FloorEntry{wallet(2), 0, kNow + Days(1)}));
  EXPECT_EQ(entries[1], (FloorEntry{wallet(1), 100, kNow}));
  EXPECT_EQ(floors.met_entries(kNow + Days(90)).size(), 2U);
  EXPECT_EQ(floors.met_entries(kNow + Days(90) + 1ms).size(), 1U);

  Floors restored(10, 10);
  restored.saw(wallet(1), 200, kNow);
  restored.restore(entries, kNow + Days(2));
  EXPECT_EQ(restored.floor_of(wallet(1)), 200U) << "nothing lowers a floor";
  EXPECT_TRUE(restored.is_met(wallet(1)));
  EXPECT_EQ(restored.met_entries(kNow + Days(2)),
            (std::vector<FloorEntry>{{wallet(2), 0, kNow + Days(1)}, {wallet(1), 200, kNow}}));
}

TEST(FloorTable, RestoringKeepsTheMostRecentWhenTheTableIsSmaller) {
  Floors small(10, 1);
  small.restore({{wallet(1), 5, kNow}, {wallet(2), 6, kNow + -Duration(1h)}}, kNow);
  EXPECT_TRUE(small.is_met(wallet(1)));
  EXPECT_FALSE(small.is_met(wallet(2)));
}

TEST(FloorTable, SaysWhenWritingIsWorthIt) {
  Floors floors(10, 10);
  floors.saw(wallet(1), 5, kNow);
  EXPECT_EQ(floors.revision(), 0U);
  floors.meet(wallet(1), kNow);
  const auto met = floors.revision();
  EXPECT_GT(met, 0U);
  floors.saw(wallet(1), 5, kNow + 1h);
  EXPECT_EQ(floors.revision(), met);
  floors.saw(wallet(1), 6, kNow + 1h);
  EXPECT_GT(floors.revision(), met);
  const auto raised = floors.revision();
  floors.saw(wallet(1), 6, kNow + 26h);
  EXPECT_GT(floors.revision(), raised);
}

TEST(Publications, AreRememberedForTenMinutes) {
  PublicationMemory memory(10);
  memory.remember(key(1, 1), kNow, kStart);
  EXPECT_TRUE(memory.contains(key(1, 1), kNow, kStart + kPublicationMemory - 1ns));
  EXPECT_FALSE(memory.contains(key(1, 1), kNow + 1ms, kStart)) << "a retry is another publication";
  EXPECT_FALSE(memory.contains(key(2, 1), kNow, kStart));
  EXPECT_FALSE(memory.contains(key(1, 1), kNow, kStart + kPublicationMemory));
  EXPECT_EQ(memory.size(), 0U);
}

TEST(Publications, KeepTheirBoundByForgettingTheOldest) {
  PublicationMemory memory(3);
  for (std::uint16_t i = 0; i < 10; ++i) memory.remember(key(1, i), kNow, kStart);
  memory.remember(key(1, 9), kNow, kStart);
  EXPECT_EQ(memory.size(), 3U);
  EXPECT_FALSE(memory.contains(key(1, 6), kNow, kStart));
  EXPECT_TRUE(memory.contains(key(1, 7), kNow, kStart));
}

TEST(Deliveries, AreRememberedUntilTheMessageExpires) {
  DeliveryMemory memory(10, 10);
  memory.remember(key(1, 1), kNow + 1h, kNow);
  EXPECT_TRUE(memory.contains(key(1, 1), kNow + 1h + -Duration(1ms)));
  EXPECT_FALSE(memory.contains(key(1, 1), kNow + 1h));
  memory.forget_ended(kNow + 1h);
  EXPECT_EQ(memory.size(), 0U);
  memory.remember(key(1, 2), kNow, kNow);
  EXPECT_EQ(memory.size(), 0U) << "what has ended is not remembered";
}

TEST(Deliveries, KeepTheLastReceipt) {
  DeliveryMemory memory(10, 10);
  memory.set_last_receipt(key(1, 1), Slice::copy(as_bytes("x")));
  EXPECT_TRUE(memory.last_receipt(key(1, 1)).empty());
  memory.remember(key(1, 1), kNow + 1h, kNow);
  memory.set_last_receipt(key(1, 1), Slice::copy(as_bytes("received")));
  memory.set_last_receipt(key(1, 1), Slice::copy(as_bytes("acked")));
  EXPECT_EQ(to_text(memory.last_receipt(key(1, 1))), "acked");
  memory.forget(key(1, 1));
  EXPECT_FALSE(memory.contains(key(1, 1), kNow));
  memory.forget(key(1, 1));
}

TEST(Deliveries, ASenderLosesItsOwnFirst) {
  DeliveryMemory memory(100, 3);
  memory.remember(key(9, 1), kNow + 1h, kNow);
  for (std::uint16_t i = 0; i < 10; ++i)
    memory.remember(key(1, i), kNow + 2h + std::chrono::seconds(i), kNow);
  EXPECT_EQ(memory.size(), 4U);
  EXPECT_TRUE(memory.contains(key(9, 1), kNow));
  EXPECT_TRUE(memory.contains(key(1, 9), kNow));
  EXPECT_FALSE(memory.contains(key(1, 6), kNow));
}

TEST(Deliveries, WhenFullTheOneNearestItsEndGoes) {
  DeliveryMemory memory(3, 3);
  memory.remember(key(1, 1), kNow + 3h, kNow);
  memory.remember(key(2, 1), kNow + 1h, kNow);
  memory.remember(key(3, 1), kNow + 2h, kNow);
  memory.remember(key(4, 1), kNow + 4h, kNow);
  EXPECT_EQ(memory.size(), 3U);
  EXPECT_FALSE(memory.contains(key(2, 1), kNow));
}

TEST(Deliveries, SurviveARestart) {
  DeliveryMemory memory(10, 10);
  memory.remember(key(1, 1), kNow + 1h, kNow);
  memory.remember(key(1, 2), kNow + 2h, kNow);
  memory.set_last_receipt(key(1, 2), Slice::copy(as_bytes("received")));
  DeliveryMemory restored(10, 10);
  restored.restore(memory.entries(kNow), kNow + 90min);
  EXPECT_FALSE(restored.contains(key(1, 1), kNow));
  EXPECT_TRUE(restored.contains(key(1, 2), kNow + 90min));
  EXPECT_EQ(to_text(restored.last_receipt(key(1, 2))), "received");
}

TEST(Deliveries, AgreeWithANaiveModelUnderRandomOperations) {
  SeededRng rng(testkit::seed(77));
  DeliveryMemory memory(1000, 1000);
  std::map<MessageKey, WallTime> model;
  WallTime now = kNow;
  for (int i = 0; i < 20'000; ++i) {
    now = now + std::chrono::milliseconds(rng.below(50));
    const MessageKey k =
        key(static_cast<std::uint16_t>(rng.below(5)), static_cast<std::uint16_t>(rng.below(40)));
    const auto known = model.find(k);
    const bool in_model = known != model.end() && now < known->second;
    ASSERT_EQ(memory.contains(k, now), in_model);
    if (rng.below(3) == 0) {
      const WallTime until = now + std::chrono::milliseconds(rng.below(5000));
      memory.remember(k, until, now);
      if (!in_model && now < until) model[k] = until;
    } else if (rng.below(20) == 0) {
      memory.forget(k);
      model.erase(k);
    }
  }
}

TEST(WalletRateLimits, ABroadcastDrawsOnBothBuckets) {
  RateLimits limits;
  WalletRates rates(limits, 10);
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(rates.take(wallet(1), RateClass::broadcast, true, kStart), RateAnswer::within);
  EXPECT_EQ(rates.take(wallet(1), RateClass::broadcast, true, kStart), RateAnswer::wallet_over);
  for (int i = 0; i < 90; ++i)
    EXPECT_EQ(rates.take(wallet(1), RateClass::envelope, true, kStart), RateAnswer::within);
  EXPECT_EQ(rates.take(wallet(1), RateClass::envelope, true, kStart), RateAnswer::wallet_over);
  EXPECT_EQ(rates.take(wallet(1), RateClass::envelope, true, kStart + 50ms), RateAnswer::within);
}

TEST(WalletRateLimits, AnnouncementsAndStatusesHaveTheirOwn) {
  WalletRates rates(RateLimits{}, 10);
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(rates.take(wallet(1), RateClass::announcement, true, kStart), RateAnswer::within);
  EXPECT_EQ(rates.take(wallet(1), RateClass::announcement, true, kStart), RateAnswer::wallet_over);
  for (int i = 0; i < 4; ++i)
    EXPECT_EQ(rates.take(wallet(1), RateClass::status, true, kStart), RateAnswer::within);
  EXPECT_EQ(rates.take(wallet(1), RateClass::status, true, kStart), RateAnswer::wallet_over);
  EXPECT_EQ(rates.take(wallet(1), RateClass::status, true, kStart + 31s), RateAnswer::within);
}

TEST(WalletRateLimits, StrangersShareOneBucketHoweverManyTheyAre) {
  WalletRates rates(RateLimits{}, 1000);
  int within = 0;
  for (std::uint16_t i = 0; i < 1000; ++i)
    within += rates.take(wallet(i), RateClass::envelope, false, kStart) == RateAnswer::within ? 1 : 0;
  EXPECT_EQ(within, 200);
  EXPECT_EQ(rates.take(wallet(2000), RateClass::envelope, true, kStart), RateAnswer::within)
      << "a met wallet";
}

TEST(WalletRateLimits, WhatOneBucketRefusesDrainsNoOther) {
  RateLimits limits;
  limits.strangers = {0, 0};
  limits.envelopes = {0, 1};
  WalletRates rates(limits, 10);
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(rates.take(wallet(1), RateClass::envelope, false, kStart), RateAnswer::strangers_over);
  EXPECT_EQ(rates.take(wallet(1), RateClass::envelope, true, kStart), RateAnswer::within);
}

TEST(ForwarderRateLimits, MessagesAndRecoversAreCountedApartAndPerPeer) {
  ForwarderRates rates(RateLimits{}, 2);
  const PeerId one = fixtures::Actor("one", real_signatures()).peer();
  const PeerId two = fixtures::Actor("two", real_signatures()).peer();
  int recovers = 0;
  int messages = 0;
  for (int i = 0; i < 3000; ++i) {
    recovers += rates.take_recover(one, kStart) ? 1 : 0;
    messages += rates.take_message(one, kStart) ? 1 : 0;
  }
  EXPECT_EQ(recovers, 50);
  EXPECT_EQ(messages, 2000);
  EXPECT_TRUE(rates.take_recover(two, kStart));
  EXPECT_TRUE(rates.take_recover(one, kStart + 20ms));
  EXPECT_FALSE(rates.take_recover(one, kStart + 20ms));
}

}  // namespace
}  // namespace starling::agent
