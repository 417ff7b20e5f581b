#include "multistream/messages.hpp"

#include "multistream/fixtures.hpp"

namespace starling::multistream {
namespace {

TEST(MultistreamMessages, EncodesAsTheSpecificationShows) {
  EXPECT_EQ(to_hex(wire({kNotAvailable})), "036e610a");
  EXPECT_EQ(to_hex(wire({kHeader})), "132f6d756c746973747265616d2f312e302e300a");
}

TEST(MultistreamMessages, ReadsWhatItWroteWhateverTheCuts) {
  SeededRng rng(testkit::seed(101));
  for (int round = 0; round < 500; ++round) {
    std::vector<std::string> texts;
    Bytes stream;
    for (std::uint64_t n = 1 + rng.below(6); n > 0; --n) {
      texts.emplace_back(rng.below(kMessageBytesMax), static_cast<char>('a' + rng.below(26)));
      put_message(stream, texts.back());
    }
    MessageReader reader;
    std::vector<std::string> read;
    testkit::in_random_pieces(rng, stream, 1 + rng.below(2000), [&](ByteView piece) {
      for (;;) {
        const auto text = reader.next(piece);
        ASSERT_TRUE(text.has_value());
        if (!*text) break;
        read.emplace_back(**text);
      }
      EXPECT_TRUE(piece.empty());
    });
    EXPECT_EQ(read, texts);
  }
}

TEST(MultistreamMessages, NeverLooksBehindTheMessage) {
  Bytes stream = wire({"/noise"});
  const std::size_t message_bytes = stream.size();
  append(stream, testkit::hex("00ffffff"));
  for (std::size_t first = 0; first <= message_bytes; ++first) {
    MessageReader reader;
    ByteView head = ByteView(stream).first(first);
    ByteView tail = ByteView(stream).subspan(first);
    auto text = reader.next(head);
    ASSERT_TRUE(text.has_value());
    EXPECT_TRUE(head.empty());
    if (!*text) text = reader.next(tail);
    ASSERT_TRUE(text.has_value() && *text);
    EXPECT_EQ(**text, "/noise");
    EXPECT_EQ(to_hex(tail), "00ffffff") << "cut after " << first;
  }
}

TEST(MultistreamMessages, TakesTheLongestMessageAndRefusesOneByteMore) {
  Bytes longest = wire({std::string(kMessageBytesMax - 1, 'x')});
  EXPECT_EQ(longest.size(), 2 + kMessageBytesMax);
  ByteView view = longest;
  const auto text = MessageReader().next(view);
  ASSERT_TRUE(text.has_value() && *text);
  EXPECT_EQ((*text)->size(), kMessageBytesMax - 1);

  const Bytes length_1025 = testkit::hex("8108");
  view = length_1025;
  EXPECT_TRUE(MessageReader().next(view).error().is(Errc::bad_length))
      << "refused at the prefix, without a body";
}

TEST(MultistreamMessages, RefusesLengthsThatAreZeroNotMinimalOrNeverEnd) {
  for (const auto* bytes : {"00", "8000", "8100", "8080", "ffff", "ff7f", "ffffffffffffffffff7f"}) {
    for (const bool one_by_one : {false, true}) {
      MessageReader reader;
      const Bytes stream = testkit::hex(bytes);
      std::optional<Error> error;
      testkit::TestEnv env(1);
      testkit::in_random_pieces(env.rng, stream, one_by_one ? 1 : stream.size(), [&](ByteView piece) {
        if (error) return;
        if (const auto text = reader.next(piece); !text) error = text.error();
      });
      ASSERT_TRUE(error) << bytes;
      EXPECT_TRUE(error->is(Errc::bad_length)) << bytes;
    }
  }
}

TEST(MultistreamMessages, RefusesAMessageWithoutItsNewline) {
  const Bytes stream = testkit::hex("036e6120");
  ByteView whole = stream;
  EXPECT_TRUE(MessageReader().next(whole).error().is(Errc::missing_newline));
  MessageReader reader;
  ByteView head = ByteView(stream).first(2);
  ASSERT_FALSE(*reader.next(head));
  ByteView tail = ByteView(stream).subspan(2);
  EXPECT_TRUE(reader.next(tail).error().is(Errc::missing_newline));
}

}  // namespace
}  // namespace starling::multistream
