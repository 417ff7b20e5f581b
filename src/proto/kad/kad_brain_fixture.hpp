#pragma once
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "proto/kad/kad_testing.hpp"

namespace starling::kad::testing {

/// One brain whose requests the test answers by hand.
class KadBrain : public ::testing::Test {
 protected:
  KadBrain() : env(testkit::seed(1)) {
    validators.add("seq", seq);
    config.scope = AddressScope::public_only;
    start(Mode::client);
  }
  void start(Mode mode) {
    config.mode = mode;
    kad = std::make_unique<Kad>(config, peer(0), validators, env.env, now.mono);
    kad->set_own_addrs({public_addr(0)});
  }
  void drain() {
    while (auto action = kad->poll()) {
      if (auto* request = std::get_if<SendRequest>(&*action)) requests.push_back(std::move(*request));
      if (auto* done = std::get_if<QueryDone>(&*action)) dones.push_back(std::move(*done));
      if (auto* found = std::get_if<ProviderFound>(&*action))
        found_providers.push_back(std::move(found->provider));
      if (auto* hop = std::get_if<QueryHop>(&*action)) hops.push_back(std::move(*hop));
      if (auto* change = std::get_if<TableChanged>(&*action)) changes.push_back(*change);
      if (auto* kept = std::get_if<Persist>(&*action)) write(*kept);
    }
  }
  void write(const Persist& kept) {
    ++writes;
    if (kept.value.empty())
      disk.erase({kept.what, kept.key});
    else
      disk.insert_or_assign({kept.what, kept.key}, kept.value);
  }
  void pass(Duration time) {
    const Instant end = now.mono + time;
    while (kad->deadline() <= end) {
      now = at(std::max(now.mono, kad->deadline()));
      kad->on_deadline(now);
      drain();
    }
    now = at(end);
  }
  SendRequest take() {
    drain();
    EXPECT_FALSE(requests.empty());
    SendRequest out = std::move(requests.front());
    requests.erase(requests.begin());
    return out;
  }
  void answer(const SendRequest& request, std::vector<PeerInfo> closer = {}) {
    kad->on_response(request.id, {request.message.type, request.message.key, {}, std::move(closer), {}}, now);
    drain();
  }
  void answer_with(const SendRequest& request, std::uint64_t value, std::vector<PeerInfo> closer = {}) {
    kad->on_response(request.id,
                     {request.message.type,
                      request.message.key,
                      Record{request.message.key, seq_value(value), {}},
                      std::move(closer),
                      {}},
                     now);
    drain();
  }
  /// Admits servers n … n + count − 1.
  void admit(std::uint64_t n, std::uint64_t count) {
    for (std::uint64_t i = n; i < n + count; ++i) {
      kad->on_peer_supports_kad({peer(i), {public_addr(i)}, public_addr(i)}, now);
      answer(take());
    }
    settle();
    changes.clear();
  }
  /// Answers everything with nothing new until nobody asks.
  void settle() {
    drain();
    while (!requests.empty()) answer(take());
    // The refresh that the first admission causes.
    if (kad->deadline() <= now.mono) {
      kad->on_deadline(now);
      settle();
    }
  }
  template <class T>
  T result(std::size_t index = 0) {
    drain();
    EXPECT_GT(dones.size(), index);
    if (dones.size() <= index || !dones[index].result) return {};
    EXPECT_TRUE(std::holds_alternative<T>(*dones[index].result));
    return std::get<T>(*dones[index].result);
  }
  Error error(std::size_t index = 0) {
    drain();
    EXPECT_GT(dones.size(), index);
    EXPECT_FALSE(dones[index].result);
    return dones[index].result.error();
  }

  testkit::TestEnv env;
  Config config;
  testing::SequenceValidator seq;
  Validators validators;
  Now now = at(1h);
  std::unique_ptr<Kad> kad;
  std::vector<SendRequest> requests;
  std::vector<QueryDone> dones;
  std::vector<PeerInfo> found_providers;
  std::vector<TableChanged> changes;
  std::vector<QueryHop> hops;
  std::map<std::pair<Durable, Bytes>, Bytes> disk;
  std::size_t writes = 0;
};

}  // namespace starling::kad::testing
