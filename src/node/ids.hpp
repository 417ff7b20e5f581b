#pragma once
#include "base/strong_id.hpp"

namespace starling::node {

struct ConnTag;
/// A connection for the life of the process; never reused. The edge assigns it, the top byte names its shard.
using ConnId = StrongId<ConnTag>;
struct DialTag;
using DialId = StrongId<DialTag>;
struct ResolveTag;
using ResolveId = StrongId<ResolveTag>;
struct AskTag;
/// A question that this node put to a peer over a stream.
using AskId = StrongId<AskTag>;

enum class Direction : std::uint8_t { inbound, outbound };

}  // namespace starling::node
