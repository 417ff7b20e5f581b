#include "format/varint.hpp"

#include <gtest/gtest.h>

#include "testkit/testkit.hpp"

namespace starling::format {
namespace {

constexpr std::uint64_t kMaxU64 = ~std::uint64_t{0};

std::vector<std::uint64_t> interesting_values() {
  std::vector<std::uint64_t> out{0, 1, kMaxU64, kMaxU64 - 1};
  for (unsigned bit = 1; bit < 64; ++bit) {
    const std::uint64_t power = std::uint64_t{1} << bit;
    out.insert(out.end(), {power - 1, power, power + 1});
  }
  return out;
}

TEST(Varint, GoesThereAndBackAtEveryPowerOfTwo) {
  for (const auto value : interesting_values()) {
    Bytes out;
    put_varint(out, value);
    ASSERT_EQ(out.size(), varint_size(value)) << value;
    const auto back = read_minimal_varint(out);
    ASSERT_TRUE(back.has_value()) << value;
    EXPECT_EQ(back->value, value);
    EXPECT_EQ(back->size, out.size());
  }
}

// The examples of the protobuf encoding page and of multiformats/unsigned-varint.
TEST(Varint, HasTheBytesOfTheSpecifications) {
  const std::pair<std::uint64_t, const char*> cases[] = {
      {1, "01"},     {127, "7f"},   {128, "8001"},     {150, "9601"},
      {255, "ff01"}, {300, "ac02"}, {16384, "808001"}, {kMaxU64, "ffffffffffffffffff01"}};
  for (const auto& [value, hex] : cases) {
    Bytes out;
    put_varint(out, value);
    EXPECT_EQ(to_hex(out), hex);
  }
}

TEST(Varint, EveryProperPrefixIsTruncated) {
  for (const auto value : interesting_values()) {
    Bytes out;
    put_varint(out, value);
    for (std::size_t size = 0; size < out.size(); ++size)
      ASSERT_TRUE(read_varint(ByteView(out).first(size)).error().is(Errc::truncated));
  }
}

TEST(Varint, MoreThanTenBytesOrSixtyFourBitsIsTooLong) {
  for (const char* hex : {"ffffffffffffffffff02", "ffffffffffffffffff7f", "80808080808080808002",
                          "8080808080808080808000", "ffffffffffffffffffff", "8080808080808080808080808001"}) {
    EXPECT_TRUE(read_varint(testkit::hex(hex)).error().is(Errc::varint_too_long)) << hex;
    EXPECT_TRUE(read_minimal_varint(testkit::hex(hex)).error().is(Errc::varint_too_long)) << hex;
  }
}

TEST(Varint, PaddingIsReadByTheFreeReaderAndRefusedByTheMinimalOne) {
  const std::pair<const char*, std::uint64_t> cases[] = {{"8000", 0},
                                                         {"808000", 0},
                                                         {"8100", 1},
                                                         {"ff00", 127},
                                                         {"80808080808080808000", 0},
                                                         {"ffffffffffffffff7f", 0}};
  for (const auto& [hex, value] : cases) {
    const Bytes bytes = testkit::hex(hex);
    const auto free = read_varint(bytes);
    ASSERT_TRUE(free.has_value()) << hex;
    EXPECT_EQ(free->size, bytes.size());
    if (std::string_view(hex) == "ffffffffffffffff7f") {
      EXPECT_TRUE(read_minimal_varint(bytes).has_value()) << "63 bits in nine bytes are minimal";
      continue;
    }
    EXPECT_EQ(free->value, value);
    EXPECT_TRUE(read_minimal_varint(bytes).error().is(Errc::varint_not_minimal)) << hex;
  }
}

TEST(Varint, StopsAtItsEnd) {
  const auto varint = read_varint(testkit::hex("ac02ffff"));
  ASSERT_TRUE(varint.has_value());
  EXPECT_EQ(varint->value, 300u);
  EXPECT_EQ(varint->size, 2u);
}

TEST(FrameReader, GivesTheSameFramesWhateverTheCuts) {
  SeededRng rng(testkit::seed(60));
  for (int round = 0; round < 100; ++round) {
    std::vector<Bytes> sent;
    Bytes stream;
    for (std::uint64_t i = rng.below(30); i > 0; --i) {
      Bytes body(rng.below(8) == 0 ? rng.below(2'000) : rng.below(20));
      rng.fill(body);
      put_frame(stream, body);
      sent.push_back(std::move(body));
    }
    FrameReader reader(2'000);
    std::vector<Bytes> got;
    testkit::in_random_pieces(rng, stream, 1 + rng.below(500), [&](ByteView piece) {
      reader.receive(piece);
      for (;;) {
        const auto frame = reader.next();
        ASSERT_TRUE(frame.has_value());
        if (!*frame) break;
        got.push_back(to_bytes(**frame));
      }
    });
    ASSERT_EQ(got, sent);
    EXPECT_FALSE(reader.in_frame());
    EXPECT_EQ(reader.buffered_bytes(), 0u);
  }
}

TEST(FrameReader, AFrameAtTheLimitPassesAndOneAboveIsRefusedBeforeItsBodyArrives) {
  FrameReader reader(300);
  reader.receive(make_frame(Bytes(300, 7)));
  EXPECT_EQ((*reader.next())->size(), 300u);
  Bytes header;
  put_varint(header, 301);
  reader.receive(header);
  EXPECT_TRUE(reader.next().error().is(Errc::length_out_of_bounds));
}

// threats.md E.3 #9: a length prefix of 2^31 or 2^63 without a body.
TEST(FrameReader, HugeLengthsAllocateNothing) {
  for (const std::uint64_t length : {std::uint64_t{1} << 31, std::uint64_t{1} << 63, kMaxU64}) {
    FrameReader reader(1'024);
    Bytes header;
    put_varint(header, length);
    reader.receive(header);
    EXPECT_TRUE(reader.next().error().is(Errc::length_out_of_bounds));
    EXPECT_EQ(reader.buffered_bytes(), 0u);
  }
}

TEST(FrameReader, ALengthThatNeverEndsIsRefused) {
  FrameReader reader(1'024);
  for (int i = 0; i < 10; ++i) {
    const std::uint8_t byte = 0x80;
    reader.receive(ByteView(&byte, 1));
    const auto frame = reader.next();
    if (i < 9) {
      ASSERT_TRUE(frame.has_value()) << i;
      EXPECT_FALSE(frame->has_value());
      EXPECT_TRUE(reader.in_frame());
    } else {
      EXPECT_TRUE(frame.error().is(Errc::varint_too_long));
    }
  }
}

TEST(FrameReader, ALengthThatIsNotMinimalIsRefused) {
  FrameReader reader(1'024);
  reader.receive(testkit::hex("8100ff"));
  EXPECT_TRUE(reader.next().error().is(Errc::varint_not_minimal));
}

TEST(FrameReader, StaysBrokenAndHoldsNothing) {
  FrameReader reader(10);
  reader.receive(testkit::hex("0b"));
  ASSERT_TRUE(reader.next().error().is(Errc::length_out_of_bounds));
  for (int i = 0; i < 3; ++i) {
    reader.receive(make_frame(Bytes(5)));
    EXPECT_TRUE(reader.next().error().is(Errc::length_out_of_bounds));
    EXPECT_EQ(reader.buffered_bytes(), 0u);
  }
}

TEST(FrameReader, AnEmptyFrameIsAFrame) {
  FrameReader reader(10);
  reader.receive(testkit::hex("0000"));
  for (int i = 0; i < 2; ++i) {
    const auto frame = reader.next();
    ASSERT_TRUE(frame.has_value() && frame->has_value());
    EXPECT_TRUE((*frame)->empty());
  }
  EXPECT_FALSE(reader.next()->has_value());
}

TEST(FrameReader, AnEmptyFrameBehindAnotherIsAFrameToo) {
  FrameReader reader(10);
  reader.receive(testkit::hex("0161"));
  EXPECT_EQ(as_text(**reader.next()), "a");
  reader.receive(testkit::hex("00"));
  const auto frame = reader.next();
  ASSERT_TRUE(frame->has_value());
  EXPECT_TRUE((*frame)->empty());
}

TEST(FrameReader, ALimitOfZeroTakesEmptyFramesOnly) {
  FrameReader reader(0);
  reader.receive(testkit::hex("0001"));
  EXPECT_TRUE(reader.next()->has_value());
  EXPECT_TRUE(reader.next().error().is(Errc::length_out_of_bounds));
}

TEST(FrameReader, GivesUpWhatStandsBehindTheLastFrame) {
  FrameReader reader(10);
  reader.receive(testkit::hex("0161ffff02"));
  EXPECT_EQ(as_text(**reader.next()), "a");
  EXPECT_EQ(reader.take_rest(), testkit::hex("ffff02"));
  EXPECT_EQ(reader.buffered_bytes(), 0u);
  EXPECT_TRUE(reader.take_rest().empty());
}

TEST(FrameReader, KnowsWhenTheStreamWasCutInsideAFrame) {
  const Bytes frame = make_frame(as_bytes("hello"));
  for (std::size_t size = 1; size < frame.size(); ++size) {
    FrameReader reader(10);
    reader.receive(ByteView(frame).first(size));
    EXPECT_FALSE(reader.next()->has_value());
    EXPECT_TRUE(reader.in_frame());
    EXPECT_EQ(reader.buffered_bytes(), size);
  }
}

}  // namespace
}  // namespace starling::format
