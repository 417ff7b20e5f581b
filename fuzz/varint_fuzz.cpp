// fuzz-depends: format
// A varint that is read as minimal is the one that would be written; a stream gives the same frames, or the
// same error, whole and byte by byte.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/assert.hpp"
#include "format/varint.hpp"

namespace {

using starling::Bytes;
using starling::ByteView;
using starling::Error;

constexpr std::size_t kFrameBytesMax = 300;

struct Outcome {
  std::vector<Bytes> frames;
  std::optional<Error> error;
  bool in_frame = false;
  bool operator==(const Outcome&) const = default;
};

Outcome split(ByteView stream, std::size_t piece) {
  Outcome out;
  starling::format::FrameReader reader(kFrameBytesMax);
  while (!stream.empty()) {
    const auto n = std::min(piece, stream.size());
    reader.receive(stream.first(n));
    stream = stream.subspan(n);
    for (;;) {
      const auto frame = reader.next();
      if (!frame) {
        out.error = frame.error();
        return out;
      }
      if (!*frame) break;
      STARLING_ASSERT((*frame)->size() <= kFrameBytesMax);
      out.frames.push_back(starling::to_bytes(**frame));
    }
    STARLING_ASSERT(reader.buffered_bytes() <= kFrameBytesMax + starling::format::kVarintBytesMax);
  }
  out.in_frame = reader.in_frame();
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input(data, size);
  if (const auto varint = starling::format::read_minimal_varint(input)) {
    Bytes again;
    starling::format::put_varint(again, varint->value);
    STARLING_ASSERT(starling::equal(again, input.first(varint->size)));
  }
  const Outcome whole = split(input, size + 1);
  STARLING_ASSERT(whole == split(input, 1));
  STARLING_ASSERT(whole == split(input, 7));
  if (!whole.error && !whole.in_frame) {
    Bytes again;
    for (const auto& frame : whole.frames) starling::format::put_frame(again, frame);
    STARLING_ASSERT(starling::equal(again, input));
  }
  return 0;
}
