#pragma once
#include <memory>

#include "agent/roles.hpp"
#include "gossip/params.hpp"

namespace starling::node {

/// The gossip of an agent network's node (PROTOCOL.md §5): its topics, the size of an envelope, and whether
/// it offers peers to those it prunes: bootstrap nodes do, because all newcomers come to them and their
/// meshes are full.
std::shared_ptr<const gossip::Config> gossip_of(agent::Role role);

}  // namespace starling::node
