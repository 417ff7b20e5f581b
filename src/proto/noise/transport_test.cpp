// The channel after the handshake. threats E.2 #3, E.3 #34 (RUSTSEC-2024-0011), #35.
#include "noise/fixtures.hpp"

namespace starling::noise {
namespace {

Bytes seal_one(Transport& transport, ByteView plaintext) {
  Bytes out;
  EXPECT_TRUE(transport.seal(std::span(&plaintext, 1), out).has_value());
  return out;
}

Bytes random_bytes(Rng& rng, std::size_t count) {
  Bytes out(count);
  rng.fill(out);
  return out;
}

crypto::AeadKey key_of(std::uint8_t byte) {
  crypto::AeadKey key;
  key.fill(byte);
  return key;
}

// Reads all whole records at the front of `stream`, as a driver does.
Bytes open_all(Transport& transport, Bytes& stream, std::size_t* records = nullptr) {
  Bytes out;
  MutableByteView rest = stream;
  for (;;) {
    const auto opened = transport.open_next(rest);
    EXPECT_TRUE(opened.has_value());
    if (!opened || !*opened) break;
    append(out, (*opened)->plaintext);
    rest = rest.subspan((*opened)->consumed);
    if (records != nullptr) ++*records;
  }
  stream = to_bytes(rest);
  return out;
}

TEST(NoiseTransport, CarriesBytesBothWaysWhateverTheCuts) {
  SeededRng rng(testkit::seed(401));
  auto channels = connect(71);
  Transport* ends[] = {&channels.initiator.transport, &channels.responder.transport};
  Bytes pipes[2];
  Bytes written[2];
  Bytes read[2];
  for (int round = 0; round < 400; ++round) {
    const std::size_t from = rng.below(2);
    std::vector<Bytes> parts(rng.below(6));
    for (auto& part : parts) part = random_bytes(rng, rng.below(rng.below(10) == 0 ? 100'000 : 300));
    const std::vector<ByteView> views(parts.begin(), parts.end());
    Bytes frames;
    ASSERT_TRUE(ends[from]->seal(views, frames));
    EXPECT_EQ(frames.size(), Transport::sealed_bytes(views));
    for (const auto& part : parts) append(written[from], part);
    testkit::in_random_pieces(rng, frames, 1 + rng.below(70'000), [&](ByteView piece) {
      append(pipes[from], piece);
      append(read[from], open_all(*ends[1 - from], pipes[from]));
    });
  }
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(pipes[i].empty());
    EXPECT_EQ(read[i], written[i]);
  }
}

TEST(NoiseTransport, CutsAtTheLargestPlaintext) {
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, kPlaintextBytesMax - 1, kPlaintextBytesMax, kPlaintextBytesMax + 1,
        3 * kPlaintextBytesMax, 3 * kPlaintextBytesMax + 7}) {
    auto channels = connect(72);
    const Bytes plaintext(size, 0x77);
    Bytes stream = seal_one(channels.initiator.transport, plaintext);
    const std::size_t expected_records = (size + kPlaintextBytesMax - 1) / kPlaintextBytesMax;
    EXPECT_EQ(stream.size(), size + expected_records * 18);
    std::size_t records = 0;
    EXPECT_EQ(open_all(channels.responder.transport, stream, &records), plaintext);
    EXPECT_EQ(records, expected_records);
  }
}

TEST(NoiseTransport, JoinsPartsAcrossRecordsAndSkipsEmptyOnes) {
  auto channels = connect(73);
  SeededRng rng(1);
  const Bytes big = random_bytes(rng, kPlaintextBytesMax + 100);
  const Bytes small = random_bytes(rng, 12);
  const ByteView parts[] = {{}, small, big, {}, small, {}};
  Bytes stream;
  ASSERT_TRUE(channels.initiator.transport.seal(parts, stream));
  Bytes expected = small;
  append(expected, big);
  append(expected, small);
  std::size_t records = 0;
  EXPECT_EQ(open_all(channels.responder.transport, stream, &records), expected);
  EXPECT_EQ(records, 2u);
}

TEST(NoiseTransport, CutsAtTheLimitOfSlices) {
  auto channels = connect(74);
  SeededRng rng(2);
  const Bytes bytes = random_bytes(rng, 2 * kSlicesPerRecordMax + 1);
  std::vector<ByteView> parts;
  for (std::size_t i = 0; i < bytes.size(); ++i) parts.push_back(ByteView(bytes).subspan(i, 1));
  Bytes stream;
  ASSERT_TRUE(channels.initiator.transport.seal(parts, stream));
  EXPECT_EQ(stream.size(), Transport::sealed_bytes(parts));
  std::size_t records = 0;
  EXPECT_EQ(open_all(channels.responder.transport, stream, &records), bytes);
  EXPECT_EQ(records, 3u);
}

TEST(NoiseTransport, SealsIntoMemoryOfTheCaller) {
  auto channels = connect(75);
  const Bytes plaintext(1000, 1);
  const ByteView part = plaintext;
  Bytes memory(2000, 0xee);
  const auto written = channels.initiator.transport.seal_into(std::span(&part, 1), memory);
  ASSERT_TRUE(written.has_value());
  EXPECT_EQ(*written, 1018u);
  EXPECT_EQ(memory[1018], 0xee) << "nothing behind is touched";
  memory.resize(*written);
  EXPECT_EQ(open_all(channels.responder.transport, memory), plaintext);
}

TEST(NoiseTransport, WaitsForAWholeRecord) {
  auto channels = connect(76);
  const Bytes stream = seal_one(channels.initiator.transport, as_bytes("hello"));
  for (std::size_t n = 0; n < stream.size(); ++n) {
    Bytes part = to_bytes(ByteView(stream).first(n));
    const auto opened = channels.responder.transport.open_next(part);
    ASSERT_TRUE(opened.has_value());
    EXPECT_FALSE(opened->has_value());
    EXPECT_EQ(part, to_bytes(ByteView(stream).first(n))) << "an incomplete record is left as it is";
    EXPECT_EQ(Transport::wanted_bytes(part), n < 2 ? 2u : stream.size());
  }
  Bytes whole = stream;
  const auto opened = channels.responder.transport.open_next(whole);
  ASSERT_TRUE(opened.has_value() && *opened);
  EXPECT_EQ(as_text((*opened)->plaintext), "hello");
  EXPECT_EQ((*opened)->consumed, whole.size());
  EXPECT_EQ((*opened)->plaintext.data(), whole.data() + 2) << "decrypted where it lay";
}

TEST(NoiseTransport, OpensAnEmptyRecord) {
  CipherState sends(key_of(1));
  Bytes record = testkit::hex("0010");
  record.resize(18);
  ASSERT_TRUE(sends.seal({}, {}, MutableByteView(record).subspan(2)));
  Transport transport(CipherState(key_of(2)), CipherState(key_of(1)));
  const auto opened = transport.open_next(record);
  ASSERT_TRUE(opened.has_value() && *opened);
  EXPECT_TRUE((*opened)->plaintext.empty());
  EXPECT_EQ((*opened)->consumed, 18u);
}

TEST(NoiseTransport, RefusesEveryBitFlipAndStaysBroken) {
  const auto end = [](std::uint8_t sends, std::uint8_t receives) {
    return Transport(CipherState(key_of(sends)), CipherState(key_of(receives)));
  };
  auto sender = end(1, 2);
  const Bytes stream = seal_one(sender, as_bytes("attack at dawn"));
  for (std::size_t bit = 0; bit < 8 * stream.size(); ++bit) {
    auto receiver = end(2, 1);
    Bytes altered = stream;
    altered[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
    const auto opened = receiver.open_next(altered);
    if (bit < 16) {
      // The prefix: shorter fails, longer waits for bytes that never come. Either way nothing is delivered.
      ASSERT_FALSE(opened.has_value() && opened->has_value()) << "bit " << bit;
      continue;
    }
    ASSERT_FALSE(opened.has_value()) << "bit " << bit;
    EXPECT_TRUE(opened.error().is(Errc::decrypt_failed));
    EXPECT_EQ(opened.error().kind(), Kind::malformed);
    Bytes honest = stream;
    EXPECT_TRUE(receiver.open_next(honest).error().is(Errc::broken));
  }
}

TEST(NoiseTransport, RefusesRecordsBelow16BytesAtTheirPrefix) {
  for (std::uint16_t size = 0; size < 16; ++size) {
    auto channels = connect(78);
    Bytes prefix;
    put_u16_be(prefix, size);
    EXPECT_TRUE(channels.responder.transport.open_next(prefix).error().is(Errc::truncated)) << size;
    EXPECT_TRUE(channels.responder.transport.open_next(prefix).error().is(Errc::broken));
  }
}

TEST(NoiseTransport, RefusesReplayedReorderedAndReflectedRecords) {
  const auto first_and_second = [](Channels& channels) {
    const Bytes first = seal_one(channels.initiator.transport, as_bytes("one"));
    const Bytes second = seal_one(channels.initiator.transport, as_bytes("two"));
    return std::pair(first, second);
  };
  {
    auto channels = connect(79);
    auto [first, second] = first_and_second(channels);
    Bytes replay = first;
    ASSERT_TRUE(channels.responder.transport.open_next(first));
    EXPECT_TRUE(channels.responder.transport.open_next(replay).error().is(Errc::decrypt_failed));
  }
  {
    auto channels = connect(79);
    auto [first, second] = first_and_second(channels);
    EXPECT_TRUE(channels.responder.transport.open_next(second).error().is(Errc::decrypt_failed));
  }
  {
    auto channels = connect(79);
    auto [first, second] = first_and_second(channels);
    EXPECT_TRUE(channels.initiator.transport.open_next(first).error().is(Errc::decrypt_failed));
  }
}

TEST(NoiseCipher, DoesNotAdvanceOnAForgedRecord) {
  CipherState sends(key_of(5));
  CipherState receives(key_of(5));
  const ByteView part = as_bytes("genuine");
  Bytes genuine(part.size() + 16);
  ASSERT_TRUE(sends.seal({}, std::span(&part, 1), genuine));
  for (int i = 0; i < 3; ++i) {
    Bytes forged = genuine;
    forged.back() ^= 1;
    EXPECT_TRUE(receives.open({}, forged).error().is(Errc::decrypt_failed));
    EXPECT_EQ(receives.nonce(), 0u);
  }
  const auto opened = receives.open({}, genuine);
  ASSERT_TRUE(opened.has_value());
  EXPECT_EQ(as_text(*opened), "genuine");
  EXPECT_EQ(receives.nonce(), 1u);
}

TEST(NoiseCipher, RefusesLessThanATag) {
  CipherState receives(key_of(5));
  for (std::size_t size = 0; size < 16; ++size) {
    Bytes sealed(size);
    EXPECT_TRUE(receives.open({}, sealed).error().is(Errc::truncated));
  }
}

TEST(NoiseCipher, EndsBeforeTheReservedNonce) {
  CipherState sends(key_of(6), kNonceReserved - 2);
  CipherState receives(key_of(6), kNonceReserved - 2);
  const ByteView part = as_bytes("x");
  for (int i = 0; i < 2; ++i) {
    Bytes sealed(17);
    ASSERT_TRUE(sends.seal({}, std::span(&part, 1), sealed));
    ASSERT_TRUE(receives.open({}, sealed));
  }
  EXPECT_EQ(sends.nonce(), kNonceReserved);
  Bytes sealed(17, 0xaa);
  const auto result = sends.seal({}, std::span(&part, 1), sealed);
  ASSERT_FALSE(result.has_value());
  EXPECT_TRUE(result.error().is(Errc::nonce_exhausted));
  EXPECT_EQ(result.error().kind(), Kind::limit);
  EXPECT_EQ(sealed, Bytes(17, 0xaa)) << "nothing is written";
  EXPECT_TRUE(receives.open({}, sealed).error().is(Errc::nonce_exhausted));
  EXPECT_EQ(sends.nonce(), kNonceReserved) << "never wraps to 0";
}

TEST(NoiseTransport, EndsWhenItsNoncesAreUsedUp) {
  Transport one(CipherState(key_of(7), kNonceReserved - 1), CipherState(key_of(8)));
  Transport two(CipherState(key_of(8)), CipherState(key_of(7), kNonceReserved - 1));
  Bytes stream = seal_one(one, as_bytes("last"));
  ASSERT_TRUE(two.open_next(stream));
  Bytes out;
  const ByteView part = as_bytes("more");
  EXPECT_TRUE(one.seal(std::span(&part, 1), out).error().is(Errc::nonce_exhausted));
  Bytes more = testkit::hex("0010");
  more.resize(18);
  EXPECT_TRUE(two.open_next(more).error().is(Errc::nonce_exhausted));
  EXPECT_TRUE(two.open_next(more).error().is(Errc::broken));
}

// 2^32 is an ordinary nonce: no rekey, no truncation of the counter (E.3 #35).
TEST(NoiseCipher, CountsBeyond32Bits) {
  CipherState sends(key_of(9), 0xffff'ffffULL);
  CipherState receives(key_of(9), 0xffff'ffffULL);
  CipherState at_zero(key_of(9));
  const ByteView part = as_bytes("y");
  Bytes first(17);
  Bytes second(17);
  ASSERT_TRUE(sends.seal({}, std::span(&part, 1), first));
  ASSERT_TRUE(sends.seal({}, std::span(&part, 1), second));
  Bytes copy = second;
  EXPECT_FALSE(at_zero.open({}, copy).has_value());
  EXPECT_TRUE(receives.open({}, first));
  EXPECT_TRUE(receives.open({}, second));
}

}  // namespace
}  // namespace starling::noise
