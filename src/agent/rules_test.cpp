// Names, clock rules, error texts, the stand-in signatures: the small things everything else stands on.
#include <gtest/gtest.h>

#include <set>

#include "agent/agent_fixtures.hpp"
#include "agent/names.hpp"
#include "agent/times.hpp"

namespace starling::agent {
namespace {

constexpr WallTime ms(std::uint64_t value) { return WallTime::from_ms(value); }
constexpr std::uint64_t kMax = UINT64_MAX;

TEST(ClockRules, StartsHaveSkewAndEndsHaveNone) {
  EXPECT_TRUE(start_is_good(ms(120'000), ms(0)));
  EXPECT_FALSE(start_is_good(ms(120'001), ms(0)));
  EXPECT_TRUE(end_is_good(ms(1), ms(0)));
  EXPECT_FALSE(end_is_good(ms(0), ms(0)));
  EXPECT_TRUE(is_fresh(ms(0), 5min, ms(300'000)));
  EXPECT_FALSE(is_fresh(ms(0), 5min, ms(300'001)));
}

TEST(ClockRules, NothingWrapsAtTheEdges) {
  EXPECT_TRUE(start_is_good(ms(kMax), ms(kMax)));
  EXPECT_TRUE(start_is_good(ms(kMax), ms(kMax - 1)));
  EXPECT_FALSE(start_is_good(ms(kMax), ms(0)));
  EXPECT_TRUE(end_is_good(ms(kMax), ms(kMax - 1)));
  EXPECT_FALSE(end_is_good(ms(kMax), ms(kMax)));
  EXPECT_TRUE(is_fresh(ms(kMax - 1), Days(7), ms(kMax)));
  for (const std::uint64_t value :
       {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1} << 31, (std::uint64_t{1} << 63) - 1, kMax}) {
    EXPECT_GE(time_until(ms(value), ms(0)), Duration::zero());
    EXPECT_EQ(time_until(ms(0), ms(value)), Duration::zero());
  }
  EXPECT_EQ(time_until(ms(kMax), ms(0)), Duration::max());
  EXPECT_EQ(time_until(ms(5), ms(3)), 2ms);
}

TEST(Names, NetworksAreLowercaseLettersDigitsAndDashes) {
  for (const std::string_view good : {"starling", "a", "test-net-7", "12345678901234567890123456789012"})
    EXPECT_EQ(NetworkName::parse(good).value().text(), good);
  for (const std::string_view bad :
       {"", "A", "a_b", "a b", "a/b", "\xc3\xa4", "123456789012345678901234567890123"})
    EXPECT_EQ(NetworkName::parse(bad).error(), make_error(Errc::bad_network_name)) << bad;
  EXPECT_EQ(NetworkName().kad_protocol(), "/starling/kad/1.0.0");
}

TEST(Names, TopicsAreExactlyThree) {
  EXPECT_EQ(parse_topic("agent-announcements"), Topic::announcements);
  EXPECT_EQ(parse_topic("agent-messages"), Topic::messages);
  EXPECT_EQ(parse_topic("node-status"), Topic::status);
  EXPECT_EQ(parse_topic("node-status "), std::nullopt);
  EXPECT_EQ(parse_topic(""), std::nullopt);
}

TEST(Names, NoPrefixOfSignedBytesIsThePrefixOfAnother) {
  const std::vector<std::string_view> prefixes{kPresencePrefix, kEnvelopePrefix, kReceiptPrefix,
                                               "libp2p-pubsub:", "noise-libp2p-static-key:"};
  for (const auto a : prefixes)
    for (const auto b : prefixes) EXPECT_TRUE(a == b || !b.starts_with(a)) << a << " " << b;
}

TEST(ErrorTexts, EveryCodeHasOneOfItsOwn) {
  std::set<std::string_view> texts;
  const auto last = static_cast<std::uint16_t>(Errc::wallet_is_cold);
  for (std::uint16_t code = 1; code <= last; ++code) {
    const Error error = make_error(static_cast<Errc>(code));
    EXPECT_NE(error.message(), "unknown error") << code;
    texts.insert(error.message());
  }
  EXPECT_EQ(texts.size(), last);
  EXPECT_EQ(make_error(Errc::too_large).to_string(), "agent: over the size limit");
}

TEST(SignaturePort, TheStandInBehavesLikeTheRealOne) {
  const fixtures::CheapSignatures cheap;
  for (const Signatures* signatures : {&real_signatures(), static_cast<const Signatures*>(&cheap)}) {
    const fixtures::Actor alice("alice", *signatures);
    EXPECT_TRUE(verify_wallet(alice.delegation, *signatures));
    CheckedDelegation forged = alice.delegation;
    forged.fields.epoch += 1;
    EXPECT_FALSE(verify_wallet(forged, *signatures));
    const Bytes signature = signatures->sign(alice.node, "a:", as_bytes("b"));
    EXPECT_TRUE(signatures->verify(alice.node.public_key(), "a:", as_bytes("b"), signature));
    EXPECT_FALSE(signatures->verify(alice.node.public_key(), "b:", as_bytes("b"), signature));
    EXPECT_FALSE(signatures->verify(alice.wallet.public_key(), "a:", as_bytes("b"), signature));
  }
}

}  // namespace
}  // namespace starling::agent
