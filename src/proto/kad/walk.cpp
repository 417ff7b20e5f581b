#include "proto/kad/walk.hpp"

#include <algorithm>

#include "base/assert.hpp"

namespace starling::kad {

Walk::Walk(const KadId& target, const PeerId& self, Tuning tuning) {
  STARLING_ASSERT(tuning.paths > 0 && tuning.paths <= kPathsMax);
  const Lookup::Tuning each{tuning.k, std::max<std::size_t>(1, tuning.alpha / tuning.paths)};
  paths_.reserve(tuning.paths);
  for (std::size_t i = 0; i < tuning.paths; ++i) paths_.emplace_back(target, self, each);
}

void Walk::seed(std::vector<PeerInfo> peers) {
  std::vector<std::vector<PeerInfo>> shares(paths_.size());
  for (std::size_t i = 0; i < peers.size(); ++i) shares[i % shares.size()].push_back(std::move(peers[i]));
  for (std::size_t i = 0; i < shares.size(); ++i) paths_[i].seed(std::move(shares[i]));
}

/// The next that nobody else asks. Who is asked by another path is waited for; who has been, is settled here
/// as it was there.
std::optional<PeerInfo> Walk::next_on(std::size_t path) {
  while (auto peer = paths_[path].next()) {
    const auto [claim, fresh] = claims_.try_emplace(peer->id, Claim{path, State::asked});
    if (fresh) return peer;
    switch (claim->second.state) {
      case State::asked: break;
      case State::stalled: (void)paths_[path].on_stall(peer->id); break;
      case State::answered: (void)paths_[path].on_answer(peer->id, {}); break;
      case State::failed: (void)paths_[path].on_failure(peer->id); break;
    }
  }
  return std::nullopt;
}

std::optional<PeerInfo> Walk::next() {
  if (paths_.size() == 1) return paths_[0].next();
  for (std::size_t tries = 0; tries < paths_.size(); ++tries)
    if (auto peer = next_on(turn_++ % paths_.size())) return peer;
  return std::nullopt;
}

void Walk::spread(const Lookup::Spread& spread) noexcept {
  spread_ = true;
  for (Lookup& path : paths_) path.spread(spread);
}

bool Walk::on_answer(const PeerId& from, std::vector<PeerInfo> named) {
  std::size_t owner = 0;
  if (const auto claim = claims_.find(from); claim != claims_.end()) {
    owner = claim->second.path;
    claim->second.state = State::answered;
  }
  if (!paths_[owner].on_answer(from, std::move(named))) return false;
  ++answers_;
  for (std::size_t i = 0; i < paths_.size(); ++i)
    if (i != owner) (void)paths_[i].on_answer(from, {});
  return true;
}

std::optional<Lookup::Discarded> Walk::on_failure(const PeerId& peer) {
  std::size_t owner = 0;
  if (const auto claim = claims_.find(peer); claim != claims_.end()) {
    owner = claim->second.path;
    claim->second.state = State::failed;
  }
  for (std::size_t i = 0; i < paths_.size(); ++i)
    if (i != owner) (void)paths_[i].on_failure(peer);
  return paths_[owner].on_failure(peer);
}

std::optional<Lookup::Discarded> Walk::on_stall(const PeerId& peer) {
  std::size_t owner = 0;
  if (const auto claim = claims_.find(peer); claim != claims_.end()) {
    owner = claim->second.path;
    claim->second.state = State::stalled;
  }
  for (std::size_t i = 0; i < paths_.size(); ++i)
    if (i != owner) (void)paths_[i].on_stall(peer);
  return paths_[owner].on_stall(peer);
}

bool Walk::converged(std::size_t count) const {
  if (answers_ == 0) return exhausted();
  return std::all_of(paths_.begin(), paths_.end(),
                     [count](const Lookup& path) { return path.converged(count); });
}

bool Walk::exhausted() const {
  return std::all_of(paths_.begin(), paths_.end(), [](const Lookup& path) { return path.exhausted(); });
}

std::vector<PeerInfo> Walk::answered(std::size_t count) const {
  if (paths_.size() == 1) return paths_[0].answered(count);
  std::vector<std::pair<KadId, PeerInfo>> all;
  for (const Lookup& path : paths_)
    for (PeerInfo& peer : path.answered(count)) {
      const KadId place = KadId::of(peer.id);
      all.emplace_back(place, std::move(peer));
    }
  std::stable_sort(all.begin(), all.end(),
                   [this](const auto& a, const auto& b) { return nearer(target(), a.first, b.first); });
  const auto last =
      std::unique(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.first == b.first; });
  all.erase(last, all.end());
  if (!spread_ && all.size() > count) all.resize(count);
  std::vector<PeerInfo> out;
  out.reserve(all.size());
  for (auto& entry : all) out.push_back(std::move(entry.second));
  return out;
}

std::vector<PeerInfo> Walk::answered_on(std::size_t path, std::size_t count) const {
  return paths_.at(path).answered(count);
}

std::optional<Walk::Origin> Walk::origin(const PeerId& peer) const {
  const auto claim = claims_.find(peer);
  const std::size_t path = claim == claims_.end() ? 0 : claim->second.path;
  auto in_path = paths_[path].origin(peer);
  if (!in_path) return std::nullopt;
  return Origin{std::move(*in_path), path};
}

}  // namespace starling::kad
