// The bench commands about gossip.
#include <algorithm>
#include <atomic>
#include <bit>
#include <condition_variable>
#include <thread>

#include "peer.hpp"
#include "together.hpp"

namespace peer {

using starling::Host;
using starling::Outcome;

namespace {

constexpr std::size_t kPublishesAtOnce = 2048;
constexpr std::size_t kStampBytes = 8;
constexpr const char* kFanoutTopic = "fanout";
/// Links below which gossipsub makes more.
constexpr std::size_t kMeshLow = 5;
constexpr auto kMeshWaitMax = std::chrono::seconds(30);
constexpr auto kMeshPoll = std::chrono::milliseconds(10);
/// Without a delivery for that long, the rest is lost.
constexpr auto kStall = std::chrono::seconds(10);
/// What comes twice may come after everything else.
constexpr auto kLinger = std::chrono::milliseconds(200);

/// The first bytes of a message, big-endian.
void stamp(std::vector<std::uint8_t>& data, std::uint64_t value) {
  for (std::size_t k = 0; k < kStampBytes; ++k) data[k] = static_cast<std::uint8_t>(value >> (56 - 8 * k));
}

std::uint64_t stamp_of(starling::ByteSpan data) {
  std::uint64_t value = 0;
  for (std::size_t k = 0; k < kStampBytes; ++k) value = value << 8U | data[k];
  return value;
}

/// What the callbacks of a publisher count; they may outlive the command.
struct Publishing {
  std::mutex mutex;
  std::condition_variable changed;
  std::uint64_t accepted = 0;
  std::optional<starling::Failure> failure;
};

/// Messages of `size` bytes, as fast as the host accepts them; `next_stamp(i)` is how the i-th begins.
template <class NextStamp>
void publish_all(Host& host, const std::string& topic, std::uint64_t wanted, std::uint64_t size,
                 NextStamp next_stamp) {
  std::vector<std::uint8_t> data(std::max<std::uint64_t>(size, kStampBytes));
  const auto state = std::make_shared<Publishing>();
  std::unique_lock lock(state->mutex);
  for (std::uint64_t i = 0; i < wanted && !state->failure; ++i) {
    state->changed.wait(lock, [&] { return state->failure || i - state->accepted < kPublishesAtOnce; });
    lock.unlock();
    stamp(data, next_stamp(i));
    host.publish(topic, data, [state](const Outcome<starling::Published>& published) {
      const std::lock_guard guard(state->mutex);
      ++state->accepted;
      if (!published && !state->failure) state->failure = published.failure();
      state->changed.notify_all();
    });
    lock.lock();
  }
  state->changed.wait(lock, [&] { return state->failure || state->accepted == wanted; });
  if (state->failure) throw CommandError(state->failure->message);
}

/// What the subscribers of a fan-out got: take() comes on the thread of each, the rest on the command's.
class Deliveries {
 public:
  Deliveries(std::size_t subscribers, std::uint64_t messages)
      : seen_(subscribers, std::vector<bool>(messages)) {}

  void take(std::size_t subscriber, starling::ByteSpan data) {
    ++count_;
    auto& seen = seen_[subscriber];
    if (data.size() < kStampBytes) return;
    const std::uint64_t number = stamp_of(data);
    if (number >= seen.size() || seen[number]) return;
    seen[number] = true;
    if (++distinct_ != goal_) return;
    const std::lock_guard lock(mutex_);
    reached_ms_ = now_ms();
    changed_.notify_all();
  }
  /// Before the publications that are to reach it. `messages`: of each subscriber, all that came before
  /// included.
  void aim(std::uint64_t messages) {
    const std::lock_guard lock(mutex_);
    reached_ms_.reset();
    goal_ = messages * seen_.size();
  }
  /// When the aim was reached; the present when deliveries have ceased before.
  double wait() {
    std::unique_lock lock(mutex_);
    for (std::uint64_t before = count_ + 1; !reached_ms_ && before != count_;) {
      before = count_;
      changed_.wait_for(lock, kStall, [&] { return reached_ms_.has_value(); });
    }
    return reached_ms_.value_or(now_ms());
  }
  std::uint64_t count() const { return count_; }
  std::uint64_t distinct() const { return distinct_; }

 private:
  std::vector<std::vector<bool>> seen_;  // of each subscriber, on its thread alone
  std::atomic<std::uint64_t> count_ = 0;
  std::atomic<std::uint64_t> distinct_ = 0;
  std::atomic<std::uint64_t> goal_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<double> reached_ms_;
};

/// A publisher and its subscribers: hosts of their own, spread over loops of one thread each. Every host
/// keeps to one thread that way; hosts that share several have all their brains and all first connections on
/// the first.
struct Fanout {
  Fanout(std::size_t subscribers, std::size_t threads, const starling::HostOptions& like, Deliveries& to)
      : loops(std::max<std::size_t>(threads, 1)) {
    for (auto& one : loops) one = starling::EventLoops(1);
    for (std::size_t i = 0; i <= subscribers; ++i) {
      starling::HostOptions options = like;
      options.gossip = true;
      options.loops = loops[i % loops.size()];
      if (i == 0)
        options.listen = {"/ip4/127.0.0.1/tcp/0"};
      else
        options.events.message = [&to, i](const starling::Message& message) { to.take(i - 1, message.data); };
      hosts.push_back(std::make_unique<Host>(std::move(options)));
      get(hosts.back()->start());
    }
  }
  Host& publisher() { return *hosts.front(); }

  /// Until everyone is subscribed and connected to the publisher, which knows it and has its mesh.
  void link() {
    for (auto& host : hosts)
      get(starling::wait<void>([&](auto done) { host->subscribe(kFanoutTopic, done); }));
    const std::size_t wanted = hosts.size() - 1;
    Together together(wanted);
    for (std::size_t i = 1; i <= wanted; ++i) {
      hosts[i]->connect(publisher().addresses().front(), [&together](const Outcome<std::string>& peer) {
        together.end(peer ? Outcome<void>() : Outcome<void>(peer.failure()));
      });
    }
    together.wait();
    const auto end = std::chrono::steady_clock::now() + kMeshWaitMax;
    while (known() < wanted || in_mesh() < std::min(wanted, kMeshLow)) {
      if (std::chrono::steady_clock::now() > end) throw CommandError("the mesh does not come about");
      std::this_thread::sleep_for(kMeshPoll);
    }
  }

  std::size_t known() {
    return peers_in([this](auto done) { publisher().topic_peers(kFanoutTopic, done); });
  }
  std::size_t in_mesh() {
    return peers_in([this](auto done) { publisher().mesh_peers(kFanoutTopic, done); });
  }
  template <class Ask>
  static std::size_t peers_in(Ask ask) {
    return get(starling::wait<std::vector<std::string>>(ask)).size();
  }

  std::vector<starling::EventLoops> loops;
  std::vector<std::unique_ptr<Host>> hosts;
};

}  // namespace

Fields Peer::bench_pub(const Request& request) {
  const double began = now_ms();
  publish_all(*host_, request.text("topic"), request.count("n", 1), request.count("size", kStampBytes),
              [](std::uint64_t) { return std::bit_cast<std::uint64_t>(epoch_ms()); });
  return {{"seconds", (now_ms() - began) / 1000}};
}

/// Messages carry their number. The ones of the warm-up come before the first that is counted.
Fields Peer::bench_fanout(const Request& request) {
  const std::size_t subscribers = std::max<std::uint64_t>(request.count("n", 1), 1);
  const std::uint64_t warm = request.count("warm", 0);
  const std::uint64_t wanted = std::max<std::uint64_t>(request.count("count", 1), 1);
  const std::uint64_t size = request.count("size", kStampBytes);
  Deliveries deliveries(subscribers, warm + wanted);
  Fanout fanout(subscribers, flags_.threads, dialer_options({}), deliveries);
  fanout.link();
  if (warm > 0) {
    deliveries.aim(warm);
    publish_all(fanout.publisher(), kFanoutTopic, warm, size, [](std::uint64_t i) { return i; });
    deliveries.wait();
  }
  const std::uint64_t before = deliveries.count();
  const std::uint64_t distinct_before = deliveries.distinct();
  const double cpu_before = cpu_ms();
  const double began = now_ms();
  deliveries.aim(warm + wanted);
  publish_all(fanout.publisher(), kFanoutTopic, wanted, size, [&](std::uint64_t i) { return warm + i; });
  const double ended = deliveries.wait();
  const double cpu = cpu_ms() - cpu_before;
  std::this_thread::sleep_for(kLinger);
  return {{"seconds", (ended - began) / 1000},
          {"deliveries", deliveries.count() - before},
          {"distinct", deliveries.distinct() - distinct_before},
          {"cpuMs", cpu},
          {"mesh", fanout.in_mesh()}};
}

}  // namespace peer
