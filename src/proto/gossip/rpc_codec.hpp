#pragma once
// RPC ⇄ bytes. Runs at the edge, on the connection's shard. Spec: pubsub/README.md and gossipsub-v1.{0,1}.md.
#include <vector>

#include "base/result.hpp"
#include "proto/gossip/limits.hpp"
#include "proto/gossip/rpc.hpp"

namespace starling::gossip {

/// Bounds of decoding. Defaults are those of limits.hpp; a network may lower them.
struct DecodeLimits {
  std::size_t rpc_bytes_max = kRpcBytesMax;
  std::size_t messages_max = kMessagesPerRpcMax;
  std::size_t subscriptions_max = kSubscriptionsPerRpcMax;
  std::size_t control_entries_max = kControlEntriesPerRpcMax;
  std::size_t ids_max = kIdsPerRpcMax;
};

/// Bounds of what we write.
struct EncodeLimits {
  std::size_t rpc_bytes_max = kRpcSentBytesMax;
  std::size_t control_bytes_max = kControlSentBytesMax;
  std::size_t messages_max = kMessagesPerRpcSentMax;
};

/// One frame ready for the stream, length prefix included, as slices to gather. Payloads are shared with the
/// messages.
struct Frame {
  std::vector<Slice> parts;
  std::size_t size_bytes = 0;
};

/// Decodes the body of one frame (without its length prefix). Every count and length is checked before
/// anything is allocated for it; entries past a limit are skipped and counted in `skipped_count`, so that a
/// stack with larger habits loses its surplus and not its stream. Each message is copied once, into memory of
/// its own in canonical form: a small message can neither pin a large frame nor carry unknown fields on to
/// peers who would blame the forwarder. Errc::malformed (reset the stream: the peer does not speak the
/// protocol), Errc::too_large for a body above the limit. O(size).
Result<Rpc> decode(ByteView body, const DecodeLimits& limits = {});

/// Encodes into as many frames as the limits ask for, in the order subscriptions, control, messages. All
/// subscriptions fit into the first frame as long as they take less than the limit. A PRUNE that is too big
/// for the control limit loses the records, then the last of its peers. An empty RPC makes no frame.
std::vector<Frame> encode(const Rpc& rpc, const EncodeLimits& limits = {});

/// The canonical encoding of a Message: known fields in ascending order.
Bytes encode_message(const Message& message);
/// Decodes one Message; sets `raw` to its canonical encoding. Errc::malformed, Errc::too_large.
Result<Message> decode_message(ByteView bytes);

}  // namespace starling::gossip
