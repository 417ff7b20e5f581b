#include "agent/judge.hpp"

#include <gtest/gtest.h>

#include <set>

#include "agent/agent_fixtures.hpp"
#include "agent/limits.hpp"
#include "testkit/testkit.hpp"

namespace starling::agent {
namespace {

using fixtures::kNow;
using fixtures::now_at;

/// Cheap signatures: what is tested here is order and state; the real ones are in the vectors.
class GossipJudge : public testing::Test {
 protected:
  fixtures::CheapSignatures signatures_;
  fixtures::Actor alice_{"alice", signatures_};
  fixtures::Actor bob_{"bob", signatures_};
  PeerId forwarder_ = fixtures::Actor("forwarder", signatures_).peer();
  Trust trust_{NetworkName(), signatures_};
  Judge judge_{trust_, {bob_.address()}};

  GossipJudgement judge(Topic topic, const Slice& data, Duration after = Duration::zero()) {
    return judge_.judge_gossip(topic, alice_.peer(), data, forwarder_, now_at(after));
  }
  GossipJudgement message(const Envelope& envelope, Duration after = Duration::zero()) {
    return judge(Topic::messages, alice_.published(envelope, kNow + after), after);
  }
  std::uint64_t counted(Reason reason) const { return judge_.counts()[static_cast<std::size_t>(reason)]; }
};

TEST_F(GossipJudge, DeliversWhatIsForTheServedWalletAndBroadcasts) {
  EXPECT_TRUE(message(alice_.envelope(1, bob_.address())).deliver);
  EXPECT_TRUE(message(alice_.envelope(2, std::nullopt)).deliver);
  const auto for_another = message(alice_.envelope(3, alice_.address()));
  EXPECT_TRUE(for_another.verdict.accepted());
  EXPECT_FALSE(for_another.deliver);
  EXPECT_EQ(for_another.candidate->envelope()->fields.to, alice_.address());
  EXPECT_EQ(counted(Reason::accepted), 3U);
}

TEST_F(GossipJudge, ACopyOfAnAcceptedPublicationIsIgnoredButARetryPasses) {
  const Envelope envelope = alice_.envelope(1, bob_.address());
  EXPECT_TRUE(message(envelope).verdict.accepted());
  EXPECT_EQ(judge(Topic::messages, alice_.published(envelope, kNow), 4min).verdict.reason,
            Reason::seen_before);
  EXPECT_TRUE(message(envelope, 1min).verdict.accepted()) << "a new published_at is another publication";
}

TEST_F(GossipJudge, AnIgnoredMessageEntersNoMemory) {
  // Too early by a millisecond: ignored now, and accepted when its time has come.
  const Slice early = alice_.published(alice_.envelope(1, bob_.address()), kNow + kClockSkewMax + 1ms);
  EXPECT_EQ(judge(Topic::messages, early).verdict.reason, Reason::from_the_future);
  EXPECT_TRUE(judge(Topic::messages, early, 1ms).verdict.accepted());
}

TEST_F(GossipJudge, WhatTheApplicationHasIsForwardedAndNotDeliveredAgain) {
  const Envelope envelope = alice_.envelope(1, bob_.address());
  judge_.delivered().remember(envelope.key(), envelope.expires_at, kNow);
  const auto judged = message(envelope);
  EXPECT_TRUE(judged.verdict.accepted());
  EXPECT_FALSE(judged.deliver);
  EXPECT_TRUE(judged.repeat) << "its sender wants the last receipt again";
  EXPECT_FALSE(message(alice_.envelope(2, bob_.address())).repeat);
  // A broadcast is never acknowledged, a message for another not by us.
  const Envelope broadcast = alice_.envelope(3, std::nullopt);
  judge_.delivered().remember(broadcast.key(), broadcast.expires_at, kNow);
  EXPECT_FALSE(message(broadcast).deliver);
  EXPECT_FALSE(message(broadcast, 1s).repeat);
}

TEST_F(GossipJudge, NobodySpeaksForOthersOnAnyTopic) {
  const Slice envelope = alice_.published(alice_.envelope(1, std::nullopt), kNow);
  for (const auto& [topic, data] :
       {std::pair{Topic::messages, envelope}, std::pair{Topic::announcements, alice_.record()},
        std::pair{Topic::status, alice_.status()}}) {
    const auto judged = judge_.judge_gossip(topic, bob_.peer(), data, forwarder_, now_at());
    EXPECT_EQ(judged.verdict.reason, Reason::not_the_author) << to_string(topic);
    EXPECT_EQ(judged.verdict.ruling, Ruling::reject);
    EXPECT_EQ(judged.verdict.row, 5);
  }
}

TEST_F(GossipJudge, AMessageOfAnotherTopicIsRejected) {
  EXPECT_EQ(judge(Topic::status, alice_.published(alice_.envelope(1, std::nullopt), kNow)).verdict.ruling,
            Ruling::reject);
  EXPECT_EQ(judge(Topic::messages, alice_.record()).verdict.ruling, Ruling::reject);
  EXPECT_EQ(judge(Topic::announcements, alice_.status()).verdict.ruling, Ruling::reject);
}

TEST_F(GossipJudge, FreshnessHasItsLimitOnEachTopic) {
  EXPECT_TRUE(judge(Topic::status, alice_.status(), kFreshnessMax).verdict.accepted());
  EXPECT_EQ(judge(Topic::status, alice_.status(), kFreshnessMax + 1ms).verdict.reason, Reason::not_fresh);
  EXPECT_TRUE(judge(Topic::announcements, alice_.record(), kAnnouncementFreshnessMax).verdict.accepted());
  EXPECT_EQ(judge(Topic::announcements, alice_.record(), kAnnouncementFreshnessMax + 1ms).verdict.reason,
            Reason::not_fresh);
  const Slice envelope = alice_.published(alice_.envelope(1, std::nullopt), kNow);
  EXPECT_EQ(judge(Topic::messages, envelope, kFreshnessMax + 1ms).verdict.reason, Reason::not_fresh);
  EXPECT_TRUE(judge(Topic::messages, envelope, kFreshnessMax).verdict.accepted());
}

TEST_F(GossipJudge, NoPublishedAtIsNotFresh) {
  EXPECT_EQ(
      judge(Topic::messages, alice_.published(alice_.envelope(1, std::nullopt), WallTime{})).verdict.reason,
      Reason::not_fresh);
}

TEST_F(GossipJudge, ForgedDelegationsSpendTheForwardersRecoversAndNothingOfTheWallet) {
  Envelope forged = alice_.envelope(1, bob_.address());
  forged.delegation.signature[0] ^= 1;
  for (int i = 0; i < 50; ++i) EXPECT_EQ(message(forged).verdict.reason, Reason::forged_delegation);
  const auto over = message(forged);
  EXPECT_EQ(over.verdict.reason, Reason::recovers_spent);
  EXPECT_EQ(over.verdict.ruling, Ruling::ignore);
  EXPECT_EQ(over.verdict.row, 7);
  EXPECT_EQ(signatures_.recovers, 50U);
  // Another forwarder brings the genuine one; afterwards it is cached and passes whoever forwards it.
  const PeerId other = bob_.peer();
  const Slice genuine = alice_.published(alice_.envelope(2, bob_.address()), kNow);
  EXPECT_TRUE(
      judge_.judge_gossip(Topic::messages, alice_.peer(), genuine, other, now_at()).verdict.accepted());
  EXPECT_TRUE(message(alice_.envelope(3, bob_.address())).verdict.accepted());
}

TEST_F(GossipJudge, RecoverIsPaidOncePerDelegationNotPerMessage) {
  for (std::uint8_t i = 0; i < 20; ++i)
    EXPECT_TRUE(message(alice_.envelope(i, bob_.address())).verdict.accepted());
  EXPECT_EQ(signatures_.recovers, 1U);
  EXPECT_EQ(signatures_.verifications, 0U) << "StrictSign is the envelope's signature on gossip";
}

TEST_F(GossipJudge, RevocationReachesEverythingAtOnce) {
  EXPECT_TRUE(message(alice_.envelope(1, bob_.address())).verdict.accepted());
  const auto revocation =
      revoke_all(alice_.wallet, NetworkName(), kNow, *std::make_unique<SeededRng>(3), signatures_);
  ASSERT_TRUE(revocation);
  const auto announced = judge_.judge_gossip(Topic::announcements, revocation->delegation.fields.peer_id(),
                                             Slice::copy(revocation->record), forwarder_, now_at());
  ASSERT_TRUE(announced.verdict.accepted()) << announced.verdict.to_string();
  EXPECT_EQ(message(alice_.envelope(2, bob_.address())).verdict.reason, Reason::revoked);
  EXPECT_EQ(judge(Topic::announcements, alice_.record(kNow + 1ms), 1s).verdict.reason, Reason::revoked);
  EXPECT_EQ(judge(Topic::status, alice_.status()).verdict.reason, Reason::revoked);
}

TEST_F(GossipJudge, AnOlderPresenceLosesAndAnEqualOnePasses) {
  const Slice newer = alice_.record(kNow + 1ms);
  EXPECT_TRUE(judge(Topic::announcements, newer, 1s).verdict.accepted());
  EXPECT_TRUE(judge(Topic::announcements, newer, 1s).verdict.accepted());
  const auto older = judge(Topic::announcements, alice_.record(kNow), 1s);
  EXPECT_EQ(older.verdict.reason, Reason::outdated_presence);
  EXPECT_EQ(older.verdict.ruling, Ruling::ignore);
  EXPECT_EQ(to_hex(judge_.known().find(alice_.address())->value), to_hex(newer));
}

TEST_F(GossipJudge, AForgedPresenceIsNotLearnt) {
  SignedPresence forged = decode_signed_presence(alice_.record()).value();
  forged.signature[0] ^= 1;
  EXPECT_EQ(judge(Topic::announcements, Slice::copy(encode(forged))).verdict.reason,
            Reason::bad_node_signature);
  EXPECT_EQ(judge_.known().size(), 0U);
}

TEST_F(GossipJudge, AWalletOverItsRateIsIgnoredAndCounted) {
  trust_.floors().meet(alice_.address(), kNow);
  for (std::uint8_t i = 0; i < 100; ++i)
    ASSERT_TRUE(message(alice_.envelope(i, bob_.address())).verdict.accepted());
  EXPECT_EQ(message(alice_.envelope(200, bob_.address())).verdict.reason, Reason::wallet_over_rate);
  EXPECT_EQ(counted(Reason::wallet_over_rate), 1U);
  // Ignored is not remembered: it may pass when there is room again.
  EXPECT_TRUE(judge(Topic::messages, alice_.published(alice_.envelope(200, bob_.address()), kNow), 1s)
                  .verdict.accepted());
}

TEST_F(GossipJudge, StrangersTogetherAreLimitedButTheMetAreNot) {
  trust_.floors().meet(alice_.address(), kNow);
  judge_.wallet_rates().drain_strangers(fixtures::kStart);
  const fixtures::Actor stranger("stranger", signatures_);
  const Slice data = stranger.published(stranger.envelope(1, bob_.address()), kNow);
  EXPECT_EQ(judge_.judge_gossip(Topic::messages, stranger.peer(), data, forwarder_, now_at()).verdict.reason,
            Reason::strangers_over_rate);
  EXPECT_TRUE(message(alice_.envelope(1, bob_.address())).verdict.accepted());
}

TEST_F(GossipJudge, AForwarderOverItsRateIsNotAdmitted) {
  for (int i = 0; i < 2000; ++i) ASSERT_TRUE(judge_.admit(forwarder_, fixtures::kStart));
  EXPECT_FALSE(judge_.admit(forwarder_, fixtures::kStart));
  EXPECT_TRUE(judge_.admit(bob_.peer(), fixtures::kStart));
  EXPECT_EQ(counted(Reason::forwarder_over_rate), 1U);
}

TEST_F(GossipJudge, SizeLimitsAreThoseOfTheTopic) {
  EXPECT_EQ(judge(Topic::announcements, Slice::copy(Bytes(kPresenceBytesMax + 1, 0))).verdict.reason,
            Reason::too_large);
  EXPECT_EQ(judge(Topic::messages, Slice::copy(Bytes(kEnvelopeGossipBytesMax + 1, 0))).verdict.reason,
            Reason::too_large);
  EXPECT_EQ(judge(Topic::status, Slice::copy(Bytes(kStatusBytesMax + 1, 0))).verdict.reason,
            Reason::too_large);
}

// The four steps apart, as a node with several shards runs them.

TEST_F(GossipJudge, StepsApartSayWhatOneGoSays) {
  const Slice data = alice_.record();
  const Prechecked prechecked = precheck(Topic::announcements, alice_.peer(), data, NetworkName());
  ASSERT_TRUE(prechecked.verdict.accepted());
  const auto begun = judge_.begin(prechecked, forwarder_, now_at());
  const auto* work = std::get_if<SignatureWork>(&begun);
  ASSERT_NE(work, nullptr);
  EXPECT_TRUE(work->wallet);
  EXPECT_TRUE(work->node);
  EXPECT_TRUE(judge_.finish(*work, check_signatures(*work, signatures_), now_at()).verdict.accepted());
  const auto again = judge_.begin(prechecked, forwarder_, now_at());
  ASSERT_NE(std::get_if<SignatureWork>(&again), nullptr);
  EXPECT_FALSE(std::get<SignatureWork>(again).wallet) << "cached by now";
}

TEST_F(GossipJudge, ACopyThatWasAcceptedMeanwhileIsSeenBefore) {
  const auto prechecked = precheck(Topic::messages, alice_.peer(),
                                   alice_.published(alice_.envelope(1, bob_.address()), kNow), NetworkName());
  const auto first = judge_.begin(prechecked, forwarder_, now_at());
  const auto second = judge_.begin(prechecked, forwarder_, now_at());
  const auto& work_one = std::get<SignatureWork>(first);
  const auto& work_two = std::get<SignatureWork>(second);
  EXPECT_TRUE(judge_.finish(work_one, check_signatures(work_one, signatures_), now_at()).deliver);
  const auto late = judge_.finish(work_two, check_signatures(work_two, signatures_), now_at());
  EXPECT_EQ(late.verdict.reason, Reason::seen_before);
  EXPECT_FALSE(late.deliver);
}

TEST_F(GossipJudge, AFailedPrecheckDecidesWithoutTouchingState) {
  const auto prechecked = precheck(Topic::messages, alice_.peer(), Slice::copy(as_bytes("?")), NetworkName());
  EXPECT_EQ(prechecked.candidate, nullptr);
  const auto begun = judge_.begin(prechecked, forwarder_, now_at());
  EXPECT_EQ(std::get<GossipJudgement>(begun).verdict.row, 3);
  EXPECT_EQ(signatures_.recovers, 0U);
}

TEST_F(GossipJudge, EveryTruncationAndBitFlipOfAMessageIsRefusedOrHarmless) {
  const Slice good = alice_.published(alice_.envelope(1, bob_.address()), kNow);
  for (std::size_t i = 0; i < good.size(); ++i) {
    EXPECT_FALSE(judge(Topic::messages, Slice::copy(good.view().first(i))).verdict.accepted()) << i;
    Bytes flipped = to_bytes(good.view());
    flipped[i] ^= 0x80;
    const auto judged = judge(Topic::messages, Slice::copy(flipped), 1ms);
    // StrictSign guards the bytes; here only no crash and no delegation of somebody else.
    if (judged.candidate != nullptr) {
      EXPECT_EQ(judged.candidate->delegation().fields.peer_id(), alice_.peer());
    }
  }
}

TEST(Reasons, EachHasANameATextAndAPlaceInTheTable) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kReasonCount; ++i) {
    const auto reason = static_cast<Reason>(i);
    EXPECT_NE(to_string(reason), "unknown");
    EXPECT_NE(explain(reason), "unknown");
    names.insert(to_string(reason));
    const Verdict verdict = Verdict::of(reason);
    const bool load_or_clock = verdict.row == 1 || verdict.row == 4 || verdict.row == 6 || verdict.row == 8 ||
                               reason == Reason::recovers_spent;
    EXPECT_EQ(verdict.ruling == Ruling::ignore, load_or_clock) << to_string(reason);
  }
  EXPECT_EQ(names.size(), kReasonCount);
}

}  // namespace
}  // namespace starling::agent
