#pragma once
// What stands between the public Host and the brain of a plain libp2p host.
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "runtime/host_brain.hpp"
#include "runtime/node_runtime.hpp"
#include "sdk/failure.hpp"
#include "sdk/streams.hpp"
#include "starling/host.hpp"

namespace starling::sdk {

/// Bytes of publications handed to the brain before it is looked whether peers keep up. Each counts as
/// node::kBacklogBytesPerMessage at least.
inline constexpr std::size_t kPublishBytesPerLookMax = 512 * 1024;
/// Bytes of gossip that the slowest peer may leave unread before further publications wait, counted the same
/// way. With those of one look and one of full size this fits into what its queue keeps
/// (gossip::OutQueueLimits).
inline constexpr std::size_t kPublishBacklogBytesMax = 2 * 1024 * 1024;
/// Between two looks while they wait.
inline constexpr Duration kPublishLookInterval = 1ms;
/// After this long without progress they go on: one peer that reads nothing must not silence us.
inline constexpr Duration kPublishStallMax = 5s;
/// How long peer_info() waits for identify.
inline constexpr Duration kPeerInfoWaitMax = 10s;

/// Everything the public Host does. Members without a note belong to the brain's thread.
class HostCore {
 public:
  /// The configuration as the core wants it, or why it does not.
  struct Setup {
    Setup(crypto::PrivateKey secret) : key(std::move(secret)) {}  // NOLINT
    runtime::Options options;
    node::HostConfig host;
    crypto::PrivateKey key;
    runtime::HostBrain::Records records = runtime::HostBrain::Records::public_keys;
  };
  static Outcome<Setup> prepare(const HostOptions& options);

  explicit HostCore(HostOptions options);
  ~HostCore();

  // --- any thread ---
  Outcome<void> start();
  void stop();
  const std::string& peer_id() const noexcept { return peer_id_; }
  const std::vector<std::string>& addresses() const noexcept { return addresses_; }
  void set_stream_handler(std::string protocol, Host::StreamHandler handler, Host::Done<void> done);
  /// `work(host, now)` on the brain's thread; `owed` is failed when there is none any more.
  template <class T, class Work>
  void ask(std::function<void(Outcome<T>)> done, Work work);
  void after(Duration delay, std::function<void()> work);

  void connection(std::string_view peer, Host::Done<Connection> done);
  void connect(std::string_view address, Host::Done<std::string> done);
  void connect(std::string_view peer, const std::vector<std::string>& addresses,
               Host::Done<std::string> done);
  void disconnect(std::string_view peer, Host::Done<void> done);
  void ping(std::string_view peer, Host::Done<std::chrono::nanoseconds> done);
  void peers(Host::Done<std::vector<std::string>> done);
  void connections(Host::Done<std::vector<ConnectionInfo>> done);
  void peer_info(std::string_view peer, Host::Done<PeerInfo> done);
  void public_key(std::string_view peer, Host::Done<std::vector<std::uint8_t>> done);
  void trim_connections(Host::Done<std::size_t> done);
  void find_providers(ByteSpan multihash, std::size_t count, std::function<void(PeerAddresses)> found,
                      Host::Done<void> done);
  void subscribe(std::string_view topic, Host::Done<void> done);
  void unsubscribe(std::string_view topic, Host::Done<void> done);
  void publish(std::string_view topic, ByteSpan data, Host::Done<Published> done);
  void mesh_peers(std::string_view topic, Host::Done<std::vector<std::string>> done);
  void stats(Host::Done<HostStats> done);
  /// One DHT query: `start` begins it, `finish` makes the value of its end.
  template <class T, class Start, class Finish>
  void query(std::function<void(Outcome<T>)> done, Start start, Finish finish);

  node::Host& host() noexcept { return brain_->host(); }

 private:
  struct Publication {
    std::string topic;
    Slice data;
    Owed<Published> done;
  };
  using QueryEnd = std::function<void(kad::QueryDone&)>;
  /// Whoever wants providers as they are found, and how many more.
  struct Finder {
    std::function<void(PeerAddresses)> found;
    std::size_t wanted;
  };
  /// Waits until the connections that a trim closes are gone.
  struct Trim {
    std::set<PeerId> leaving;
    std::size_t closed;
    Owed<std::size_t> done;
  };

  static std::shared_ptr<runtime::LoopPool> loops_of(const HostOptions& options);
  void on_event(node::host_event::Event& event, Now now);
  void on_connect_done(node::host_event::ConnectDone& event);
  void on_identified(const PeerId& peer);
  void on_disconnected(const PeerId& peer, const Error& reason);
  void on_provider(const kad::ProviderFound& event);
  template <class T>
  void begin_query(kad::QueryId id, Owed<T> owed, std::function<void(kad::QueryResult&, Owed<T>&)> finish);
  void publish_waiting(Now now);
  void look_at_backlog(Now now);
  void give_up_waiting();

  HostOptions options_;
  std::optional<Failure> bad_options_;
  std::string peer_id_;
  std::vector<std::string> addresses_;
  std::shared_ptr<HandlerTable> handlers_ = std::make_shared<HandlerTable>();
  std::vector<std::unique_ptr<StreamTable>> tables_;
  std::unique_ptr<runtime::NodeRuntime> runtime_;
  runtime::HostBrain* brain_ = nullptr;  // owned by the runtime

  std::map<node::AskId, Owed<std::string>> connects_;
  std::map<node::AskId, Owed<std::chrono::nanoseconds>> pings_;
  std::multimap<PeerId, Owed<void>> disconnects_;
  std::multimap<PeerId, std::shared_ptr<Owed<PeerInfo>>> infos_;
  std::map<kad::QueryId, QueryEnd> queries_;
  std::map<kad::QueryId, Finder> finders_;
  std::list<Trim> trims_;
  std::deque<Publication> publications_;
  std::size_t publish_room_bytes_ = kPublishBytesPerLookMax;
  std::size_t last_backlog_ = 0;
  Instant stalled_since_ = Instant::never();
  bool looking_ = false;
};

template <class T, class Work>
void HostCore::ask(std::function<void(Outcome<T>)> done, Work work) {
  Owed<T> owed(std::move(done));
  if (!runtime_) return;  // bad options: start() says so
  runtime_->post([this, owed = std::move(owed), work = std::move(work)](runtime::Shard&, Now now) mutable {
    work(host(), std::move(owed), now);
  });
}

template <class T, class Start, class Finish>
void HostCore::query(std::function<void(Outcome<T>)> done, Start start, Finish finish) {
  ask<T>(std::move(done), [this, start = std::move(start), finish = std::move(finish)](
                              node::Host& host, Owed<T> owed, Now now) mutable {
    if (host.dht() == nullptr) return owed.fail(node::make_error(node::Errc::dht_off));
    const kad::QueryId id = start(*host.dht(), now);
    begin_query<T>(id, std::move(owed), std::move(finish));
  });
}

template <class T>
void HostCore::begin_query(kad::QueryId id, Owed<T> owed,
                           std::function<void(kad::QueryResult&, Owed<T>&)> finish) {
  const auto shared = std::make_shared<Owed<T>>(std::move(owed));
  queries_[id] = [shared, finish = std::move(finish)](kad::QueryDone& end) {
    if (!end.result)
      shared->fail(end.result.error());
    else
      finish(*end.result, *shared);
  };
}

}  // namespace starling::sdk
