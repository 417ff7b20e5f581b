#include "agent/sealing.hpp"

#include <gtest/gtest.h>

#include "agent/agent_fixtures.hpp"
#include "agent/limits.hpp"
#include "agent/seal_keys.hpp"
#include "format/protobuf.hpp"
#include "testkit/testkit.hpp"

namespace starling::agent {
namespace {

using fixtures::kNow;

class Sealing : public testing::Test {
 protected:
  fixtures::Actor alice_{"alice", real_signatures()};
  fixtures::Actor bob_{"bob", real_signatures()};
  SeededRng rng_{testkit::seed(11)};
  SealKeys keys_;
  Inner inner_{"text/markdown", to_bytes("secret"), Bytes(32, 5), EnvelopeId{6}, MessageKind::response};

  Envelope sealed() {
    Envelope envelope = alice_.envelope(1, bob_.address());
    const auto done = seal_into(envelope, inner_, keys_.current(kNow, rng_), rng_);
    EXPECT_TRUE(done);
    return envelope;
  }
};

TEST_F(Sealing, OpensToWhatWentIn) {
  const Envelope envelope = sealed();
  EXPECT_FALSE(envelope.body);
  const Slice data = Slice::copy(encode(envelope));
  ASSERT_TRUE(check_fields(decode_envelope_fields(data).value(), data, Path::gossip, NetworkName()));
  const auto opened = open_envelope(envelope, keys_);
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->content_type, inner_.content_type);
  EXPECT_EQ(opened->body, inner_.body);
  EXPECT_EQ(opened->conversation, inner_.conversation);
  EXPECT_EQ(opened->in_reply_to, inner_.in_reply_to);
  EXPECT_EQ(opened->kind, inner_.kind);
}

TEST_F(Sealing, HidesTheLengthBehindASteppedSize) {
  inner_ = Inner{{}, to_bytes("a"), {}, {}, {}};
  const std::size_t small = sealed().sealed->ciphertext.size();
  inner_.body.assign(200, 'a');
  EXPECT_EQ(sealed().sealed->ciphertext.size(), small);
  EXPECT_EQ(small, 256U + 16U);
}

TEST_F(Sealing, AnyChangeInsideOrAroundCannotBeOpened) {
  const Envelope good = sealed();
  const auto fails = [&](auto change) {
    Envelope envelope = good;
    change(envelope);
    const auto opened = open_envelope(envelope, keys_);
    EXPECT_FALSE(opened);
    return opened ? Errc{} : static_cast<Errc>(opened.error().code());
  };
  EXPECT_EQ(fails([](Envelope& e) { e.version = 2; }), Errc::cannot_open);
  EXPECT_EQ(fails([](Envelope& e) { e.id[0] ^= 1; }), Errc::cannot_open);
  EXPECT_EQ(fails([&](Envelope& e) { e.from = bob_.address(); }), Errc::cannot_open);
  EXPECT_EQ(fails([&](Envelope& e) { e.to = alice_.address(); }), Errc::cannot_open);
  EXPECT_EQ(fails([](Envelope& e) { e.sent_at = e.sent_at + 1ms; }), Errc::cannot_open);
  EXPECT_EQ(fails([](Envelope& e) { e.expires_at = e.expires_at + 1ms; }), Errc::cannot_open);
  EXPECT_EQ(fails([](Envelope& e) { e.sealed->enc[3] ^= 1; }), Errc::cannot_open);
  EXPECT_EQ(fails([](Envelope& e) { e.sealed->enc = {}; }), Errc::cannot_open);
  EXPECT_EQ(fails([](Envelope& e) {
              Bytes bytes = to_bytes(e.sealed->ciphertext.view());
              bytes.back() ^= 1;
              e.sealed->ciphertext = Slice::copy(bytes);
            }),
            Errc::cannot_open);
  EXPECT_EQ(fails([](Envelope& e) { e.sealed->seal_key[0] ^= 1; }), Errc::unknown_seal_key);
}

TEST_F(Sealing, RefusesABroadcastAndALowOrderKey) {
  Envelope broadcast = alice_.envelope(1, std::nullopt);
  EXPECT_EQ(seal_into(broadcast, inner_, keys_.current(kNow, rng_), rng_).error(),
            make_error(Errc::sealed_without_to));
  Envelope direct = alice_.envelope(1, bob_.address());
  EXPECT_EQ(seal_into(direct, inner_, crypto::X25519Key{}, rng_).error(), make_error(Errc::bad_seal_key));
  EXPECT_TRUE(direct.body) << "a failed sealing leaves the envelope as it was";
}

TEST_F(Sealing, TheLimitsHoldInside) {
  Envelope envelope = alice_.envelope(1, bob_.address());
  const auto& key = keys_.current(kNow, rng_);
  Inner inner = inner_;
  inner.content_type.assign(129, 'a');
  EXPECT_EQ(seal_into(envelope, inner, key, rng_).error(), make_error(Errc::text_too_long));
  EXPECT_EQ(decode_inner(encode(inner)).error(), make_error(Errc::cannot_open));
  inner = inner_;
  inner.conversation.assign(33, 1);
  EXPECT_EQ(seal_into(envelope, inner, key, rng_).error(), make_error(Errc::bad_conversation));
  EXPECT_EQ(decode_inner(encode(inner)).error(), make_error(Errc::cannot_open));
  inner = inner_;
  inner.in_reply_to.reset();
  EXPECT_EQ(seal_into(envelope, inner, key, rng_).error(), make_error(Errc::bad_in_reply_to));
  EXPECT_EQ(decode_inner(encode(inner)).error(), make_error(Errc::cannot_open));
  Bytes short_id;
  pb::Writer(short_id).bytes(4, Bytes(15, 1));
  EXPECT_EQ(decode_inner(short_id).error(), make_error(Errc::cannot_open));
}

TEST_F(Sealing, EveryPlaintextSizeUpToTheFirstStepsIsFilledExactly) {
  for (std::size_t size = 0; size < 1400; ++size) {
    Bytes inner;
    if (size >= 2) {
      const std::size_t body = size < 130 ? size - 2 : size - 3;
      pb::Writer(inner).bytes(2, Bytes(body, 'x'));
    }
    const std::size_t before = inner.size();
    const Bytes padded = pad_inner(inner);
    ASSERT_EQ(padded.size(), padded_size(before)) << before;
    ASSERT_GE(padded.size(), before);
    ASSERT_TRUE(padded.size() == 256 || padded.size() == 1024 || padded.size() == 4096) << before;
    ASSERT_TRUE(decode_inner(padded)) << before;
  }
}

TEST_F(Sealing, APlainEnvelopeIsItsOwnContent) {
  Envelope envelope = alice_.envelope(1, bob_.address(), "plain");
  envelope.content_type = "text/x";
  const Inner inner = open_envelope(envelope, SealKeys()).value();
  EXPECT_EQ(to_text(inner.body), "plain");
  EXPECT_EQ(inner.content_type, "text/x");
}

TEST(SealKeyRing, MakesANewKeyEveryDay) {
  SeededRng rng(testkit::seed(1));
  SealKeys keys;
  const auto first = keys.current(kNow, rng);
  EXPECT_EQ(keys.current(kNow + (kSealKeyRotation - 1ms), rng), first);
  keys.named(first, kNow + 24h);
  EXPECT_NE(keys.current(kNow + kSealKeyRotation, rng), first);
  EXPECT_EQ(keys.size(), 2U);
}

TEST(SealKeyRing, KeepsAPrivateHalfForSevenDaysAfterTheLastRecordThatNamedIt) {
  SeededRng rng(testkit::seed(2));
  SealKeys keys;
  const auto first = keys.current(kNow, rng);
  keys.named(first, kNow + 24h);
  keys.named(first, kNow + 30h);
  keys.named(first, kNow + 20h);  // an earlier end changes nothing
  const WallTime end = kNow + 30h + kSealKeyKept;
  keys.current(end + -Duration(1ms), rng);
  EXPECT_NE(keys.find(first), nullptr);
  keys.destroy_old(end);
  EXPECT_EQ(keys.find(first), nullptr);
}

TEST(SealKeyRing, ForgetsAKeyThatNoRecordNamed) {
  SeededRng rng(testkit::seed(3));
  SealKeys keys;
  const auto first = keys.current(kNow, rng);
  keys.current(kNow + kSealKeyRotation, rng);
  EXPECT_EQ(keys.find(first), nullptr);
  EXPECT_EQ(keys.size(), 1U);
}

TEST(SealKeyRing, NeverDestroysTheNewest) {
  SeededRng rng(testkit::seed(4));
  SealKeys keys;
  const auto only = keys.current(kNow, rng);
  keys.named(only, kNow + 24h);
  keys.destroy_old(kNow + Days(365));
  EXPECT_NE(keys.find(only), nullptr);
}

TEST(SealKeyRing, StaysBoundedWhateverTheClockDoes) {
  SeededRng rng(testkit::seed(5));
  SealKeys keys;
  WallTime now = kNow;
  for (int i = 0; i < 100; ++i) {
    now = now + 25h;
    keys.named(keys.current(now, rng), WallTime::from_ms(UINT64_MAX));
  }
  EXPECT_EQ(keys.size(), kSealKeysMax);
  // A clock that went far back makes a new key instead of using one "from the future".
  const auto newest = keys.entries().back().pair.public_key;
  EXPECT_NE(keys.current(kNow, rng), newest);
}

TEST(SealKeyRing, SurvivesARestart) {
  SeededRng rng(testkit::seed(6));
  SealKeys keys;
  const auto first = keys.current(kNow, rng);
  keys.named(first, kNow + 24h);
  const auto revision = keys.revision();
  const auto second = keys.current(kNow + 25h, rng);
  EXPECT_NE(keys.revision(), revision);
  SealKeys restored;
  restored.restore(keys.entries(), kNow + 26h);
  EXPECT_NE(restored.find(first), nullptr);
  EXPECT_EQ(restored.current(kNow + 26h, rng), second);
  // Off for a month: what should have been destroyed meanwhile is not taken back.
  SealKeys late;
  late.restore(keys.entries(), kNow + Days(30));
  EXPECT_EQ(late.find(first), nullptr);
}

}  // namespace
}  // namespace starling::agent
