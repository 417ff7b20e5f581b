#pragma once
// A node as World keeps it. Internal to World's files.
#include "sim/byte_edge.hpp"
#include "sim/world.hpp"

namespace starling::sim {

struct World::Node {
  std::uint32_t index = 0;
  NodeSpec spec;
  std::function<std::unique_ptr<Adversary>(const Multiaddr& address)> make_foe;
  std::optional<crypto::PrivateKey> wallet_key;  ///< none: an adversary
  std::optional<crypto::PrivateKey> node_key;
  EthAddress wallet;
  PeerId id;
  Multiaddr address;
  std::map<std::pair<node::Kept, std::string>, Bytes> kept;  ///< what is on its disk
  std::optional<SeededRng> rng;
  std::optional<Env> env;
  std::unique_ptr<node::AgentNode> brain;
  std::unique_ptr<Adversary> foe;
  std::unique_ptr<ByteEdge> edge;                                    ///< level B
  std::map<kad::RequestId, std::pair<LookupTrace*, PeerId>> traced;  ///< level B: requests under way
  std::shared_ptr<const identify::Info> info;                        ///< one for all its peers
  Observed observed;
  std::vector<std::uint32_t> links;
  std::vector<node::DialId> cancelled;
  std::vector<LookupTrace*> traces;
  Instant armed = Instant::never();
  Instant uplink_free;
  std::uint32_t generation = 0;
  Absence absence = Absence::noticed;

  bool online() const noexcept { return brain != nullptr || foe != nullptr; }
};

}  // namespace starling::sim
