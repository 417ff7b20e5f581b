#pragma once
// The choice of links: a pure function of what is known about members and candidates.
#include <vector>

#include "base/rng.hpp"
#include "proto/gossip/params.hpp"
#include "proto/gossip/peer_ref.hpp"
#include "proto/gossip/router.hpp"

namespace starling::gossip {

struct MeshLink {
  PeerRef peer;
  double score = 0;
  Direction direction = Direction::inbound;
};

/// Whether this heartbeat also looks at the median score.
enum class Opportunism : std::uint8_t { no, yes };

struct MeshPlan {
  std::vector<PeerRef> graft;
  std::vector<PeerRef> prune_bad;      ///< negative score: no PX, they get no help in finding others
  std::vector<PeerRef> prune_surplus;  ///< good peers above D
};

/// Whether plan_mesh() could use candidates; collecting them costs a backoff look-up per peer, and mostly it
/// is no.
bool mesh_needs_candidates(const std::vector<MeshLink>& members, const MeshParams& params,
                           Opportunism opportunism) noexcept;

/// One heartbeat's maintenance of one mesh (gossipsub-v1.1.md): members with a negative score go; below Dlo
/// candidates are grafted up to D; above Dhi links go down to D, keeping the Dscore best and Dout outbound
/// ones; between, outbound candidates are grafted up to Dout; and when asked to be opportunistic and the
/// median is under the threshold, a few candidates above the median are grafted. `candidates` are peers that
/// may be grafted: subscribed, not members, not direct, no backoff, score ≥ 0. Dscore resists sybils that try
/// to displace by numbers, Dout those that only dial in.
MeshPlan plan_mesh(std::vector<MeshLink> members, std::vector<MeshLink> candidates, const MeshParams& params,
                   Opportunism opportunism, double opportunistic_threshold, Rng& rng);

}  // namespace starling::gossip
