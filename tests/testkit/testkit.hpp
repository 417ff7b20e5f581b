#pragma once
// What every test may use. No clock, socket or thread.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/env.hpp"

namespace starling::testkit {

/// The seed of a random test: STARLING_SEED when set, else `fallback`. Printed, so that a failure can be
/// replayed.
std::uint64_t seed(std::uint64_t fallback);

/// An Env of a seeded generator, a silent log and a metrics registry of its own.
class TestEnv {
 public:
  explicit TestEnv(std::uint64_t seed_value) : rng(seed_value), env{rng, log, metrics} {}
  SeededRng rng;
  NullLog log;
  Metrics metrics;
  Env env;
};

/// The whole of a file below the repository, e.g. `tests/conformance/vectors/agent/keys.json`. Aborts when
/// missing.
std::string read_repo_file(std::string_view path);

/// Bytes of hex that must be right.
Bytes hex(std::string_view text);

/// Cuts `bytes` into random pieces (at least one byte each) and hands them to `feed` in order.
template <class Feed>
void in_random_pieces(Rng& rng, ByteView bytes, std::size_t piece_max, Feed feed) {
  while (!bytes.empty()) {
    const std::size_t n = std::min<std::size_t>(bytes.size(), 1 + rng.below(piece_max));
    feed(bytes.first(n));
    bytes = bytes.subspan(n);
  }
}

}  // namespace starling::testkit
