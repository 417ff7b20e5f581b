#pragma once
// Wire protobuf without generated code. Encoding is by protozero; decoding is strict and never throws
// (PROTOCOL.md §0).
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "format/errors.hpp"

namespace starling::pb {

enum class WireType : std::uint8_t { varint = 0, fixed64 = 1, length_delimited = 2, fixed32 = 5 };

/// Appends fields to `out`. Proto3 habit: the `_if` forms leave out zero and empty.
class Writer {
 public:
  explicit Writer(Bytes& out) noexcept : out_(out) {}
  void varint(std::uint32_t field, std::uint64_t value);
  void varint_if(std::uint32_t field, std::uint64_t value) {
    if (value != 0) varint(field, value);
  }
  /// An int32 or enum: negative values as 64-bit two's complement.
  void int32(std::uint32_t field, std::int32_t value);
  void boolean_if(std::uint32_t field, bool value) {
    if (value) varint(field, 1);
  }
  void bytes(std::uint32_t field, ByteView value);
  void bytes_if(std::uint32_t field, ByteView value) {
    if (!value.empty()) bytes(field, value);
  }
  void string(std::uint32_t field, std::string_view value) { bytes(field, as_bytes(value)); }
  void string_if(std::uint32_t field, std::string_view value) { bytes_if(field, as_bytes(value)); }
  void fixed64(std::uint32_t field, std::uint64_t value);

 private:
  Bytes& out_;
};

/// One field as it stands on the wire. `payload` is set for length-delimited fields, `number` for the others.
struct Field {
  std::uint32_t id;
  WireType type;
  std::uint64_t number;
  ByteView payload;
};

/// Walks the fields of a message. Malformed: field number 0 or above 2^29−1, groups, unknown wire types, a
/// varint over 10 bytes or 64 bits, a length beyond the end.
class Reader {
 public:
  explicit Reader(ByteView message) noexcept : rest_(message) {}
  /// The next field, nothing at the end.
  Result<std::optional<Field>> next() noexcept;

 private:
  ByteView rest_;
};

/// Typed views of a field; each fails with Errc::wrong_wire_type or Errc::out_of_range or Errc::bad_utf8.
Result<std::uint64_t> as_u64(const Field& field) noexcept;
Result<std::uint32_t> as_u32(const Field& field) noexcept;
/// An enum or int32: 64-bit two's complement within int32.
Result<std::int32_t> as_i32(const Field& field) noexcept;
/// Any varint; non-zero is true.
Result<bool> as_bool(const Field& field) noexcept;
Result<ByteView> as_bytes(const Field& field) noexcept;
Result<std::string> as_string(const Field& field);

/// Remembers which singular fields (numbers 1 to 63) were seen: `STARLING_TRY(once.check(field.id))`.
class Once {
 public:
  Result<void> check(std::uint32_t field) noexcept;

 private:
  std::uint64_t seen_ = 0;
};

/// A set of field numbers 1 to 63.
constexpr std::uint64_t field_range(std::uint32_t first, std::uint32_t last) noexcept {
  return (~std::uint64_t{0} >> (63U - last)) & (~std::uint64_t{0} << first);
}
constexpr std::uint64_t field_bit(std::uint32_t id) noexcept { return std::uint64_t{1} << id; }

/// Hands each known field of a message, in the order of the bytes, to `take`, a callable Field →
/// Result<void>. Fields of `single` may stand once, those of `repeated` any number of times, all others are
/// skipped.
template <class Take>
Result<void> each_field(ByteView message, std::uint64_t single, std::uint64_t repeated, Take take) {
  Reader reader(message);
  Once once;
  while (true) {
    STARLING_ASSIGN(const auto field, reader.next());
    if (!field) return {};
    const std::uint64_t bit = field->id < 64 ? field_bit(field->id) : 0;
    if ((bit & (single | repeated)) == 0) continue;
    if ((bit & single) != 0) STARLING_TRY(once.check(field->id));
    STARLING_TRY(take(*field));
  }
}

bool is_utf8(ByteView text) noexcept;

}  // namespace starling::pb
