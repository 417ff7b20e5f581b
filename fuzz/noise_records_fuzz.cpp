// fuzz-depends: noise
// Records of the channel. Input: one byte of mode, then
//   0  raw bytes, opened as a driver does
//   1  a script of writes (16-bit sizes) and one edit (last 3 bytes: position, xor) of what they sealed
// Checked: what opens is a prefix of what was written; after an error nothing opens; no view leaves the
// buffer.
#include <cstdint>

#include "base/assert.hpp"
#include "noise/transport.hpp"

namespace {

using namespace starling;
using namespace starling::noise;

crypto::AeadKey key_of(std::uint8_t byte) {
  crypto::AeadKey key;
  key.fill(byte);
  return key;
}
Transport end(std::uint8_t sends, std::uint8_t receives) {
  return Transport(CipherState(key_of(sends)), CipherState(key_of(receives)));
}

Bytes open_all(Transport& transport, Bytes stream) {
  Bytes out;
  MutableByteView rest = stream;
  for (;;) {
    const auto opened = transport.open_next(rest);
    if (!opened) {
      STARLING_ASSERT(transport.open_next(rest).error().is(Errc::broken));
      return out;
    }
    if (!*opened) return out;
    STARLING_ASSERT((*opened)->consumed <= rest.size() && (*opened)->consumed >= 18);
    STARLING_ASSERT((*opened)->plaintext.data() == rest.data() + kFrameHeaderBytes);
    append(out, (*opened)->plaintext);
    rest = rest.subspan((*opened)->consumed);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  ByteView rest(data + 1, size - 1);
  auto receiver = end(2, 1);
  if (data[0] % 2 == 0) {
    STARLING_ASSERT(open_all(receiver, Bytes(rest.begin(), rest.end())).empty());
    return 0;
  }
  auto sender = end(1, 2);
  Bytes written;
  Bytes stream;
  std::vector<Bytes> parts;
  while (rest.size() >= 5 && stream.size() < 300'000) {
    const std::size_t bytes = get_u16_be(rest.first<2>());
    parts.emplace_back(bytes, rest[1]);
    append(written, parts.back());
    if (rest[0] % 4 == 0) {  // several parts in one seal
      rest = rest.subspan(2);
      continue;
    }
    const std::vector<ByteView> views(parts.begin(), parts.end());
    const std::size_t before = stream.size();
    STARLING_ASSERT(sender.seal(views, stream).has_value());
    STARLING_ASSERT(stream.size() - before == Transport::sealed_bytes(views));
    parts.clear();
    rest = rest.subspan(2);
  }
  if (rest.size() >= 3 && !stream.empty()) stream[get_u16_be(rest.first<2>()) % stream.size()] ^= rest[2];
  const Bytes read = open_all(receiver, stream);
  STARLING_ASSERT(read.size() <= written.size() && equal(read, ByteView(written).first(read.size())));
  return 0;
}
