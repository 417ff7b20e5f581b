#include "proto/yamux/frame.hpp"

#include <gtest/gtest.h>

#include "testkit/testkit.hpp"

namespace starling::yamux {
namespace {

// The layout is the specification's; the bytes were written down from it by hand.
TEST(YamuxFrame, HeaderFieldsStandWhereTheSpecificationPutsThem) {
  HeaderBytes bytes;
  encode_header(FrameType::window_update, kSyn | kRst, 0x01020304, 0xfffefdfc, bytes);
  EXPECT_EQ(to_hex(bytes), "0001000901020304fffefdfc");
  encode_header(FrameType::go_away, 0, 0, 1, bytes);
  EXPECT_EQ(to_hex(bytes), "000300000000000000000001");
}

TEST(YamuxFrame, DecodeGivesBackWhatEncodeWrote) {
  HeaderBytes bytes;
  encode_header(FrameType::ping, kAck, 7, 0x80000001, bytes);
  const Header header = decode_header(bytes);
  EXPECT_EQ(header.version, 0);
  EXPECT_EQ(header.type, 2);
  EXPECT_TRUE(header.has(kAck));
  EXPECT_FALSE(header.has(kSyn));
  EXPECT_EQ(header.stream, 7u);
  EXPECT_EQ(header.length, 0x80000001u);
}

TEST(YamuxFrame, DecodeReadsUnknownValuesWithoutJudgingThem) {
  const Bytes bytes = testkit::hex("05fffff0deadbeefffffffff");
  const Header header =
      decode_header(std::span<const std::uint8_t, kHeaderBytes>(bytes.data(), kHeaderBytes));
  EXPECT_EQ(header.version, 5);
  EXPECT_EQ(header.type, 255);
  EXPECT_EQ(header.flags, 0xfff0);
  EXPECT_EQ(header.stream, 0xdeadbeefu);
  EXPECT_EQ(header.length, 0xffffffffu);
}

}  // namespace
}  // namespace starling::yamux
