#pragma once
// One router on the bench, and what it said, for the tests of this module.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "proto/gossip/limits.hpp"
#include "proto/gossip/router.hpp"
#include "testkit/testkit.hpp"

namespace starling::gossip {

/// A peer id that hashes a number: valid, without a key inside.
inline PeerId test_peer(std::uint64_t number) {
  Bytes bytes{0x12, 0x20};
  bytes.resize(26);
  put_u64_be(bytes, number);
  return PeerId::from_bytes(bytes).value();
}

inline MessagePtr test_message(const PeerId& author, std::uint64_t seqno, std::string topic,
                               std::string_view data = "x", std::string_view signature = "good") {
  Message out;
  out.from = to_bytes(author.bytes());
  out.data = Slice::copy(as_bytes(data));
  put_u64_be(out.seqno, seqno);
  out.topic = std::move(topic);
  out.signature = to_bytes(signature);
  return std::make_shared<const Message>(std::move(out));
}

inline std::shared_ptr<const Config> must(Config config) {
  auto made = make_config(std::move(config));
  EXPECT_TRUE(made.has_value());
  return *made;
}

inline Rpc rpc_subscribe(std::vector<std::string> topics) {
  Rpc rpc;
  for (std::string& topic : topics) rpc.subscriptions.push_back({std::move(topic), Subscription::subscribe});
  return rpc;
}
inline Rpc rpc_unsubscribe(std::string topic) {
  Rpc rpc;
  rpc.subscriptions.push_back({std::move(topic), Subscription::unsubscribe});
  return rpc;
}
inline Rpc rpc_graft(std::string topic) {
  Rpc rpc;
  rpc.control.graft.push_back({std::move(topic)});
  return rpc;
}
inline Rpc rpc_prune(std::string topic, std::uint64_t backoff_s = 0) {
  Rpc rpc;
  rpc.control.prune.push_back({std::move(topic), {}, backoff_s});
  return rpc;
}
inline Rpc rpc_ihave(std::string topic, std::vector<MessageId> ids) {
  Rpc rpc;
  rpc.control.ihave.push_back({std::move(topic), std::move(ids)});
  return rpc;
}
inline Rpc rpc_iwant(std::vector<MessageId> ids) {
  Rpc rpc;
  rpc.control.iwant.push_back({std::move(ids)});
  return rpc;
}
inline Rpc rpc_message(MessagePtr message) {
  Rpc rpc;
  rpc.messages.push_back(std::move(message));
  return rpc;
}

/// A router with peers played by the test. Every input drains the router; what it said waits in the lists
/// until taken.
class Bench {
 public:
  explicit Bench(Config config = {}, std::uint64_t seed = 1)
      : env(seed), self(test_peer(0)), router(must(std::move(config)), self, env.env) {}

  void settle() {
    while (auto action = router.poll()) {
      if (auto* send = std::get_if<SendRpc>(&*action)) {
        sent.push_back(std::move(*send));
      } else if (auto* validate = std::get_if<Validate>(&*action)) {
        validations.push_back(std::move(*validate));
      } else if (auto* deliver = std::get_if<Deliver>(&*action)) {
        delivered.push_back(std::move(*deliver));
      } else {
        others.push_back(std::move(*action));
      }
    }
  }
  void rpc(const PeerId& from, Rpc value) {
    router.on_rpc(from, std::move(value), now);
    settle();
  }
  void connect(const PeerId& peer, Direction direction = Direction::inbound,
               Protocol protocol = Protocol::meshsub_1_1, std::optional<IpPort> address = {}) {
    router.on_peer(peer, {direction, protocol, address}, now);
    settle();
  }
  void gone(const PeerId& peer) {
    router.on_peer_gone(peer, now);
    settle();
  }
  /// Connected and subscribed.
  PeerId join(std::uint64_t number, const std::string& topic, Direction direction = Direction::inbound,
              Protocol protocol = Protocol::meshsub_1_1) {
    const PeerId peer = test_peer(number);
    connect(peer, direction, protocol);
    rpc(peer, rpc_subscribe({topic}));
    return peer;
  }
  void subscribe(std::string_view topic) {
    EXPECT_TRUE(router.subscribe(topic, now).has_value());
    settle();
  }
  void answer(const Validate& validate, Outcome outcome) {
    router.on_validated(validate.id, outcome, now);
    settle();
  }
  /// Answers everything that waits for a verdict.
  void answer_all(Outcome outcome) {
    while (!validations.empty()) {
      const Validate next = validations.front();
      validations.erase(validations.begin());
      answer(next, outcome);
    }
  }
  /// Runs the router's own timers for a while.
  void pass(Duration time) {
    const Instant end = now + time;
    while (router.deadline() <= end) {
      now = std::max(now, router.deadline());
      router.on_deadline(now);
      settle();
    }
    now = end;
  }
  void forget() {
    sent.clear();
    delivered.clear();
    others.clear();
  }

  std::vector<Prune> prunes_to(const PeerId& peer) const {
    std::vector<Prune> out;
    for (const SendRpc& send : sent)
      if (send.to == peer)
        out.insert(out.end(), send.rpc.control.prune.begin(), send.rpc.control.prune.end());
    return out;
  }
  std::vector<std::string> grafts_to(const PeerId& peer) const {
    std::vector<std::string> out;
    for (const SendRpc& send : sent)
      if (send.to == peer)
        for (const Graft& graft : send.rpc.control.graft) out.push_back(graft.topic);
    return out;
  }
  std::vector<MessageId> ihave_to(const PeerId& peer) const {
    std::vector<MessageId> out;
    for (const SendRpc& send : sent)
      if (send.to == peer)
        for (const IHave& entry : send.rpc.control.ihave)
          out.insert(out.end(), entry.ids.begin(), entry.ids.end());
    return out;
  }
  std::vector<MessageId> iwant_to(const PeerId& peer) const {
    std::vector<MessageId> out;
    for (const SendRpc& send : sent)
      if (send.to == peer)
        for (const IWant& entry : send.rpc.control.iwant)
          out.insert(out.end(), entry.ids.begin(), entry.ids.end());
    return out;
  }
  std::vector<MessagePtr> messages_to(const PeerId& peer) const {
    std::vector<MessagePtr> out;
    for (const SendRpc& send : sent)
      if (send.to == peer) out.insert(out.end(), send.rpc.messages.begin(), send.rpc.messages.end());
    return out;
  }
  template <class T>
  std::vector<T> others_of() const {
    std::vector<T> out;
    for (const Action& action : others)
      if (const T* value = std::get_if<T>(&action)) out.push_back(*value);
    return out;
  }
  bool in_mesh(const PeerId& peer, std::string_view topic) const {
    const auto mesh = router.mesh_peers(topic);
    return std::ranges::find(mesh, peer) != mesh.end();
  }

  testkit::TestEnv env;
  PeerId self;
  Instant now = Instant::from_ns(1'000'000'000);
  Router router;
  std::vector<SendRpc> sent;
  std::vector<Validate> validations;
  std::vector<Deliver> delivered;
  std::vector<Action> others;
};

}  // namespace starling::gossip
