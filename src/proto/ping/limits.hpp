#pragma once
// Every bound of ping in one place.
#include <cstddef>

#include "base/time.hpp"

namespace starling::ping {

/// Bytes of a ping and of its answer.
inline constexpr std::size_t kPingBytes = 32;
/// Bytes of answers that wait for the peer to read. When it does not, the responder stops taking pings.
inline constexpr std::size_t kAnswerBytesMax = 4 * kPingBytes;
/// Inbound ping streams of one connection (js allows as many, rust keeps one).
inline constexpr std::size_t kInboundStreamsMax = 2;
/// How long a responder keeps a stream on which nothing happens; rust pings every 15 s on one stream.
inline constexpr Duration kIdleTimeMax = 60s;
/// How long a pinger waits for an answer.
inline constexpr Duration kAnswerTimeMax = 10s;

}  // namespace starling::ping
