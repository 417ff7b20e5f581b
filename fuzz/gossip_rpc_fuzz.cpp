// fuzz-depends: gossip
// The gossip RPC codec. What decodes must encode within the limits and decode to the same again; messages
// keep their canonical form, their id and their signed bytes.
#include <cstdint>

#include "base/assert.hpp"
#include "format/varint.hpp"
#include "proto/gossip/rpc_codec.hpp"
#include "proto/gossip/strict_sign.hpp"

namespace {

using namespace starling;
using namespace starling::gossip;

std::size_t ids_of(const Control& control) {
  std::size_t count = 0;
  for (const IHave& entry : control.ihave) count += entry.ids.size();
  for (const IWant& entry : control.iwant) count += entry.ids.size();
  return count;
}

void check_limits(const Rpc& rpc) {
  STARLING_ASSERT(rpc.subscriptions.size() <= kSubscriptionsPerRpcMax);
  STARLING_ASSERT(rpc.messages.size() <= kMessagesPerRpcMax);
  STARLING_ASSERT(rpc.control.ihave.size() <= kControlEntriesPerRpcMax);
  STARLING_ASSERT(rpc.control.iwant.size() <= kControlEntriesPerRpcMax);
  STARLING_ASSERT(rpc.control.graft.size() <= kControlEntriesPerRpcMax);
  STARLING_ASSERT(rpc.control.prune.size() <= kControlEntriesPerRpcMax);
  STARLING_ASSERT(ids_of(rpc.control) <= kIdsPerRpcMax);
  for (const Prune& prune : rpc.control.prune) STARLING_ASSERT(prune.peers.size() <= kPxPeersPerPruneMax);
}

void check_message(const Message& message) {
  const auto again = decode_message(message.raw);
  STARLING_ASSERT(again.has_value());
  STARLING_ASSERT(equal(again->raw, message.raw));
  STARLING_ASSERT(equal(encode_message(message), message.raw));
  STARLING_ASSERT(id_from_seqno(*again) == id_from_seqno(message));
  STARLING_ASSERT(strict_sign::signed_bytes(*again) == strict_sign::signed_bytes(message));
  STARLING_ASSERT(equal(again->data, message.data) && again->topic == message.topic);
}

/// Counts what arrives of an RPC after it went over the wire.
void check_round_trip(const Rpc& rpc) {
  std::size_t subscriptions = 0, messages = 0, grafts = 0, prunes = 0, ids = 0;
  for (const Frame& frame : encode(rpc)) {
    Bytes bytes;
    for (const Slice& part : frame.parts) append(bytes, part);
    STARLING_ASSERT(bytes.size() == frame.size_bytes);
    const auto length = format::read_minimal_varint(bytes);
    STARLING_ASSERT(length.has_value() && length->value + length->size == bytes.size());
    DecodeLimits wide;
    wide.rpc_bytes_max = bytes.size();
    wide.control_entries_max = 4 * kControlEntriesPerRpcMax;
    const auto back = decode(ByteView(bytes).subspan(length->size), wide);
    STARLING_ASSERT(back.has_value() && back->skipped_count == 0);
    STARLING_ASSERT(length->value <= kRpcSentBytesMax || back->messages.size() == 1);
    subscriptions += back->subscriptions.size();
    messages += back->messages.size();
    grafts += back->control.graft.size();
    prunes += back->control.prune.size();
    ids += ids_of(back->control);
  }
  STARLING_ASSERT(subscriptions == rpc.subscriptions.size());
  STARLING_ASSERT(messages == rpc.messages.size());
  STARLING_ASSERT(grafts == rpc.control.graft.size());
  STARLING_ASSERT(prunes == rpc.control.prune.size());
  STARLING_ASSERT(ids == ids_of(rpc.control));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input(data, size);
  if (const auto rpc = decode(input)) {
    check_limits(*rpc);
    for (const MessagePtr& message : rpc->messages) check_message(*message);
    check_round_trip(*rpc);
  }
  if (const auto message = decode_message(input)) {
    check_message(*message);
    // Whatever the bytes are, the check answers; that it accepts only what was signed is for the unit tests.
    static_cast<void>(strict_sign::check(*message));
  }
  return 0;
}
