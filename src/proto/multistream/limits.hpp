#pragma once
// Every bound of multistream-select in one place.
#include <cstddef>

#include "base/time.hpp"

namespace starling::multistream {

/// Bytes of one message behind its length prefix, the newline included. go and js refuse longer ones too.
inline constexpr std::size_t kMessageBytesMax = 1024;
/// Bytes of a length prefix: two are enough for kMessageBytesMax, so a varint that goes on is refused at its
/// second byte.
inline constexpr std::size_t kLengthPrefixBytesMax = 2;
/// Proposals that a listener answers in one negotiation; an honest initiator names a handful.
inline constexpr std::size_t kProposalsMax = 100;
/// Time for a whole negotiation, not for each read: a byte every five seconds gains a slow peer nothing.
inline constexpr Duration kNegotiationTimeMax = 10s;

/// What a caller may set per negotiation.
struct Limits {
  Duration time = kNegotiationTimeMax;
  std::size_t proposals = kProposalsMax;
};

}  // namespace starling::multistream
