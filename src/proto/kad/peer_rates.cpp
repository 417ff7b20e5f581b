#include "proto/kad/peer_rates.hpp"

#include <algorithm>

#include "proto/kad/limits.hpp"

namespace starling::kad {

PeerRates::Tokens PeerRates::fresh(Instant now) const noexcept {
  return {static_cast<float>(rates_.request_burst), static_cast<float>(rates_.put_burst), now};
}

void PeerRates::refill(Tokens& tokens, Instant now) const noexcept {
  if (now <= tokens.last) return;
  const double elapsed_s = std::chrono::duration<double>(now - tokens.last).count();
  const auto add = [elapsed_s](float have, double rate, double burst) {
    return static_cast<float>(std::min(burst, static_cast<double>(have) + elapsed_s * rate));
  };
  tokens.requests = add(tokens.requests, rates_.requests_per_s, rates_.request_burst);
  tokens.puts = add(tokens.puts, rates_.puts_per_s, rates_.put_burst);
  tokens.last = now;
}

bool PeerRates::full(const Tokens& tokens, Instant now) const noexcept {
  Tokens later = tokens;
  refill(later, now);
  return later.requests >= static_cast<float>(rates_.request_burst) &&
         later.puts >= static_cast<float>(rates_.put_burst);
}

PeerRates::Tokens& PeerRates::tokens(const PeerId& peer, Instant now) {
  constexpr std::uint64_t kShared = 0;
  const std::uint64_t id = hash_bytes(peer.bytes());
  auto it = peers_.find(id);
  if (it == peers_.end()) {
    if (peers_.size() >= kRatedPeersMax && now - swept_ >= 1s) sweep(now);
    it = peers_.try_emplace(peers_.size() < kRatedPeersMax ? id : kShared, fresh(now)).first;
  }
  refill(it->second, now);
  return it->second;
}

bool PeerRates::take_request(const PeerId& peer, Instant now) {
  Tokens& have = tokens(peer, now);
  if (have.requests < 1) return false;
  have.requests -= 1;
  return true;
}

bool PeerRates::take_put(const PeerId& peer, Instant now) {
  Tokens& have = tokens(peer, now);
  if (have.puts < 1) return false;
  have.puts -= 1;
  return true;
}

void PeerRates::sweep(Instant now) {
  swept_ = now;
  boost::unordered::erase_if(peers_, [&](const auto& entry) { return full(entry.second, now); });
  peers_.rehash(0);  // the room of those who went
}

}  // namespace starling::kad
