// What sessions and streams cost in memory, counted at the allocator.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "proto/yamux/frames_for_tests.hpp"
#include "proto/yamux/session.hpp"

namespace {
// Requested bytes only; a test reads differences, so what others hold does not matter.
std::atomic<std::int64_t> held_bytes{0};
std::atomic<std::int64_t> allocations{0};

void* counted_new(std::size_t size) {
  constexpr std::size_t kPrefix = alignof(std::max_align_t);
  void* memory = std::malloc(size + kPrefix);
  if (memory == nullptr) std::abort();
  *static_cast<std::size_t*>(memory) = size;
  held_bytes += static_cast<std::int64_t>(size);
  ++allocations;
  return static_cast<char*>(memory) + kPrefix;
}
void counted_delete(void* memory) noexcept {
  if (memory == nullptr) return;
  constexpr std::size_t kPrefix = alignof(std::max_align_t);
  void* start = static_cast<char*>(memory) - kPrefix;
  held_bytes -= static_cast<std::int64_t>(*static_cast<std::size_t*>(start));
  std::free(start);
}
}  // namespace

void* operator new(std::size_t size) { return counted_new(size); }
void* operator new[](std::size_t size) { return counted_new(size); }
void operator delete(void* memory) noexcept { counted_delete(memory); }
void operator delete[](void* memory) noexcept { counted_delete(memory); }
void operator delete(void* memory, std::size_t) noexcept { counted_delete(memory); }
void operator delete[](void* memory, std::size_t) noexcept { counted_delete(memory); }

namespace starling::yamux {
namespace {

using namespace testing;

TEST(YamuxMemory, AnIdleSessionCostsLessThanOneKibibyte) {
  const std::int64_t before = held_bytes;
  {
    Session session(Role::server, Config{}, Instant{});
    EXPECT_EQ(held_bytes - before + static_cast<std::int64_t>(sizeof(Session)), held_bytes - before + 8);
    EXPECT_LE(held_bytes - before, 768);  // no buffers at construction
    output(session);
    ASSERT_TRUE(session.receive(ping_frame(kAck, 0), {}));
    EXPECT_NE(events(session), "");
    EXPECT_LE(held_bytes - before, 768);  // and none is kept
  }
  EXPECT_EQ(held_bytes, before);
}

TEST(YamuxMemory, AnIdleStreamCostsLessThan300Bytes) {
  constexpr std::int64_t kCount = 400;
  Config config;
  config.ack_backlog_max = 500;
  Session session = started(Role::server, config);
  const std::int64_t before = held_bytes;
  for (std::uint32_t i = 0; i < kCount; ++i) {
    // Each was used: data both ways, everything read and sent.
    ASSERT_TRUE(session.receive(data_frame(kSyn, 2 * i + 1, pattern(3'000)), {}));
    session.write(StreamId(2 * i + 1), pattern(3'000));
    events(session);
    output(session);
    read_all(session, StreamId(2 * i + 1));
  }
  EXPECT_LE((held_bytes - before) / kCount, 300);
}

TEST(YamuxMemory, EndedStreamsAndFloodsLeaveNothingBehind) {
  Session session = started(Role::server);
  const std::int64_t before = held_bytes;
  for (std::uint32_t i = 0; i < 250; ++i) {
    ASSERT_TRUE(session.receive(data_frame(kSyn | kFin, 2 * i + 1, pattern(3'000)), {}));
    ASSERT_TRUE(session.receive(ping_frame(kSyn, i), {}));
    session.write(StreamId(2 * i + 1), pattern(3'000));
    session.finish(StreamId(2 * i + 1));
  }
  EXPECT_NE(events(session), "");
  EXPECT_GT(held_bytes - before, 250 * 6'000);
  output(session);
  for (std::uint32_t i = 0; i < 250; ++i) read_all(session, StreamId(2 * i + 1));
  EXPECT_NE(events(session), "");
  EXPECT_EQ(session.stream_count(), 0u);
  // The table of streams keeps its slots; nothing else stays.
  EXPECT_LE(held_bytes - before, 512 * 17 + 64);
}

TEST(YamuxMemory, AnnouncedLengthsAllocateNothing) {
  Session session = started(Role::server);
  ASSERT_TRUE(session.receive(update_frame(kSyn, 1, 0), {}));
  const std::int64_t before = held_bytes;
  ASSERT_TRUE(session.receive(frame(FrameType::data, 0, 1, kWindowInitial), {}));
  EXPECT_EQ(held_bytes, before);
  ASSERT_TRUE(session.receive(Bytes(1), {}));
  EXPECT_LE(held_bytes - before, 1'024);
}

TEST(YamuxMemory, ByteSizedFramesCostLessThanTwiceTheirBytes) {
  Session session = started(Role::server);
  ASSERT_TRUE(session.receive(update_frame(kSyn, 1, 0), {}));
  const Bytes one = data_frame(0, 1, "x");
  const std::int64_t before = held_bytes;
  for (std::uint32_t i = 0; i < kWindowInitial; ++i) ASSERT_TRUE(session.receive(one, {}));
  EXPECT_EQ(session.receive_buffered_bytes(), kWindowInitial);
  EXPECT_LE(held_bytes - before, 2 * std::int64_t{kWindowInitial});
}

TEST(YamuxMemory, SteadyTrafficAllocatesAFewTimesPerRecord) {
  Session session = started(Role::server);
  ASSERT_TRUE(session.receive(update_frame(kSyn, 1, 0), {}));
  const Bytes record = data_frame(0, 1, Bytes(kFramePayloadMax));
  std::vector<ByteView> parts;
  parts.reserve(16);
  const std::int64_t before = allocations;
  for (int i = 0; i < 1'000; ++i) {
    ASSERT_TRUE(session.receive(record, {}));
    while (session.poll()) continue;
    session.consume(StreamId(1), session.readable_bytes(StreamId(1)), {});
    session.gather(parts, 1 << 20, {});
    session.sent();
    parts.clear();
  }
  EXPECT_LE((allocations - before) / 1'000, 4);
}

}  // namespace
}  // namespace starling::yamux
