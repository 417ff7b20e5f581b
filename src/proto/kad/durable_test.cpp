#include "proto/kad/durable.hpp"

#include <gtest/gtest.h>

#include "proto/kad/kad_brain_fixture.hpp"

namespace starling::kad {
namespace {

using testing::at;
using testing::info;
using testing::peer;
using testing::public_addr;
using testing::seq_key;
using testing::seq_value;

TEST(KadDurable, EntriesComeBackAsTheyWere) {
  const StoredRecord record{seq_value(7), WallTime::from_ms(11), WallTime::from_ms(22), peer(3)};
  const auto read = decode_record_entry(encode_record_entry(record));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->value, record.value);
  EXPECT_EQ(read->received, record.received);
  EXPECT_EQ(read->expires, record.expires);
  EXPECT_EQ(read->from, record.from);
  EXPECT_TRUE(decode_record_entry(encode_record_entry({{}, {}, {}, PeerId{}}))->from.empty());

  const auto about = parse_provider_entry_key(provider_entry_key(seq_key(1), peer(2)));
  ASSERT_TRUE(about);
  EXPECT_EQ(about->first, seq_key(1));
  EXPECT_EQ(about->second, peer(2));
  const auto provider = decode_provider_entry(encode_provider_entry(info(2), WallTime::from_ms(9)));
  ASSERT_TRUE(provider);
  EXPECT_EQ(provider->addrs, info(2).addrs);
  EXPECT_EQ(provider->expires, WallTime::from_ms(9));
  EXPECT_EQ(decode_due(encode_due(WallTime::from_ms(5))), WallTime::from_ms(5));
  const std::vector<PeerInfo> peers{info(1), info(2)};
  EXPECT_EQ(*decode_peers(encode_peers(peers)), peers);
}

TEST(KadDurable, NoCutEntryIsBelieved) {
  const Bytes record = encode_record_entry({{}, WallTime::from_ms(1), WallTime::from_ms(2), peer(3)});
  const Bytes provider = encode_provider_entry(info(2), WallTime::from_ms(9));
  const Bytes peers = encode_peers(std::vector<PeerInfo>{info(1)});
  for (std::size_t n = 0; n < record.size(); ++n)
    EXPECT_TRUE(decode_record_entry(ByteView(record).first(n)).error().is(Errc::bad_entry)) << n;
  for (std::size_t n = 0; n < provider.size(); ++n)
    EXPECT_TRUE(decode_provider_entry(ByteView(provider).first(n)).error().is(Errc::bad_entry)) << n;
  for (std::size_t n = 1; n < peers.size(); ++n)
    EXPECT_TRUE(decode_peers(ByteView(peers).first(n)).error().is(Errc::bad_entry)) << n;
  Bytes longer = provider;
  longer.push_back(0);
  EXPECT_TRUE(decode_provider_entry(longer).error().is(Errc::bad_entry));
  for (std::size_t n : {0u, 7u, 9u}) EXPECT_TRUE(decode_due(Bytes(n, 1)).error().is(Errc::bad_entry)) << n;
  EXPECT_TRUE(parse_provider_entry_key(to_bytes("nobody")).error().is(Errc::bad_entry));
}

TEST(KadDurable, AtMostSoManyPeersAndAddressesAreSaved) {
  std::vector<PeerInfo> many;
  for (std::uint64_t n = 0; n < kSavedPeersMax + 1; ++n) many.push_back(info(n));
  many[0].addrs.clear();
  for (std::uint64_t n = 0; n < kSavedAddrsMax + 1; ++n) many[0].addrs.push_back(public_addr(n));
  Bytes bytes = encode_peers(many);
  const auto read = decode_peers(bytes);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->size(), kSavedPeersMax);
  EXPECT_EQ(read->front().addrs.size(), kSavedAddrsMax);
  append(bytes, encode_peers(std::vector<PeerInfo>{many.back()}));
  EXPECT_TRUE(decode_peers(bytes).error().is(Errc::bad_entry));
}

TEST(KadDurable, TimesSurviveTheChangeOfClocksAndSaturate) {
  const Now before = at(5h);
  const Now after{Instant{} + 1s, before.wall + 3h};  // another process, three hours later
  EXPECT_EQ(to_mono(to_wall(before.mono + 10h, before), after), after.mono + 7h);
  EXPECT_EQ(to_mono(to_wall(before.mono + 1h, before), after), after.mono - 2h);
  const Duration horizon = 100 * 24h;
  EXPECT_EQ(to_wall(Instant::never(), before), before.wall + horizon);
  EXPECT_EQ(to_mono(WallTime::from_ms(~std::uint64_t{0}), before), before.mono + horizon);
  EXPECT_EQ(to_mono(WallTime{}, before), before.mono - horizon);
}

/// A brain with a disk, which restart() takes from one process to the next.
class KadRestart : public testing::KadBrain {
 protected:
  KadRestart() {
    config.keep = Keep::everything;
    start(Mode::server);
  }
  void restart(Duration away = 1min) {
    start(config.mode);  // the old brain is gone before anything of it is polled
    requests.clear();
    dones.clear();
    now = at(now.mono + away);
    kad = std::make_unique<Kad>(config, peer(0), validators, env.env, now.mono);
    kad->set_own_addrs({public_addr(0)});
    for (const auto& [about, value] : std::map(disk))
      restored = kad->restore(about.first, about.second, value, now);
    kad->start(now);
  }
  Result<std::optional<Message>> put(std::uint64_t from, std::uint64_t key, std::uint64_t value) {
    Message message;
    message.type = MessageType::put_value;
    message.key = seq_key(key);
    message.record = Record{seq_key(key), seq_value(value), {}};
    return kad->on_request(peer(from), message, now);
  }
  Result<std::optional<Message>> add_provider(std::uint64_t from, std::uint64_t key) {
    Message message;
    message.type = MessageType::add_provider;
    message.key = seq_key(key);
    message.provider_peers = {info(from)};
    return kad->on_request(peer(from), message, now);
  }
  std::set<PeerId> providers(std::uint64_t key) {
    Message message;
    message.type = MessageType::get_providers;
    message.key = seq_key(key);
    std::set<PeerId> out;
    const auto answer = kad->on_request(peer(9999), message, now);
    EXPECT_TRUE(answer && *answer);
    if (answer && *answer)
      for (const PeerInfo& provider : (*answer)->provider_peers) out.insert(provider.id);
    return out;
  }
  std::size_t count(Durable what) const {
    return static_cast<std::size_t>(std::count_if(
        disk.begin(), disk.end(), [what](const auto& entry) { return entry.first.first == what; }));
  }
  std::set<PeerId> asked() {
    drain();
    std::set<PeerId> out;
    for (const SendRequest& request : requests) out.insert(request.peer);
    return out;
  }
  Result<void> restored;
};

TEST_F(KadRestart, WhatIsKeptIsToldAheadOfEverythingElse) {
  kad->on_peer_supports_kad({peer(1), {public_addr(1)}, public_addr(1)},
                            now);  // a probe is waiting to be sent
  ASSERT_TRUE(put(1, 1, 5));
  const auto first = kad->poll();
  ASSERT_TRUE(first && std::holds_alternative<Persist>(*first));
  EXPECT_EQ(std::get<Persist>(*first).key, seq_key(1));
  const auto second = kad->poll();
  EXPECT_TRUE(second && std::holds_alternative<SendRequest>(*second));
}

TEST_F(KadRestart, NothingIsToldUnlessItIsToBeKept) {
  config.keep = Keep::nothing;
  start(Mode::server);
  ASSERT_TRUE(put(1, 1, 5));
  ASSERT_TRUE(add_provider(1, 2));
  (void)kad->provide(seq_key(3), now);
  admit(10, 3);
  pass(20min);
  EXPECT_EQ(writes, 0u);
}

// The model: whatever was done, a brain made from the disk knows what the one before knew.
TEST_F(KadRestart, AtAnyMomentTheDiskHoldsWhatTheBrainKnows) {
  SeededRng random(testkit::seed(5));
  config.record_validity = 3h;
  config.provider_validity = 5h;
  config.stores.providers_per_key_max = 4;
  config.stores.records_max = 12;
  config.rates.put_burst = 1e6;
  config.rates.request_burst = 1e6;
  start(Mode::server);
  std::size_t restarts = 0, kept_over = 0;
  for (int step = 0; step < 3000; ++step) {
    const auto key = random.below(20);
    switch (random.below(8)) {
      case 0:
      case 1:
      case 2: (void)put(1 + random.below(5), key, random.below(1000)); break;
      case 3:
      case 4: (void)add_provider(1 + random.below(8), key); break;
      case 5: (void)kad->provide(seq_key(key), now); break;
      case 6: kad->stop_providing(seq_key(key)); break;
      default: pass(Duration(static_cast<std::int64_t>(random.below(40))) * 60'000'000'000); break;
    }
    drain();
    if (random.below(20) > 0) continue;
    std::vector<std::optional<Bytes>> values;
    std::vector<std::set<PeerId>> known;
    for (std::uint64_t k = 0; k < 20; ++k) {
      values.push_back(kad->stored_value(seq_key(k), now));
      known.push_back(providers(k));
      kept_over += known.back().size() + (values.back() ? 1 : 0);
    }
    drain();
    const auto records = kad->record_count();
    const auto entries = kad->provider_count();
    EXPECT_EQ(count(Durable::record), records);
    EXPECT_EQ(count(Durable::provider), entries);
    const auto before = writes;
    restart(0s);
    drain();
    ++restarts;
    EXPECT_EQ(kad->record_count(), records);
    EXPECT_LE(kad->provider_count(), entries);  // what had ended and was not swept yet is gone
    for (std::uint64_t k = 0; k < 20; ++k) {
      EXPECT_EQ(kad->stored_value(seq_key(k), now), values[k]) << k;
      EXPECT_EQ(providers(k), known[k]) << k;
    }
    EXPECT_EQ(writes - before, entries - kad->provider_count());  // what comes back is not written again
  }
  EXPECT_GT(restarts, 50u);
  EXPECT_GT(kept_over, 1000u);
}

TEST_F(KadRestart, WhatHasEndedOrIsNotValidAnyMoreIsLeftOutAndErased) {
  config.record_validity = 1h;
  start(Mode::server);
  ASSERT_TRUE(put(1, 1, 5));
  ASSERT_TRUE(put(1, 2, 500));
  ASSERT_TRUE(add_provider(1, 3));
  drain();
  disk[{Durable::provider, to_bytes("damaged")}] = to_bytes("damaged");
  seq.limit = 100;
  restart();
  drain();
  EXPECT_EQ(kad->record_count(), 1u);
  EXPECT_EQ(kad->provider_count(), 1u);
  EXPECT_EQ(disk.size(), 2u);
  EXPECT_EQ(env.metrics.value("kad_restore_dropped_count"), 2u);
  restart(3 * 24h);
  drain();
  EXPECT_EQ(kad->record_count() + kad->provider_count(), 0u);
  EXPECT_TRUE(disk.empty());
  EXPECT_TRUE(restored.error().is(Errc::bad_entry));
}

TEST_F(KadRestart, QuotasHoldForWhatComesBackToo) {
  for (std::uint64_t n = 0; n < 30; ++n) ASSERT_TRUE(put(1, n, n));
  for (std::uint64_t n = 1; n < 9; ++n) ASSERT_TRUE(add_provider(n, 1));
  drain();
  config.stores.records_max = 10;
  config.stores.providers_per_key_max = 3;
  restart();
  drain();
  EXPECT_EQ(kad->record_count(), 10u);
  EXPECT_EQ(kad->provider_count(), 3u);
  EXPECT_EQ(count(Durable::record), 10u);
  EXPECT_EQ(count(Durable::provider), 3u);
  config.stores = StoreLimits{};
  config.stores.records_per_peer_max = 4;
  restart();
  drain();
  EXPECT_EQ(kad->record_count(), 4u);
}

TEST_F(KadRestart, AClockThatWentBackDoesNotMakeEntriesImmortal) {
  ASSERT_TRUE(put(1, 1, 5));
  ASSERT_TRUE(add_provider(1, 2));
  drain();
  const Now later = now;
  now.wall = WallTime::from_ms(later.wall.ms() - 365ull * 24 * 3600 * 1000);
  kad = std::make_unique<Kad>(config, peer(0), validators, env.env, now.mono);
  for (const auto& [about, value] : std::map(disk))
    ASSERT_TRUE(kad->restore(about.first, about.second, value, now));
  now = {now.mono + 48h, now.wall + 48h};
  EXPECT_FALSE(kad->stored_value(seq_key(1), now));
  EXPECT_TRUE(providers(2).empty());
}

TEST_F(KadRestart, OwnKeysArePublishedAgainWhenTheyAreDueAndNotBefore) {
  admit(1, 5);
  (void)kad->provide(seq_key(1), now);
  (void)kad->provide(seq_key(2), now);
  settle();
  kad->stop_providing(seq_key(2));
  kad->save_table(now);
  drain();
  EXPECT_EQ(count(Durable::provided_key), 1u);
  restart(20h);
  settle();  // the saved servers answer
  const auto adds = [&] {
    std::size_t out = 0;
    drain();
    for (const SendRequest& request : requests)
      out += request.message.type == MessageType::add_provider ? 1u : 0u;
    return out;
  };
  // Two hours are left of the 22.
  for (int minute = 0; minute < 115; ++minute) {
    pass(1min);
    EXPECT_EQ(adds(), 0u);
    settle();
  }
  std::size_t sent = 0;
  for (int minute = 0; minute < 10; ++minute) {
    pass(1min);
    while (!requests.empty()) {
      sent += adds();
      const auto all = std::exchange(requests, {});
      for (const SendRequest& request : all)
        if (request.expects_response)
          answer(request);
        else
          kad->on_request_sent(request.id, now);
      drain();
    }
  }
  EXPECT_EQ(sent, 5u);
}

TEST_F(KadRestart, TheTableIsSavedALittleAfterItChangedAndNotOften) {
  kad->on_peer_supports_kad({peer(1), {public_addr(1)}, public_addr(1)}, now);
  answer(take());
  EXPECT_EQ(count(Durable::table), 0u);
  pass(kTableSaveDelay);
  ASSERT_EQ(count(Durable::table), 1u);
  EXPECT_EQ(decode_peers(disk.begin()->second)->size(), 1u);
  settle();
  const auto before = writes;
  for (std::uint64_t n = 2; n < 12; ++n) {
    kad->on_peer_supports_kad({peer(n), {public_addr(n)}, public_addr(n)}, now);
    settle();
    pass(5s);
  }
  EXPECT_LE(writes - before, 1u);
  pass(kTableSavePause);
  EXPECT_EQ(writes - before, 1u);
  EXPECT_EQ(decode_peers(disk.begin()->second)->size(), 11u);
  settle();
  pass(5min);
  EXPECT_EQ(writes - before, 1u);  // nothing new, nothing written
}

TEST_F(KadRestart, ASavedTableFindsTheNetworkAgainWithoutAnyoneElse) {
  admit(1, 12);
  kad->save_table(now);
  drain();
  restart(24h);
  std::set<PeerId> all;
  for (std::uint64_t n = 1; n <= 12; ++n) all.insert(peer(n));
  EXPECT_EQ(asked(), all);
  for (const SendRequest& request : requests) {
    EXPECT_EQ(request.message.type, MessageType::find_node);
    EXPECT_FALSE(request.addrs.empty());
  }
  // Half of them are gone.
  const auto sent = std::exchange(requests, {});
  for (std::size_t i = 0; i < sent.size(); ++i) {
    if (i % 2 == 0)
      answer(sent[i]);
    else
      kad->on_request_failed(sent[i].id, make_error(Errc::response_timeout), now);
  }
  EXPECT_EQ(kad->table().size(), 6u);
  settle();
  pass(kTableSavePause + kTableSaveDelay);
  settle();
  ASSERT_EQ(count(Durable::table), 1u);
  EXPECT_EQ(decode_peers(disk[{Durable::table, {}}])->size(), 6u);
}

TEST_F(KadRestart, SoManySavedServersAreAskedAtOnceAndNewcomersAreNotHeldUp) {
  admit(1, 40);
  kad->save_table(now);
  drain();
  ASSERT_GT(decode_peers(disk[{Durable::table, {}}])->size(), kSavedProbesMax);
  restart();
  EXPECT_EQ(asked().size(), kSavedProbesMax);
  for (std::uint64_t n = 100; n < 100 + kProbesRunningMax + 1; ++n)
    kad->on_peer_supports_kad({peer(n), {public_addr(n)}, public_addr(n)}, now);
  EXPECT_EQ(asked().size(), kSavedProbesMax + kProbesRunningMax);
  // A table that is still being put together is not saved over the old one.
  const Bytes old = disk[{Durable::table, {}}];
  kad->save_table(now);
  drain();
  EXPECT_EQ((disk[{Durable::table, {}}]), old);
}

TEST_F(KadRestart, AClientAsksUntilKHaveAnsweredAndAServerAsksAll) {
  constexpr std::uint64_t kSaved = 40;
  std::vector<PeerInfo> saved;
  for (std::uint64_t n = 1; n <= kSaved; ++n) saved.push_back(info(n));
  config.k = 4;
  const auto probed = [&](Mode mode) {
    config.mode = mode;
    disk[{Durable::table, {}}] = encode_peers(saved);
    restart();
    std::set<PeerId> out = asked();
    while (!requests.empty() && now.mono < at(10 * 24h).mono) {
      answer(take());
      if (mode == Mode::client && kad->table().size() >= config.k) break;
      for (const PeerId& peer : asked()) out.insert(peer);
    }
    return out.size();
  };
  const std::size_t by_client = probed(Mode::client);
  EXPECT_EQ(kad->table().size(), config.k);
  EXPECT_GE(by_client, kSavedProbesMax);
  EXPECT_LT(by_client, kSavedProbesMax + config.k);
  EXPECT_EQ(probed(Mode::server), kSaved);
}

TEST_F(KadRestart, QueriesWaitForTheSavedServersButNotForEver) {
  admit(1, 3);
  kad->save_table(now);
  drain();
  config.mode = Mode::client;
  restart();
  (void)kad->get_value(seq_key(1), {}, now);
  drain();
  EXPECT_TRUE(dones.empty());
  answer(take());
  const bool asks = std::any_of(requests.begin(), requests.end(), [](const SendRequest& request) {
    return request.message.type == MessageType::get_value;
  });
  EXPECT_TRUE(asks);

  restart();
  (void)kad->get_value(seq_key(1), {}, now);
  pass(kSavedWaitMax - 1s);
  EXPECT_TRUE(dones.empty() || config.request_timeout < kSavedWaitMax);
  pass(2s);
  EXPECT_TRUE(error().is(Errc::no_peers));
}

TEST_F(KadRestart, OwnIdAndUnusableAddressesOfASavedTableAreNotAsked) {
  const std::vector<PeerInfo> saved{info(0), {peer(1), {testing::ip4(127, 0, 0, 1)}, {}}, info(2)};
  disk[{Durable::table, {}}] = encode_peers(saved);
  restart();
  EXPECT_EQ(asked(), std::set<PeerId>{peer(2)});
}

}  // namespace
}  // namespace starling::kad
