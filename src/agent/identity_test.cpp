#include "agent/identity.hpp"

#include <gtest/gtest.h>

#include "agent/agent_fixtures.hpp"
#include "agent/limits.hpp"
#include "agent/presence_validator.hpp"
#include "testkit/testkit.hpp"

namespace starling::agent {
namespace {

using fixtures::key_of;
using fixtures::kNow;

class IdentityRules : public testing::Test {
 protected:
  crypto::PrivateKey wallet_ = key_of("wallet", crypto::KeyType::secp256k1);
  crypto::PrivateKey node_ = key_of("node", crypto::KeyType::secp256k1);
  Trust trust_{NetworkName(), real_signatures()};

  Result<Identity> hot(std::optional<SignedDelegation> stored = std::nullopt, IssuedState issued = {},
                       WallTime now = kNow) {
    return Identity::hot(wallet_, node_, NetworkName(), std::move(stored), issued, now, real_signatures());
  }
  CheckedPresence valid(const Bytes& value, WallTime now) {
    auto judged = validate_presence(value, trust_, now);
    EXPECT_TRUE(judged.verdict.accepted()) << judged.verdict.to_string();
    return std::move(judged.presence.value());
  }
};

TEST_F(IdentityRules, ANewWalletTakesTheClockAsItsEpoch) {
  const auto identity = hot().value();
  const Delegation& fields = identity.delegation().fields;
  EXPECT_EQ(fields.epoch, kNow.ms());
  EXPECT_EQ(fields.not_before, kNow);
  EXPECT_EQ(fields.not_after, kNow + kDelegationWindowDefault);
  EXPECT_EQ(fields.node_key, node_.public_key());
  EXPECT_TRUE(trust_.judge(identity.delegation(), kNow).accepted());
  EXPECT_TRUE(identity.is_hot());
}

TEST_F(IdentityRules, AStoredDelegationIsKeptWhileItIsGood) {
  const auto first = hot().value();
  const auto again = hot(first.delegation().wire, {}, kNow + 24h).value();
  EXPECT_EQ(again.delegation().wire, first.delegation().wire);
  // Ended: a new one under the same epoch.
  const auto later = hot(first.delegation().wire, {}, kNow + Days(20)).value();
  EXPECT_EQ(later.delegation().fields.epoch, kNow.ms());
  EXPECT_EQ(later.delegation().fields.not_before, kNow + Days(20));
  // Of a node key that was exchanged: the same.
  node_ = key_of("another node", crypto::KeyType::ed25519);
  const auto other = hot(first.delegation().wire, {}, kNow + 1h).value();
  EXPECT_EQ(other.delegation().fields.epoch, kNow.ms());
  EXPECT_EQ(other.delegation().fields.node_key, node_.public_key());
  // Forged or somebody else's: as if there were none.
  SignedDelegation forged = first.delegation().wire;
  forged.signature[5] ^= 1;
  EXPECT_EQ(hot(forged, {}, kNow + 1h).value().delegation().fields.epoch, (kNow + 1h).ms());
  EXPECT_EQ(hot(fixtures::Actor("x", real_signatures()).delegation.wire, {}, kNow + 1h)
                .value()
                .delegation()
                .fields.epoch,
            (kNow + 1h).ms());
}

TEST_F(IdentityRules, RenewsAtHalfTimeWithTheSameEpoch) {
  auto identity = hot().value();
  const WallTime half = kNow + Days(7);
  EXPECT_EQ(identity.renew_at(), half);
  EXPECT_FALSE(identity.renew(half + -Duration(1ms)).value());
  EXPECT_TRUE(identity.renew(half).value());
  EXPECT_EQ(identity.delegation().fields.epoch, kNow.ms());
  EXPECT_EQ(identity.delegation().fields.not_after, half + kDelegationWindowDefault);
  EXPECT_TRUE(trust_.judge(identity.delegation(), half).accepted());
  EXPECT_FALSE(identity.renew(half).value());
}

TEST_F(IdentityRules, AColdWalletIsRenewedByItsOwner) {
  const auto made = hot().value().delegation();
  auto cold = Identity::cold(made.wire, node_, NetworkName(), {}, real_signatures()).value();
  EXPECT_FALSE(cold.is_hot());
  EXPECT_FALSE(cold.renew(kNow).value());
  EXPECT_EQ(cold.renew(kNow + Days(8)).error(), make_error(Errc::wallet_is_cold));
  const auto renewed = delegate(wallet_, node_.public_key(), NetworkName(), kNow + Days(8), made.fields.epoch,
                                kDelegationWindowDefault, real_signatures())
                           .value();
  ASSERT_TRUE(cold.adopt(renewed.wire));
  EXPECT_EQ(cold.delegation().wire, renewed.wire);
  EXPECT_EQ(cold.adopt(fixtures::Actor("x", real_signatures()).delegation.wire).error(),
            make_error(Errc::not_our_delegation));
}

TEST_F(IdentityRules, AColdDelegationMustBeOursAndGenuine) {
  auto wire = hot().value().delegation().wire;
  EXPECT_EQ(Identity::cold(wire, key_of("y", crypto::KeyType::ed25519), NetworkName(), {}, real_signatures())
                .error(),
            make_error(Errc::not_our_delegation));
  wire.signature[0] ^= 1;
  EXPECT_EQ(Identity::cold(wire, node_, NetworkName(), {}, real_signatures()).error(),
            make_error(Errc::forged_delegation));
}

TEST_F(IdentityRules, SeqStrictlyIncreasesWhateverTheClockDoes) {
  auto identity = hot().value();
  std::uint64_t last = 0;
  for (const Duration after : {Duration(0s), Duration(0s), Duration(5s), Duration(-60s), Duration(1h)}) {
    const auto presence = valid(identity.make_record({}, kNow + after).value(), kNow + after);
    EXPECT_GT(presence.fields.seq, last);
    EXPECT_EQ(presence.fields.seq, presence.fields.issued_at.ms());
    last = presence.fields.seq;
  }
  EXPECT_EQ(identity.issued().last_issued, last);
}

TEST_F(IdentityRules, AClockFarBehindTheLastRecordIsSaid) {
  auto identity = hot(std::nullopt, {(kNow + 1h).ms(), {}}).value();
  EXPECT_EQ(identity.make_record({}, kNow).error(), make_error(Errc::clock_behind));
  EXPECT_TRUE(identity.make_record({}, kNow + 59min));
  auto broken = hot(std::nullopt, {UINT64_MAX, {}}).value();
  EXPECT_EQ(broken.make_record({}, kNow).error(), make_error(Errc::clock_behind));
}

TEST_F(IdentityRules, TheExpiryNeverShrinksWithinItsLimit) {
  auto identity = hot().value();
  EXPECT_EQ(valid(identity.make_record({}, kNow).value(), kNow).fields.expires_at, kNow + 24h);
  const auto withdrawal = valid(identity.make_withdrawal(kNow + 1h).value(), kNow + 1h).fields;
  EXPECT_TRUE(withdrawal.withdrawn);
  EXPECT_EQ(withdrawal.expires_at, kNow + 49h);
  // Back again: as long as the withdrawal lives in anybody's store, so does this.
  EXPECT_EQ(valid(identity.make_record({}, kNow + 2h).value(), kNow + 2h).fields.expires_at, kNow + 49h);
  auto restored = hot(identity.delegation().wire, identity.issued()).value();
  EXPECT_EQ(valid(restored.make_record({}, kNow + 3h).value(), kNow + 3h).fields.expires_at, kNow + 49h);
  EXPECT_EQ(valid(restored.make_record({}, kNow + 40h).value(), kNow + 40h).fields.expires_at, kNow + 64h);
}

TEST_F(IdentityRules, NoRecordOutlivesTheDelegation) {
  const auto made = hot().value().delegation();
  auto cold = Identity::cold(made.wire, node_, NetworkName(), {}, real_signatures()).value();
  const WallTime end = made.fields.not_after;
  EXPECT_EQ(valid(cold.make_record({}, end + -Duration(1h)).value(), end + -Duration(1h)).fields.expires_at,
            end);
  EXPECT_EQ(cold.make_record({}, end).error(), make_error(Errc::delegation_ended));
  EXPECT_EQ(cold.start_envelope({}, std::nullopt, end).error(), make_error(Errc::delegation_ended));
}

TEST_F(IdentityRules, ContentIsCutToWhatARecordMayCarry) {
  auto identity = hot().value();
  PresenceContent content;
  const auto own = Multiaddr::parse("/ip4/1.2.3.4/tcp/1").value();
  content.addrs.push_back(own.with_peer_id(identity.peer_id()));
  content.addrs.emplace_back();
  for (std::uint16_t i = 0; i < 40; ++i) {
    IpPort address;
    address.ip[0] = 1;
    address.port = static_cast<std::uint16_t>(1000 + i);
    content.addrs.push_back(Multiaddr::tcp(address));
  }
  const auto fields = valid(identity.make_record(content, kNow).value(), kNow).fields;
  ASSERT_EQ(fields.addrs.size(), kPresenceAddrsMax);
  EXPECT_EQ(fields.addrs[0], to_bytes(own.bytes()));
  content.name.assign(65, 'n');
  const auto before = identity.issued();
  EXPECT_EQ(identity.make_record(content, kNow + 1s).error(), make_error(Errc::text_too_long));
  EXPECT_EQ(identity.issued(), before) << "a record that was not made took no seq";
}

TEST_F(IdentityRules, AHigherRecordOfAnotherNodeSupersedesUsUntilWeTakeOver) {
  auto identity = hot().value();
  const auto ours = valid(identity.make_record({}, kNow).value(), kNow);
  EXPECT_FALSE(identity.meet(ours)) << "our own record";
  auto other = Identity::hot(wallet_, key_of("other", crypto::KeyType::ed25519), NetworkName(),
                             identity.delegation().wire, {}, kNow, real_signatures())
                   .value();
  const auto theirs = valid(other.make_record({}, kNow + 5s).value(), kNow + 5s);
  EXPECT_TRUE(identity.meet(theirs));
  EXPECT_FALSE(identity.meet(theirs)) << "said once";
  EXPECT_EQ(identity.superseded_by(), other.peer_id());
  EXPECT_FALSE(other.meet(ours)) << "the higher one is not superseded by the lower";

  ASSERT_TRUE(identity.take_over(kNow));
  EXPECT_EQ(identity.superseded_by(), std::nullopt);
  const auto above = valid(identity.make_record({}, kNow).value(), kNow + 6s);
  EXPECT_GT(above.rank, theirs.rank);
  EXPECT_TRUE(other.meet(above));
}

TEST_F(IdentityRules, TakingOverAHigherEpochNeedsTheWallet) {
  auto identity = hot().value();
  const auto first = identity.delegation().wire;
  // The same wallet on a fresh disk: a new epoch, which revokes the old.
  auto other = Identity::hot(wallet_, key_of("other", crypto::KeyType::ed25519), NetworkName(), std::nullopt,
                             {}, kNow + 1h, real_signatures())
                   .value();
  const auto theirs = valid(other.make_record({}, kNow + 1h).value(), kNow + 1h);
  EXPECT_TRUE(identity.is_revoked(trust_.floors()));
  ASSERT_TRUE(identity.meet(theirs));
  auto cold = Identity::cold(first, node_, NetworkName(), {}, real_signatures()).value();
  ASSERT_TRUE(cold.meet(theirs));
  EXPECT_EQ(cold.take_over(kNow + 1h).error(), make_error(Errc::wallet_is_cold));
  ASSERT_TRUE(identity.take_over(kNow + 1h));
  EXPECT_FALSE(identity.is_revoked(trust_.floors()));
  EXPECT_GT(valid(identity.make_record({}, kNow + 1h).value(), kNow + 1h).rank, theirs.rank);
}

TEST_F(IdentityRules, EnvelopesLiveNoLongerThanAllowed) {
  const auto identity = hot().value();
  const auto life = [&](WallTime now, Duration wanted) {
    const auto envelope = identity.start_envelope({}, std::nullopt, now, wanted).value();
    return envelope.expires_at;
  };
  EXPECT_EQ(life(kNow, kEnvelopeLifeDefault), kNow + 24h);
  EXPECT_EQ(life(kNow, Duration(Days(30))), kNow + Days(7));
  EXPECT_EQ(life(kNow + Days(13), Duration(Days(7))), kNow + Days(14));
}

TEST_F(IdentityRules, RevocationLeavesAWithdrawnRecordAndRaisesTheFloor) {
  auto identity = hot().value();
  const auto before = valid(identity.make_record({}, kNow).value(), kNow);
  SeededRng rng(testkit::seed(8));
  const auto revocation = revoke_all(wallet_, NetworkName(), kNow + 1s, rng, real_signatures()).value();
  const auto after = valid(revocation.record, kNow + 1s);
  EXPECT_TRUE(after.fields.withdrawn);
  EXPECT_GT(after.rank, before.rank);
  EXPECT_TRUE(identity.is_revoked(trust_.floors()));
  EXPECT_EQ(trust_.judge(identity.delegation(), kNow + 1s).reason, Reason::revoked);
}

TEST_F(IdentityRules, DelegationsMayBeLongerButNotTooLong) {
  const auto make = [&](Duration window) {
    return delegate(wallet_, node_.public_key(), NetworkName(), kNow, std::nullopt, window,
                    real_signatures());
  };
  EXPECT_TRUE(make(kDelegationWindowMax));
  EXPECT_EQ(make(kDelegationWindowMax + 1ms).error(), make_error(Errc::bad_window));
  EXPECT_EQ(delegate(wallet_, wallet_.public_key(), NetworkName(), kNow, std::nullopt,
                     kDelegationWindowDefault, real_signatures())
                .error(),
            make_error(Errc::node_key_is_wallet));
  // An epoch ahead of the clock moves the start, so that the relation holds.
  EXPECT_EQ(delegate(wallet_, node_.public_key(), NetworkName(), kNow, (kNow + 1min).ms(),
                     kDelegationWindowDefault, real_signatures())
                .value()
                .fields.not_before,
            kNow + 1min);
}

}  // namespace
}  // namespace starling::agent
