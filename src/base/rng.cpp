#include "base/rng.hpp"

#include <bit>

namespace starling {

std::uint64_t Rng::u64() {
  FixedBytes<8> raw;
  fill(raw);
  std::uint64_t value;
  std::memcpy(&value, raw.data(), raw.size());
  return value;
}

std::uint64_t Rng::below(std::uint64_t bound) {
  if (bound <= 1) return 0;
  const std::uint64_t limit = (~std::uint64_t{0} / bound) * bound;
  std::uint64_t value = u64();
  while (value >= limit) value = u64();
  return value % bound;
}

double Rng::unit() { return static_cast<double>(u64() >> 11) * 0x1.0p-53; }

SeededRng::SeededRng(std::uint64_t seed) noexcept {
  for (auto& word : state_) {
    seed += 0x9e3779b97f4a7c15ULL;
    std::uint64_t z = seed;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    word = z ^ (z >> 31);
  }
}

std::uint64_t SeededRng::next() noexcept {
  const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const std::uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

void SeededRng::fill(MutableByteView out) {
  while (!out.empty()) {
    const std::uint64_t word = next();
    const std::size_t n = std::min<std::size_t>(out.size(), sizeof word);
    std::memcpy(out.data(), &word, n);
    out = out.subspan(n);
  }
}

}  // namespace starling
