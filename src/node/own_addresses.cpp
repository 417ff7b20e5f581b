#include "node/own_addresses.hpp"

#include <algorithm>

namespace starling::node {

bool OwnAddresses::set_listening(std::vector<Multiaddr> addresses) {
  listening_ = std::move(addresses);
  return rebuild();
}

bool OwnAddresses::on_observed(const PeerId& observer, const Multiaddr& observer_at,
                               const Multiaddr& seen_at) {
  const auto seen = seen_at.as_tcp();
  const auto at = observer_at.ip_port();
  if (!seen || !at || classify(*seen) == AddrClass::loopback) return false;
  const bool our_port = std::any_of(listening_.begin(), listening_.end(), [&](const Multiaddr& own) {
    const auto listening = own.as_tcp();
    return listening && listening->port == seen->port && listening->v6 == seen->v6;
  });
  if (!our_port) return false;
  if (!observations_.contains(observer) && observations_.size() >= kPeerBookPeersMax) return false;
  observations_.insert_or_assign(observer, Observation{seen_at.without_peer_id(), at->ip});
  return rebuild();
}

bool OwnAddresses::on_observer_gone(const PeerId& observer) {
  return observations_.erase(observer) > 0 && rebuild();
}

bool OwnAddresses::rebuild() {
  std::vector<Multiaddr> next = listening_;
  std::map<Multiaddr, std::set<FixedBytes<16>>> observers;
  for (const auto& [peer, observation] : observations_) {
    if (observers.size() >= kObservedAddressesMax && !observers.contains(observation.seen_at)) continue;
    observers[observation.seen_at].insert(observation.observer_ip);
  }
  for (const auto& [address, ips] : observers) {
    if (ips.size() < kObserversNeeded || next.size() >= kAddressesPerPeerMax) continue;
    if (std::find(next.begin(), next.end(), address) == next.end()) next.push_back(address);
  }
  if (next == advertised_) return false;
  advertised_ = std::move(next);
  return true;
}

}  // namespace starling::node
