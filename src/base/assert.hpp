#pragma once
// Assertions for our own mistakes. They are always on and never guard bytes from a peer: those get an Error.
#include <cstdio>
#include <cstdlib>

namespace starling::detail {
/// Prints the failed condition to stderr and aborts. Never returns.
[[noreturn]] inline void assertion_failed(const char* condition, const char* file, int line) noexcept {
  std::fprintf(stderr, "starling: assertion failed: %s (%s:%d)\n", condition, file, line);
  std::abort();
}
}  // namespace starling::detail

#define STARLING_ASSERT(condition)       \
  (static_cast<bool>(condition) ? void() \
                                : ::starling::detail::assertion_failed(#condition, __FILE__, __LINE__))
