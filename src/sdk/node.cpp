#include "starling/node.hpp"

#include "sdk/agent_views.hpp"
#include "sdk/node_core.hpp"

namespace starling {
namespace {

/// More than anybody waits, and far from where clocks overflow.
constexpr std::chrono::milliseconds kWaitMax = std::chrono::days(7);

Duration bounded(std::chrono::milliseconds wait) {
  return std::clamp(wait, std::chrono::milliseconds::zero(), kWaitMax);
}

template <class Public, class Core>
std::vector<Public> all_of(const std::vector<Core>& items) {
  std::vector<Public> out;
  for (const auto& item : items) out.push_back(sdk::to_public(item));
  return out;
}

/// What send() answers: a message that failed or ended early is a failure.
Outcome<Delivery> answer_of(const sdk::SendOutcome& outcome) {
  Delivery delivery = sdk::to_public(outcome);
  if (delivery.failure) return *delivery.failure;
  if (delivery.state == DeliveryState::rejected)
    return Failure{"refused", "sdk/rejected", "the addressee rejected the message"};
  if (delivery.state == DeliveryState::expired)
    return Failure{"timeout", "sdk/expired", "the message expired on its way"};
  return delivery;
}

}  // namespace

Node::Node(NodeOptions options) : core_(std::make_unique<sdk::NodeCore>(std::move(options))) {}
Node::~Node() = default;

Outcome<void> Node::start() { return core_->start(); }
void Node::stop() { core_->stop(); }
std::string Node::address() const { return core_->address(); }
std::string Node::peer_id() const { return core_->peer_id(); }
std::vector<std::string> Node::addresses() const { return core_->addresses(); }

void Node::on_message(std::function<void(const AgentMessage&)> callback) {
  core_->on_message(std::move(callback));
}
void Node::on_announcement(std::function<void(const Presence&)> callback) {
  core_->on_announcement(std::move(callback));
}
void Node::on_status(std::function<void(const AgentStatus&)> callback) {
  core_->on_status(std::move(callback));
}

void Node::joined(std::chrono::milliseconds limit, Done<void> done) {
  const auto core = core_->running();
  if (!core) return done(sdk::NodeCore::not_running());
  core->when_joined(bounded(limit), [done = std::move(done)](const Result<bool>& met) {
    if (!met)
      done(sdk::to_failure(met.error()));
    else if (!*met)
      done(Failure{"timeout", "sdk/joined",
                   "the network was not joined in time: check the bootstrap addresses"});
    else
      done({});
  });
}

void Node::find(std::string_view address, Done<Found> done, std::chrono::milliseconds cache_age) {
  const auto core = core_->running();
  if (!core) return done(sdk::NodeCore::not_running());
  const auto wallet = EthAddress::parse(address);
  if (!wallet) return done(sdk::to_failure(wallet.error(), "address '" + std::string(address) + "'"));
  core->find(*wallet, bounded(cache_age), [done = std::move(done)](const sdk::FindOutcome& outcome) {
    if (outcome.found)
      done(sdk::to_public(*outcome.found, outcome.took));
    else
      done(sdk::to_failure(outcome.found.error()));
  });
}

void Node::send(OutgoingMessage message, Done<Delivery> done) {
  const auto core = core_->running();
  if (!core) return done(sdk::NodeCore::not_running());
  auto on_state = std::move(message.on_state);
  sdk::SendWatch watch;
  watch.until = sdk::to_core(message.until);
  watch.wait = bounded(message.wait);
  auto options = sdk::to_core(std::move(message));
  if (!options) return done(options.failure());
  watch.done = [done = std::move(done)](const sdk::SendOutcome& outcome) { done(answer_of(outcome)); };
  if (on_state)
    watch.each = [on_state = std::move(on_state)](const sdk::SendOutcome& outcome) {
      on_state(sdk::to_public(outcome));
    };
  core->send(*std::move(options), std::move(watch));
}

Outcome<std::vector<AgentMessage>> Node::inbox(std::uint64_t after, std::size_t count) {
  const auto core = core_->running();
  if (!core) return sdk::NodeCore::not_running();
  if (!core->has_inbox())
    return Failure{"unsupported", "sdk/no_inbox", "messages are kept in an inbox only with a data_dir"};
  const auto entries = core->inbox(after, count);
  if (!entries) return sdk::to_failure(entries.error());
  return all_of<AgentMessage>(*entries);
}

void Node::announced(Done<std::vector<Presence>> done) {
  core_->ask(std::move(done), &sdk::AgentCore::announcements, &all_of<Presence, agent::CheckedPresence>);
}

void Node::peers(Done<std::vector<ConnectedPeer>> done) {
  core_->ask(std::move(done), &sdk::AgentCore::peers, &all_of<ConnectedPeer, sdk::PeerView>);
}

void Node::status(Done<NodeStatus> done) {
  core_->ask(std::move(done), &sdk::AgentCore::status,
             [](const sdk::StatusView& view) { return sdk::to_public(view); });
}

void Node::network_status(Done<std::vector<AgentStatus>> done) {
  core_->ask(std::move(done), &sdk::AgentCore::network_status,
             &all_of<AgentStatus, node::agent_event::Status>);
}

void Node::metrics(Done<std::map<std::string, std::uint64_t>> done) {
  core_->ask(std::move(done), &sdk::AgentCore::metrics, [](const runtime::MetricsSnapshot& snapshot) {
    return std::map<std::string, std::uint64_t>(snapshot.begin(), snapshot.end());
  });
}

}  // namespace starling
