#pragma once
// Which message ids were seen in the last two minutes.
#include <array>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>

#include "base/time.hpp"

namespace starling::gossip {

/// Fingerprints (KeyedHash of the id) that are remembered for at least `ttl` and at most a quarter longer.
///
/// Four generations and a current one, each a flat set; the oldest is dropped whole. So an entry costs about
/// 9 to 18 bytes, expiry costs nothing per entry, and an empty cache owns no heap. Past `capacity` the oldest
/// generation goes early: a flood shortens the memory and never grows it. What must be a duplicate for the
/// network's sake is bounded by time in the records themselves (PROTOCOL.md §5 row 6), so a shortened memory
/// costs work, not correctness.
class SeenCache {
 public:
  SeenCache(Duration ttl, std::size_t capacity) noexcept;
  bool contains(std::uint64_t fingerprint) const noexcept;
  /// False when it was there.
  bool insert(std::uint64_t fingerprint, Instant now);
  /// Drops generations that have ended. Called by insert(); else only needed to return memory.
  void expire(Instant now);
  std::size_t size() const noexcept;
  std::size_t memory_bytes() const noexcept;

 private:
  static constexpr std::size_t kGenerations = 5;
  struct AsIs {
    using is_avalanching = void;  // a keyed hash already
    std::size_t operator()(std::uint64_t value) const noexcept { return static_cast<std::size_t>(value); }
  };
  using Set = boost::unordered_flat_set<std::uint64_t, AsIs>;
  void rotate() noexcept;

  Duration span_;
  std::size_t per_generation_max_;
  std::array<Set, kGenerations> generations_;
  std::size_t current_ = 0;
  Instant current_since_;
  bool started_ = false;
};

}  // namespace starling::gossip
