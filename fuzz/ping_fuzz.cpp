// fuzz-depends: ping
// The responder as a bounded echo, the pinger against any answer. Input: one byte of mode, one of piece size,
// then bytes.
#include <cstdint>

#include "base/assert.hpp"
#include "ping/pinger.hpp"
#include "ping/responder.hpp"

namespace {

using namespace starling;
using namespace starling::ping;

constexpr Instant kStart = Instant::from_ns(0);

void respond(ByteView stream, std::size_t piece_max) {
  Responder responder(kStart);
  Bytes echoed;
  ByteView rest = stream;
  while (!rest.empty()) {
    const ByteView piece = rest.first(std::min(piece_max, rest.size()));
    const std::size_t consumed = responder.receive(piece, kStart);
    STARLING_ASSERT(consumed <= piece.size() && responder.to_send().size() <= kAnswerBytesMax);
    STARLING_ASSERT(consumed > 0 || !responder.to_send().empty());
    rest = rest.subspan(consumed);
    const std::size_t sent = std::min<std::size_t>(responder.to_send().size(), 1 + stream.front() % 70);
    append(echoed, responder.to_send().first(sent));
    responder.sent(sent);
  }
  append(echoed, responder.to_send());
  STARLING_ASSERT(equal(echoed, stream.first(stream.size() / kPingBytes * kPingBytes)));
}

void ask(ByteView answer, std::size_t piece_max, bool honest) {
  SeededRng rng(1);
  Pinger pinger;
  pinger.start(rng, kStart);
  const Bytes ping(pinger.to_send().begin(), pinger.to_send().end());
  pinger.sent(ping.size());
  Bytes stream = honest ? ping : Bytes();
  append(stream, answer);
  ByteView rest = stream;
  while (!rest.empty()) {
    const ByteView piece = rest.first(std::min(piece_max, rest.size()));
    const auto result = pinger.receive(piece, kStart + 1ms);
    if (!result) return;
    rest = rest.subspan(piece.size());
    if (*result) STARLING_ASSERT(!pinger.waiting() && equal(ByteView(stream).first(kPingBytes), ping));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const ByteView rest(data + 2, size - 2);
  const std::size_t piece = std::size_t{data[1]} + 1;
  switch (data[0] % 3) {
    case 0: respond(rest, piece); break;
    case 1: ask(rest, piece, false); break;
    default: ask(rest, piece, true); break;
  }
  return 0;
}
