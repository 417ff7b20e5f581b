#include "sim/link_model.hpp"

#include <algorithm>

namespace starling::sim {
namespace {

/// TCP's least retransmission timeout on Linux, beside the round trip it has measured.
constexpr Duration kRetransmitMin = 200ms;

std::uint64_t mixed(std::uint64_t x) noexcept {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

/// A number in [0, bound] that a pair of nodes always gets.
std::int64_t pair_share(std::uint64_t seed, std::uint32_t a, std::uint32_t b, std::int64_t bound) noexcept {
  const std::uint64_t pair = (std::uint64_t{std::min(a, b)} << 32) | std::max(a, b);
  const std::uint64_t value = mixed(mixed(seed + 0x9e3779b97f4a7c15ULL) ^ mixed(pair));
  return static_cast<std::int64_t>(value % (static_cast<std::uint64_t>(bound) + 1));
}

std::size_t wire_size(const std::vector<kad::PeerInfo>& peers) noexcept {
  std::size_t bytes = 0;
  for (const auto& peer : peers) {
    bytes += 8 + peer.id.bytes().size();
    for (const auto& address : peer.addrs) bytes += 2 + address.bytes().size();
  }
  return bytes;
}

}  // namespace

Duration LinkModel::latency(std::uint64_t seed, std::uint32_t a, std::uint32_t b, std::uint32_t region_a,
                            std::uint32_t region_b) const noexcept {
  if (regions.empty())
    return latency_min + Duration(pair_share(seed, a, b, (latency_max - latency_min).count()));
  const Duration base = regions[region_a][region_b];
  return base + Duration(pair_share(seed, a, b, base.count() / 10));
}

Duration LinkModel::trouble(Rng& rng, Duration latency) const {
  Duration more =
      Duration(static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(jitter_max.count()) + 1)));
  if (packet_loss > 0 && rng.unit() < packet_loss) more += std::max(kRetransmitMin, latency * 2);
  return more;
}

std::size_t wire_size(const kad::Message& message) noexcept {
  std::size_t bytes =
      8 + message.key.size() + wire_size(message.closer_peers) + wire_size(message.provider_peers);
  if (message.record)
    bytes +=
        12 + message.record->key.size() + message.record->value.size() + message.record->time_received.size();
  return bytes;
}

std::size_t wire_size(const gossip::Rpc& rpc) noexcept {
  constexpr std::size_t kFrame = 4, kAuthorAndSignature = 140;
  std::size_t bytes = kFrame;
  for (const auto& change : rpc.subscriptions) bytes += 6 + change.topic.size();
  for (const auto& message : rpc.messages)
    bytes += kAuthorAndSignature + message->topic.size() + message->data.size();
  for (const auto& ihave : rpc.control.ihave) bytes += 6 + ihave.topic.size() + 50 * ihave.ids.size();
  for (const auto& iwant : rpc.control.iwant) bytes += 4 + 50 * iwant.ids.size();
  for (const auto& graft : rpc.control.graft) bytes += 6 + graft.topic.size();
  for (const auto& prune : rpc.control.prune) bytes += 12 + prune.topic.size() + 200 * prune.peers.size();
  return bytes;
}

}  // namespace starling::sim
