#pragma once
// Every bound of the gossip module that is not a matter of tuning. Tunable values stand in params.hpp with
// their defaults.
#include <cstddef>
#include <cstdint>

#include "base/time.hpp"

namespace starling::gossip {

/// Bytes of one RPC frame that we read. go and nim send up to 1 MiB.
inline constexpr std::size_t kRpcBytesMax = 1024 * 1024;
/// Bytes of one RPC frame that we write, unless a single message is bigger. rust refuses more by default.
inline constexpr std::size_t kRpcSentBytesMax = 64 * 1024;
/// Bytes of the control part of one RPC that we write. rust 0.50 closes the stream above it.
inline constexpr std::size_t kControlSentBytesMax = 16 * 1024;
/// Messages kept of one received RPC; rust stops at 500.
inline constexpr std::size_t kMessagesPerRpcMax = 500;
/// Messages put into one RPC that we write.
inline constexpr std::size_t kMessagesPerRpcSentMax = 256;
/// Subscription changes kept of one received RPC. A peer may hold kTopicsPerPeerMax topics, so more says
/// nothing new.
inline constexpr std::size_t kSubscriptionsPerRpcMax = 200;
/// Topics one peer may be subscribed to as far as we remember. Freed when it leaves. rust: 100.
inline constexpr std::size_t kTopicsPerPeerMax = 100;
/// Bytes of a topic name; longer names are skipped as if they had not been sent.
inline constexpr std::size_t kTopicBytesMax = 256;
/// Bytes of a message id in IHAVE and IWANT; from ‖ seqno takes 47, the longest known default of a stack
/// about 120.
inline constexpr std::size_t kMessageIdBytesMax = 256;
/// Message ids kept of one received RPC, over all its IHAVE and IWANT together; go announces at most 5,000 a
/// topic.
inline constexpr std::size_t kIdsPerRpcMax = 10000;
/// IHAVE, IWANT, GRAFT and PRUNE entries kept of one received RPC, each kind on its own.
inline constexpr std::size_t kControlEntriesPerRpcMax = 256;
/// Peers kept of one received PRUNE; go and rust send 16.
inline constexpr std::size_t kPxPeersPerPruneMax = 16;
/// Bytes of a peer id inside PX; longer ones are skipped.
inline constexpr std::size_t kPxPeerIdBytesMax = 66;
/// Bytes of a signed peer record inside PX; longer ones are left out, the peer id stays.
inline constexpr std::size_t kPxRecordBytesMax = 8 * 1024;
/// Bytes of `from`, the longest multihash that a peer id may be.
inline constexpr std::size_t kAuthorBytesMax = 66;
/// Bytes of `seqno`. StrictSign wants exactly eight.
inline constexpr std::size_t kSeqnoBytes = 8;
/// Bytes of a wrong `seqno` that are kept, so that it can be refused by name; longer ones are skipped.
inline constexpr std::size_t kSeqnoKeptBytesMax = 64;
/// Bytes of `signature` and of `key` that are kept; messages with longer ones are skipped.
inline constexpr std::size_t kSignatureBytesMax = 1024;
inline constexpr std::size_t kKeyBytesMax = 1300;

/// The longest backoff that a PRUNE may impose. rust clamps to the same hour (GHSA-gc42-3jg7-rxr2).
inline constexpr Duration kBackoffMax = 1h;
/// Backoff entries over all topics; past it the one that ends first goes.
inline constexpr std::size_t kBackoffsMax = 16384;
/// Unfulfilled IWANT promises over all peers; past it no further ones are tracked.
inline constexpr std::size_t kPromisesMax = 16384;
/// Different copies of one message id held while the first is being validated.
inline constexpr std::size_t kWaitingCopiesMax = 8;
/// Peers remembered as having sent one message id while it is validated or inside the P3 window.
inline constexpr std::size_t kDeliverersPerMessageMax = 128;
/// Peers remembered as having asked for one message by IWANT; further ones are not served that message.
inline constexpr std::size_t kAskersPerMessageMax = 1024;
/// Finished deliveries remembered for P3 and for copies of invalid messages.
inline constexpr std::size_t kDeliveryRecordsMax = 8192;
/// Topic names known over all peers, ours included; names of peers past it are skipped, ours always fit.
inline constexpr std::size_t kTopicsMax = 16384;
/// Topics that we may subscribe to.
inline constexpr std::size_t kOwnTopicsMax = 1000;
/// Topics on which we publish without being subscribed, at once.
inline constexpr std::size_t kFanoutTopicsMax = 64;
/// GRAFTs remembered of a peer that spoke before our own stream to it stood.
inline constexpr std::size_t kEarlyGraftsMax = 16;

}  // namespace starling::gossip
