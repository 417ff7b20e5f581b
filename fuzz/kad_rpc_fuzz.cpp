// fuzz-depends: kad
// DHT messages and the two stream machines. The first byte chooses: one message, which must survive a round
// trip; the bytes of a hostile client in pieces; the bytes of a hostile server in pieces.
#include <cstdint>

#include "base/assert.hpp"
#include "format/varint.hpp"
#include "proto/kad/client_stream.hpp"
#include "proto/kad/rpc_codec.hpp"
#include "proto/kad/server_stream.hpp"

namespace {

using namespace starling;
using namespace starling::kad;

void check_bounds(const Message& message) {
  STARLING_ASSERT(message.key.size() <= kKeyBytesMax);
  if (message.record) {
    STARLING_ASSERT(message.record->key.size() <= kKeyBytesMax);
    STARLING_ASSERT(message.record->value.size() <= kValueBytesMax);
    STARLING_ASSERT(message.record->time_received.size() <= kTimeReceivedBytesMax);
  }
  for (const auto* list : {&message.closer_peers, &message.provider_peers}) {
    STARLING_ASSERT(list->size() <= kPeersPerListMax);
    for (const PeerInfo& peer : *list) {
      STARLING_ASSERT(!peer.id.empty() && peer.addrs.size() <= kAddrsPerPeerMax);
      for (const Multiaddr& addr : peer.addrs) STARLING_ASSERT(addr.bytes().size() <= kAddrBytesMax);
    }
  }
}

void one_message(ByteView bytes) {
  const auto message = decode(bytes);
  if (!message) return;
  check_bounds(*message);
  const Bytes wire = encode(*message);
  STARLING_ASSERT(wire.size() <= kMessageBytesSentMax);
  const auto again = decode(wire);
  STARLING_ASSERT(again.has_value());
  STARLING_ASSERT(again->type == message->type && again->key == message->key &&
                  again->record == message->record);
  STARLING_ASSERT(encode(*again) == wire);
}

void hostile_client(ByteView bytes) {
  ServerStream stream{Instant{}};
  std::size_t sent = 0;
  while (!bytes.empty()) {
    const std::size_t n = std::min<std::size_t>(bytes.size(), 1 + bytes[0] % 64);
    if (!stream.wants_bytes()) return;
    if (!stream.receive(bytes.first(n), Instant{})) return;
    bytes = bytes.subspan(n);
    for (;;) {
      auto request = stream.poll();
      if (!request) return;
      if (!*request) break;
      check_bounds(**request);
      STARLING_ASSERT(!stream.poll().value().has_value());
      if ((*request)->type == MessageType::add_provider) {
        stream.no_response(Instant{});
      } else {
        stream.respond(**request, Instant{});
      }
    }
    STARLING_ASSERT(stream.to_send().size() <= kStreamBacklogBytesMax + kMessageBytesSentMax + 8);
    if (++sent % 4 == 0) stream.sent(stream.to_send().size());
  }
  stream.on_remote_closed();
  if (!stream.poll()) return;
  stream.sent(stream.to_send().size());
  STARLING_ASSERT(stream.finished());
}

void hostile_server(ByteView bytes) {
  ClientStream stream;
  std::uint64_t id = 0;
  while (!bytes.empty()) {
    const std::uint8_t choice = bytes[0];
    if (stream.ready() && choice % 3 != 0) {
      SendRequest request;
      request.id = RequestId(++id);
      request.message.type = static_cast<MessageType>(choice % 6);
      request.message.key = to_bytes("key");
      request.expects_response = request.message.type != MessageType::add_provider;
      stream.send(request, Instant{});
      stream.sent(stream.to_send().size());
    }
    const std::size_t n = std::min<std::size_t>(bytes.size(), 1 + choice % 64);
    if (!stream.receive(bytes.first(n), Instant{})) return;
    bytes = bytes.subspan(n);
    if (const auto answer = stream.poll()) {
      STARLING_ASSERT(answer->id == RequestId(id) && !stream.pending());
      check_bounds(answer->message);
    }
  }
  (void)stream.on_remote_closed();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const ByteView rest(data + 1, size - 1);
  switch (data[0] % 3) {
    case 0: one_message(rest); break;
    case 1: hostile_client(rest); break;
    default: hostile_server(rest); break;
  }
  return 0;
}
