#pragma once
// A network of routers in virtual time, for the tests of this module. Level A: decoded RPCs travel as values,
// or as bytes through queue and codec when asked.
#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <set>
#include <vector>

#include "format/varint.hpp"
#include "proto/gossip/out_queue.hpp"
#include "proto/gossip/router_fixtures.hpp"
#include "proto/gossip/rpc_codec.hpp"

namespace starling::gossip {

enum class Wire : std::uint8_t { values, bytes };

class TestNet {
 public:
  struct Node {
    Node(std::shared_ptr<const Config> config, std::uint64_t number, std::uint64_t seed)
        : env(seed), id(test_peer(number)), router(std::move(config), id, env.env) {}
    testkit::TestEnv env;
    PeerId id;
    Router router;
    std::map<MessageId, std::size_t> delivered;  ///< how often
    std::size_t copies_received = 0;
    std::size_t ihaves_sent = 0;
    std::set<std::size_t> linked;
    Instant timer = Instant::never();  ///< its place in the network's timers
    /// The application's view of a message.
    std::function<Outcome(const Message&)> judge = [](const Message&) { return Outcome::accept(); };
  };
  /// May alter an RPC under way; false drops it.
  using Meddler = std::function<bool(std::size_t from, std::size_t to, Rpc& rpc)>;

  explicit TestNet(std::uint64_t seed_value, Wire wire_form = Wire::values)
      : rng(seed_value), wire(wire_form) {}

  std::size_t add(std::shared_ptr<const Config> config) {
    const std::size_t index = nodes.size();
    nodes.push_back(std::make_unique<Node>(std::move(config), index + 1, rng.u64()));
    by_id_[nodes.back()->id] = index;
    return index;
  }
  void add(std::size_t count, const Config& config) {
    const auto shared = must(config);
    for (std::size_t i = 0; i < count; ++i) add(shared);
  }
  Node& at(std::size_t index) { return *nodes[index]; }

  /// `dialler` opens the connection; both announce each other at once.
  void connect(std::size_t dialler, std::size_t listener, Protocol protocol = Protocol::meshsub_1_1) {
    if (dialler == listener || !at(dialler).linked.insert(listener).second) return;
    at(listener).linked.insert(dialler);
    at(dialler).router.on_peer(at(listener).id, {Direction::outbound, protocol, {}}, now);
    at(listener).router.on_peer(at(dialler).id, {Direction::inbound, protocol, {}}, now);
    drain(dialler);
    drain(listener);
  }
  void disconnect(std::size_t a, std::size_t b) {
    if (at(a).linked.erase(b) == 0) return;
    at(b).linked.erase(a);
    at(a).router.on_peer_gone(at(b).id, now);
    at(b).router.on_peer_gone(at(a).id, now);
    drain(a);
    drain(b);
  }
  /// Each node dials `degree` others at random; the graph has no lonely node.
  void connect_randomly(std::size_t degree) {
    for (std::size_t i = 0; i < nodes.size(); ++i)
      for (std::size_t k = 0; k < degree; ++k) connect(i, rng.below(nodes.size()));
  }
  void connect_all() {
    for (std::size_t i = 0; i < nodes.size(); ++i)
      for (std::size_t k = i + 1; k < nodes.size(); ++k) connect(i, k);
  }
  void subscribe_all(std::string_view topic) {
    for (std::size_t i = 0; i < nodes.size(); ++i) subscribe(i, topic);
  }
  void subscribe(std::size_t index, std::string_view topic) {
    EXPECT_TRUE(at(index).router.subscribe(topic, now).has_value());
    drain(index);
  }
  void unsubscribe(std::size_t index, std::string_view topic) {
    at(index).router.unsubscribe(topic, now);
    drain(index);
  }
  bool is_author(std::size_t index, const MessageId& id) {
    const ByteView own = at(index).id.bytes();
    return id.size() > own.size() && equal(ByteView(id).first(own.size()), own);
  }
  MessageId publish(std::size_t index, const std::string& topic, std::string_view data = "x") {
    const MessagePtr message = test_message(at(index).id, ++seqno_, topic, data);
    const auto published = at(index).router.publish(message, now);
    EXPECT_TRUE(published.has_value());
    drain(index);
    return published->id;
  }
  void send(std::size_t from, std::size_t to, Rpc rpc) { post(from, to, std::move(rpc)); }

  void run(Duration time) {
    const Instant end = now + time;
    while (true) {
      const Instant next_event = events_.empty() ? Instant::never() : events_.top().due;
      const Instant next_timer = timers_.empty() ? Instant::never() : timers_.begin()->first;
      const Instant next = std::min(next_event, next_timer);
      if (next > end) break;
      now = std::max(now, next);
      if (next_event <= next_timer) {
        const Event event = events_.top();
        events_.pop();
        arrive(event);
      } else {
        const std::size_t first = timers_.begin()->second;
        at(first).router.on_deadline(now);
        drain(first);
      }
    }
    now = end;
  }

  std::size_t reached(const MessageId& id) const {
    std::size_t count = 0;
    for (const auto& node : nodes) count += node->delivered.contains(id) ? 1 : 0;
    return count;
  }
  bool anybody_twice() const {
    for (const auto& node : nodes)
      for (const auto& [id, times] : node->delivered)
        if (times > 1) return true;
    return false;
  }
  std::size_t mesh_size(std::size_t index, std::string_view topic) {
    return at(index).router.mesh_peers(topic).size();
  }

  SeededRng rng;
  Wire wire;
  Duration latency = 20ms;
  Meddler meddler;
  std::vector<std::unique_ptr<Node>> nodes;
  Instant now = Instant::from_ns(1'000'000'000);

 private:
  struct Event {
    Instant due;
    std::uint64_t order;
    std::size_t from;
    std::size_t to;
    std::shared_ptr<Rpc> rpc;
    bool operator<(const Event& other) const {  // priority_queue: the greatest first
      return std::pair(due, order) > std::pair(other.due, other.order);
    }
  };

  void post(std::size_t from, std::size_t to, Rpc rpc) {
    if (meddler && !meddler(from, to, rpc)) return;
    events_.push({now + latency, ++order_, from, to, std::make_shared<Rpc>(std::move(rpc))});
  }

  void arrive(const Event& event) {
    if (!at(event.to).linked.contains(event.from)) return;
    at(event.to).copies_received += event.rpc->messages.size();
    at(event.to).router.on_rpc(at(event.from).id, std::move(*event.rpc), now);
    drain(event.to);
  }

  void send_bytes(std::size_t from, std::size_t to, Rpc rpc, Lane lane) {
    OutQueue queue;
    EXPECT_EQ(queue.push(std::move(rpc), lane), Pushed::queued);
    format::FrameReader reader(kRpcBytesMax);
    while (const auto frame = queue.next_frame())
      for (const Slice& part : frame->parts) reader.receive(part);
    while (true) {
      const auto body = reader.next();
      EXPECT_TRUE(body.has_value());
      if (!body || !*body) return;
      auto decoded = decode(**body);
      EXPECT_TRUE(decoded.has_value());
      if (decoded) post(from, to, *std::move(decoded));
    }
  }

  void drain(std::size_t index) {
    Node& node = at(index);
    while (auto action = node.router.poll()) {
      if (auto* send = std::get_if<SendRpc>(&*action)) {
        node.ihaves_sent += send->rpc.control.ihave.size();
        const std::size_t to = by_id_.at(send->to);
        if (wire == Wire::bytes) {
          send_bytes(index, to, std::move(send->rpc), send->lane);
        } else {
          post(index, to, std::move(send->rpc));
        }
      } else if (auto* validate = std::get_if<Validate>(&*action)) {
        node.router.on_validated(validate->id, node.judge(*validate->message), now);
      } else if (auto* deliver = std::get_if<Deliver>(&*action)) {
        ++node.delivered[deliver->message_id];
      }
    }
    timers_.erase({node.timer, index});
    node.timer = node.router.deadline();
    if (!node.timer.is_never()) timers_.insert({node.timer, index});
  }

  std::map<PeerId, std::size_t> by_id_;
  std::priority_queue<Event> events_;
  std::set<std::pair<Instant, std::size_t>> timers_;
  std::uint64_t order_ = 0;
  std::uint64_t seqno_ = 0;
};

}  // namespace starling::gossip
