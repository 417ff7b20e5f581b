#pragma once
// What stands between the public Node and the agent core.
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "sdk/agent_core.hpp"
#include "sdk/failure.hpp"
#include "starling/node.hpp"

namespace starling::sdk {

/// The public Node's state: its options, its callbacks, and the agent core while it runs.
///
/// Threads: any. `life_` lets one start or stop go on at a time; `mutex_` is held only to copy members, never
/// while something of the application's is called.
class NodeCore {
 public:
  explicit NodeCore(NodeOptions options) : options_(std::move(options)) {}
  NodeCore(const NodeCore&) = delete;
  NodeCore& operator=(const NodeCore&) = delete;
  ~NodeCore() { stop(); }

  Outcome<void> start();
  void stop();
  /// What runs; nothing before start() and after stop().
  std::shared_ptr<AgentCore> running() const;
  std::string address() const;
  std::string peer_id() const;
  std::vector<std::string> addresses() const;

  using OnMessage = std::function<void(const AgentMessage&)>;
  using OnAnnouncement = std::function<void(const Presence&)>;
  using OnStatus = std::function<void(const AgentStatus&)>;
  void on_message(OnMessage callback) { set(on_message_, std::move(callback)); }
  void on_announcement(OnAnnouncement callback) { set(on_announcement_, std::move(callback)); }
  void on_status(OnStatus callback) { set(on_status_, std::move(callback)); }

  /// One question to the agent core, whose answer `show` turns into the public one.
  template <class Public, class Core, class Show>
  void ask(Node::Done<Public> done, void (AgentCore::*question)(AgentCore::Done<Core>), Show show) const {
    const auto core = running();
    if (!core) return done(not_running());
    ((*core).*question)([done = std::move(done), show = std::move(show)](const Result<Core>& answer) {
      if (answer)
        done(show(*answer));
      else
        done(to_failure(answer.error()));
    });
  }
  static Failure not_running();

 private:
  Outcome<AgentSetup> setup() const;
  void subscribe(AgentCore& core);
  template <class Callback>
  void set(std::shared_ptr<const Callback>& member, Callback callback) {
    const std::lock_guard lock(mutex_);
    member = callback ? std::make_shared<const Callback>(std::move(callback)) : nullptr;
  }
  template <class Callback, class Value>
  void tell(const std::shared_ptr<const Callback>& member, const Value& value) const;

  const NodeOptions options_;
  std::mutex life_;
  mutable std::mutex mutex_;
  std::shared_ptr<AgentCore> core_;
  std::string address_;
  std::string peer_id_;
  std::vector<std::string> addresses_;
  /// Of an agent without a data directory: it stays the same when the node is started again.
  std::optional<crypto::PrivateKey> wallet_key_;
  std::optional<crypto::PrivateKey> node_key_;
  std::shared_ptr<const OnMessage> on_message_;
  std::shared_ptr<const OnAnnouncement> on_announcement_;
  std::shared_ptr<const OnStatus> on_status_;
};

}  // namespace starling::sdk
