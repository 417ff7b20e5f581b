#include "format/protobuf.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "format/varint.hpp"
#include "testkit/testkit.hpp"

namespace starling::pb {
namespace {

using format::Errc;

// The fields of a message, or the first error.
Result<std::vector<Field>> read_all(ByteView message) {
  Reader reader(message);
  std::vector<Field> out;
  for (;;) {
    STARLING_ASSIGN(const auto field, reader.next());
    if (!field) return out;
    out.push_back(*field);
  }
}
bool is_refused(std::string_view hex, Errc code) {
  const Bytes bytes = testkit::hex(hex);
  const auto fields = read_all(bytes);
  return !fields && fields.error().is(code);
}
Field only(ByteView message) {
  const auto fields = read_all(message);
  EXPECT_TRUE(fields.has_value() && fields->size() == 1);
  return fields->at(0);
}
template <class Write>
std::string written(Write write) {
  Bytes out;
  Writer writer(out);
  write(writer);
  return to_hex(out);
}

// The examples of the protobuf encoding page.
TEST(PbWriter, WritesTheBytesOfTheSpecification) {
  EXPECT_EQ(written([](Writer& w) { w.varint(1, 150); }), "089601");
  EXPECT_EQ(written([](Writer& w) { w.string(2, "testing"); }), "120774657374696e67");
  EXPECT_EQ(written([](Writer& w) { w.int32(1, -2); }), "08feffffffffffffffff01");
  EXPECT_EQ(written([](Writer& w) { w.fixed64(1, 0x0102030405060708); }), "090807060504030201");
  EXPECT_EQ(written([](Writer& w) { w.varint(16, 1); }), "800101");
  EXPECT_EQ(written([](Writer& w) { w.varint((1u << 29) - 1, 0); }), "f8ffffff0f00");
}

TEST(PbWriter, LeavesOutZeroAndEmptyOnlyWhereAsked) {
  EXPECT_EQ(written([](Writer& w) {
              w.varint_if(1, 0);
              w.bytes_if(2, {});
              w.string_if(3, "");
              w.boolean_if(4, false);
            }),
            "");
  EXPECT_EQ(written([](Writer& w) {
              w.varint(1, 0);
              w.bytes(2, {});
              w.string(3, "");
              w.boolean_if(4, true);
              w.int32(5, 0);
            }),
            "080012001a0020012800");
}

TEST(PbWriter, AppendsToWhatIsThere) {
  Bytes out{0xaa};
  Writer(out).varint(1, 1);
  Writer(out).bytes(2, Bytes{1, 2});
  EXPECT_EQ(to_hex(out), "aa080112020102");
}

TEST(PbReader, ReadsBackWhatTheWriterWrote) {
  SeededRng rng(testkit::seed(70));
  for (int round = 0; round < 300; ++round) {
    Bytes out;
    Writer writer(out);
    std::vector<Field> expected;
    std::vector<Bytes> payloads(20);
    for (Bytes& payload : payloads) {
      const auto id =
          static_cast<std::uint32_t>(1 + (rng.below(4) == 0 ? rng.below((1u << 29) - 1) : rng.below(30)));
      if (id >= 19000 && id < 20000)
        continue;  // reserved by protobuf; the encoder asserts that we do not use them
      const std::uint64_t number = rng.u64() >> rng.below(64);
      switch (rng.below(3)) {
        case 0:
          writer.varint(id, number);
          expected.push_back({id, WireType::varint, number, {}});
          break;
        case 1:
          writer.fixed64(id, number);
          expected.push_back({id, WireType::fixed64, number, {}});
          break;
        default:
          payload.resize(rng.below(300));
          rng.fill(payload);
          writer.bytes(id, payload);
          expected.push_back({id, WireType::length_delimited, 0, payload});
      }
    }
    const auto fields = read_all(out);
    ASSERT_TRUE(fields.has_value());
    ASSERT_EQ(fields->size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_EQ(fields->at(i).id, expected[i].id);
      EXPECT_EQ(fields->at(i).type, expected[i].type);
      EXPECT_EQ(fields->at(i).number, expected[i].number);
      EXPECT_TRUE(equal(fields->at(i).payload, expected[i].payload));
    }
  }
}

TEST(PbReader, AnEmptyMessageHasNoFields) { EXPECT_TRUE(read_all({})->empty()); }

TEST(PbReader, FieldNumbersOutsideTheirRangeAreRefused) {
  EXPECT_TRUE(is_refused("0001", Errc::bad_field_number));
  EXPECT_TRUE(is_refused("0200", Errc::bad_field_number));
  EXPECT_TRUE(is_refused("808080801000", Errc::bad_field_number));            // 2^29
  EXPECT_TRUE(is_refused("ffffffffffffffffff0100", Errc::bad_field_number));  // 2^61 − 1
  EXPECT_EQ(only(testkit::hex("f8ffffff0f00")).id, (1u << 29) - 1);
}

TEST(PbReader, GroupsAndUnknownWireTypesAreRefused) {
  EXPECT_TRUE(is_refused("0b0c", Errc::group));
  EXPECT_TRUE(is_refused("0c", Errc::group));
  EXPECT_TRUE(is_refused("0e01", Errc::wrong_wire_type));
  EXPECT_TRUE(is_refused("0f01", Errc::wrong_wire_type));
}

TEST(PbReader, VarintsAreFreeInLengthUpToTenBytes) {
  EXPECT_EQ(only(testkit::hex("0880808080808080808000")).number, 0u);
  EXPECT_EQ(only(testkit::hex("888000818000")).number, 1u);
  EXPECT_EQ(only(testkit::hex("1281800061")).payload.size(), 1u);
  EXPECT_TRUE(is_refused("08ffffffffffffffffff02", Errc::varint_too_long));
  EXPECT_TRUE(is_refused("088080808080808080808001", Errc::varint_too_long));
  EXPECT_TRUE(is_refused("8080808080808080808001", Errc::varint_too_long));
}

TEST(PbReader, EveryCutInsideAFieldIsRefused) {
  for (const char* hex : {"08ac02", "091122334455667788", "0d11223344", "1203616263", "f8ffffff0f01"}) {
    const Bytes whole = testkit::hex(hex);
    ASSERT_TRUE(read_all(whole).has_value());
    for (std::size_t size = 1; size < whole.size(); ++size) {
      const auto fields = read_all(ByteView(whole).first(size));
      ASSERT_FALSE(fields.has_value()) << hex << ' ' << size;
      EXPECT_EQ(fields.error().kind(), Kind::malformed);
    }
  }
}

TEST(PbReader, LengthsBeyondTheEndAreRefused) {
  EXPECT_TRUE(is_refused("1201", Errc::length_out_of_bounds));
  EXPECT_TRUE(
      is_refused("120461626300"
                 "12ffffffff0f",
                 Errc::length_out_of_bounds));
  EXPECT_TRUE(is_refused("12ffffffffffffffffff01", Errc::length_out_of_bounds));
  EXPECT_TRUE(is_refused("1280808080808080808001", Errc::length_out_of_bounds));  // 2^63
}

TEST(PbReader, FixedFieldsAreLittleEndian) {
  EXPECT_EQ(only(testkit::hex("0d01020304")).number, 0x04030201u);
  EXPECT_EQ(only(testkit::hex("090102030405060708")).number, 0x0807060504030201u);
}

TEST(PbField, IntegersAreCheckedAgainstTheirType) {
  const auto varint = [](std::uint64_t number) { return Field{1, WireType::varint, number, {}}; };
  EXPECT_EQ(as_u64(varint(~std::uint64_t{0})), ~std::uint64_t{0});
  EXPECT_EQ(as_u32(varint(0xffffffff)), 0xffffffffu);
  EXPECT_TRUE(as_u32(varint(0x100000000)).error().is(Errc::out_of_range));
  EXPECT_EQ(as_i32(varint(0x7fffffff)), 0x7fffffff);
  EXPECT_EQ(as_i32(varint(static_cast<std::uint64_t>(-1))), -1);
  EXPECT_EQ(
      as_i32(varint(static_cast<std::uint64_t>(std::int64_t{std::numeric_limits<std::int32_t>::min()}))),
      std::numeric_limits<std::int32_t>::min());
  EXPECT_TRUE(as_i32(varint(0x80000000)).error().is(Errc::out_of_range));
  EXPECT_TRUE(as_i32(varint(0xffffffff)).error().is(Errc::out_of_range)) << "−1 takes ten bytes, not five";
  EXPECT_TRUE(as_i32(varint(0xffffffff7fffffff)).error().is(Errc::out_of_range));
  EXPECT_EQ(as_bool(varint(0)), false);
  EXPECT_EQ(as_bool(varint(1)), true);
  EXPECT_EQ(as_bool(varint(~std::uint64_t{0})), true);
}

TEST(PbField, AnotherWireTypeIsRefused) {
  const Field fixed{1, WireType::fixed64, 1, {}};
  const Field bytes{1, WireType::length_delimited, 0, {}};
  const Field varint{1, WireType::varint, 1, {}};
  for (const Field& field : {fixed, bytes}) {
    EXPECT_TRUE(as_u64(field).error().is(Errc::wrong_wire_type));
    EXPECT_TRUE(as_u32(field).error().is(Errc::wrong_wire_type));
    EXPECT_TRUE(as_i32(field).error().is(Errc::wrong_wire_type));
    EXPECT_TRUE(as_bool(field).error().is(Errc::wrong_wire_type));
  }
  for (const Field& field : {fixed, varint}) {
    EXPECT_TRUE(as_bytes(field).error().is(Errc::wrong_wire_type));
    EXPECT_TRUE(as_string(field).error().is(Errc::wrong_wire_type));
  }
}

TEST(PbOnce, ASecondTimeIsRefused) {
  Once once;
  for (std::uint32_t field = 1; field <= 63; ++field) EXPECT_TRUE(once.check(field).has_value());
  for (std::uint32_t field = 1; field <= 63; ++field)
    EXPECT_TRUE(once.check(field).error().is(Errc::duplicate_field)) << field;
}

TEST(PbOnce, NumbersItDoesNotWatchPass) {
  Once once;
  for (int i = 0; i < 2; ++i)
    for (const std::uint32_t field : {0u, 64u, 65u, 1'000'000u, 0xffffffffu})
      EXPECT_TRUE(once.check(field).has_value());
}

TEST(Utf8, TakesWhatRfc3629Takes) {
  for (const std::string_view text :
       {"", "plain", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
        "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf",
        "gr\xc3\xbc\xc3\x9f \xe6\x97\xa5 \xf0\x9f\x90\xa6"}) {
    EXPECT_TRUE(is_utf8(starling::as_bytes(text))) << to_hex(starling::as_bytes(text));
  }
  EXPECT_TRUE(is_utf8(Bytes(1)));
}

TEST(Utf8, RefusesOverlongFormsSurrogatesAndCutSequences) {
  for (const std::string_view text : {"\x80",
                                      "\xbf",
                                      "\xc0\x80",
                                      "\xc1\xbf",
                                      "\xc2",
                                      "\xc2\x41",
                                      "\xc2\xc0",
                                      "\xe0\x80\x80",
                                      "\xe0\x9f\xbf",
                                      "\xe0\xa0",
                                      "\xed\xa0\x80",
                                      "\xed\xbf\xbf",
                                      "\xf0\x80\x80\x80",
                                      "\xf0\x8f\xbf\xbf",
                                      "\xf0\x90\x80",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "\xf8\x88\x80\x80\x80",
                                      "\xfe",
                                      "\xff",
                                      "ok\xff"}) {
    EXPECT_FALSE(is_utf8(starling::as_bytes(text))) << to_hex(starling::as_bytes(text));
  }
}

TEST(PbField, StringsMustBeUtf8AndBytesNeedNot) {
  const Bytes invalid{0xff};
  const Field field{1, WireType::length_delimited, 0, invalid};
  EXPECT_TRUE(as_string(field).error().is(Errc::bad_utf8));
  EXPECT_TRUE(equal(as_bytes(field).value(), invalid));
}

}  // namespace
}  // namespace starling::pb
