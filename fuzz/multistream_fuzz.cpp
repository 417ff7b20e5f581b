// fuzz-depends: multistream
// Either role against arbitrary bytes. Input: one byte of options, one byte of piece size, then what the peer
// sends.
// Checked: nothing behind the outcome is consumed, cuts do not change the outcome, memory for answers is
// bounded.
#include <cstdint>

#include "base/assert.hpp"
#include "multistream/initiator.hpp"
#include "multistream/listener.hpp"

namespace {

using namespace starling;
using namespace starling::multistream;

constexpr Instant kStart = Instant::from_ns(0);

class Known final : public Protocols {
 public:
  bool supports(std::string_view protocol) const override {
    return protocol == "/yamux/1.0.0" || protocol == "/b";
  }
};
const Known kKnown;

struct Ending {
  std::size_t consumed = 0;
  std::string protocol;
  std::optional<Error> error;
  bool operator==(const Ending&) const = default;
};

template <class Machine>
Ending run(Machine machine, ByteView stream, std::size_t piece_max) {
  Ending ending;
  while (!stream.empty() && !machine.outcome()) {
    const ByteView piece = stream.first(std::min(piece_max, stream.size()));
    const auto consumed = machine.receive(piece);
    if (!consumed) break;
    STARLING_ASSERT(*consumed == piece.size() || (machine.outcome() && *consumed < piece.size()));
    ending.consumed += *consumed;
    stream = stream.subspan(*consumed);
  }
  STARLING_ASSERT(machine.to_send().size() <= 4 * kMessageBytesMax);
  if (machine.outcome() && machine.outcome()->has_value()) ending.protocol = (*machine.outcome())->protocol;
  if (machine.outcome() && !machine.outcome()->has_value()) {
    ending.error = machine.outcome()->error();
    ending.consumed = 0;  // after a failure the stream is dead, whatever was taken
  }
  STARLING_ASSERT(machine.deadline().is_never() == machine.outcome().has_value());
  (void)machine.on_deadline(kStart + 1h);
  STARLING_ASSERT(machine.outcome().has_value());
  STARLING_ASSERT(machine.receive(stream).value_or(0) == 0);
  return ending;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const ByteView stream(data + 2, size - 2);
  const std::size_t piece = std::size_t{data[1]} + 1;
  if ((data[0] & 1) != 0) {
    STARLING_ASSERT(run(Listener(kKnown, kStart), stream, stream.size()) ==
                    run(Listener(kKnown, kStart), stream, piece));
    return 0;
  }
  const std::vector<std::string> proposals =
      (data[0] & 2) != 0 ? std::vector<std::string>{"/yamux/1.0.0"} : std::vector<std::string>{"/a", "/b"};
  const Lazy lazy = (data[0] & 4) != 0 ? Lazy::yes : Lazy::no;
  STARLING_ASSERT(run(Initiator(proposals, lazy, kStart), stream, stream.size()) ==
                  run(Initiator(proposals, lazy, kStart), stream, piece));
  return 0;
}
