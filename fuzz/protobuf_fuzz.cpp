// fuzz-depends: format
// A message that the strict reader takes is written by protozero so that the reader finds the same fields;
// payloads lie inside the message; the typed views agree with the wire.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/assert.hpp"
#include "format/protobuf.hpp"

namespace {

using namespace starling;  // NOLINT(google-build-using-namespace): one small program

// Protobuf keeps these for itself, and the encoder asserts that we do not use them.
bool is_reserved(std::uint32_t id) { return id >= 19'000 && id < 20'000; }

Result<std::vector<pb::Field>> read_all(ByteView message) {
  pb::Reader reader(message);
  std::vector<pb::Field> out;
  for (;;) {
    STARLING_ASSIGN(const auto field, reader.next());
    if (!field) return out;
    out.push_back(*field);
  }
}

void check_views(const pb::Field& field) {
  STARLING_ASSERT(pb::as_u64(field).has_value() == (field.type == pb::WireType::varint));
  STARLING_ASSERT(pb::as_bytes(field).has_value() == (field.type == pb::WireType::length_delimited));
  if (const auto value = pb::as_u32(field)) STARLING_ASSERT(*value == field.number);
  if (const auto value = pb::as_i32(field))
    STARLING_ASSERT(static_cast<std::uint64_t>(std::int64_t{*value}) == field.number);
  if (const auto value = pb::as_bool(field)) STARLING_ASSERT(*value == (field.number != 0));
  if (const auto text = pb::as_string(field)) STARLING_ASSERT(pb::is_utf8(starling::as_bytes(*text)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input(data, size);
  const auto fields = read_all(input);
  if (!fields) return 0;
  Bytes again;
  pb::Writer writer(again);
  pb::Once once;
  for (const auto& field : *fields) {
    check_views(field);
    (void)once.check(field.id);
    if (is_reserved(field.id) || field.type == pb::WireType::fixed32) return 0;
    if (field.type == pb::WireType::varint) {
      writer.varint(field.id, field.number);
    } else if (field.type == pb::WireType::fixed64) {
      writer.fixed64(field.id, field.number);
    } else {
      STARLING_ASSERT(field.payload.empty() || (field.payload.data() >= data &&
                                                field.payload.data() + field.payload.size() <= data + size));
      writer.bytes(field.id, field.payload);
    }
  }
  STARLING_ASSERT(again.size() <= size);
  const auto back = read_all(again);
  STARLING_ASSERT(back.has_value() && back->size() == fields->size());
  for (std::size_t i = 0; i < fields->size(); ++i) {
    const auto& before = (*fields)[i];
    const auto& after = (*back)[i];
    STARLING_ASSERT(before.id == after.id && before.type == after.type && before.number == after.number &&
                    equal(before.payload, after.payload));
  }
  return 0;
}
