#include "node/role_gossip.hpp"

#include "agent/limits.hpp"
#include "agent/names.hpp"
#include "base/assert.hpp"

namespace starling::node {

std::shared_ptr<const gossip::Config> gossip_of(agent::Role role) {
  gossip::Config config;
  config.mesh.offer_px = role == agent::Role::bootstrap;
  config.message_bytes_max = agent::kEnvelopeGossipBytesMax;
  for (const auto topic : {agent::Topic::announcements, agent::Topic::messages, agent::Topic::status})
    config.topic_filter.emplace(agent::to_string(topic));
  auto made = gossip::make_config(std::move(config));
  STARLING_ASSERT(made.has_value());
  return *std::move(made);
}

}  // namespace starling::node
