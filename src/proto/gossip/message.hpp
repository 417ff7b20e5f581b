#pragma once
// The unit of gossip: one signed publication, immutable once made and shared by everybody who forwards it.
#include <memory>
#include <string>

#include "base/bytes.hpp"
#include "base/slice.hpp"

namespace starling::gossip {

/// One pubsub Message (specs pubsub/README.md). Decoded at the edge, then only passed on as a MessagePtr: the
/// router never looks into `data` and never copies it.
struct Message {
  Bytes from;         ///< author's peer id as it stood on the wire; may be malformed until strict_sign::check
  Slice data;         ///< the payload; shares memory with `raw` when the message came from the wire
  Bytes seqno;        ///< 8 bytes, big-endian, under StrictSign
  std::string topic;  ///< exactly one
  Bytes signature;
  Bytes key;  ///< PublicKey protobuf; absent when the id inlines the key, tolerated when it is the author's
  /// The canonical encoding of this Message, what is put into every forwarded RPC without encoding again. The
  /// codec and make_signed() always set it; empty only in a hand-made message of a test or of the level A
  /// simulator.
  Slice raw;

  /// Bytes that this message keeps alive, for budgets.
  std::size_t cost_bytes() const noexcept {
    const std::size_t payload = raw.empty() ? data.size() : raw.size();
    return sizeof(Message) + from.size() + seqno.size() + topic.size() + signature.size() + key.size() +
           payload;
  }
};

/// Immutable and shared between shards; copying costs one atomic increment.
using MessagePtr = std::shared_ptr<const Message>;
using MessageId = Bytes;

/// How a network names its messages. A plain function: pure, the same on every node of the network.
using MessageIdFunction = MessageId (*)(const Message&);

/// from ‖ seqno: the default of go and py, and of Starling networks (PROTOCOL.md §1).
MessageId id_from_seqno(const Message& message);
/// SHA-256 of the data, for networks whose messages are named by content.
MessageId id_from_content(const Message& message);

}  // namespace starling::gossip
