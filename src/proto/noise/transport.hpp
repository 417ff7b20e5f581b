#pragma once
#include <optional>

#include "noise/cipher_state.hpp"

namespace starling::noise {

/// One decrypted record.
struct Opened {
  MutableByteView plaintext;  ///< inside the caller's buffer; may be empty
  std::size_t consumed;       ///< bytes of the buffer that the record took, its length prefix included
};

/// The channel after the handshake: records of `2-byte big-endian length ‖ ciphertext ‖ tag`, both
/// directions.
///
/// Lifetime: one per connection, on its shard; movable. The two directions are independent of each other.
/// Call order: any. After the first error of open_next() every further one fails with Errc::broken: the
/// connection dies.
/// Buffers belong to the driver: sending is one pass from the caller's slices into the outgoing buffer,
/// receiving decrypts where the bytes lie. No allocation per record.
/// Limits: limits.hpp. A record's length cannot exceed 64 KiB by its framing, so a driver's buffer of
/// kFrameHeaderBytes + kFrameBytesMax bytes always makes progress.
/// Spec: libp2p/specs noise/README.md, Noise revision 34 §5.1.
/// Resists: altered, replayed, reordered and dropped records (implicit counter nonces), nonce reuse (the
/// counter ends).
class Transport {
 public:
  Transport(CipherState sends, CipherState receives)
      : sends_(std::move(sends)), receives_(std::move(receives)) {}

  /// The bytes on the wire that these parts take, framing and tags included. 0 for no plaintext.
  static std::size_t sealed_bytes(std::span<const ByteView> parts) noexcept;
  /// Appends the parts, joined, as one or more records. Nothing when there is no plaintext.
  /// Errc::nonce_exhausted; what was appended to `out` before is unspecified then and the connection must
  /// end.
  Result<void> seal(std::span<const ByteView> parts, Bytes& out);
  /// The same into memory of the caller's, at least sealed_bytes(parts); returns how much was written. For
  /// drivers with pooled frames: no byte is initialised twice.
  Result<std::size_t> seal_into(std::span<const ByteView> parts, MutableByteView out);
  /// Decrypts the record at the front of `buffered` in place. Nothing when it is not whole yet.
  /// Errc::truncated for a record below 16 bytes, Errc::decrypt_failed, Errc::nonce_exhausted, Errc::broken.
  Result<std::optional<Opened>> open_next(MutableByteView buffered);
  /// How many bytes the front record takes in all, once its prefix is there; the prefix's size before. Tells
  /// a driver how much to buffer.
  static std::size_t wanted_bytes(ByteView buffered) noexcept;

 private:
  CipherState sends_;
  CipherState receives_;
  bool broken_ = false;
};

}  // namespace starling::noise
