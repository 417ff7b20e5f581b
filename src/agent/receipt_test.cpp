#include "agent/receipt.hpp"

#include <gtest/gtest.h>

#include "agent/agent_fixtures.hpp"
#include "agent/limits.hpp"
#include "format/protobuf.hpp"

namespace starling::agent {
namespace {

using fixtures::kNow;

class Receipts : public testing::Test {
 protected:
  fixtures::Actor alice_{"alice", real_signatures()};
  fixtures::Actor bob_{"bob", real_signatures()};
  Trust trust_{NetworkName(), real_signatures()};
  Envelope envelope_ = alice_.envelope(1, bob_.address());
  Awaited awaited_{envelope_.id, alice_.address(), bob_.address(), {digest_of(envelope_)}};

  Bytes signed_by(const fixtures::Actor& who, const Receipt& receipt) {
    return make_receipt(receipt, who.delegation.wire, who.node, real_signatures());
  }
};

TEST_F(Receipts, OneFromTheAddresseeCounts) {
  const Receipt receipt = receipt_for(envelope_, DeliveryState::received, kNow);
  const auto judged = judge_receipt(signed_by(bob_, receipt), trust_, kNow);
  ASSERT_TRUE(judged.verdict.accepted()) << judged.verdict.to_string();
  EXPECT_TRUE(counts_for(*judged.receipt, awaited_));
}

TEST_F(Receipts, OneFromAnybodyElseDoesNot) {
  const auto judged =
      judge_receipt(signed_by(alice_, receipt_for(envelope_, DeliveryState::acked, kNow)), trust_, kNow);
  EXPECT_TRUE(judged.verdict.accepted());
  EXPECT_FALSE(counts_for(*judged.receipt, awaited_));
}

TEST_F(Receipts, OnlyTheStatesOfTheWireCount) {
  for (int state = 0; state < 12; ++state) {
    const auto judged = judge_receipt(
        signed_by(bob_, receipt_for(envelope_, static_cast<DeliveryState>(state), kNow)), trust_, kNow);
    EXPECT_EQ(counts_for(*judged.receipt, awaited_), state >= 3 && state <= 7) << state;
  }
}

TEST_F(Receipts, EveryCopiedFieldMustBeThatOfTheMessage) {
  const Receipt good = receipt_for(envelope_, DeliveryState::received, kNow);
  const auto counts = [&](auto change) {
    Receipt receipt = good;
    change(receipt);
    return counts_for(*judge_receipt(signed_by(bob_, receipt), trust_, kNow).receipt, awaited_);
  };
  EXPECT_TRUE(counts([](Receipt& r) { r.at = WallTime::from_ms(UINT64_MAX); }));
  EXPECT_TRUE(counts([](Receipt& r) { r.code = 4'000'000'000U; }));
  EXPECT_FALSE(counts([](Receipt& r) { r.id[0] ^= 1; }));
  EXPECT_FALSE(counts([&](Receipt& r) { r.from = bob_.address(); }));
  EXPECT_FALSE(counts([&](Receipt& r) { r.to = alice_.address(); }));
  EXPECT_FALSE(counts([](Receipt& r) { r.digest[0] ^= 1; }));
}

TEST_F(Receipts, OneDigestOfEachSealingCounts) {
  awaited_.digests.insert(awaited_.digests.begin(), crypto::Hash256{});
  const auto judged =
      judge_receipt(signed_by(bob_, receipt_for(envelope_, DeliveryState::received, kNow)), trust_, kNow);
  EXPECT_TRUE(counts_for(*judged.receipt, awaited_));
}

TEST_F(Receipts, FormIsJudgedBeforeClockAndSignature) {
  Receipt receipt =
      receipt_for(envelope_, DeliveryState::received, kNow, ReceiptCode::none, std::string(129, 'h'));
  EXPECT_EQ(judge_receipt(signed_by(bob_, receipt), trust_, kNow).verdict.detail,
            make_error(Errc::text_too_long));
  receipt.hint.assign(128, 'h');
  EXPECT_TRUE(judge_receipt(signed_by(bob_, receipt), trust_, kNow).verdict.accepted());
  EXPECT_EQ(judge_receipt(Bytes(kReceiptBytesMax + 1, 0), trust_, kNow).verdict.reason, Reason::too_large);
  EXPECT_EQ(judge_receipt(as_bytes("?"), trust_, kNow).verdict.reason, Reason::malformed);
  EXPECT_EQ(judge_receipt({}, trust_, kNow).verdict.detail, make_error(Errc::no_delegation));
}

TEST_F(Receipts, EveryFieldIsNeeded) {
  const Bytes whole = encode(receipt_for(envelope_, DeliveryState::received, kNow));
  const auto without = [&](std::uint32_t field) {
    Bytes out;
    pb::Reader reader(whole);
    while (const auto next = reader.next().value()) {
      if (next->id == field) continue;
      if (next->type == pb::WireType::varint)
        pb::Writer(out).varint(next->id, next->number);
      else
        pb::Writer(out).bytes(next->id, next->payload);
    }
    return decode_receipt(out);
  };
  EXPECT_EQ(without(1).error(), make_error(Errc::bad_id));
  EXPECT_EQ(without(2).error(), make_error(Errc::bad_from));
  EXPECT_EQ(without(3).error(), make_error(Errc::bad_to));
  EXPECT_EQ(without(8).error(), make_error(Errc::bad_digest));
  EXPECT_TRUE(without(4)) << "state NONE is absent";
}

TEST_F(Receipts, TheDelegationIsJudgedAtArrival) {
  const Bytes receipt = signed_by(bob_, receipt_for(envelope_, DeliveryState::received, kNow));
  EXPECT_EQ(judge_receipt(receipt, trust_, bob_.delegation.fields.not_after).verdict.reason, Reason::ended);
  trust_.floors().saw(bob_.address(), bob_.delegation.fields.epoch + 1, kNow);
  EXPECT_EQ(judge_receipt(receipt, trust_, kNow).verdict.reason, Reason::revoked);
}

TEST_F(Receipts, EveryChangedByteIsRefusedOrChangesNothing) {
  const Bytes good = signed_by(bob_, receipt_for(envelope_, DeliveryState::received, kNow));
  for (std::size_t i = 0; i < good.size(); ++i) {
    Bytes changed = good;
    changed[i] ^= 0x04;
    EXPECT_FALSE(judge_receipt(changed, trust_, kNow).verdict.accepted()) << i;
  }
}

TEST_F(Receipts, TravelOverGossipInAnEnvelopeOfTheirOwn) {
  const Bytes receipt = signed_by(bob_, receipt_for(envelope_, DeliveryState::received, kNow));
  const Envelope carrier = receipt_envelope(bob_.envelope(7, alice_.address()), envelope_, receipt);
  const Slice data = bob_.published(carrier, kNow);
  const auto checked =
      check_fields(decode_envelope_fields(data).value(), data, Path::gossip, NetworkName()).value();
  EXPECT_EQ(checked.fields.expires_at, kNow + 1h);
  EXPECT_EQ(checked.fields.in_reply_to, envelope_.id);
  EXPECT_EQ(to_bytes(receipt_in(checked.fields).value()), receipt);

  const auto refused = [&](auto change) {
    Envelope envelope = carrier;
    change(envelope);
    const auto inside = receipt_in(envelope);
    EXPECT_FALSE(inside);
    return inside ? Errc{} : static_cast<Errc>(inside.error().code());
  };
  EXPECT_EQ(refused([](Envelope& e) { e.kind = MessageKind::message; }), Errc::not_a_receipt);
  EXPECT_EQ(refused([](Envelope& e) { e.body.reset(); }), Errc::not_a_receipt);
  EXPECT_EQ(refused([](Envelope& e) { e.to.reset(); }), Errc::bad_to);
  EXPECT_EQ(refused([](Envelope& e) { e.in_reply_to.reset(); }), Errc::bad_in_reply_to);
  EXPECT_EQ(refused([](Envelope& e) { e.expires_at = e.expires_at + 1ms; }), Errc::bad_life);
  EXPECT_EQ(refused([](Envelope& e) { e.body = Slice::copy(Bytes(kReceiptBytesMax + 1, 0)); }),
            Errc::too_large);
}

TEST(ReceiptCodes, OneFiveAndSixAreNoState) {
  for (std::uint32_t code = 0; code < 12; ++code)
    EXPECT_EQ(is_retriable(static_cast<ReceiptCode>(code)), code == 1 || code == 5 || code == 6) << code;
  EXPECT_EQ(to_string(static_cast<ReceiptCode>(4711)), "none");
  EXPECT_EQ(to_string(ReceiptCode::over_rate), "over_rate");
}

}  // namespace
}  // namespace starling::agent
