#pragma once
// Every bound of the yamux session. Those that a deployment may want to change are the defaults of Config.
#include <cstddef>
#include <cstdint>

#include "base/time.hpp"

namespace starling::yamux {

/// Bytes of a frame header: version, type, flags, stream id, length.
inline constexpr std::size_t kHeaderBytes = 12;
/// Bytes a peer may send on a new stream before any update; fixed by the specification for both sides.
inline constexpr std::uint32_t kWindowInitial = 256 * 1024;
/// Bytes we send on a new stream before the peer's first update. Less than the specification grants: nim
/// opens its windows with 256,000 and ends the connection of who sends 262,144.
inline constexpr std::uint32_t kSendWindowInitial = 256'000;
/// Bytes: the largest receive window of one stream, and so the longest body any frame may announce. What go
/// and py use: a stream fills 1 Gbit/s up to 67 ms of round trip even though half a window is on its way
/// back.
inline constexpr std::uint32_t kWindowMax = 16 * 1024 * 1024;
/// Bytes by which all receive windows of a connection together may exceed their initial size. Two streams at
/// full size.
inline constexpr std::size_t kWindowGrowthBudgetMax = 32 * 1024 * 1024;
/// Bytes received and not yet consumed, over all streams of a connection. All of the grown windows, plus 128
/// initial ones; the stream that would exceed it is reset.
inline constexpr std::size_t kReceiveBufferMax = 64 * 1024 * 1024;
/// Bytes of payload in a frame when one stream alone has data: with its header it fills a Noise message of
/// 65,519 bytes, so that a receiver that works frame by frame need not join two records.
inline constexpr std::size_t kFramePayloadMax = 65'507;
/// Bytes of payload in a frame while several streams have data: the quantum of the round robin (rust splits
/// there too).
inline constexpr std::size_t kFramePayloadSharedMax = 16 * 1024;
/// Bytes a stream buffers for sending; write() accepts no more. Four full frames: gathering never runs dry
/// between turns.
inline constexpr std::size_t kSendBufferMax = 256 * 1024;
/// Streams a peer may have open at a time. What rust allows; go leaves it to its resource manager, nim allows
/// 256.
inline constexpr std::size_t kStreamsInboundMax = 512;
/// Streams we open at a time. Rust ends a connection that opens more than 512.
inline constexpr std::size_t kStreamsOutboundMax = 512;
/// Streams of one side that wait for the other's ACK, as the specification says: for ours open() fails beyond
/// it, the peer's are reset beyond it.
inline constexpr std::size_t kAckBacklogMax = 256;
/// Bytes of a slice up to which write() copies it into the stream's last buffer instead of sharing it.
inline constexpr std::size_t kSliceCopyMax = 1'024;
/// Bytes of the smallest buffer for received or copied data: small messages fit, and glibc's allocator keeps
/// blocks of that size apart for reuse, however many are free. Further buffers are as large as what the
/// stream holds already, so that memory stays below twice the data.
inline constexpr std::size_t kBufferBytesMin = 120;
/// Bytes at which those buffers stop growing, unless more arrives at once.
inline constexpr std::size_t kBufferBytesMax = 64 * 1024;
/// Bytes of a received body from which it stays where the driver lent it until it was read: less is copied,
/// because a run of its own costs as much.
inline constexpr std::size_t kLentBytesMin = 4 * 1024;
/// RST frames waiting to be sent. An honest peer cannot cause more than its ACK backlog plus its open streams
/// while it does not read; past this bound the session ends (GHSA-3999-5ffv-wp2r).
inline constexpr std::size_t kPendingResetsMax = 1'024;
/// Ping answers waiting to be sent; further pings are not answered. Every known implementation has one ping
/// under way.
inline constexpr std::size_t kPendingPongsMax = 32;
/// Streams a peer may at once open and give up again before we finished our part, or open beyond its limit
/// (CVE-2023-44487 class). Four times what an honest peer can have under way unacknowledged.
inline constexpr double kAbandonedStreamsBurstMax = 1'000;
/// The same per second, for ever. A busy DHT peer that cancels its lookups stays far below.
inline constexpr double kAbandonedStreamsPerSecondMax = 100;
/// Silence after which a ping is sent.
inline constexpr Duration kKeepaliveInterval = std::chrono::seconds(30);
/// Silence after such a ping that ends the session.
inline constexpr Duration kKeepaliveTimeout = std::chrono::seconds(20);
/// Age at which a round-trip time is measured again, while data arrives.
inline constexpr Duration kRttProbeInterval = std::chrono::seconds(30);
/// For how long, at the least, the smallest round trip counts. A connection under full load for longer sees
/// its own queue in every measurement; on a path that became longer, windows wait as long before they grow.
inline constexpr Duration kRttMemory = std::chrono::minutes(10);
/// Round trips to measure before a window grows. The first is measured while both sides set the connection
/// up, and may be ten times the truth; three more take no longer than TCP needs to fill the first window of a
/// long path.
inline constexpr std::uint32_t kRttSamplesMin = 4;

}  // namespace starling::yamux
