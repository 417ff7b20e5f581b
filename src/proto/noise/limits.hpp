#pragma once
// Every bound of the Noise channel in one place.
#include <cstddef>
#include <cstdint>
#include <limits>

#include "base/time.hpp"

namespace starling::noise {

/// Bytes of a record or handshake message behind its 2-byte length, as the framing allows.
inline constexpr std::size_t kFrameBytesMax = 65'535;
inline constexpr std::size_t kFrameHeaderBytes = 2;
/// Bytes of plaintext in one record: a frame without its 16-byte tag.
inline constexpr std::size_t kPlaintextBytesMax = kFrameBytesMax - 16;
/// Bytes of a handshake message that we accept and buffer. The largest honest one, with an 8192-bit RSA
/// identity (1,062 bytes of key, 1,024 of signature) and 112 bytes of Noise keys and tags, is below 2.3 KiB
/// and leaves 1.8 KiB for extensions. Anything more is refused at its length prefix, before a byte of it is
/// stored.
inline constexpr std::size_t kHandshakeMessageBytesMax = 4096;
/// Muxers that a peer may list in its handshake extension; the field knows three.
inline constexpr std::size_t kMuxersMax = 16;
/// Bytes of a muxer's protocol id: what multistream-select could still negotiate is far longer than any in
/// use.
inline constexpr std::size_t kMuxerBytesMax = 128;
/// Time for the whole handshake (1.5 round trips and about 0.3 ms of work), not for each read.
inline constexpr Duration kHandshakeTimeMax = 10s;
/// Slices that go into one record. A seal of more slices is cut into more records, so that no list is
/// allocated.
inline constexpr std::size_t kSlicesPerRecordMax = 64;
/// The nonce that Noise reserves: a channel ends before it would use it.
inline constexpr std::uint64_t kNonceReserved = std::numeric_limits<std::uint64_t>::max();

}  // namespace starling::noise
