#pragma once
// Integers that cannot be mistaken for one another.
#include <compare>
#include <cstdint>
#include <functional>

namespace starling {

/// `struct ConnTag; using ConnId = StrongId<ConnTag>;` Value 0 is "none" where a type needs one.
template <class Tag, class Integer = std::uint64_t>
class StrongId {
 public:
  constexpr StrongId() noexcept = default;
  constexpr explicit StrongId(Integer value) noexcept : value_(value) {}
  constexpr Integer value() const noexcept { return value_; }
  constexpr explicit operator bool() const noexcept { return value_ != 0; }
  friend constexpr auto operator<=>(StrongId, StrongId) noexcept = default;

 private:
  Integer value_ = 0;
};

}  // namespace starling

template <class Tag, class Integer>
struct std::hash<starling::StrongId<Tag, Integer>> {
  std::size_t operator()(starling::StrongId<Tag, Integer> id) const noexcept {
    auto x = static_cast<std::uint64_t>(id.value()) * 0x9e3779b97f4a7c15ULL;
    return static_cast<std::size_t>(x ^ (x >> 32));
  }
};
