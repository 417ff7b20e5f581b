#include "agent/envelope.hpp"

#include <gtest/gtest.h>

#include "agent/agent_fixtures.hpp"
#include "agent/limits.hpp"
#include "format/protobuf.hpp"

namespace starling::agent {
namespace {

using fixtures::kNow;

class EnvelopeRules : public testing::Test {
 protected:
  fixtures::Actor alice_{"alice", real_signatures()};
  fixtures::Actor bob_{"bob", real_signatures()};
  Envelope good_ = alice_.envelope(1, bob_.address());

  static Result<CheckedEnvelope> check(const Bytes& bytes, Path path = Path::gossip) {
    const Slice data = Slice::copy(bytes);
    STARLING_ASSIGN(const auto fields, decode_envelope_fields(data));
    return check_fields(fields, data, path, NetworkName());
  }
  Errc broken(const Envelope& envelope) {
    const auto checked = check(encode(envelope));
    EXPECT_FALSE(checked);
    return checked ? Errc{} : static_cast<Errc>(checked.error().code());
  }
};

TEST_F(EnvelopeRules, WhatIsEncodedComesBack) {
  good_.content_type = "text/markdown";
  good_.conversation = Bytes(32, 7);
  good_.in_reply_to = EnvelopeId{9};
  good_.kind = MessageKind::response;
  good_.published_at = kNow;
  const auto checked = check(encode(good_));
  ASSERT_TRUE(checked);
  const Envelope& got = checked->fields;
  EXPECT_EQ(got.key(), good_.key());
  EXPECT_EQ(got.to, good_.to);
  EXPECT_EQ(to_text(*got.body), "hello");
  EXPECT_EQ(got.content_type, good_.content_type);
  EXPECT_EQ(got.conversation, good_.conversation);
  EXPECT_EQ(got.in_reply_to, good_.in_reply_to);
  EXPECT_EQ(got.kind, MessageKind::response);
  EXPECT_EQ(got.published_at, kNow);
  EXPECT_EQ(encode(got), encode(good_));
  EXPECT_EQ(digest_of(got), digest_of(good_));
}

TEST_F(EnvelopeRules, EveryRuleIsNamedWhenItBreaks) {
  const auto with = [&](auto change) {
    Envelope envelope = good_;
    change(envelope);
    return broken(envelope);
  };
  const Sealed sealed{{1}, {2}, Slice::copy(Bytes(16, 3))};
  EXPECT_EQ(with([&](Envelope& e) { e.sealed = sealed; }), Errc::body_and_sealed);
  EXPECT_EQ(with([](Envelope& e) { e.body.reset(); }), Errc::body_and_sealed);
  EXPECT_EQ(with([&](Envelope& e) {
              e.body.reset();
              e.sealed = sealed;
              e.to.reset();
            }),
            Errc::sealed_without_to);
  EXPECT_EQ(with([&](Envelope& e) {
              e.body.reset();
              e.sealed = sealed;
              e.content_type = "a";
            }),
            Errc::field_outside_seal);
  EXPECT_EQ(with([&](Envelope& e) {
              e.body.reset();
              e.sealed = sealed;
              e.in_reply_to = EnvelopeId{1};
            }),
            Errc::field_outside_seal);
  EXPECT_EQ(with([](Envelope& e) {
              e.body.reset();
              e.sealed = Sealed{{1}, {2}, Slice::copy(Bytes(15, 3))};
            }),
            Errc::bad_sealed);
  EXPECT_EQ(with([](Envelope& e) { e.content_type.assign(129, 'a'); }), Errc::text_too_long);
  EXPECT_EQ(with([](Envelope& e) { e.conversation.assign(33, 1); }), Errc::bad_conversation);
  EXPECT_EQ(with([](Envelope& e) { e.kind = MessageKind::response; }), Errc::bad_in_reply_to);
  EXPECT_EQ(with([](Envelope& e) { e.expires_at = e.sent_at; }), Errc::bad_life);
  EXPECT_EQ(with([](Envelope& e) { e.expires_at = e.sent_at + kEnvelopeLifeMax + 1ms; }), Errc::bad_life);
  EXPECT_EQ(with([](Envelope& e) { e.expires_at = WallTime::from_ms(UINT64_MAX); }), Errc::bad_life);
  EXPECT_EQ(with([&](Envelope& e) { e.from = bob_.address(); }), Errc::not_the_delegation);
  EXPECT_EQ(with([](Envelope& e) { e.delegation = {}; }), Errc::no_delegation);
  EXPECT_EQ(with([](Envelope& e) { e.delegation.signature.pop_back(); }), Errc::bad_wallet_signature_size);
}

TEST_F(EnvelopeRules, NoLifeReachesBeyondTheDelegation) {
  const WallTime end = alice_.delegation.fields.not_after;
  good_.sent_at = end + -Duration(1h);
  good_.expires_at = end + 1ms;
  EXPECT_EQ(broken(good_), Errc::bad_life);
  good_.expires_at = end;
  EXPECT_TRUE(check(encode(good_)));
}

TEST_F(EnvelopeRules, PublishedAtHasNoPlaceOnAStream) {
  EXPECT_TRUE(check(encode(good_), Path::stream));
  good_.published_at = kNow;
  EXPECT_EQ(check(encode(good_), Path::stream).error(), make_error(Errc::published_at_on_stream));
  // Making a SignedEnvelope leaves it out.
  const Slice frame = alice_.framed(good_);
  EXPECT_EQ(decode_envelope_fields(decode_signed_envelope(frame).value().envelope).value().published_at, 0U);
}

TEST_F(EnvelopeRules, PublishedAtIsOutsideTheAadAndTheDigest) {
  Envelope later = good_;
  later.published_at = kNow + 5min;
  EXPECT_EQ(aad_of(later), aad_of(good_));
  EXPECT_EQ(digest_of(later), digest_of(good_));
  later.sent_at = kNow + 1ms;
  EXPECT_NE(digest_of(later), digest_of(good_));
}

TEST_F(EnvelopeRules, SizesAreRefusedBeforeAnythingIsSent) {
  const auto body_of = [&](std::size_t total) {
    Envelope empty = good_;
    empty.body = Slice{};
    empty.published_at = kNow;
    return total - encode(empty).size() - 2;  // two more length bytes for a body over 16 KiB
  };
  good_.body = Slice::copy(Bytes(body_of(kEnvelopeGossipBytesMax), 'a'));
  EXPECT_EQ(make_publication(good_, kNow).value().size(), kEnvelopeGossipBytesMax);
  good_.body = Slice::copy(Bytes(body_of(kEnvelopeGossipBytesMax) + 1, 'a'));
  EXPECT_EQ(make_publication(good_, kNow).error(), make_error(Errc::too_large));
  EXPECT_TRUE(make_signed_envelope(good_, alice_.node, real_signatures()));
  good_.body = Slice::copy(Bytes(kEnvelopeStreamBytesMax, 'a'));
  EXPECT_EQ(make_signed_envelope(good_, alice_.node, real_signatures()).error(), make_error(Errc::too_large));
}

TEST_F(EnvelopeRules, AFrameOrEnvelopeOverItsSizeIsTooLarge) {
  Bytes frame;
  pb::Writer writer(frame);
  writer.bytes(1, Bytes(kEnvelopeStreamBytesMax + 1, 0));
  EXPECT_EQ(decode_signed_envelope(Slice::copy(frame)).error(), make_error(Errc::too_large));
  EXPECT_EQ(decode_signed_envelope(Slice::copy(Bytes(kSignedEnvelopeBytesMax + 1, 0))).error(),
            make_error(Errc::too_large));
}

TEST_F(EnvelopeRules, BodyAndCiphertextShareTheMemoryOfTheMessage) {
  const Slice data = Slice::copy(encode(good_));
  const auto checked =
      check_fields(decode_envelope_fields(data).value(), data, Path::gossip, NetworkName()).value();
  EXPECT_GE(checked.fields.body->data(), data.data());
  EXPECT_LE(checked.fields.body->data() + checked.fields.body->size(), data.data() + data.size());
}

TEST_F(EnvelopeRules, EveryTruncationIsMalformedOrBreaksARule) {
  const Bytes bytes = encode(good_);
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(check({bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)})) << size;
}

TEST_F(EnvelopeRules, UnknownFieldsAreSkippedAndKnownOnesNotRepeated) {
  Bytes bytes = encode(good_);
  pb::Writer(bytes).varint(14, 1);
  pb::Writer(bytes).bytes(999, as_bytes("later"));
  EXPECT_TRUE(check(bytes));
  pb::Writer(bytes).varint(5, good_.sent_at.ms());
  EXPECT_EQ(check(bytes).error(), format::make_error(format::Errc::duplicate_field));
}

TEST_F(EnvelopeRules, VersionsAreTwoChecks) {
  EnvelopeFields fields;
  EXPECT_EQ(check_version(fields).error(), make_error(Errc::no_version));
  fields.version = 1;
  EXPECT_TRUE(check_version(fields));
  fields.version = 2;
  EXPECT_EQ(check_version(fields).error(), make_error(Errc::later_version));
}

TEST_F(EnvelopeRules, KindsHaveNames) {
  EXPECT_EQ(to_string(MessageKind::request), "request");
  EXPECT_EQ(to_string(static_cast<MessageKind>(77)), "other");
}

}  // namespace
}  // namespace starling::agent
