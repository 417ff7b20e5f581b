// The judge is judged: every outcome is reached, and a forged record is never taken for a found one.
#include "sim/ledger.hpp"

#include <gtest/gtest.h>

#include "kad/errors.hpp"
#include "node/errors.hpp"
#include "node/own_presence.hpp"

namespace starling::sim {
namespace {

constexpr std::size_t kNode = 7;

class LedgerTest : public ::testing::Test {
 protected:
  LedgerTest()
      : key_(crypto::PrivateKey::generate(crypto::KeyType::ed25519, rng_)),
        other_key_(crypto::PrivateKey::generate(crypto::KeyType::ed25519, rng_)) {
    ledger_.know(kNode, wallet_, PeerId::of(key_.public_key()));
  }

  static Now at(std::int64_t s) {
    return {Instant::from_ns(s * 1'000'000'000), WallTime::from_ms(static_cast<std::uint64_t>(s) * 1000)};
  }
  void issue(std::uint64_t seq, std::int64_t now_s, std::int64_t expires_s) {
    const agent::IssuedState issued{seq, at(expires_s).wall};
    ledger_.on_told(kNode, node::agent_event::Persist{node::Kept::issued, {}, node::encode_issued(issued)},
                    at(now_s));
  }
  void stored(std::uint64_t seq, std::int64_t now_s, std::size_t servers = 5) {
    ledger_.on_told(kNode, node::agent_event::Published{seq, servers}, at(now_s));
  }
  /// Record 1, published at 10 s, that ends at 100 s.
  void publish_first() {
    issue(1, 10, 100);
    stored(1, 10);
  }
  void withdraw(std::uint64_t seq, std::int64_t now_s) {
    ledger_.on_leaving(kNode);
    issue(seq, now_s, 200);
    stored(seq, now_s);
  }
  Outcome judge(const Result<node::FoundPresence>& outcome, std::int64_t began_s) const {
    return ledger_.judge(wallet_, outcome, at(began_s).mono, at(began_s).wall);
  }
  Result<node::FoundPresence> record(std::uint64_t seq, std::int64_t expires_s, bool withdrawn = false,
                                     bool by_other_key = false) const {
    agent::Presence fields;
    fields.wallet = wallet_;
    fields.seq = seq;
    fields.expires_at = at(expires_s).wall;
    fields.withdrawn = withdrawn;
    agent::Delegation delegation{wallet_, (by_other_key ? other_key_ : key_).public_key(), {}, {}, {}, 0};
    return node::FoundPresence{{fields, {delegation, {}}, {}, {}}, node::PresenceSource::dht, {}, 0};
  }
  static Result<node::FoundPresence> nothing() { return fail(node::Errc::not_found); }

  SeededRng rng_{1};
  crypto::PrivateKey key_, other_key_;
  EthAddress wallet_{FixedBytes<20>{1, 2, 3}};
  Ledger ledger_;
};

TEST_F(LedgerTest, TheNewestPublishedRecordIsFoundAndAnyNewerOneToo) {
  publish_first();
  EXPECT_EQ(judge(record(1, 100), 20), Outcome::found);
  issue(2, 30, 130);  // made, and perhaps seen, before a server has said that it keeps it
  EXPECT_EQ(judge(record(2, 130), 31), Outcome::found);
  EXPECT_EQ(judge(record(1, 100), 31), Outcome::found);
}

TEST_F(LedgerTest, AnOlderOneThanWasPublishedBeforeTheLookupBeganIsStale) {
  publish_first();
  issue(2, 30, 130);
  stored(2, 31);
  EXPECT_EQ(judge(record(1, 100), 30), Outcome::found);
  EXPECT_EQ(judge(record(1, 100), 31), Outcome::stale);
}

TEST_F(LedgerTest, NothingIsTruthOnlyWhereNothingLives) {
  EXPECT_EQ(judge(nothing(), 5), Outcome::absent);
  publish_first();
  EXPECT_EQ(judge(nothing(), 9), Outcome::absent);
  EXPECT_EQ(judge(nothing(), 10), Outcome::missed);
  EXPECT_EQ(judge(nothing(), 99), Outcome::missed);
  EXPECT_EQ(judge(nothing(), 100), Outcome::absent);
}

TEST_F(LedgerTest, HavingNobodyToAskIsNeverTruthful) {
  EXPECT_EQ(judge(fail(kad::Errc::no_peers), 5), Outcome::missed);
}

TEST_F(LedgerTest, AWithdrawnAddressIsReportedAsSuchAndItsOldRecordIsResurrected) {
  publish_first();
  withdraw(2, 40);
  EXPECT_EQ(judge(record(2, 200, true), 41), Outcome::withdrawn);
  EXPECT_EQ(judge(nothing(), 41), Outcome::absent);
  EXPECT_EQ(judge(record(1, 100), 41), Outcome::resurrected);
  EXPECT_EQ(judge(record(1, 100), 39), Outcome::found);  // the lookup began before it left
  ledger_.on_back(kNode);
  issue(3, 50, 300);
  stored(3, 50);
  EXPECT_EQ(judge(record(3, 300), 51), Outcome::found);
  EXPECT_EQ(judge(record(2, 200, true), 51), Outcome::stale);
}

TEST_F(LedgerTest, AnExpiredRecordIsResurrected) {
  publish_first();
  EXPECT_EQ(judge(record(1, 100), 99), Outcome::found);
  EXPECT_EQ(judge(record(1, 100), 100), Outcome::resurrected);
}

TEST_F(LedgerTest, WhatItsOwnerNeverMadeIsForged) {
  publish_first();
  EXPECT_EQ(judge(record(9, 100), 20), Outcome::forged);               // a number never issued
  EXPECT_EQ(judge(record(1, 100, true), 20), Outcome::forged);         // a withdrawal that never was
  EXPECT_EQ(judge(record(1, 100, false, true), 20), Outcome::forged);  // another key speaks for the wallet
  const EthAddress stranger(FixedBytes<20>{9});
  EXPECT_EQ(ledger_.judge(stranger, record(1, 100), at(20).mono, at(20).wall), Outcome::forged);
}

TEST_F(LedgerTest, ARecordThatNobodyStoredIsNotPublished) {
  issue(1, 10, 100);
  stored(1, 11, 0);
  EXPECT_FALSE(ledger_.published(kNode));
  EXPECT_EQ(judge(nothing(), 20), Outcome::absent);
  stored(1, 12, 1);
  EXPECT_TRUE(ledger_.published(kNode));
  EXPECT_EQ(judge(nothing(), 20), Outcome::missed);
}

}  // namespace
}  // namespace starling::sim
