// fuzz-depends: daemon
// The control protocol of the libp2p daemon. The first byte chooses the message; whatever decodes keeps its
// bounds and survives a round trip.
#include <cstdint>

#include "base/assert.hpp"
#include "daemon/codec.hpp"
#include "daemon/limits.hpp"

namespace {

using namespace starling;
using namespace starling::daemon;

void check_bounds(const Request& request) {
  if (request.connect) STARLING_ASSERT(request.connect->addrs.size() <= kAddrsPerRequestMax);
  if (request.stream_open) STARLING_ASSERT(request.stream_open->protocols.size() <= kProtocolsPerRequestMax);
  if (request.stream_handler)
    STARLING_ASSERT(request.stream_handler->protocols.size() <= kProtocolsPerRequestMax);
}
void check_bounds(const Response& response) { STARLING_ASSERT(response.peers.size() <= kListEntriesMax); }
void check_bounds(const StreamInfo&) {}
void check_bounds(const DhtResponse&) {}
void check_bounds(const PubsubMessage& message) { STARLING_ASSERT(message.topics.size() <= kListEntriesMax); }

template <class Message>
void round_trip(ByteView bytes, Result<Message> (*decode)(ByteView)) {
  const auto message = decode(bytes);
  if (!message) return;
  check_bounds(*message);
  const Bytes wire = encode(*message);
  const auto again = decode(wire);
  // Encoding may be longer than what was read only where a request stood at its very bound.
  if (!again) {
    STARLING_ASSERT(wire.size() > kRequestBytesMax);
    return;
  }
  STARLING_ASSERT(*again == *message);
  STARLING_ASSERT(encode(*again) == wire);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const ByteView rest(data + 1, size - 1);
  switch (data[0] % 5) {
    case 0: round_trip(rest, decode_request); break;
    case 1: round_trip(rest, decode_response); break;
    case 2: round_trip(rest, decode_stream_info); break;
    case 3: round_trip(rest, decode_dht_response); break;
    default: round_trip(rest, decode_pubsub_message); break;
  }
  return 0;
}
