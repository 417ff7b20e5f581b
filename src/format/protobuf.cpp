#include "format/protobuf.hpp"

#include <limits>
#include <protozero/basic_pbf_writer.hpp>

#include "format/utf8.hpp"
#include "format/varint.hpp"

namespace protozero {

// How protozero appends to our Bytes. It asks for room before each field; std::vector would then grow by
// exactly that and copy everything each time, so reserve_additional leaves growth to the vector.
template <>
struct buffer_customization<starling::Bytes> {
  static std::size_t size(const starling::Bytes* buffer) noexcept { return buffer->size(); }
  static void append(starling::Bytes* buffer, const char* data, std::size_t count) {
    starling::append(*buffer, starling::as_bytes(std::string_view(data, count)));
  }
  static void append_zeros(starling::Bytes* buffer, std::size_t count) {
    buffer->resize(buffer->size() + count);
  }
  static void resize(starling::Bytes* buffer, std::size_t size) { buffer->resize(size); }
  static void reserve_additional(starling::Bytes*, std::size_t) noexcept {}
  static void erase_range(starling::Bytes* buffer, std::size_t from, std::size_t to) {
    buffer->erase(buffer->begin() + static_cast<std::ptrdiff_t>(from),
                  buffer->begin() + static_cast<std::ptrdiff_t>(to));
  }
  static char* at_pos(starling::Bytes* buffer, std::size_t position) noexcept {
    return reinterpret_cast<char*>(buffer->data() + position);
  }
  static void push_back(starling::Bytes* buffer, char c) { buffer->push_back(static_cast<std::uint8_t>(c)); }
};

}  // namespace protozero

namespace starling::pb {
namespace {

using format::Errc;
using Encoder = protozero::basic_pbf_writer<Bytes>;

constexpr std::uint64_t kFieldNumberMax = (std::uint64_t{1} << 29) - 1;

std::uint64_t little_endian(ByteView bytes) noexcept {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) value = (value << 8) | bytes[i];
  return value;
}

}  // namespace

void Writer::varint(std::uint32_t field, std::uint64_t value) { Encoder(out_).add_uint64(field, value); }
void Writer::int32(std::uint32_t field, std::int32_t value) { Encoder(out_).add_int32(field, value); }
void Writer::fixed64(std::uint32_t field, std::uint64_t value) { Encoder(out_).add_fixed64(field, value); }
void Writer::bytes(std::uint32_t field, ByteView value) {
  const auto text = as_text(value);
  Encoder(out_).add_bytes(field, text.data(), text.size());
}

Result<std::optional<Field>> Reader::next() noexcept {
  if (rest_.empty()) return std::nullopt;
  STARLING_ASSIGN(const auto tag, format::read_varint(rest_));
  rest_ = rest_.subspan(tag.size);
  const std::uint64_t id = tag.value >> 3;
  if (id == 0 || id > kFieldNumberMax) return fail(Errc::bad_field_number);
  Field field{static_cast<std::uint32_t>(id), static_cast<WireType>(tag.value & 7), 0, {}};
  switch (tag.value & 7) {
    case 0: {
      STARLING_ASSIGN(const auto number, format::read_varint(rest_));
      field.number = number.value;
      rest_ = rest_.subspan(number.size);
      return field;
    }
    case 2: {
      STARLING_ASSIGN(const auto length, format::read_varint(rest_));
      rest_ = rest_.subspan(length.size);
      if (length.value > rest_.size()) return fail(Errc::length_out_of_bounds);
      field.payload = rest_.first(static_cast<std::size_t>(length.value));
      rest_ = rest_.subspan(field.payload.size());
      return field;
    }
    case 1:
    case 5: {
      const std::size_t size = field.type == WireType::fixed64 ? 8 : 4;
      if (rest_.size() < size) return fail(Errc::truncated);
      field.number = little_endian(rest_.first(size));
      rest_ = rest_.subspan(size);
      return field;
    }
    case 3:
    case 4: return fail(Errc::group);
    default: return fail(Errc::wrong_wire_type);
  }
}

Result<std::uint64_t> as_u64(const Field& field) noexcept {
  if (field.type != WireType::varint) return fail(Errc::wrong_wire_type);
  return field.number;
}

Result<std::uint32_t> as_u32(const Field& field) noexcept {
  STARLING_ASSIGN(const auto value, as_u64(field));
  if (value > std::numeric_limits<std::uint32_t>::max()) return fail(Errc::out_of_range);
  return static_cast<std::uint32_t>(value);
}

Result<std::int32_t> as_i32(const Field& field) noexcept {
  STARLING_ASSIGN(const auto raw, as_u64(field));
  const auto value = static_cast<std::int64_t>(raw);
  if (value < std::numeric_limits<std::int32_t>::min() || value > std::numeric_limits<std::int32_t>::max())
    return fail(Errc::out_of_range);
  return static_cast<std::int32_t>(value);
}

Result<bool> as_bool(const Field& field) noexcept {
  STARLING_ASSIGN(const auto value, as_u64(field));
  return value != 0;
}

Result<ByteView> as_bytes(const Field& field) noexcept {
  if (field.type != WireType::length_delimited) return fail(Errc::wrong_wire_type);
  return field.payload;
}

Result<std::string> as_string(const Field& field) {
  STARLING_ASSIGN(const auto payload, as_bytes(field));
  if (!is_utf8(payload)) return fail(Errc::bad_utf8);
  return to_text(payload);
}

Result<void> Once::check(std::uint32_t field) noexcept {
  if (field == 0 || field > 63) return {};
  const std::uint64_t bit = std::uint64_t{1} << field;
  if ((seen_ & bit) != 0) return fail(Errc::duplicate_field);
  seen_ |= bit;
  return {};
}

bool is_utf8(ByteView text) noexcept {
  while (!text.empty()) {
    const auto point = format::read_utf8(text);
    if (!point) return false;
    text = text.subspan(point->size);
  }
  return true;
}

}  // namespace starling::pb
