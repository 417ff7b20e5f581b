#pragma once
// Every bound of the kad module. What a peer can make grow is capped by one of these.
#include <cstddef>

#include "base/time.hpp"

namespace starling::kad {

// --- wire ---
/// Bytes of a message we accept. Four times what rust-libp2p accepts at all: twenty go peers with ten long
/// addresses each fit, while a frame of addresses costs an attacker's victim no more than this.
inline constexpr std::size_t kMessageBytesMax = 64 * 1024;
/// Bytes of a message we send: rust-libp2p's default limit is 16 KiB, so nothing we say is lost on anyone.
inline constexpr std::size_t kMessageBytesSentMax = 16 * 1024;
/// Bytes of a message's key. Names such as `/eth/0x…` take 47, peer ids 39, multihashes at most 80 in the
/// field.
inline constexpr std::size_t kKeyBytesMax = 256;
/// Bytes of a provider key (ipfs/specs and go: 1 to 80, whatever they are).
inline constexpr std::size_t kProviderKeyBytesMax = 80;
/// Bytes of a record's value. With closer peers beside it an answer still fits in kMessageBytesSentMax.
inline constexpr std::size_t kValueBytesMax = 8 * 1024;
/// Peers taken from each list of one message: 2 k with k = 20; the rest is dropped undecoded (go-kad PR
/// 1270).
inline constexpr std::size_t kPeersPerListMax = 40;
/// Addresses taken of one peer of a message.
inline constexpr std::size_t kAddrsPerPeerMax = 16;
/// Addresses sent of one peer, so that twenty peers fit beside a record.
inline constexpr std::size_t kAddrsPerPeerSentMax = 8;
/// Bytes of one address; longer ones are dropped. Certhash addresses take about 120.
inline constexpr std::size_t kAddrBytesMax = 256;
/// Bytes kept of Record.timeReceived: an RFC 3339 text with nanoseconds takes 35; longer ones are dropped.
inline constexpr std::size_t kTimeReceivedBytesMax = 64;

// --- streams ---
/// Idle time after which a server lets a stream go (as go does).
inline constexpr Duration kStreamIdle = 60s;
/// Time a client waits for one answer on a stream.
inline constexpr Duration kResponseTimeout = 10s;
/// Bytes of answers waiting on one stream before it stops reading requests.
inline constexpr std::size_t kStreamBacklogBytesMax = 2 * kMessageBytesSentMax;
/// Bytes of requests waiting on one stream: a yamux window of 256 KiB that was already granted, and a frame.
inline constexpr std::size_t kStreamInputBytesMax = 256 * 1024 + kMessageBytesMax;

// --- routing table ---
/// Buckets: one per length of the prefix shared with our own id.
inline constexpr std::size_t kBucketsMax = 256;
/// Candidates that wait for a place in one bucket.
inline constexpr std::size_t kReplacementsPerBucketMax = 4;
/// Consecutive failures after which an entry leaves the table.
inline constexpr std::size_t kFailuresMax = 2;
/// Connected peers, in the table or not, whose addresses we know (FIND_PEER, exact targets of FIND_NODE).
inline constexpr std::size_t kConnectedPeersMax = 2048;

// --- queries ---
/// Queries that run at once.
inline constexpr std::size_t kQueriesRunningMax = 64;
/// Queries that wait for their turn; past it a query ends at once with Errc::too_many_queries.
inline constexpr std::size_t kQueriesWaitingMax = 1024;
/// Candidates remembered by one query; the farthest unasked go first. Room for the invented suggestions of
/// fifty liars at once, before their first requests have stalled.
inline constexpr std::size_t kCandidatesPerQueryMax = 1024;
/// Candidates taken from one answer: the nearest k of what it names.
inline constexpr std::size_t kCandidatesPerAnswerMax = 20;
/// Failures of one server's suggestions before the rest of them is forgotten (unless they answer twice as
/// often).
inline constexpr std::size_t kSourceFailuresMax = 3;
/// Unanswered suggestions of one server that may be under way at once, plus one for each that has answered.
inline constexpr std::size_t kPerSourceInFlight = 3;
/// Requests of one query under way at once, stalled ones included, as a multiple of alpha.
inline constexpr std::size_t kInFlightPerAlpha = 3;
/// The shortest time after which a request counts as stalled, and the answers seen before that time is drawn
/// from them at all.
inline constexpr Duration kStallAfterMin = 500ms;
inline constexpr std::size_t kAnswerSamplesMin = 8;
/// Different values that one GET remembers to compare.
inline constexpr std::size_t kValuesPerQueryMax = 16;
/// Providers that one query collects at most, and from one answer.
inline constexpr std::size_t kProvidersPerQueryMax = 256;
inline constexpr std::size_t kProvidersPerAnswerMax = 20;
/// Disjoint paths of one query.
inline constexpr std::size_t kPathsMax = 8;
/// Lookups that the estimate of the network's size rests on, how long each counts, and how many must agree.
inline constexpr std::size_t kSizeSamplesMax = 64;
inline constexpr Duration kSizeSampleAge = 2h;
inline constexpr std::size_t kSizeSamplesMin = 5;
/// Cells into which a crowded neighbourhood is cut, and servers asked in each: 3 k with k = 20, the price of
/// a query whose target somebody has surrounded.
inline constexpr std::size_t kCrowdedCells = 20;
inline constexpr std::size_t kCrowdedPerCell = 3;
/// Servers of our own table with which such a query starts again: we met them in other company.
inline constexpr std::size_t kCrowdedSeeds = 128;
/// QueryHop events of one traced query; requests beyond are counted in QueryStats::hops_untold.
inline constexpr std::size_t kHopsPerQueryMax = 512;
/// Liveness probes under way at once, and waiting.
inline constexpr std::size_t kProbesRunningMax = 8;
inline constexpr std::size_t kProbesWaitingMax = 128;
/// Hashes spent at most on finding keys that fall into the buckets to refresh: reaches prefixes of about 11
/// bits.
inline constexpr std::size_t kRefreshHashesMax = 4096;
/// From a refresh that left the table thin to the next, doubled by each further such.
inline constexpr Duration kThinRefreshFirst = 30s;
/// Buckets refreshed at most in one round.
inline constexpr std::size_t kRefreshBucketsMax = 16;

// --- what outlives a restart ---
/// Servers of the routing table that are saved: 40 KiB at most in practice, more than a join needs.
inline constexpr std::size_t kSavedPeersMax = 256;
/// Addresses saved of one server.
inline constexpr std::size_t kSavedAddrsMax = 4;
/// Saved servers asked at once after a restart, besides the kProbesRunningMax that newcomers have for
/// themselves.
inline constexpr std::size_t kSavedProbesMax = 16;
/// The longest that queries wait for the first saved server to answer before they are told that nobody is
/// known.
inline constexpr Duration kSavedWaitMax = 15s;
/// From a newcomer in the table to saving it, and between two saves.
inline constexpr Duration kTableSaveDelay = 5s;
inline constexpr Duration kTableSavePause = 60s;

// --- server ---
/// Peers whose rates are remembered; the least recent goes first.
inline constexpr std::size_t kRatedPeersMax = 4096;
/// Records kept, their bytes in all, and how many of them one peer may have put.
inline constexpr std::size_t kRecordsMax = 65'536;
inline constexpr std::size_t kRecordBytesMax = 64 * 1024 * 1024;
inline constexpr std::size_t kRecordsPerPeerMax = 1024;
/// Provider entries kept in all, per key and per peer.
inline constexpr std::size_t kProvidersMax = 65'536;
inline constexpr std::size_t kProvidersPerKeyMax = 64;
inline constexpr std::size_t kProvidedKeysPerPeerMax = 4096;
/// Providers of one key from one address group (IPv4 /16, IPv6 /32) of the public internet.
inline constexpr std::size_t kProvidersPerGroupMax = 8;
/// Records looked at in one second for those that must be passed on, and how many are under way at once.
inline constexpr std::size_t kReplicationSlice = 256;
inline constexpr std::size_t kReplicationsRunningMax = 4;
/// Newcomers that wait for the records they are near to, and records handed over in a second: less than a
/// server takes of one peer in the long run.
inline constexpr std::size_t kNewcomersMax = 16;
inline constexpr std::size_t kHandoversPerSecond = 4;
/// Records of our own that are put again until we stop.
inline constexpr std::size_t kOwnRecordsMax = 1024;
/// Keys that this node itself provides and publishes again.
inline constexpr std::size_t kOwnProvidedKeysMax = 4096;

}  // namespace starling::kad
