#include <gtest/gtest.h>

#include "agent/agent_fixtures.hpp"
#include "agent/judge.hpp"
#include "agent/limits.hpp"
#include "format/protobuf.hpp"

namespace starling::agent {
namespace {

using fixtures::kNow;
using fixtures::now_at;

class StreamJudge : public testing::Test {
 protected:
  fixtures::CheapSignatures signatures_;
  fixtures::Actor alice_{"alice", signatures_};
  fixtures::Actor bob_{"bob", signatures_};
  PeerId peer_ = fixtures::Actor("carrier", signatures_).peer();
  Trust trust_{NetworkName(), signatures_};
  Judge judge_{trust_, {bob_.address()}};

  StreamJudgement judge(const Envelope& envelope, Duration after = Duration::zero()) {
    return judge_.judge_stream(alice_.framed(envelope), peer_, now_at(after));
  }
};

TEST_F(StreamJudge, ANewMessageForUsIsAcceptedWhoeverCarriesIt) {
  const auto judged = judge(alice_.envelope(1, bob_.address()));
  EXPECT_EQ(judged.ruling, StreamRuling::accept);
  EXPECT_EQ(judged.state, DeliveryState::received);
  EXPECT_EQ(to_text(*judged.envelope->fields.body), "hello");
}

TEST_F(StreamJudge, ARepeatGetsTheLastReceiptAgain) {
  const Envelope envelope = alice_.envelope(1, bob_.address());
  judge_.delivered().remember(envelope.key(), envelope.expires_at, kNow);
  judge_.delivered().set_last_receipt(envelope.key(), Slice::copy(as_bytes("receipt")));
  const auto judged = judge(envelope);
  EXPECT_EQ(judged.ruling, StreamRuling::repeat);
  EXPECT_EQ(to_text(judged.last_receipt), "receipt");
}

TEST_F(StreamJudge, NoReceiptForWhatFailsACheckOfForm) {
  EXPECT_EQ(judge(alice_.envelope(1, std::nullopt)).verdict.detail, make_error(Errc::broadcast_on_stream));
  EXPECT_EQ(judge(alice_.envelope(1, std::nullopt)).ruling, StreamRuling::reset);
  Envelope later = alice_.envelope(1, bob_.address());
  later.version = 2;
  EXPECT_EQ(judge(later).verdict.reason, Reason::later_version);
  later.version = 0;
  EXPECT_EQ(judge(later).verdict.reason, Reason::no_version);
  Envelope future = alice_.envelope(1, bob_.address());
  future.sent_at = kNow + kClockSkewMax + 1ms;
  EXPECT_EQ(judge(future).verdict.reason, Reason::from_the_future);
  EXPECT_EQ(judge(future).ruling, StreamRuling::reset);
  EXPECT_EQ(judge_.judge_stream(Slice::copy(as_bytes("??")), peer_, now_at()).verdict.reason,
            Reason::malformed);
  EXPECT_EQ(
      judge_.judge_stream(Slice::copy(Bytes(kSignedEnvelopeBytesMax + 1, 0)), peer_, now_at()).verdict.reason,
      Reason::too_large);
  EXPECT_EQ(signatures_.recovers, 0U) << "none of these costs a signature check";
}

TEST_F(StreamJudge, SignaturesComeBeforeAnyAnswer) {
  // Expired and for somebody else, but forged: a reset, no receipt.
  Envelope forged = alice_.envelope(1, alice_.address());
  forged.delegation.signature[0] ^= 1;
  EXPECT_EQ(judge(forged, 48h).verdict.reason, Reason::forged_delegation);
  const Envelope good = alice_.envelope(1, bob_.address());
  Bytes frame;
  pb::Writer writer(frame);
  writer.bytes(1, encode(good));
  writer.bytes(2, bob_.node.sign(encode(good)));
  const auto judged = judge_.judge_stream(Slice::copy(frame), peer_, now_at());
  EXPECT_EQ(judged.ruling, StreamRuling::reset);
  EXPECT_EQ(judged.verdict.reason, Reason::bad_node_signature);
}

TEST_F(StreamJudge, TheAnswersComeInTheOrderOfThePage) {
  const auto expect = [](const StreamJudgement& judged, DeliveryState state, ReceiptCode code) {
    EXPECT_EQ(judged.ruling, StreamRuling::receipt);
    EXPECT_EQ(judged.state, state);
    EXPECT_EQ(judged.code, code);
  };
  // Everything wrong at once; each answer hides the ones after it.
  judge_.wallet_rates().drain(alice_.address(), RateClass::envelope, fixtures::kStart + 48h);
  trust_.floors().saw(alice_.address(), alice_.delegation.fields.epoch + 1, kNow);
  const Envelope for_alice = alice_.envelope(1, alice_.address());
  Envelope for_bob = alice_.envelope(1, bob_.address());
  judge_.delivered().remember(for_bob.key(), kNow + 100h, kNow);
  expect(judge(for_alice, 48h), DeliveryState::rejected, ReceiptCode::not_for_this_node);
  expect(judge(for_bob, 48h), DeliveryState::expired, ReceiptCode::none);
  for_bob.expires_at = kNow + 72h;
  expect(judge(for_bob, 48h), DeliveryState::rejected, ReceiptCode::revoked_delegation);
  // A wallet that is not revoked, over its rate, repeating itself.
  const fixtures::Actor carol("carol", signatures_);
  const Envelope from_carol = carol.envelope(1, bob_.address());
  judge_.delivered().remember(from_carol.key(), kNow + 100h, kNow);
  judge_.wallet_rates().drain(carol.address(), RateClass::envelope, fixtures::kStart);
  expect(judge_.judge_stream(carol.framed(from_carol), peer_, now_at()), DeliveryState::rejected,
         ReceiptCode::over_rate);
  EXPECT_EQ(judge_.judge_stream(carol.framed(from_carol), peer_, now_at(10s)).ruling, StreamRuling::repeat);
}

TEST_F(StreamJudge, AnEndedDelegationIsAnExpiredMessage) {
  Envelope envelope = alice_.envelope(1, bob_.address());
  envelope.sent_at = alice_.delegation.fields.not_after + -Duration(1h);
  envelope.expires_at = alice_.delegation.fields.not_after;
  const Duration after = Duration(kDelegationWindowDefault);
  EXPECT_EQ(judge(envelope, after).state, DeliveryState::expired);
}

TEST_F(StreamJudge, APeerThatBringsForgeriesSpendsItsRecovers) {
  Envelope forged = alice_.envelope(1, bob_.address());
  forged.delegation.signature[0] ^= 1;
  for (int i = 0; i < 50; ++i) EXPECT_EQ(judge(forged).verdict.reason, Reason::forged_delegation);
  const auto over = judge(forged);
  EXPECT_EQ(over.verdict.reason, Reason::recovers_spent);
  EXPECT_EQ(over.ruling, StreamRuling::reset);
}

TEST_F(StreamJudge, AMessageOverBothPathsIsDeliveredOnce) {
  const Envelope envelope = alice_.envelope(1, bob_.address());
  ASSERT_EQ(judge(envelope).ruling, StreamRuling::accept);
  judge_.delivered().remember(envelope.key(), envelope.expires_at, kNow);
  const auto gossiped =
      judge_.judge_gossip(Topic::messages, alice_.peer(), alice_.published(envelope, kNow), peer_, now_at());
  EXPECT_TRUE(gossiped.verdict.accepted());
  EXPECT_FALSE(gossiped.deliver);
}

}  // namespace
}  // namespace starling::agent
