#pragma once
// A running agent node: the agent brain, its shards, sockets and clocks.
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "node/agent_node.hpp"
#include "runtime/options.hpp"

namespace starling::runtime {

/// Drives one node::AgentNode over real sockets.
///
/// Threads: the brain and all callbacks live on one of the node's own threads ("the brain's thread"); post()
/// and the other methods may be called from any thread, but those marked *blocking* never from a thread of
/// the node. Call order: construct → start() → post(), … → stop(). The destructor stops. Storage: what
/// Events::persist got is on disk when the next Events::commit returns, at most once a turn; only then do
/// events come and commands go out that were told after it. Everything persisted under (what, key) comes back
/// as Setup::kept, but for Kept::issued and Kept::delegation, which went into the Identity. Shutdown: stop
/// listening → withdraw the presence → close every connection with GoAway → drain, kDrainTimeMax → join.
class AgentRuntime {
 public:
  struct KeptValue {
    node::Kept what;
    std::string key;
    Bytes value;
  };
  /// Called on the brain's thread, in order. Unset ones drop.
  struct Events {
    /// To be written; it need not be on disk before commit() returns.
    std::function<void(const node::agent_event::Persist&)> persist;
    /// The same for a message, so that an inbox takes it together with the memory of having received it. It
    /// comes again as an event, after commit().
    std::function<void(const node::Received&)> receive;
    /// Puts everything written since the last call on disk, in one go. Later events and commands wait for it.
    std::function<void()> commit;
    /// All but Persist and ShutdownReady.
    std::function<void(node::agent_event::Event&, Now)> agent;
    std::function<void(node::host_event::Event&, Now)> host;
  };
  struct Setup {
    Setup(agent::Identity own_identity) : identity(std::move(own_identity)) {}  // NOLINT
    Options options;
    node::AgentConfig agent;
    node::HostConfig host;
    agent::Identity identity;
    std::vector<KeptValue> kept;
    Events events;
  };

  explicit AgentRuntime(Setup setup);
  AgentRuntime(const AgentRuntime&) = delete;
  AgentRuntime& operator=(const AgentRuntime&) = delete;
  ~AgentRuntime();

  /// Restores what was kept, listens, then lets the brain run. Blocking. Errors: damaged kept values,
  /// runtime::Errc.
  Result<void> start();
  /// Runs `work` on the brain's thread, outputs are drained afterwards. Dropped after stop().
  void post(std::move_only_function<void(node::AgentNode&, Now)> work);
  /// The same, not before `delay` has passed.
  void post_after(Duration delay, std::move_only_function<void(node::AgentNode&, Now)> work);
  /// The value of `work` on the brain's thread. Blocking; nothing when the node has stopped.
  template <class Work>
  auto ask(Work work) -> std::optional<decltype(work(std::declval<node::AgentNode&>(), Now{}))> {
    using Value = decltype(work(std::declval<node::AgentNode&>(), Now{}));
    auto promise = std::make_shared<std::promise<Value>>();
    auto future = promise->get_future();
    post([promise, work = std::move(work)](node::AgentNode& brain, Now now) mutable {
      promise->set_value(work(brain, now));
    });
    promise.reset();
    try {
      return future.get();
    } catch (const std::future_error&) {  // dropped
      return std::nullopt;
    }
  }
  /// Adds up the counters of all shards and calls back on the brain's thread.
  void metrics(std::function<void(MetricsSnapshot)> done);
  /// Withdraws, closes, joins. Blocking, idempotent.
  void stop();
  void refuse_own_thread() const;

  const PeerId& peer_id() const noexcept;
  /// What is listened on after start(), with real ports and without wildcards.
  std::vector<Multiaddr> listening() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace starling::runtime
