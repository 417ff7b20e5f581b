#pragma once
// Field numbers of the pubsub protobuf (pubsub/README.md, gossipsub-v1.{0,1}.md), shared by both directions
// of the codec.
#include <cstdint>

namespace starling::gossip::field {

inline constexpr std::uint32_t kRpcSubscriptions = 1;
inline constexpr std::uint32_t kRpcPublish = 2;
inline constexpr std::uint32_t kRpcControl = 3;

inline constexpr std::uint32_t kSubOptsSubscribe = 1;
inline constexpr std::uint32_t kSubOptsTopic = 2;

inline constexpr std::uint32_t kMessageFrom = 1;
inline constexpr std::uint32_t kMessageData = 2;
inline constexpr std::uint32_t kMessageSeqno = 3;
inline constexpr std::uint32_t kMessageTopic = 4;
inline constexpr std::uint32_t kMessageSignature = 5;
inline constexpr std::uint32_t kMessageKey = 6;

inline constexpr std::uint32_t kControlIhave = 1;
inline constexpr std::uint32_t kControlIwant = 2;
inline constexpr std::uint32_t kControlGraft = 3;
inline constexpr std::uint32_t kControlPrune = 4;

inline constexpr std::uint32_t kIhaveTopic = 1;
inline constexpr std::uint32_t kIhaveIds = 2;
inline constexpr std::uint32_t kIwantIds = 1;
inline constexpr std::uint32_t kGraftTopic = 1;
inline constexpr std::uint32_t kPruneTopic = 1;
inline constexpr std::uint32_t kPrunePeers = 2;
inline constexpr std::uint32_t kPruneBackoff = 3;
inline constexpr std::uint32_t kPxPeerId = 1;
inline constexpr std::uint32_t kPxRecord = 2;

}  // namespace starling::gossip::field
