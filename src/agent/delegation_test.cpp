#include "agent/delegation.hpp"

#include <gtest/gtest.h>

#include "agent/agent_fixtures.hpp"
#include "agent/limits.hpp"
#include "agent/trust.hpp"
#include "format/protobuf.hpp"
#include "testkit/testkit.hpp"

namespace starling::agent {
namespace {

using fixtures::kNow;

class DelegationRules : public testing::Test {
 protected:
  fixtures::Actor alice_{"alice", real_signatures()};
  Trust trust_{NetworkName(), real_signatures()};

  /// `fields` signed by alice's wallet.
  Verdict judge(const Delegation& fields, WallTime now = kNow) {
    return judge_delegation(encode(sign_delegation(fields, alice_.wallet, real_signatures())), trust_, now);
  }
};

TEST_F(DelegationRules, AGoodOneIsAccepted) {
  const Verdict verdict = judge(alice_.delegation.fields);
  EXPECT_EQ(verdict.ruling, Ruling::accept);
  EXPECT_EQ(verdict.row, 9);
  EXPECT_EQ(verdict.to_string(), "accept at check 9: accepted");
}

TEST_F(DelegationRules, EveryFixedRelationIsNamedWhenItBreaks) {
  const Delegation good = alice_.delegation.fields;
  const auto errc_of = [&](auto change) {
    Delegation fields = good;
    change(fields);
    const Verdict verdict = judge(fields);
    EXPECT_EQ(verdict.ruling, Ruling::reject);
    EXPECT_EQ(verdict.row, 5);
    return verdict.detail;
  };
  EXPECT_EQ(errc_of([](Delegation& d) { d.network = "testnet"; }), make_error(Errc::other_network));
  EXPECT_EQ(errc_of([](Delegation& d) { d.network = "Starling"; }), make_error(Errc::bad_network_name));
  EXPECT_EQ(errc_of([](Delegation& d) { d.network.clear(); }), make_error(Errc::bad_network_name));
  EXPECT_EQ(errc_of([](Delegation& d) { d.network.assign(33, 'a'); }), make_error(Errc::bad_network_name));
  EXPECT_EQ(errc_of([](Delegation& d) { d.not_after = d.not_before; }), make_error(Errc::bad_window));
  EXPECT_EQ(errc_of([](Delegation& d) { d.not_after = d.not_before + kDelegationWindowMax + 1ms; }),
            make_error(Errc::bad_window));
  EXPECT_EQ(errc_of([](Delegation& d) { d.epoch = d.not_before.ms() + 1; }),
            make_error(Errc::epoch_after_start));
  EXPECT_EQ(errc_of([&](Delegation& d) { d.node_key = alice_.wallet.public_key(); }),
            make_error(Errc::node_key_is_wallet));
}

TEST_F(DelegationRules, TimesAtTheEndOfTheRangeDoNotWrap) {
  Delegation fields = alice_.delegation.fields;
  fields.not_before = WallTime::from_ms(UINT64_MAX - 1);
  fields.not_after = WallTime::from_ms(UINT64_MAX);
  EXPECT_EQ(judge(fields).reason, Reason::from_the_future);
  fields.not_before = kNow;
  EXPECT_EQ(judge(fields).detail, make_error(Errc::bad_window));
  fields.not_before = WallTime{};
  fields.epoch = 0;
  fields.not_after = WallTime::from_ms(1);
  EXPECT_EQ(judge(fields).reason, Reason::ended);
}

TEST_F(DelegationRules, SkewIsGrantedAtTheStartOnly) {
  const Delegation& fields = alice_.delegation.fields;
  EXPECT_TRUE(judge(fields, fields.not_before + -Duration(kClockSkewMax)).accepted());
  EXPECT_EQ(judge(fields, fields.not_before + -Duration(kClockSkewMax + 1ms)).reason,
            Reason::from_the_future);
  EXPECT_TRUE(judge(fields, fields.not_after + -Duration(1ms)).accepted());
  EXPECT_EQ(judge(fields, fields.not_after).reason, Reason::ended);
}

TEST_F(DelegationRules, EveryChangedByteIsRefused) {
  const Bytes good = encode(alice_.delegation.wire);
  for (std::size_t i = 0; i < good.size(); ++i) {
    Bytes changed = good;
    changed[i] ^= 0x01;
    const Verdict verdict = judge_delegation(changed, trust_, kNow);
    EXPECT_FALSE(verdict.accepted()) << "byte " << i << ": " << verdict.to_string();
  }
}

TEST_F(DelegationRules, EveryTruncationIsRefused) {
  const Bytes good = encode(alice_.delegation.wire);
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_EQ(judge_delegation(ByteView(good).first(size), trust_, kNow).ruling, Ruling::reject) << size;
}

TEST_F(DelegationRules, ABytewiseTwinIsNotCanonical) {
  // The same fields with a varint written longer: EIP-712 would not notice, so the bytes must.
  Delegation fields = alice_.delegation.fields;
  Bytes longer = encode(fields);
  longer.back() |= 0x80;
  longer.push_back(0x00);
  EXPECT_EQ(decode_delegation(longer).error(), make_error(Errc::not_canonical));
  fields.epoch = 0;
  Bytes zero = encode(fields);
  pb::Writer(zero).varint(6, 0);
  EXPECT_EQ(decode_delegation(zero).error(), make_error(Errc::not_canonical));
  Bytes unknown = encode(fields);
  pb::Writer(unknown).varint(200, 1);
  EXPECT_EQ(decode_delegation(unknown).error(), make_error(Errc::not_canonical));
}

TEST_F(DelegationRules, HardwareWalletsGetTheirVNormalised) {
  const Bytes& signature = alice_.delegation.wire.signature;
  Bytes raw = signature;
  raw.back() = static_cast<std::uint8_t>(raw.back() - 27);
  EXPECT_EQ(normalise_wallet_signature(raw), signature);
  EXPECT_EQ(normalise_wallet_signature(signature), signature);
  raw.back() = 2;
  EXPECT_FALSE(normalise_wallet_signature(raw));
  raw.pop_back();
  EXPECT_FALSE(normalise_wallet_signature(raw));
}

TEST(DelegationCacheRules, RecoverIsPaidOnceAndFailuresAreNotCached) {
  const fixtures::CheapSignatures signatures;
  const fixtures::Actor alice("alice", signatures);
  Trust trust(NetworkName(), signatures);
  const Bytes good = encode(alice.delegation.wire);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(judge_delegation(good, trust, kNow).accepted());
  EXPECT_EQ(signatures.recovers, 1U);

  SignedDelegation forged = alice.delegation.wire;
  forged.signature[40] ^= 1;
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(judge_delegation(encode(forged), trust, kNow).reason, Reason::forged_delegation);
  EXPECT_EQ(signatures.recovers, 4U);
  EXPECT_EQ(trust.cache().size(), 1U);
}

TEST(DelegationCacheRules, WindowAndFloorAreCheckedOnEveryUseOfACachedOne) {
  const fixtures::CheapSignatures signatures;
  const fixtures::Actor alice("alice", signatures);
  Trust trust(NetworkName(), signatures);
  const Bytes good = encode(alice.delegation.wire);
  ASSERT_TRUE(judge_delegation(good, trust, kNow).accepted());
  EXPECT_EQ(judge_delegation(good, trust, alice.delegation.fields.not_after).reason, Reason::ended);
  trust.floors().saw(alice.address(), alice.delegation.fields.epoch + 1, kNow);
  EXPECT_EQ(judge_delegation(good, trust, kNow).reason, Reason::revoked);
  EXPECT_EQ(signatures.recovers, 1U);
}

TEST(DelegationCacheRules, TheCacheKeepsItsBound) {
  DelegationCache cache(3);
  crypto::Hash256 key{};
  for (std::uint8_t i = 0; i < 10; ++i) {
    key[0] = i;
    cache.insert(key);
  }
  EXPECT_EQ(cache.size(), 3U);
  EXPECT_TRUE(cache.contains(key));
  key[0] = 0;
  EXPECT_FALSE(cache.contains(key));
}

TEST(TrustRules, AVerifiedDelegationRaisesTheFloorWhateverBecomesOfIt) {
  const fixtures::CheapSignatures signatures;
  const fixtures::Actor old("alice", signatures);
  const fixtures::Actor renewed("alice", signatures, crypto::KeyType::ed25519, kNow.ms() - 86'400'000 - 5);
  Trust trust(NetworkName(), signatures);
  EXPECT_TRUE(judge_delegation(encode(old.delegation.wire), trust, kNow).accepted());
  EXPECT_EQ(trust.floors().floor_of(old.address()), old.delegation.fields.epoch);
  // A lower epoch of the same wallet, though its signature is good, is revoked from now on.
  EXPECT_EQ(judge_delegation(encode(renewed.delegation.wire), trust, kNow).reason, Reason::revoked);
}

}  // namespace
}  // namespace starling::agent
