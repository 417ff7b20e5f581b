#include "api/service.hpp"

#include <future>

namespace starling::api {
namespace {

/// The answer to `ask`, or an empty one when the node has stopped.
template <class T, class Ask>
T answer(Ask ask) {
  std::promise<T> promise;
  auto future = promise.get_future();
  ask([&promise](Result<T> result) { promise.set_value(result ? *std::move(result) : T{}); });
  return future.get();
}

}  // namespace

Result<std::unique_ptr<Service>> Service::start(ServiceConfig config) {
  STARLING_ASSIGN(auto core, sdk::AgentCore::open(std::move(config)));
  STARLING_TRY(core->start());
  return std::unique_ptr<Service>(new Service(std::move(core)));
}

void Service::send(node::SendOptions options, Duration wait, std::function<void(SendOutcome)> done) {
  sdk::SendWatch watch;
  watch.wait = wait;
  watch.done = std::move(done);
  core_->send(std::move(options), std::move(watch));
}

std::vector<agent::CheckedPresence> Service::announcements() {
  return answer<std::vector<agent::CheckedPresence>>(
      [&](auto done) { core_->announcements(std::move(done)); });
}

std::vector<PeerView> Service::peers() {
  return answer<std::vector<PeerView>>([&](auto done) { core_->peers(std::move(done)); });
}

StatusView Service::status() {
  return answer<StatusView>([&](auto done) { core_->status(std::move(done)); });
}

std::vector<node::agent_event::Status> Service::network_status() {
  return answer<std::vector<node::agent_event::Status>>(
      [&](auto done) { core_->network_status(std::move(done)); });
}

dht::TableView Service::dht_table() {
  return answer<dht::TableView>([&](auto done) { core_->dht_table(std::move(done)); });
}

runtime::MetricsSnapshot Service::metrics() {
  return answer<runtime::MetricsSnapshot>([&](auto done) { core_->metrics(std::move(done)); });
}

bool Service::wait_for_gossip(std::size_t count, Duration wait) {
  return answer<bool>([&](auto done) { core_->when_gossip(count, wait, std::move(done)); });
}

bool Service::wait_for_dht(Duration wait) {
  return answer<bool>([&](auto done) { core_->when_dht(wait, std::move(done)); });
}

}  // namespace starling::api
