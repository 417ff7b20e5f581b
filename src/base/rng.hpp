#pragma once
// Randomness is handed in. Production wires the operating system's generator, the simulator a seeded one per
// node.
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "base/bytes.hpp"

namespace starling {

/// A source of random bytes. Not thread-safe: one per shard or simulated node.
class Rng {
 public:
  virtual ~Rng() = default;
  virtual void fill(MutableByteView out) = 0;

  std::uint64_t u64();
  /// Uniform in [0, bound); 0 for bound 0. No modulo bias.
  std::uint64_t below(std::uint64_t bound);
  /// Uniform in [0, 1).
  double unit();
  template <std::size_t N>
  FixedBytes<N> bytes() {
    FixedBytes<N> out;
    fill(out);
    return out;
  }
  /// Fisher–Yates.
  template <class Container>
  void shuffle(Container& items) {
    for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[below(i)]);
  }
};

/// xoshiro256** seeded by splitmix64: reproducible, fast, not for keys that guard anything.
class SeededRng final : public Rng {
 public:
  explicit SeededRng(std::uint64_t seed) noexcept;
  void fill(MutableByteView out) override;

 private:
  std::uint64_t next() noexcept;
  std::uint64_t state_[4];
};

}  // namespace starling
