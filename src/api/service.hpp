#pragma once
#include <memory>
#include <vector>

#include "sdk/agent_core.hpp"

namespace starling::api {

using sdk::FindOutcome;
using sdk::PeerView;
using sdk::SendOutcome;
using sdk::StatusView;
namespace dht = sdk::dht;
using ServiceConfig = sdk::AgentSetup;

/// The agent core for callers that wait: the threads of the control API and of commands.
///
/// Threads: every method may be called from any thread but the node's own; callbacks come on the brain's
/// thread and must not block. Lifetime: the destructor stops cleanly (withdraws, closes). Questions to a node
/// that has stopped are answered with empty values.
class Service {
 public:
  /// Errors of sdk::AgentCore::open() and start().
  static Result<std::unique_ptr<Service>> start(ServiceConfig config);
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  const EthAddress& wallet() const noexcept { return core_->wallet(); }
  const PeerId& peer_id() const noexcept { return core_->peer_id(); }
  /// With `/p2p/…`.
  std::vector<Multiaddr> addresses() const { return core_->addresses(); }
  agent::Role role() const noexcept { return core_->role(); }
  bool wallet_was_made() const noexcept { return core_->wallet_was_made(); }

  void find(const EthAddress& wallet, Duration cache_age, std::function<void(FindOutcome)> done) {
    core_->find(wallet, cache_age, std::move(done));
  }
  /// `done` comes when the message is sent or has failed, or after `wait` with the state reached by then.
  void send(node::SendOptions options, Duration wait, std::function<void(SendOutcome)> done);
  void ask_dht(dht::Question question, kad::QueryOptions options, std::function<void(dht::Outcome)> done) {
    core_->ask_dht(std::move(question), options, std::move(done));
  }
  dht::TableView dht_table();
  Result<std::vector<home::InboxEntry>> inbox(std::uint64_t after, std::size_t count) {
    return core_->inbox(after, count);
  }
  std::vector<agent::CheckedPresence> announcements();
  std::vector<PeerView> peers();
  StatusView status();
  std::vector<node::agent_event::Status> network_status();
  runtime::MetricsSnapshot metrics();
  /// True once `count` peers take gossip from us, false when `wait` has passed before.
  bool wait_for_gossip(std::size_t count, Duration wait);
  /// True once a DHT server is in the table.
  bool wait_for_dht(Duration wait);

  using Subscription = sdk::AgentCore::Subscription;
  Subscription on_message(std::function<void(const home::InboxEntry&)> callback) {
    return core_->on_message(std::move(callback));
  }
  Subscription on_announcement(std::function<void(const agent::CheckedPresence&)> callback) {
    return core_->on_announcement(std::move(callback));
  }
  void unsubscribe(Subscription subscription) { core_->unsubscribe(subscription); }

  /// Withdraws, closes, joins. Idempotent.
  void stop() { core_->stop(); }

 private:
  explicit Service(std::unique_ptr<sdk::AgentCore> core) : core_(std::move(core)) {}
  std::unique_ptr<sdk::AgentCore> core_;
};

}  // namespace starling::api
