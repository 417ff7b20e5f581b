#include "runtime/system.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

namespace starling::runtime {
namespace {

TEST(SystemRng, FillsEveryByteOfALongRequest) {
  // Longer than what the kernel gives without looking for signals. A part left out would be 4 KiB of zeros.
  std::vector<std::uint8_t> bytes(3 << 20);
  SystemRng().fill(bytes);
  constexpr std::size_t kPartBytes = 4096;
  for (std::size_t i = 0; i < bytes.size(); i += kPartBytes)
    ASSERT_TRUE(std::ranges::any_of(MutableByteView(bytes).subspan(i, kPartBytes),
                                    [](std::uint8_t byte) { return byte != 0; }))
        << "at " << i;
}

TEST(SystemRng, NeverGivesTheSameTwice) {
  SystemRng rng;
  const auto first = rng.bytes<32>();
  EXPECT_NE(first, rng.bytes<32>());
  EXPECT_NE(first, SystemRng().bytes<32>());
}

TEST(SystemRng, LeavesAnEmptyRequestAlone) {
  std::array<std::uint8_t, 1> byte{0x5a};
  SystemRng().fill(MutableByteView(byte).first(0));
  EXPECT_EQ(byte[0], 0x5a);
}

}  // namespace
}  // namespace starling::runtime
