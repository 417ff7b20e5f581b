#include "net/nodes.hpp"

#include <stdlib.h>

#include <stdexcept>

namespace starling::net {

TemporaryFolder::TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "starling-net-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
  folder_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

NodeOptions agent_options(const std::vector<std::string>& bootstrap) {
  NodeOptions options;
  options.listen = {kLoopback};
  options.bootstrap = bootstrap;
  options.threads = 1;
  options.log_level = "error";
  return options;
}

NodeOptions directory_options() {
  NodeOptions options = agent_options();
  options.role = Role::bootstrap;
  return options;
}

std::unique_ptr<Node> run(NodeOptions options) {
  auto node = std::make_unique<Node>(std::move(options));
  if (const auto started = node->start(); !started) throw std::runtime_error(started.failure().message);
  return node;
}

void join(Node& node) {
  const auto joined = answer<void>([&](auto done) { node.joined(kPatience, done); });
  if (!joined) throw std::runtime_error(joined.failure().message);
}

Town make_town(std::size_t agents) {
  Town town;
  town.directory = run(directory_options());
  for (std::size_t i = 0; i < agents; ++i)
    town.agents.push_back(run(agent_options(town.directory->addresses())));
  for (const auto& agent : town.agents) join(*agent);
  return town;
}

Outcome<Found> find(Node& from, const std::string& address) {
  return answer<Found>([&](auto done) { from.find(address, done); });
}

Outcome<Delivery> send(Node& from, OutgoingMessage message) {
  return answer<Delivery>([&](auto done) { from.send(std::move(message), done); });
}

}  // namespace starling::net
