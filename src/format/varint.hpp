#pragma once
// Unsigned varints (LEB128), the one reader for all formats.
#include <optional>

#include "base/bytes.hpp"
#include "format/errors.hpp"
#include "format/limits.hpp"

namespace starling::format {

struct Varint {
  std::uint64_t value;
  std::size_t size;  ///< bytes it took
};
/// How many bytes the minimal encoding takes, 1 to 10.
std::size_t varint_size(std::uint64_t value) noexcept;
void put_varint(Bytes& out, std::uint64_t value);
/// Reads one varint at the front. Errc::truncated when the bytes end first (so far well-formed: wait for
/// more), Errc::varint_too_long past 10 bytes or 64 bits.
Result<Varint> read_varint(ByteView bytes) noexcept;
/// The same, and Errc::varint_not_minimal when a shorter encoding exists.
Result<Varint> read_minimal_varint(ByteView bytes) noexcept;

/// Splits a byte stream into frames of `varint length ‖ body`. Lengths are bounded before anything is
/// allocated; the buffer grows only with bytes that have arrived, and is given back between frames. After an
/// error the reader stays broken: it repeats the error and drops what it receives. A zero-length frame is a
/// frame.
class FrameReader {
 public:
  explicit FrameReader(std::size_t frame_bytes_max) noexcept : frame_bytes_max_(frame_bytes_max) {}
  /// Adds bytes as they arrive.
  void receive(ByteView bytes);
  /// The next whole frame's body; nothing when more bytes are needed. The view is valid until the next call
  /// of receive() or next(). Errc::length_out_of_bounds past the limit, Errc::varint_not_minimal,
  /// Errc::varint_too_long.
  Result<std::optional<ByteView>> next();
  /// What has arrived behind the last whole frame: for a stream that goes on in another format. The reader is
  /// empty afterwards.
  Bytes take_rest();
  /// True when the stream was cut inside a frame.
  bool in_frame() const noexcept { return buffer_.size() > start_; }
  std::size_t buffered_bytes() const noexcept { return buffer_.size() - start_; }

 private:
  tl::unexpected<Error> break_with(Error error);

  std::size_t frame_bytes_max_;
  Bytes buffer_;
  std::size_t start_ = 0;
  std::optional<Error> broken_;
};

/// `varint length ‖ body`.
void put_frame(Bytes& out, ByteView body);
Bytes make_frame(ByteView body);

}  // namespace starling::format
