#include "proto/yamux/byte_queue.hpp"

#include <gtest/gtest.h>

#include <deque>

#include "proto/yamux/limits.hpp"
#include "testkit/testkit.hpp"

namespace starling::yamux {
namespace {

Bytes random_bytes(Rng& rng, std::size_t size) {
  Bytes out(size);
  rng.fill(out);
  return out;
}

TEST(YamuxByteQueue, AgreesWithANaiveQueueUnderRandomOperations) {
  SeededRng rng(testkit::seed(11));
  ByteQueue queue;
  std::deque<std::uint8_t> model;
  std::vector<Bytes> lenders;
  for (int round = 0; round < 20'000; ++round) {
    const auto choice = rng.below(7);
    if (choice == 5) {
      lenders.push_back(random_bytes(rng, rng.below(8'000)));
      queue.append_lent(lenders.back());
      model.insert(model.end(), lenders.back().begin(), lenders.back().end());
    } else if (choice == 6) {
      queue.keep();
      for (Bytes& lender : lenders) std::fill(lender.begin(), lender.end(), std::uint8_t{0xee});
      lenders.clear();
    } else if (choice <= 1) {
      const Bytes more = random_bytes(rng, rng.below(rng.below(10) == 0 ? 100'000 : 300));
      choice == 0 ? queue.append(ByteView(more)) : queue.append(Slice::copy(more));
      model.insert(model.end(), more.begin(), more.end());
    } else if (choice == 2) {
      const std::size_t count = rng.below(queue.size() + 1);
      queue.consume(count);
      model.erase(model.begin(), model.begin() + static_cast<std::ptrdiff_t>(count));
    } else {
      std::vector<ByteView> parts;
      std::vector<ByteQueue::Run> retired;
      const std::size_t count = rng.below(std::min<std::size_t>(queue.size(), 5'000) + 1);
      queue.take(count, &parts, &retired);
      Bytes taken;
      for (const ByteView part : parts) append(taken, part);
      ASSERT_EQ(taken.size(), count);
      ASSERT_TRUE(std::equal(taken.begin(), taken.end(), model.begin()));
      model.erase(model.begin(), model.begin() + static_cast<std::ptrdiff_t>(count));
    }
    ASSERT_EQ(queue.size(), model.size());
    if (queue.empty()) continue;
    const ByteView front = queue.front();
    ASSERT_FALSE(front.empty());
    ASSERT_TRUE(std::equal(front.begin(), front.end(), model.begin()));
  }
}

TEST(YamuxByteQueue, ViewsSurviveAppendingTakingAndClearing) {
  ByteQueue queue;
  std::vector<ByteView> parts;
  std::vector<ByteQueue::Run> retired;
  queue.append(as_bytes("first"));
  queue.take(3, &parts, &retired);
  for (int i = 0; i < 1'000; ++i) queue.append(as_bytes("more and more"));
  queue.take(queue.size() / 2, &parts, &retired);
  queue.clear(&retired);
  Bytes joined;
  for (const ByteView part : parts) append(joined, part);
  EXPECT_EQ(as_text(joined).substr(0, 18), "firstmore and more");
  EXPECT_EQ(joined.size(), 3 + (2 + 13'000) / 2u);
}

TEST(YamuxByteQueue, ASharedSliceIsNotCopied) {
  ByteQueue queue;
  const Slice slice = Slice::copy(Bytes(5'000, 7));
  queue.append(slice);
  EXPECT_EQ(queue.front().data(), slice.data());
}

TEST(YamuxByteQueue, SingleBytesShareBuffers) {
  ByteQueue queue;
  std::size_t runs = 0;
  for (int i = 0; i < 256 * 1024; ++i) queue.append(as_bytes("x"));
  while (!queue.empty()) {
    ++runs;
    queue.consume(queue.front().size());
  }
  // kBufferBytesMin twice, then doubling to 64 KiB, then one buffer per 64 KiB.
  EXPECT_LE(runs, 16u);
}

}  // namespace
}  // namespace starling::yamux
