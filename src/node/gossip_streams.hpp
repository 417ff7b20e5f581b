#pragma once
#include <memory>

#include "node/stream_handler.hpp"

namespace starling::node {

/// Decodes the peer's RPCs and tells up::GossipReceived.
std::unique_ptr<StreamHandler> make_gossip_receiver();

}  // namespace starling::node
