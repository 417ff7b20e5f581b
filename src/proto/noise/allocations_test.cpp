// Sealing into the caller's memory and opening in place allocate nothing, whatever the size: counted, not
// believed.
#include <cstdlib>
#include <new>

#include "noise/fixtures.hpp"

namespace {
std::size_t allocation_count = 0;
std::size_t allocated_bytes = 0;
}  // namespace

void* operator new(std::size_t size) {
  ++allocation_count;
  allocated_bytes += size;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  std::abort();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace starling::noise {
namespace {

TEST(NoiseTransport, AllocatesNothingPerRecord) {
  auto channels = connect(91);
  const Bytes header(12, 1);
  const Bytes body(200'000, 2);
  const ByteView parts[] = {header, body, header};
  Bytes frames(Transport::sealed_bytes(parts));
  const std::size_t before = allocation_count;
  const auto written = channels.initiator.transport.seal_into(parts, frames);
  MutableByteView rest = frames;
  std::size_t opened_bytes = 0;
  while (!rest.empty()) {
    const auto opened = channels.responder.transport.open_next(rest);
    if (!opened || !*opened) break;
    opened_bytes += (*opened)->plaintext.size();
    rest = rest.subspan((*opened)->consumed);
  }
  const std::size_t allocated = allocation_count - before;
  EXPECT_EQ(allocated, 0u);
  EXPECT_EQ(written, frames.size());
  EXPECT_EQ(opened_bytes, 200'024u);
  delete new int(1);
  EXPECT_GT(allocation_count, before) << "the counter counts";
}

// A peer that announces 4,096 bytes and sends none costs no memory for them.
TEST(NoiseHandshake, AllocatesForBytesThatArrivedOnly) {
  SeededRng rng(92);
  const auto b = identity(2);
  Handshake initiator(Role::initiator, b, rng, {}, kStart);
  drain(initiator);
  const Bytes announced = testkit::hex("1000");
  const std::size_t before = allocated_bytes;
  const bool accepted = initiator.receive(announced).has_value();
  const std::size_t allocated = allocated_bytes - before;
  EXPECT_TRUE(accepted);
  EXPECT_LE(allocated, 64u);
}

}  // namespace
}  // namespace starling::noise
