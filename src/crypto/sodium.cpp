#include "crypto/sodium.hpp"

#include <sodium.h>

#include "base/assert.hpp"

namespace starling::crypto::sodium {

void prepare() noexcept {
  static const bool kReady = sodium_init() >= 0;
  STARLING_ASSERT(kReady);
}

}  // namespace starling::crypto::sodium
