#pragma once
// The ids this side gives to the streams it opens.
#include <cstdint>
#include <limits>
#include <optional>

namespace starling::yamux {

/// Counts up in steps of two and never starts again: an id is used once in the life of a connection, so that
/// a late frame cannot meet another stream of the same name.
class StreamIds {
 public:
  /// The dialer starts at 1, the listener at 2.
  constexpr explicit StreamIds(std::uint32_t first) noexcept : next_(first) {}
  constexpr bool exhausted() const noexcept { return next_ > std::numeric_limits<std::uint32_t>::max(); }
  /// Nothing when all are used.
  constexpr std::optional<std::uint32_t> take() noexcept {
    if (exhausted()) return std::nullopt;
    const auto id = static_cast<std::uint32_t>(next_);
    next_ += 2;
    return id;
  }

 private:
  std::uint64_t next_;
};

}  // namespace starling::yamux
