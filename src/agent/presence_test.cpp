#include "agent/presence.hpp"

#include <gtest/gtest.h>

#include "agent/agent_fixtures.hpp"
#include "agent/known_presences.hpp"
#include "agent/limits.hpp"
#include "agent/presence_validator.hpp"
#include "format/protobuf.hpp"
#include "testkit/testkit.hpp"

namespace starling::agent {
namespace {

using fixtures::kNow;

class PresenceRules : public testing::Test {
 protected:
  fixtures::Actor alice_{"alice", real_signatures()};
  fixtures::Actor bob_{"bob", real_signatures()};
  Trust trust_{NetworkName(), real_signatures()};

  /// The value with these presence bytes, signed by alice's node whatever they say.
  Bytes value_of(const Bytes& presence) {
    return encode(SignedPresence{alice_.delegation.wire, presence,
                                 real_signatures().sign(alice_.node, kPresencePrefix, presence)});
  }
  Verdict judge(const Presence& presence, WallTime now = kNow) {
    return validate_presence(presence_key(alice_.address()), value_of(encode(presence)), trust_, now).verdict;
  }
  std::optional<Error> detail_of(const Presence& presence) {
    const Verdict verdict = judge(presence);
    EXPECT_EQ(verdict.ruling, Ruling::reject);
    EXPECT_EQ(verdict.row, 5);
    return verdict.detail;
  }
};

TEST_F(PresenceRules, ARecordMadeHereIsValidEverywhere) {
  const Slice value = alice_.record();
  const auto judged = validate_presence(presence_key(alice_.address()), value, trust_, kNow);
  ASSERT_TRUE(judged.verdict.accepted()) << judged.verdict.to_string();
  EXPECT_EQ(judged.presence->fields.name, "somebody");
  EXPECT_EQ(judged.presence->peer_id(), alice_.peer());
  EXPECT_EQ(presence_expiry(value), kNow + 24h);
  EXPECT_EQ(presence_expiry(as_bytes("x")), std::nullopt);
}

TEST_F(PresenceRules, EveryLimitIsNamedWhenItIsPassed) {
  const Presence good = alice_.presence();
  const auto with = [&](auto change) {
    Presence presence = good;
    change(presence);
    return detail_of(presence);
  };
  EXPECT_EQ(with([](Presence& p) { p.addrs.assign(17, Bytes{1}); }), make_error(Errc::too_many_addrs));
  EXPECT_EQ(with([](Presence& p) { p.addrs = {Bytes(201, 1)}; }), make_error(Errc::addr_too_long));
  EXPECT_EQ(with([](Presence& p) { p.name.assign(65, 'a'); }), make_error(Errc::text_too_long));
  EXPECT_EQ(with([](Presence& p) { p.agent_version.assign(65, 'a'); }), make_error(Errc::text_too_long));
  EXPECT_EQ(with([](Presence& p) { p.seal_key = crypto::X25519Key{}; }), make_error(Errc::bad_seal_key));
  EXPECT_EQ(with([&](Presence& p) { p.wallet = bob_.address(); }), make_error(Errc::not_the_delegation));
  EXPECT_EQ(with([](Presence& p) { ++p.epoch; }), make_error(Errc::not_the_delegation));
  EXPECT_EQ(with([](Presence& p) { p.seq = p.issued_at.ms() + 1; }), make_error(Errc::bad_seq));
  EXPECT_EQ(with([](Presence& p) { p.expires_at = p.issued_at; }), make_error(Errc::bad_life));
  EXPECT_EQ(with([](Presence& p) { p.expires_at = p.issued_at + kPresenceLifeMax + 1ms; }),
            make_error(Errc::bad_life));
  EXPECT_EQ(with([](Presence& p) { p.withdrawn = true; }), make_error(Errc::bad_withdrawal));

  Bytes card = encode(good);
  pb::Writer(card).bytes(12, Bytes(31, 1));
  EXPECT_EQ(decode_presence(card).error(), make_error(Errc::bad_card_hash));
  EXPECT_EQ(decode_presence({}).error(), make_error(Errc::bad_wallet));
}

TEST_F(PresenceRules, TheLimitsThemselvesAreAllowed) {
  Presence presence = alice_.presence();
  presence.addrs.assign(16, Bytes(100, 1));
  presence.name.assign(64, 'a');
  presence.agent_version.assign(64, 'b');
  presence.seq = presence.issued_at.ms();
  presence.expires_at = presence.issued_at + kPresenceLifeMax;
  EXPECT_TRUE(judge(presence).accepted());
}

TEST_F(PresenceRules, AWithdrawalHasTheLongestLifeAndNothingToDial) {
  Presence presence = alice_.presence();
  presence.withdrawn = true;
  presence.addrs.clear();
  EXPECT_EQ(detail_of(presence), make_error(Errc::bad_withdrawal));
  presence.expires_at = presence.issued_at + kPresenceLifeMax;
  EXPECT_TRUE(judge(presence).accepted());
  presence.seal_key = crypto::x25519_public({5});
  EXPECT_EQ(detail_of(presence), make_error(Errc::bad_withdrawal));
}

TEST_F(PresenceRules, LifeIsCutAtTheDelegationsEnd) {
  const WallTime end = alice_.delegation.fields.not_after;
  Presence presence = alice_.presence(end + -Duration(1h));
  presence.expires_at = end + 1ms;
  EXPECT_EQ(detail_of(presence), make_error(Errc::bad_life));
  presence.expires_at = end;
  EXPECT_TRUE(judge(presence, presence.issued_at).accepted());
}

TEST_F(PresenceRules, TheKeyMustNameTheWallet) {
  const Slice value = alice_.record();
  const auto at_bob = validate_presence(presence_key(bob_.address()), value, trust_, kNow);
  EXPECT_EQ(at_bob.verdict.detail, make_error(Errc::key_of_another_wallet));
  for (const std::string_view key : {"", "/eth/", "/eth/0x", "/pk/abc"})
    EXPECT_EQ(validate_presence(as_bytes(key), value, trust_, kNow).verdict.reason, Reason::bad_key) << key;
  Bytes upper = presence_key(alice_.address());
  for (auto& c : upper)
    if (c >= 'a' && c <= 'f') c = static_cast<std::uint8_t>(c - 32);
  EXPECT_FALSE(parse_presence_key(upper));
}

TEST_F(PresenceRules, EveryChangedByteAndTruncationIsRefused) {
  const Slice good = alice_.record();
  const Bytes key = presence_key(alice_.address());
  for (std::size_t i = 0; i < good.size(); ++i) {
    Bytes changed = to_bytes(good.view());
    changed[i] ^= 0x10;
    EXPECT_FALSE(validate_presence(key, changed, trust_, kNow).verdict.accepted()) << "byte " << i;
    EXPECT_EQ(validate_presence(key, good.view().first(i), trust_, kNow).verdict.ruling, Ruling::reject) << i;
  }
}

TEST_F(PresenceRules, AnotherNodesRecordCannotBeLiftedUnderOurDelegation) {
  // Bob's node signs, alice's delegation stands in front.
  const Bytes presence = encode(alice_.presence());
  const Bytes value = encode(SignedPresence{alice_.delegation.wire, presence,
                                            real_signatures().sign(bob_.node, kPresencePrefix, presence)});
  EXPECT_EQ(validate_presence(value, trust_, kNow).verdict.reason, Reason::bad_node_signature);
}

TEST_F(PresenceRules, AGoodDelegationUnderABadNodeSignatureStillRaisesTheFloor) {
  const Bytes presence = encode(alice_.presence());
  const Bytes value = encode(SignedPresence{alice_.delegation.wire, presence, Bytes(64, 0)});
  EXPECT_EQ(validate_presence(value, trust_, kNow).verdict.reason, Reason::bad_node_signature);
  EXPECT_EQ(trust_.floors().floor_of(alice_.address()), alice_.delegation.fields.epoch);
}

TEST_F(PresenceRules, MakingRefusesWhatOthersWouldRefuse) {
  Presence presence = alice_.presence();
  presence.name.assign(65, 'a');
  EXPECT_EQ(make_presence(presence, alice_.delegation.wire, alice_.node, real_signatures()).error(),
            make_error(Errc::text_too_long));
  EXPECT_EQ(make_presence(alice_.presence(), alice_.delegation.wire, bob_.node, real_signatures()).error(),
            make_error(Errc::not_our_delegation));
  presence = alice_.presence();
  presence.addrs.assign(16, Bytes(200, 7));
  EXPECT_EQ(make_presence(presence, alice_.delegation.wire, alice_.node, real_signatures()).error(),
            make_error(Errc::too_large));
}

TEST_F(PresenceRules, TheSelectorTakesTheHighestWhateverTheOrder) {
  Presence tie = alice_.presence(kNow + 2ms);
  tie.name = "twin";
  const std::vector<Slice> records{alice_.record(kNow), alice_.record(kNow + 2ms), alice_.record(tie)};
  const auto rank = [&](const Slice& value) {
    return check_fields(decode_signed_presence(value).value(), value, NetworkName()).value().rank;
  };
  const std::size_t best = rank(records[1]) < rank(records[2]) ? 2 : 1;
  EXPECT_LT(rank(records[0]), rank(records[1]));
  std::vector<std::size_t> order{0, 1, 2};
  do {
    std::vector<ByteView> values;
    for (const std::size_t i : order) values.push_back(records[i].view());
    EXPECT_EQ(order[select_presence(values, NetworkName()).value()], best);
  } while (std::ranges::next_permutation(order).found);
  EXPECT_FALSE(select_presence(std::vector<ByteView>{as_bytes("nonsense")}, NetworkName()));
  EXPECT_FALSE(select_presence({}, NetworkName()));
}

TEST_F(PresenceRules, KnownPresencesKeepTheBestAndTheirBound) {
  KnownPresences known(2);
  const auto checked = [](const Slice& value) {
    return check_fields(decode_signed_presence(value).value(), value, NetworkName()).value();
  };
  const Slice older = alice_.record(kNow);
  const Slice newer = alice_.record(kNow + 1ms);
  EXPECT_TRUE(known.learn(checked(newer), newer));
  EXPECT_FALSE(known.learn(checked(newer), newer));
  EXPECT_FALSE(known.learn(checked(older), older));
  EXPECT_TRUE(known.loses(alice_.address(), checked(older).rank));
  EXPECT_FALSE(known.loses(alice_.address(), checked(newer).rank));
  EXPECT_EQ(to_hex(known.find(alice_.address())->value), to_hex(newer));
  // A rank alone is filled with its record, and is no reason to refuse it.
  known.learn_rank(bob_.address(), checked(bob_.record()).rank);
  EXPECT_TRUE(known.find(bob_.address())->value.empty());
  known.learn(checked(bob_.record()), bob_.record());
  EXPECT_FALSE(known.find(bob_.address())->value.empty());
  const fixtures::Actor carol("carol", real_signatures());
  known.learn(checked(carol.record()), carol.record());
  EXPECT_EQ(known.size(), 2U);
  EXPECT_EQ(known.find(alice_.address()), nullptr);
}

}  // namespace
}  // namespace starling::agent
