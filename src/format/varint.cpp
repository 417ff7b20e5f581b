#include "format/varint.hpp"

#include <bit>

namespace starling::format {

std::size_t varint_size(std::uint64_t value) noexcept {
  return (static_cast<std::size_t>(std::bit_width(value | 1)) + 6) / 7;
}

void put_varint(Bytes& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<std::uint8_t>(value | 0x80));
  out.push_back(static_cast<std::uint8_t>(value));
}

Result<Varint> read_varint(ByteView bytes) noexcept {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < kVarintBytesMax; ++i) {
    if (i == bytes.size()) return fail(Errc::truncated);
    const std::uint64_t group = bytes[i] & 0x7f;
    // The tenth byte has room for one bit.
    if (i == kVarintBytesMax - 1 && group > 1) return fail(Errc::varint_too_long);
    value |= group << (7 * i);
    if (bytes[i] < 0x80) return Varint{value, i + 1};
  }
  return fail(Errc::varint_too_long);
}

Result<Varint> read_minimal_varint(ByteView bytes) noexcept {
  const auto varint = read_varint(bytes);
  if (varint && varint->size != varint_size(varint->value)) return fail(Errc::varint_not_minimal);
  return varint;
}

void FrameReader::receive(ByteView bytes) {
  if (broken_) return;
  // Moving the rest to the front only when at least as much was consumed costs at most one copy of each byte.
  if (start_ > 0 && start_ >= buffer_.size() - start_) {
    buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(start_));
    start_ = 0;
  }
  append(buffer_, bytes);
}

Result<std::optional<ByteView>> FrameReader::next() {
  if (broken_) return fail(*broken_);
  const ByteView rest = ByteView(buffer_).subspan(start_);
  if (rest.empty()) {
    if (buffer_.capacity() > kIdleFrameBufferBytesMax) Bytes().swap(buffer_);
    buffer_.clear();
    start_ = 0;
    return std::nullopt;
  }
  const auto length = read_minimal_varint(rest);
  if (!length) {
    if (length.error().is(Errc::truncated)) return std::nullopt;
    return break_with(length.error());
  }
  if (length->value > frame_bytes_max_) return break_with(make_error(Errc::length_out_of_bounds));
  const auto body_size = static_cast<std::size_t>(length->value);
  if (rest.size() - length->size < body_size) return std::nullopt;
  start_ += length->size + body_size;
  return rest.subspan(length->size, body_size);
}

Bytes FrameReader::take_rest() {
  Bytes rest(buffer_.begin() + static_cast<std::ptrdiff_t>(start_), buffer_.end());
  Bytes().swap(buffer_);
  start_ = 0;
  return rest;
}

tl::unexpected<Error> FrameReader::break_with(Error error) {
  broken_ = error;
  Bytes().swap(buffer_);
  start_ = 0;
  return fail(error);
}

void put_frame(Bytes& out, ByteView body) {
  put_varint(out, body.size());
  append(out, body);
}

Bytes make_frame(ByteView body) {
  Bytes out;
  out.reserve(varint_size(body.size()) + body.size());
  put_frame(out, body);
  return out;
}

}  // namespace starling::format
