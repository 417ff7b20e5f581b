#pragma once
// What a Session tells its driver, and the ids and codes both use.
#include <cstdint>
#include <variant>

#include "base/strong_id.hpp"
#include "base/time.hpp"

namespace starling::yamux {

struct StreamTag;
/// Odd ids are opened by the dialer, even ones by the listener. Never 0.
using StreamId = StrongId<StreamTag, std::uint32_t>;

/// Which end of the connection this is. The client is the side that dialled (after a DCUtR: whom the roles
/// name).
enum class Role : std::uint8_t { client, server };

/// Codes of GoAway. A peer may send others (go puts codes from 0x1000 up there).
inline constexpr std::uint32_t kGoAwayNormal = 0;
inline constexpr std::uint32_t kGoAwayProtocolError = 1;
inline constexpr std::uint32_t kGoAwayInternalError = 2;

/// Codes of a RST, as go numbers them for every muxer; 0 says nothing. Old peers ignore them.
inline constexpr std::uint32_t kResetNegotiationFailed = 0x1001;
inline constexpr std::uint32_t kResetResourceLimit = 0x1002;
inline constexpr std::uint32_t kResetRateLimited = 0x1003;
inline constexpr std::uint32_t kResetProtocolViolation = 0x1004;
inline constexpr std::uint32_t kResetShutdown = 0x1007;

/// The peer opened a stream. Its first data may already be readable (a `Readable` follows).
struct Opened {
  StreamId id;
};
/// There are bytes to read that were not there at the last `Readable` of this stream. Comes once until
/// polled.
struct Readable {
  StreamId id;
};
/// The peer sends no more. What is buffered stays readable.
struct RemoteFinished {
  StreamId id;
};
/// A write() had been cut short and at least half of the send buffer is free again.
struct Writable {
  StreamId id;
};
/// The stream is gone in both directions, with what was buffered: the peer reset it (its `code`, 0 when it
/// gave none), or it was the one that overran the connection's receive buffer (`by_us`).
struct Reset {
  StreamId id;
  std::uint32_t code = 0;
  bool by_us = false;
};
/// Both sides have finished and everything was read: the stream is gone. Comes once, and never after a
/// `Reset` or after reset().
struct Closed {
  StreamId id;
};
/// open() had failed with `ack_backlog_full` or `too_many_streams` and would succeed now.
struct Openable {};
/// The peer accepts no more streams. Those of the field close the connection as soon as they sent or got one.
struct RemoteGoAway {
  std::uint32_t code = 0;
};
/// A round trip was measured.
struct Rtt {
  Duration rtt{};
};

using Event =
    std::variant<Opened, Readable, RemoteFinished, Writable, Reset, Closed, Openable, RemoteGoAway, Rtt>;

}  // namespace starling::yamux
