#pragma once
// Bounds of the node layer: dials, connections, streams, peer book.
#include <cstddef>

#include "base/time.hpp"

namespace starling::node {

// Dial planner.
inline constexpr std::size_t kDialsAtOnceMax = 64;  ///< dials under way at the same time, all peers together
inline constexpr std::size_t kDialJobsMax = 1024;   ///< peers waiting for a connection
inline constexpr std::size_t kDialAddressesPerJobMax =
    16;                                                   ///< addresses tried for one peer, after resolution
inline constexpr std::size_t kDialsPerJobAtOnceMax = 4;   ///< dials of one peer under way at the same time
inline constexpr std::size_t kAddressBackoffsMax = 4096;  ///< addresses whose failures are remembered
inline constexpr Duration kDialStagger = 250ms;           ///< head start of an address over the next
inline constexpr Duration kDialTimeout = 15s;             ///< one address: TCP, security and muxer together
inline constexpr Duration kDialJobTimeout = 45s;          ///< all addresses of a peer
inline constexpr Duration kAddressBackoffFirst =
    1s;  ///< silence after a first failure, doubled by each further
inline constexpr Duration kAddressBackoffMax = 5min;  ///< longest silence after failures

// Connections.
inline constexpr std::size_t kConnectionsPerIpMax =
    8;  ///< from one IPv4 address or IPv6 /56, loopback excepted
inline constexpr std::size_t kConnectionsPerPeerMax = 8;  ///< with one peer id
inline constexpr std::size_t kUpgradesAtOnceMax = 256;    ///< inbound connections that are not secured yet
inline constexpr Duration kUpgradeTimeout = 10s;          ///< accept to muxer, inbound
inline constexpr Duration kTrimGrace = 20s;               ///< a new connection is not trimmed before this age
inline constexpr Duration kTrimInterval = 10s;            ///< between two trims
inline constexpr std::size_t kTagsPerPeerMax = 64;        ///< tags that an application gives one peer
inline constexpr std::size_t kTagBytesMax = 128;          ///< bytes of the name of one
inline constexpr Duration kPressedTrimGrace = 3s;     ///< the same halfway from the high water to the total
inline constexpr Duration kPressedTrimInterval = 1s;  ///< between two such trims

/// Bytes that all connections of a node together hold for their peers, beyond the floors: received and not
/// consumed, written and not sent, messages that came in part. Nobody gets more than what is free beside it.
inline constexpr std::size_t kConnectionsBytesMax = std::size_t{256} << 20;
/// Bytes that a connection may always hold: a DHT exchange, an identify message and some gossip go on while
/// others fill the node.
inline constexpr std::size_t kConnectionBytesFloor = 128 << 10;

// Streams.
inline constexpr std::size_t kInboundStreamsMax = 1024;     ///< open inbound streams per connection
inline constexpr std::size_t kNegotiatingStreamsMax = 128;  ///< of them not yet past multistream
inline constexpr std::size_t kPingStreamsMax = 2;           ///< inbound ping streams per connection
inline constexpr std::size_t kKadStreamsMax = 32;           ///< inbound kad streams per connection
inline constexpr std::size_t kIdentifyStreamsMax = 8;       ///< inbound identify streams per connection
inline constexpr std::size_t kPresenceStreamsMax = 8;       ///< inbound presence streams per connection
inline constexpr Duration kIdentifyTimeout = 10s;           ///< for the peer's identify answer
inline constexpr Duration kStreamNegotiationTimeout = 10s;  ///< multistream on a stream
inline constexpr Duration kPresenceTimeout = 10s;           ///< an answer on /starling/presence/1.0.0
inline constexpr Duration kStreamIdleTimeout = 60s;         ///< kad and presence streams without a request
inline constexpr std::size_t kStreamOutBytesMax =
    256 << 10;                                       ///< unsent answers per stream; beyond it it is reset
inline constexpr std::size_t kPendingAsksMax = 256;  ///< unanswered questions per connection
inline constexpr std::size_t kBacklogBytesPerMessage =
    2048;  ///< what a waiting gossip message counts at least, to whoever waits before it publishes more

// Gossip peers.
inline constexpr std::size_t kPxPeersWanted =
    12;  ///< beyond so many, peers that others offer are not dialled

// Peer book.
inline constexpr std::size_t kPeerBookPeersMax = 4096;   ///< unconnected peers whose addresses are remembered
inline constexpr std::size_t kAddressesPerPeerMax = 32;  ///< addresses remembered of one peer
inline constexpr std::size_t kObservedAddressesMax = 64;  ///< distinct addresses others say they see us at
inline constexpr std::size_t kObserversNeeded = 4;  ///< distinct peers that must agree before we believe one

// Reachability.
inline constexpr std::size_t kReachabilityProofsMax = 64;    ///< diallers remembered
inline constexpr std::size_t kReachabilityProofsNeeded = 3;  ///< diallers of different address groups
inline constexpr Duration kReachabilityProofAge = 1h;        ///< a proof outlives its connection so long

}  // namespace starling::node
