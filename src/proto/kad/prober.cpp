#include "proto/kad/prober.hpp"

#include <algorithm>

namespace starling::kad {
namespace {

auto find(std::vector<Prober::Probe>& probes, const PeerId& peer) {
  return std::find_if(probes.begin(), probes.end(),
                      [&](const Prober::Probe& probe) { return probe.peer.id == peer; });
}

}  // namespace

bool Prober::want(Probe probe) {
  if (waiting_.size() >= kProbesWaitingMax) return false;
  if (find(waiting_, probe.peer.id) != waiting_.end() || find(running_, probe.peer.id) != running_.end())
    return false;
  waiting_.push_back(std::move(probe));
  return true;
}

bool Prober::start_saved(const PeerInfo& peer) {
  if (find(waiting_, peer.id) != waiting_.end() || find(running_, peer.id) != running_.end()) return false;
  running_.push_back({peer, std::nullopt, Origin::saved});
  ++saved_running_;
  return true;
}

std::optional<Prober::Probe> Prober::next() {
  if (waiting_.empty() || running_.size() - saved_running_ >= kProbesRunningMax) return std::nullopt;
  running_.push_back(std::move(waiting_.front()));
  waiting_.erase(waiting_.begin());
  return running_.back();
}

std::optional<Prober::Probe> Prober::end(const PeerId& peer) {
  const auto it = find(running_, peer);
  if (it == running_.end()) return std::nullopt;
  std::optional<Probe> out(std::move(*it));
  running_.erase(it);
  if (out->origin == Origin::saved) --saved_running_;
  return out;
}

void Prober::forget(const PeerId& peer) {
  if (const auto it = find(waiting_, peer); it != waiting_.end()) waiting_.erase(it);
}

}  // namespace starling::kad
