// fuzz-depends: gossip
// A live router and a fake clock. The input is a program: peers come and go, speak (made up here or as raw
// RPC bytes), verdicts arrive or do not, time passes in steps of any size. After every step the promises of
// the router are checked.
#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "base/assert.hpp"
#include "input.hpp"
#include "proto/gossip/limits.hpp"
#include "proto/gossip/router.hpp"
#include "proto/gossip/rpc_codec.hpp"

namespace {

using namespace starling;
using namespace starling::gossip;

PeerId peer_of(std::uint8_t number) {
  Bytes bytes{0x12, 0x20};
  bytes.resize(34, number);
  return *PeerId::from_bytes(bytes);
}

constexpr std::array<const char*, 4> kTopics = {"agent-messages", "node-status", "agent-announcements",
                                                "other"};

class Program {
 public:
  explicit Program(ByteView bytes)
      : input_(bytes),
        env_{rng_, log_, metrics_},
        router_(*make_config(config(input_.u8())), peer_of(255), env_) {}

  void run() {
    for (int steps = 0; steps < 2000 && !input_.empty(); ++steps) {
      step();
      drain();
      check();
    }
    finish();
  }

 private:
  static Config config(std::uint8_t flavour) {
    Config out;
    out.mesh.flood_publish = (flavour & 1) != 0;
    out.mesh.offer_px = (flavour & 2) != 0;
    if ((flavour & 4) != 0) out.score = ScoreParams::large();
    if ((flavour & 8) != 0) out.direct_peers = {peer_of(3)};
    out.thresholds.accept_px = 0;
    out.validations_max = 8;
    out.peers_max = 24;
    out.seen_max = 200;
    out.forwarder_burst = 200;
    return out;
  }

  PeerId peer() { return peer_of(input_.u8() % 32); }
  std::string topic() { return kTopics[input_.u8() % kTopics.size()]; }
  MessageId id() { return id_from_seqno(*message(input_.u8(), 0, kTopics[0])); }
  static MessagePtr message(std::uint8_t seqno, std::uint8_t variant, std::string topic) {
    Message out;
    out.from = to_bytes(peer_of(static_cast<std::uint8_t>(seqno % 40)).bytes());
    out.seqno = Bytes(8, seqno);
    out.topic = std::move(topic);
    out.data = Slice::copy(Bytes(1 + variant % 7U, variant));
    out.signature = Bytes(1, variant);
    return std::make_shared<const Message>(std::move(out));
  }

  void step() {
    switch (input_.u8() % 16) {
      case 0: connect(); break;
      case 1: {
        const PeerId gone = peer();
        router_.on_peer_gone(gone, now_);
        live_.erase(gone);
        known_.erase(gone);
        break;
      }
      case 2:
        speak([this](Rpc& rpc) { rpc.subscriptions.push_back({topic(), Subscription::subscribe}); });
        break;
      case 3:
        speak([this](Rpc& rpc) { rpc.subscriptions.push_back({topic(), Subscription::unsubscribe}); });
        break;
      case 4: speak([this](Rpc& rpc) { rpc.control.graft.push_back({topic()}); }); break;
      case 5:
        speak([this](Rpc& rpc) {
          Prune prune{topic(), {}, input_.u64()};
          for (int i = input_.u8() % 20; i > 0; --i) prune.peers.push_back({to_bytes(peer().bytes()), {}});
          rpc.control.prune.push_back(std::move(prune));
        });
        break;
      case 6:
        speak([this](Rpc& rpc) {
          IHave entry{topic(), {}};
          for (int i = input_.u8() % 8; i > 0; --i) entry.ids.push_back(id());
          rpc.control.ihave.push_back(std::move(entry));
        });
        break;
      case 7: speak([this](Rpc& rpc) { rpc.control.iwant.push_back({{id(), id()}}); }); break;
      case 8:
      case 9:
        speak([this](Rpc& rpc) {
          const std::uint8_t seqno = input_.u8();
          const std::uint8_t variant = input_.u8();
          rpc.messages.push_back(message(seqno, variant, topic()));
        });
        break;
      case 10: verdict(); break;
      case 11: pass(std::chrono::milliseconds(input_.u8() * 20)); break;
      case 12: pass(Duration(static_cast<std::int64_t>(input_.u64() >> (input_.u8() % 64)))); break;
      case 13: {
        const std::string name = topic();
        if (input_.u8() % 3 == 0) {
          router_.unsubscribe(name, now_);
        } else {
          STARLING_ASSERT(router_.subscribe(name, now_).has_value());
        }
        break;
      }
      case 14: publish(); break;
      default: {
        const PeerId from = peer();
        if (auto rpc = decode(input_.take(input_.u8()))) hear(from, *std::move(rpc));
        router_.set_app_score(from, static_cast<double>(input_.u8()) - 128.0);
      }
    }
  }

  void connect() {
    const PeerId id = peer();
    const std::uint8_t kind = input_.u8();
    PeerInfo info;
    info.direction = (kind & 1) != 0 ? Direction::outbound : Direction::inbound;
    info.protocol = static_cast<Protocol>(kind / 2 % 3);
    IpPort address;
    address.ip = {8, 8, 8, static_cast<std::uint8_t>(kind % 4)};
    if ((kind & 0x80) != 0) info.address = address;
    const std::size_t before = router_.peer_count();
    router_.on_peer(id, info, now_);
    router_.on_peer_record(id, Slice::copy(Bytes(kind, 1)));
    // A full table takes nobody new, but those that it knows from what they said.
    if (router_.peer_count() > before) known_.insert(id);
    if (known_.contains(id)) live_.insert(id);
  }

  template <class Fill>
  void speak(Fill fill) {
    const PeerId from = peer();
    Rpc rpc;
    for (int i = 1 + input_.u8() % 3; i > 0; --i) fill(rpc);
    hear(from, std::move(rpc));
  }

  void hear(const PeerId& from, Rpc rpc) {
    const std::size_t before = router_.peer_count();
    router_.on_rpc(from, std::move(rpc), now_);
    if (router_.peer_count() > before) known_.insert(from);
  }

  void verdict() {
    if (open_.empty()) return;
    const auto it = std::next(open_.begin(), static_cast<std::ptrdiff_t>(input_.u8() % open_.size()));
    constexpr std::array kOutcomes = {Outcome::accept(), Outcome::reject(), Outcome::ignore(),
                                      Outcome::forged(), Outcome::throttled()};
    const Outcome outcome = kOutcomes[input_.u8() % kOutcomes.size()];
    const ValidationId validation = it->first;
    open_.erase(it);
    router_.on_validated(validation, outcome, now_);
  }

  void publish() {
    const std::uint8_t seqno = input_.u8();
    const MessagePtr own = message(seqno, 0, topic());
    const bool known = router_.seen(id_from_seqno(*own));
    const auto published = router_.publish(own, now_);
    STARLING_ASSERT(!known || !published.has_value());
    if (published) {
      STARLING_ASSERT(router_.seen(published->id));
      STARLING_ASSERT(published->handed_to <= live_.size());
    }
  }

  void pass(Duration time) {
    const Instant end = now_ + std::max(time, Duration{0});
    for (int i = 0; i < 8 && router_.deadline() <= end && !router_.deadline().is_never(); ++i) {
      now_ = std::max(now_, router_.deadline());
      router_.on_deadline(now_);
      drain();
      STARLING_ASSERT(router_.deadline() > now_ || now_.is_never());
    }
    now_ = end;
    router_.on_deadline(now_);
  }

  void drain() {
    while (auto action = router_.poll()) {
      if (const auto* send = std::get_if<SendRpc>(&*action)) {
        STARLING_ASSERT(live_.contains(send->to));
        STARLING_ASSERT(!send->rpc.empty());
        STARLING_ASSERT((send->lane == Lane::control) == send->rpc.messages.empty());
        for (const Prune& prune : send->rpc.control.prune)
          STARLING_ASSERT(prune.peers.size() <= kPxPeersPerPruneMax);
      } else if (const auto* validate = std::get_if<Validate>(&*action)) {
        STARLING_ASSERT(!router_.seen(validate->message_id));
        STARLING_ASSERT(open_.emplace(validate->id, validate->message_id).second);
      } else if (const auto* deliver = std::get_if<Deliver>(&*action)) {
        STARLING_ASSERT(router_.seen(deliver->message_id));
        STARLING_ASSERT(router_.subscribed(deliver->message->topic));
      }
    }
  }

  void check() {
    STARLING_ASSERT(router_.peer_count() <= 24);
    STARLING_ASSERT(router_.memory_bytes() < (std::size_t{1} << 20));
    for (const TopicStats& stats : router_.topic_stats()) {
      const auto known = router_.topic_peers(stats.topic);
      const auto mesh = router_.mesh_peers(stats.topic);
      STARLING_ASSERT(mesh.size() == stats.mesh && known.size() == stats.peers);
      for (const PeerId& member : mesh)
        STARLING_ASSERT(std::find(known.begin(), known.end(), member) != known.end() &&
                        live_.contains(member));
    }
  }

  void finish() {
    for (int i = 0; i < 32; ++i) router_.on_peer_gone(peer_of(static_cast<std::uint8_t>(i)), now_);
    live_.clear();
    while (router_.poll()) {
    }
    STARLING_ASSERT(router_.peer_count() == 0);
    if (now_ > Instant::from_ns(std::int64_t{1} << 62)) return;  // the clock is at its end
    pass(2min);
    for (int i = 0; i < 200 && !router_.deadline().is_never(); ++i) pass(1s);
    STARLING_ASSERT(router_.deadline().is_never());
  }

  Input input_;
  SeededRng rng_{1};
  NullLog log_;
  Metrics metrics_;
  Env env_;
  Instant now_ = Instant::from_ns(1'000'000'000);
  Router router_;
  std::set<PeerId> known_;
  std::set<PeerId> live_;
  std::map<ValidationId, MessageId> open_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 8192) return 0;
  Program(ByteView(data, size)).run();
  return 0;
}
