#pragma once
// Hashes and what is built from them.
#include <initializer_list>

#include "base/bytes.hpp"

namespace starling::crypto {

using Hash256 = FixedBytes<32>;

/// SHA-256 over the concatenation of the parts, without joining them.
Hash256 sha256(std::initializer_list<ByteView> parts) noexcept;
inline Hash256 sha256(ByteView bytes) noexcept { return sha256({bytes}); }
/// Keccak-256 as Ethereum uses it (the original padding, not SHA3-256).
Hash256 keccak256(std::initializer_list<ByteView> parts) noexcept;
inline Hash256 keccak256(ByteView bytes) noexcept { return keccak256({bytes}); }
/// HMAC-SHA-256 (RFC 2104).
Hash256 hmac_sha256(ByteView key, std::initializer_list<ByteView> parts) noexcept;
/// HKDF-SHA-256 (RFC 5869). `length` ≤ 8,160 bytes.
Hash256 hkdf_extract(ByteView salt, ByteView key_material) noexcept;
Bytes hkdf_expand(ByteView pseudo_random_key, std::initializer_list<ByteView> info, std::size_t length);

/// Comparison in constant time for equal lengths.
bool constant_time_equal(ByteView a, ByteView b) noexcept;
/// Overwrites a secret in a way that the compiler keeps.
void wipe(MutableByteView secret) noexcept;

}  // namespace starling::crypto
