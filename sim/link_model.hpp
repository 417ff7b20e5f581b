#pragma once
#include <cstdint>
#include <vector>

#include "base/rng.hpp"
#include "base/time.hpp"
#include "node/port.hpp"

namespace starling::sim {

/// What crosses between two nodes. `messages`: values of node/port.hpp, without framing and cryptography, and
/// signatures are hashes; for thousands of nodes. `bytes`: what production's sessions put on the wire, Noise
/// and yamux and all, with real signatures; for hundreds. Adversaries need `messages`: they have no keys.
enum class Level : std::uint8_t { messages, bytes };

/// What a message between two nodes suffers. Connections are reliable, as TCP is: a lost packet costs time.
struct LinkModel {
  Duration latency_min = 5ms;
  Duration latency_max = 60ms;              ///< one way, uniform between the two, fixed per pair of nodes
  Duration jitter_max = 2ms;                ///< uniform, on top of every message
  double loss = 0.0;                        ///< share of dials that fail
  double packet_loss = 0.0;                 ///< share of messages that arrive a retransmission later
  double reordering = 0.0;                  ///< share of messages that may be overtaken on their connection
  std::uint64_t bandwidth_bytes_per_s = 0;  ///< uplink of every node; 0 = without limit
  /// One-way latency between regions in place of latency_min and latency_max; square, or empty. A pair's own
  /// share of up to a tenth comes on top.
  std::vector<std::vector<Duration>> regions;

  /// Fixed per pair, from the seed.
  Duration latency(std::uint64_t seed, std::uint32_t a, std::uint32_t b, std::uint32_t region_a,
                   std::uint32_t region_b) const noexcept;
  /// What jitter and packet loss add to one message.
  Duration trouble(Rng& rng, Duration latency) const;
};

/// Bytes that a message takes on the wire, roughly: its parts and the framing of protobuf around them.
std::size_t wire_size(const kad::Message& message) noexcept;
std::size_t wire_size(const gossip::Rpc& rpc) noexcept;

}  // namespace starling::sim
