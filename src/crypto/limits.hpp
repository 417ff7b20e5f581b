#pragma once
// Cryptography: what keys, signatures and key derivations from elsewhere may cost.
#include <cstddef>
#include <cstdint>

namespace starling::crypto {

/// Bits of an RSA modulus. Smaller keys can be broken.
inline constexpr std::size_t kRsaBitsMin = 2048;
/// Bits of an RSA modulus. Larger keys make verification a weapon (CVE-2023-39533).
inline constexpr std::size_t kRsaBitsMax = 8192;
/// Bits of an RSA public exponent. Verification takes time with its length; go-libp2p draws the line here
/// too.
inline constexpr int kRsaExponentBitsMax = 31;
/// Bytes of a public key's data, looked at before anything is parsed: an 8192-bit RSA key in PKIX DER takes
/// 1,062.
inline constexpr std::size_t kPublicKeyDataBytesMax = 1200;
/// Bytes of a signature: an 8192-bit RSA key makes the longest.
inline constexpr std::size_t kSignatureBytesMax = 1024;
/// Bytes of an ECDSA signature over secp256k1 in DER: two integers of 33 bytes with their headers, and the
/// sequence's.
inline constexpr std::size_t kSecp256k1DerBytesMax = 72;

/// Bytes that one HKDF expansion gives (RFC 5869 §2.3: a one-byte counter of 32-byte blocks).
inline constexpr std::size_t kHkdfOutputBytesMax = 255 * 32;
/// Bytes of memory of one scrypt run: a keystore file from elsewhere must not take the machine's.
inline constexpr std::uint64_t kScryptMemoryBytesMax = std::uint64_t{1} << 30;
/// N·r·p of scrypt, which its time is proportional to: 32 times the usual cost of a keystore (about a
/// second), so that a file with little memory and a large p cannot hang the program for hours.
inline constexpr std::uint64_t kScryptWorkMax = std::uint64_t{1} << 26;
/// Rounds of PBKDF2, for the same reason.
inline constexpr std::uint32_t kPbkdf2RoundsMax = 10'000'000;
/// Bytes that scrypt and PBKDF2 give at most; a keystore asks for 32.
inline constexpr std::size_t kDerivedBytesMax = 1024;

}  // namespace starling::crypto
