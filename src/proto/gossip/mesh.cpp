#include "proto/gossip/mesh.hpp"

#include <algorithm>

namespace starling::gossip {
namespace {

std::size_t outbound_count(const std::vector<MeshLink>& links, std::size_t first, std::size_t last) noexcept {
  std::size_t count = 0;
  for (std::size_t i = first; i < last; ++i) count += links[i].direction == Direction::outbound ? 1 : 0;
  return count;
}

std::size_t outbound_count(const std::vector<MeshLink>& links) noexcept {
  return outbound_count(links, 0, links.size());
}

/// Moves the first `count` candidates that satisfy `wanted` to the members and the plan.
template <class Wanted>
void graft_some(std::vector<MeshLink>& members, std::vector<MeshLink>& candidates, std::size_t count,
                MeshPlan& plan, Wanted wanted) {
  for (auto it = candidates.begin(); count > 0 && it != candidates.end();) {
    if (!wanted(*it)) {
      ++it;
      continue;
    }
    plan.graft.push_back(it->peer);
    members.push_back(*it);
    it = candidates.erase(it);
    --count;
  }
}

/// Leaves D members: the Dscore best, then random ones, among them Dout outbound if there are so many.
void shrink(std::vector<MeshLink>& members, const MeshParams& params, MeshPlan& plan, Rng& rng) {
  rng.shuffle(members);
  std::ranges::stable_sort(members, std::ranges::greater{}, &MeshLink::score);
  std::vector<MeshLink> rest(members.begin() + static_cast<std::ptrdiff_t>(params.d_score), members.end());
  rng.shuffle(rest);
  std::ranges::copy(rest, members.begin() + static_cast<std::ptrdiff_t>(params.d_score));
  // Bring outbound links that would go into the kept part, each in place of the worst inbound one.
  std::size_t outbound = outbound_count(members, 0, params.d);
  for (std::size_t i = params.d; i < members.size() && outbound < params.d_out; ++i) {
    if (members[i].direction != Direction::outbound) continue;
    for (std::size_t j = params.d; j > 0; --j) {
      if (members[j - 1].direction == Direction::outbound) continue;
      std::swap(members[j - 1], members[i]);
      ++outbound;
      break;
    }
  }
  for (std::size_t i = params.d; i < members.size(); ++i) plan.prune_surplus.push_back(members[i].peer);
  members.resize(params.d);
}

double median_score(const std::vector<MeshLink>& members) {
  std::vector<double> scores;
  scores.reserve(members.size());
  for (const MeshLink& link : members) scores.push_back(link.score);
  const auto middle = scores.begin() + static_cast<std::ptrdiff_t>(scores.size() / 2);
  std::ranges::nth_element(scores, middle);
  return *middle;
}

}  // namespace

bool mesh_needs_candidates(const std::vector<MeshLink>& members, const MeshParams& params,
                           Opportunism opportunism) noexcept {
  std::size_t good = 0;
  std::size_t outbound = 0;
  for (const MeshLink& link : members) {
    if (link.score < 0) continue;
    ++good;
    outbound += link.direction == Direction::outbound ? 1 : 0;
  }
  return good < params.d_lo || outbound < params.d_out || opportunism == Opportunism::yes;
}

MeshPlan plan_mesh(std::vector<MeshLink> members, std::vector<MeshLink> candidates, const MeshParams& params,
                   Opportunism opportunism, double opportunistic_threshold, Rng& rng) {
  MeshPlan plan;
  for (const MeshLink& link : members)
    if (link.score < 0) plan.prune_bad.push_back(link.peer);
  std::erase_if(members, [](const MeshLink& link) { return link.score < 0; });
  rng.shuffle(candidates);

  if (members.size() < params.d_lo)
    graft_some(members, candidates, params.d - members.size(), plan, [](const MeshLink&) { return true; });
  if (members.size() > params.d_hi) shrink(members, params, plan, rng);
  if (members.size() >= params.d_lo) {
    const std::size_t outbound = outbound_count(members);
    if (outbound < params.d_out)
      graft_some(members, candidates, params.d_out - outbound, plan,
                 [](const MeshLink& link) { return link.direction == Direction::outbound; });
  }
  if (opportunism == Opportunism::yes && members.size() > 1) {
    const double median = median_score(members);
    if (median < opportunistic_threshold)
      graft_some(members, candidates, params.opportunistic_graft_peers, plan,
                 [median](const MeshLink& link) { return link.score > median; });
  }
  return plan;
}

}  // namespace starling::gossip
