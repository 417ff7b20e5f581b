#pragma once
// Bounds of the drivers: buffers, mailboxes, listeners, resolver, shutdown.
#include <cstddef>

#include "base/time.hpp"

namespace starling::runtime {

/// Event loops of one process at most; the top byte of a ConnId names the shard.
inline constexpr std::size_t kThreadsMax = 8;
/// Bytes that a shard keeps for what it puts off within a turn, when there is nothing.
inline constexpr std::size_t kTurnQueueBytesKept = 16 * 1024;
/// Changes of descriptors that a loop takes from the kernel at once.
inline constexpr std::size_t kEventsPerTurnMax = 256;
/// Bytes of the read buffer that all connections of a loop share: four Noise records of full size, so that
/// few are cut by its end and have to be joined.
inline constexpr std::size_t kReadBufferBytes = 4 * 65'537;
/// Reads of one connection before others get their turn.
inline constexpr std::size_t kReadsPerTurnMax = 4;
/// Bytes sealed for one write.
inline constexpr std::size_t kWriteBytesMax = 128 * 1024;
/// Bytes that the kernel takes for a connection beyond those that are on the wire: what is urgent has to wait
/// behind these. Otherwise they are what the send buffer grows to, some megabytes.
inline constexpr int kUnsentBytesMax = 128 * 1024;
/// Writes of one connection before others get their turn.
inline constexpr std::size_t kWritesPerTurnMax = 8;
/// Buffers kept for connections whose peer does not take everything at once, per loop; more are freed.
inline constexpr std::size_t kSpareBuffersMax = 16;
/// Bytes that a shard takes in from its sockets before what they caused is written out.
inline constexpr std::size_t kReadBytesPerTurnMax = 128 * 1024;
/// Droppable pieces (gossip payload, requests of peers) that wait in one mailbox; beyond it they are dropped
/// and counted.
inline constexpr std::size_t kMailDataMax = 16 * 1024;
/// Bytes of gossip payload that wait in one mailbox.
inline constexpr std::size_t kMailDataBytesMax = 64 * 1024 * 1024;
/// Pieces of gossip control that wait in one mailbox; beyond it the connection that adds more is closed.
inline constexpr std::size_t kMailControlMax = 64 * 1024;
/// Connections waiting in the kernel for accept().
inline constexpr int kListenBacklog = 4096;
/// Connections accepted before other work gets its turn.
inline constexpr std::size_t kAcceptsPerTurnMax = 64;
/// Silence of a listener after the process ran out of file descriptors.
inline constexpr Duration kAcceptBackoff = 100ms;
/// Listen addresses of one node.
inline constexpr std::size_t kListenersMax = 32;
/// Addresses advertised in place of one wildcard.
inline constexpr std::size_t kInterfaceAddressesMax = 16;
/// How long a closed connection waits for the peer's FIN, so that unread bytes do not turn our GoAway into a
/// RST.
inline constexpr Duration kLingerTime = 1s;
/// From the first Close of a shutdown to the end of every connection.
inline constexpr Duration kDrainTimeMax = 2s;
/// Names being resolved; further ones fail at once.
inline constexpr std::size_t kResolvesMax = 256;
/// Threads that block in the system's resolver.
inline constexpr std::size_t kResolverThreads = 2;
/// `/dnsaddr` names that one resolution may follow, as in the multiaddr specification of go and js.
inline constexpr std::size_t kDnsaddrLookupsMax = 32;
/// `/dnsaddr` names inside each other.
inline constexpr std::size_t kDnsaddrDepthMax = 4;
/// Addresses that one resolution may give.
inline constexpr std::size_t kResolvedAddressesMax = 64;
/// Bytes of one DNS answer.
inline constexpr std::size_t kDnsAnswerBytesMax = 64 * 1024;
/// Between two looks at the process's memory and processor time, for node status.
inline constexpr Duration kProcessFactsInterval = 10s;

}  // namespace starling::runtime
