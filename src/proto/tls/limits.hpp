#pragma once
// Every bound of the TLS channel in one place.
#include <cstddef>
#include <cstdint>

#include "base/time.hpp"

namespace starling::tls {

/// Bytes in front of every record: type, version, length (RFC 8446 §5.1).
inline constexpr std::size_t kRecordHeaderBytes = 5;
/// Bytes of plaintext in one record (RFC 8446 §5.1).
inline constexpr std::size_t kPlaintextBytesMax = std::size_t{1} << 14;
/// Bytes of a record behind its header (RFC 8446 §5.2); more is refused at the header.
inline constexpr std::size_t kRecordBytesMax = kPlaintextBytesMax + 256;
/// Bytes that a record of ours takes beside its plaintext: header, inner type, tag.
inline constexpr std::size_t kRecordOverheadBytes = kRecordHeaderBytes + 1 + 16;
/// Bytes of records that a peer may send before the handshake is over. An honest peer with Ed25519 takes 1.3
/// KiB, one with an 8192-bit RSA identity and a hybrid key exchange about 6.
inline constexpr std::size_t kHandshakeBytesMax = std::size_t{16} << 10;
/// Bytes of the peer's certificate. With an 8192-bit RSA identity and a certificate key of the same size it
/// has 4.5 KiB.
inline constexpr std::size_t kCertificateBytesMax = std::size_t{8} << 10;
/// Time for the whole handshake (1 round trip and about 0.5 ms of work), not for each read.
inline constexpr Duration kHandshakeTimeMax = 10s;
/// Records without data in a row (key updates, tickets, empty ones). Each costs more to take than to send.
inline constexpr std::size_t kControlRecordsMax = 32;
/// Bytes of such records in a row: OpenSSL would put 128 KiB of one message together.
inline constexpr std::size_t kControlBytesMax = std::size_t{16} << 10;
/// Records that we send under one key, then we take the next. AES-GCM allows 2^24.5 (RFC 8446 §5.5).
inline constexpr std::uint64_t kRecordsPerKeyMax = std::uint64_t{1} << 23;

}  // namespace starling::tls
