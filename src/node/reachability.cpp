#include "node/reachability.hpp"

#include <algorithm>

#include "kad/address.hpp"

namespace starling::node {

bool Reachability::make_room() {
  if (proofs_.size() < kReachabilityProofsMax) return true;
  const auto oldest = std::min_element(proofs_.begin(), proofs_.end(), [](const auto& a, const auto& b) {
    return a.second.until < b.second.until;
  });
  if (oldest->second.until.is_never()) return false;
  proofs_.erase(oldest);
  return true;
}

void Reachability::on_inbound(const PeerId& dialler, const Multiaddr& dialler_at, const Multiaddr& dialled) {
  const auto from = dialler_at.ip_port();
  const auto to = dialled.as_tcp();
  if (!from || !to) return;
  const bool is_public = classify(*from) == AddrClass::public_net && classify(*to) == AddrClass::public_net;
  if (!is_public && scope_ == kad::AddressScope::public_only) return;
  Bytes key;
  if (is_public)
    put_u32_be(key, kad::address_group(dialler_at, {}));
  else
    key = to_bytes(dialler.bytes());
  const auto known = proofs_.find(key);
  if (known == proofs_.end()) {
    if (make_room()) proofs_.emplace(std::move(key), Proof{dialler, dialled.without_peer_id(), is_public});
    return;
  }
  // Another of the same group: the first keeps the place while he is connected.
  Proof& proof = known->second;
  if (proof.dialler == dialler || !proof.until.is_never())
    proof = Proof{dialler, dialled.without_peer_id(), is_public};
}

void Reachability::on_gone(const PeerId& dialler, Instant now) {
  for (auto& [key, proof] : proofs_)
    if (proof.dialler == dialler && proof.until.is_never()) proof.until = now + kReachabilityProofAge;
}

bool Reachability::reachable(std::span<const Multiaddr> advertised, Instant now) {
  std::erase_if(proofs_, [now](const auto& entry) { return entry.second.until <= now; });
  for (const Multiaddr& address : advertised) {
    std::size_t diallers = 0;
    bool is_public = false;
    for (const auto& [key, proof] : proofs_) {
      if (proof.dialled != address) continue;
      ++diallers;
      is_public = proof.is_public;
    }
    if (diallers >= (is_public ? kReachabilityProofsNeeded : 1)) return true;
  }
  return false;
}

Instant Reachability::deadline() const noexcept {
  Instant out = Instant::never();
  for (const auto& [key, proof] : proofs_) out = std::min(out, proof.until);
  return out;
}

}  // namespace starling::node
