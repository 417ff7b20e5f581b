#pragma once
// A keyed 64-bit hash, so that the seen cache holds 8 bytes an id instead of about 150.
#include <cstdint>

#include "base/bytes.hpp"

namespace starling::gossip {

/// SipHash-2-4 (Aumasson and Bernstein, 2012). The key is drawn per router: nobody outside can make two ids
/// collide, so nobody can censor a message by publishing another one with the same fingerprint. By accident
/// it happens once in about 10^13 lookups of a cache of a million ids.
class KeyedHash {
 public:
  explicit KeyedHash(const FixedBytes<16>& key) noexcept;
  std::uint64_t operator()(ByteView bytes) const noexcept;

 private:
  std::uint64_t k0_;
  std::uint64_t k1_;
};

}  // namespace starling::gossip
