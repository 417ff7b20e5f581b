#pragma once
// A small network of real brains in virtual time, for the tests of this folder: messages take a while, the
// dead are silent, liars answer what they like. One seed, one course of events.
#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <set>
#include <vector>

#include "proto/kad/kad_testing.hpp"

namespace starling::kad::testing {

class SimulatedNetwork {
 public:
  enum class Life : std::uint8_t { up, silent, refusing };
  struct Member {
    std::uint64_t n = 0;
    PeerId id;
    std::unique_ptr<SeededRng> rng;
    std::unique_ptr<Env> env;
    std::unique_ptr<Kad> kad;
    Life life = Life::up;
    Instant deadline = Instant::never();  ///< of the brain, as of its last input
    std::vector<Multiaddr> addrs;
    std::map<QueryId, QueryDone> done;
    std::vector<QueryHop> hops;
    /// What a liar answers instead of its brain; nothing = no answer.
    std::function<std::optional<Message>(const Message&)> lie;
  };

  explicit SimulatedNetwork(std::uint64_t seed_value) : rng_(seed_value), seed_(seed_value) {
    validators.add("seq", seq);
  }

  Member& add(Mode mode, Config config = {}, const std::optional<PeerId>& id = {}) {
    const std::uint64_t n = members_.size() + 1;
    auto member = std::make_unique<Member>();
    member->n = n;
    member->id = id.value_or(peer(n));
    member->addrs = {public_addr(n)};
    member->rng = std::make_unique<SeededRng>(seed_ * 1'000'003 + n);
    member->env = std::make_unique<Env>(Env{*member->rng, log_, metrics});
    config.mode = mode;
    member->kad = std::make_unique<Kad>(config, member->id, validators, *member->env, now_);
    member->kad->set_own_addrs(member->addrs);
    member->deadline = member->kad->deadline();
    sleepers_.emplace(member->deadline, n);
    by_id_[member->id] = member.get();
    members_.push_back(std::move(member));
    return *members_.back();
  }
  Member& at_index(std::size_t index) { return *members_.at(index); }
  std::size_t size() const { return members_.size(); }
  Instant now() const { return now_; }

  /// A connection, and identify over it.
  void connect(Member& a, Member& b) {
    if (&a == &b || !connected_.insert(std::minmax(a.n, b.n)).second) return;
    identify(a, b);
    identify(b, a);
  }
  /// `count` servers that each know the first only, and time to find each other.
  void grow(std::size_t count, Config config = {}) {
    for (std::size_t i = 0; i < count; ++i) {
      Member& member = add(Mode::server, config);
      connect(member, at_index(0));
      run(200ms);
    }
    run(20s);
    for (auto& member : members_) run_query(*member, [&](Kad& kad, Now now) { return kad.bootstrap(now); });
  }

  /// Runs until nothing happens before `time` has passed.
  void run(Duration time) {
    const Instant end = now_ + time;
    for (;;) {
      Instant next = events_.empty() ? Instant::never() : events_.begin()->first.first;
      Member* sleeper = nullptr;
      for (const auto& [deadline, n] : sleepers_) {
        if (deadline >= next) break;
        if (members_[n - 1]->life != Life::up) continue;
        next = deadline;
        sleeper = members_[n - 1].get();
        break;
      }
      if (next > end) break;
      now_ = std::max(now_, next);
      if (sleeper != nullptr) {
        sleeper->kad->on_deadline(at(now_));
        drain(*sleeper);
      } else {
        auto action = std::move(events_.begin()->second);
        events_.erase(events_.begin());
        action();
      }
    }
    now_ = end;
  }

  /// Starts a query and runs until it has ended.
  template <class Start>
  QueryDone run_query(Member& member, Start start) {
    const QueryId id = start(*member.kad, at(now_));
    drain(member);
    while (!member.done.contains(id)) run(100ms);
    QueryDone out = member.done.at(id);
    member.done.erase(id);
    return out;
  }

  /// The `count` servers nearest to a key that are up and honest, by brute force.
  std::vector<PeerId> nearest(ByteView key, std::size_t count, const Member* without = nullptr) const {
    const KadId target = KadId::of(key);
    std::vector<PeerId> out;
    for (const auto& member : members_)
      if (member->kad->mode() == Mode::server && member->life == Life::up && !member->lie &&
          member.get() != without)
        out.push_back(member->id);
    std::sort(out.begin(), out.end(),
              [&](const PeerId& a, const PeerId& b) { return nearer(target, KadId::of(a), KadId::of(b)); });
    out.resize(std::min(out.size(), count));
    return out;
  }
  Member& member(const PeerId& id) { return *by_id_.at(id); }
  /// A digest of everything that was ever sent.
  const crypto::Hash256& course() const { return course_; }

  SequenceValidator seq;
  Validators validators;
  Metrics metrics;
  std::size_t messages = 0;

 private:
  void identify(Member& at_whom, Member& other) {
    if (at_whom.lie) return;  // a liar needs no table
    if (other.kad->mode() == Mode::server) {
      at_whom.kad->on_peer_supports_kad({other.id, other.addrs, other.addrs[0]}, at(now_));
    } else {
      at_whom.kad->on_peer_unsupported(other.id, other.addrs, at(now_));
    }
    drain(at_whom);
  }
  void after(Duration delay, std::function<void()> action) {
    events_.emplace(std::pair{now_ + delay, ++sequence_}, std::move(action));
  }
  Duration latency() { return 20ms + Duration(static_cast<std::int64_t>(rng_.below(60'000'000))); }

  void drain(Member& member) {
    while (auto action = member.kad->poll()) {
      if (auto* request = std::get_if<SendRequest>(&*action)) send(member, std::move(*request));
      if (auto* hop = std::get_if<QueryHop>(&*action)) member.hops.push_back(std::move(*hop));
      if (auto* done = std::get_if<QueryDone>(&*action)) member.done.emplace(done->id, std::move(*done));
    }
    const Instant deadline = member.kad->deadline();
    if (deadline == member.deadline) return;
    sleepers_.erase({member.deadline, member.n});
    member.deadline = deadline;
    sleepers_.emplace(deadline, member.n);
  }
  void fail(Member& from, RequestId id, Duration delay) {
    after(delay, [this, &from, id] {
      from.kad->on_request_failed(id, make_error(Errc::stream_broken), at(now_));
      drain(from);
    });
  }
  void send(Member& from, SendRequest request) {
    ++messages;
    course_ = crypto::sha256({course_, from.id.bytes(), request.peer.bytes(), request.message.key});
    const auto to = by_id_.find(request.peer);
    // Without a connection somebody must be reachable at one of the addresses; the invented are not.
    const bool exists = to != by_id_.end() && (connected_.contains(std::minmax(from.n, to->second->n)) ||
                                               std::find(request.addrs.begin(), request.addrs.end(),
                                                         to->second->addrs[0]) != request.addrs.end());
    if (!exists || to->second->life == Life::silent) return;  // the brain has timeouts of its own
    Member& target = *to->second;
    if (target.life == Life::refusing) return fail(from, request.id, latency());
    if (!target.lie && target.kad->mode() == Mode::client) return fail(from, request.id, latency());
    after(latency(), [this, &from, &target, request = std::move(request)] { serve(from, target, request); });
  }
  void serve(Member& from, Member& target, const SendRequest& request) {
    if (target.life != Life::up) return;
    connect(from, target);
    std::optional<Message> answer;
    if (target.lie) {
      answer = target.lie(request.message);
    } else {
      auto result = target.kad->on_request(from.id, request.message, at(now_));
      drain(target);
      if (!result) return fail(from, request.id, latency());
      answer = std::move(*result);
    }
    after(latency(),
          [this, &from, id = request.id, expects = request.expects_response, answer = std::move(answer)] {
            if (!expects) from.kad->on_request_sent(id, at(now_));
            if (expects && answer) from.kad->on_response(id, *answer, at(now_));
            drain(from);
          });
  }

  SeededRng rng_;
  std::uint64_t seed_;
  NullLog log_;
  Instant now_;
  std::uint64_t sequence_ = 0;
  std::vector<std::unique_ptr<Member>> members_;
  std::set<std::pair<Instant, std::uint64_t>> sleepers_;  ///< members by what their brains wait for
  std::map<PeerId, Member*> by_id_;
  std::set<std::pair<std::uint64_t, std::uint64_t>> connected_;
  std::map<std::pair<Instant, std::uint64_t>, std::function<void()>> events_;
  crypto::Hash256 course_{};
};

}  // namespace starling::kad::testing
