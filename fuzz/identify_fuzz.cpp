// fuzz-depends: identify
// A whole identify stream. Input: one byte of piece size, then the stream. Checked: cuts do not change the
// result, limits hold, and what was read can be written and read again.
#include <cstdint>

#include "base/assert.hpp"
#include "identify/collector.hpp"

namespace {

using namespace starling;
using namespace starling::identify;

Result<Info> collect(ByteView stream, std::size_t piece_max) {
  Collector collector(Instant::from_ns(0));
  while (!stream.empty()) {
    const ByteView piece = stream.first(std::min(piece_max, stream.size()));
    if (const auto result = collector.receive(piece); !result) return fail(result.error());
    stream = stream.subspan(piece.size());
  }
  return collector.finish();
}

bool same(const Info& a, const Info& b) {
  return a.protocol_version == b.protocol_version && a.agent_version == b.agent_version &&
         a.public_key == b.public_key && a.listen_addrs == b.listen_addrs &&
         a.observed_addr == b.observed_addr && a.protocols == b.protocols &&
         a.signed_peer_record == b.signed_peer_record;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const ByteView stream(data + 1, size - 1);
  const auto whole = collect(stream, stream.size() + 1);
  const auto pieces = collect(stream, std::size_t{data[0]} + 1);
  STARLING_ASSERT(whole.has_value() == pieces.has_value());
  if (!whole) {
    STARLING_ASSERT(whole.error() == pieces.error());
    return 0;
  }
  STARLING_ASSERT(same(*whole, *pieces));
  STARLING_ASSERT(whole->protocols.size() <= kProtocolsMax && whole->listen_addrs.size() <= kAddressesMax);
  STARLING_ASSERT(whole->agent_version.size() <= kVersionBytesMax);

  Bytes written;
  const auto frames = encode(*whole);
  for (const auto& frame : frames) append(written, frame);
  const auto again = collect(written, written.size() + 1);
  STARLING_ASSERT(again.has_value());
  // Whatever surely fits what we send comes back as it was.
  if (frames.size() + 1 < kSentMessagesMax && whole->signed_peer_record.size() < kSentMessageBytesMax - 4)
    STARLING_ASSERT(same(*whole, *again));

  Info known;
  merge_push(known, *whole);
  STARLING_ASSERT(same(known, *whole));
  if (whole->public_key) (void)certified_record(*whole, PeerId::of(*whole->public_key), 5);
  return 0;
}
