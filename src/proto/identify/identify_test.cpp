// identify as a whole: codec, collector, merging. threats E.2 #7, E.3 #26.
#include <gtest/gtest.h>

#include <functional>

#include "format/protobuf.hpp"
#include "format/varint.hpp"
#include "identify/collector.hpp"
#include "testkit/json.hpp"

namespace starling::identify {
namespace {

using testkit::array_at;
using testkit::hex_at;
using testkit::text_at;

constexpr Instant kStart = Instant::from_ns(1'000'000'000);

crypto::PrivateKey identity(std::uint64_t seed) {
  SeededRng rng(seed);
  return crypto::PrivateKey::generate(crypto::KeyType::ed25519, rng);
}

Multiaddr addr(const std::string& text) {
  const auto parsed = Multiaddr::parse(text);
  EXPECT_TRUE(parsed.has_value()) << text;
  return *parsed;
}
Multiaddr numbered_addr(std::size_t n) {
  return addr("/ip4/10." + std::to_string(n / 65536 % 256) + "." + std::to_string(n / 256 % 256) + "." +
              std::to_string(n % 256) + "/tcp/4001");
}

Info sample(std::size_t protocols = 3, std::size_t addrs = 2) {
  const auto key = identity(1);
  Info info;
  info.protocol_version = "starling/1";
  info.agent_version = "starling/0.1.0";
  info.public_key = key.public_key();
  info.observed_addr = addr("/ip4/198.51.100.3/tcp/40000");
  for (std::size_t i = 0; i < protocols; ++i) info.protocols.push_back("/protocol/" + std::to_string(i));
  for (std::size_t i = 0; i < addrs; ++i) info.listen_addrs.push_back(numbered_addr(i));
  info.signed_peer_record = seal_record({PeerId::of(key.public_key()), 7, info.listen_addrs}, key);
  return info;
}

void expect_same(const Info& a, const Info& b) {
  EXPECT_EQ(a.protocol_version, b.protocol_version);
  EXPECT_EQ(a.agent_version, b.agent_version);
  EXPECT_EQ(a.public_key, b.public_key);
  EXPECT_EQ(a.listen_addrs, b.listen_addrs);
  EXPECT_EQ(a.observed_addr, b.observed_addr);
  EXPECT_EQ(a.protocols, b.protocols);
  EXPECT_EQ(a.signed_peer_record, b.signed_peer_record);
}

Bytes joined(const std::vector<Bytes>& frames) {
  Bytes out;
  for (const auto& frame : frames) append(out, frame);
  return out;
}

Result<Info> collect(ByteView stream) {
  Collector collector(kStart);
  if (const auto result = collector.receive(stream); !result) return fail(result.error());
  return collector.finish();
}

std::size_t message_bytes(const Bytes& frame) {
  const auto prefix = format::read_varint(frame);
  EXPECT_EQ(prefix->size + prefix->value, frame.size());
  return prefix->value;
}

TEST(IdentifyCodec, ReadsWhatItWroteWhateverTheCuts) {
  SeededRng rng(testkit::seed(501));
  for (int round = 0; round < 100; ++round) {
    const Info info = sample(rng.below(60), rng.below(200));
    const Bytes stream = joined(encode(info));
    Collector collector(kStart);
    testkit::in_random_pieces(rng, stream, 1 + rng.below(5000),
                              [&](ByteView piece) { ASSERT_TRUE(collector.receive(piece)); });
    const auto read = collector.finish();
    ASSERT_TRUE(read.has_value());
    expect_same(*read, info);
  }
}

TEST(IdentifyCodec, UnderstandsStreamsOfGo) {
  const auto file = testkit::read_json("tests/conformance/vectors/identify/exchanges.json");
  const auto& exchanges = array_at(file, "exchanges");
  ASSERT_EQ(exchanges.size(), 2u);
  for (const auto& exchange : exchanges) {
    const auto info = collect(hex_at(exchange, "stream"));
    ASSERT_TRUE(info.has_value()) << info.error().to_string();
    const auto peer = *PeerId::parse(text_at(exchange, "peer_id"));
    EXPECT_TRUE(info->public_key && verify(*info, peer).has_value());
    EXPECT_EQ(info->agent_version, text_at(exchange, "agent_version"));
    EXPECT_EQ(info->protocol_version, text_at(exchange, "protocol_version"));
    ASSERT_TRUE(info->observed_addr);
    EXPECT_EQ(info->observed_addr->to_string(), text_at(exchange, "observed_addr"));
    EXPECT_EQ(info->protocols.size(), array_at(exchange, "protocols").size());
    ASSERT_EQ(info->listen_addrs.size(), 1u);
    const auto record = certified_record(*info, peer, std::nullopt);
    ASSERT_TRUE(record.has_value() && *record) << record.error().to_string();
    EXPECT_EQ((*record)->peer, peer);
    EXPECT_EQ((*record)->addrs, info->listen_addrs);
  }
}

TEST(IdentifyCodec, FitsOneMessageUpTo2KiB) {
  const auto frames = encode(sample());
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_LE(message_bytes(frames[0]), kSingleMessageBytesMax);
}

TEST(IdentifyCodec, MovesTheRecordToASecondMessageAbove2KiB) {
  const Info info = sample(10, 90);
  const auto frames = encode(info);
  ASSERT_EQ(frames.size(), 2u);
  EXPECT_LT(message_bytes(frames[0]), kSingleMessageBytesMax) << "old peers read this much";
  Info first;
  const auto body = [](const Bytes& frame) {
    return ByteView(frame).subspan(format::read_varint(frame)->size);
  };
  ASSERT_TRUE(decode_into(body(frames[0]), first));
  EXPECT_TRUE(first.signed_peer_record.empty());
  EXPECT_EQ(first.listen_addrs, info.listen_addrs);
  Info second;
  ASSERT_TRUE(decode_into(body(frames[1]), second));
  EXPECT_EQ(second.signed_peer_record, info.signed_peer_record);
  EXPECT_FALSE(second.public_key);
  EXPECT_TRUE(second.protocols.empty() && second.listen_addrs.empty());
}

// The border itself: one byte more moves the record.
TEST(IdentifyCodec, SplitsAtExactly2KiB) {
  Info info = sample();
  const std::size_t base = message_bytes(encode(info)[0]);
  info.protocols.push_back(std::string(120, 'x'));
  const std::size_t with_one = message_bytes(encode(info)[0]);
  EXPECT_EQ(with_one, base + 122);
  info.protocols.pop_back();
  std::size_t room = kSingleMessageBytesMax - base;
  for (; room > 300; room -= 122) info.protocols.push_back(std::string(120, 'x'));
  info.protocols.push_back(std::string(room - 3, 'y'));  // 128 bytes and more take a two-byte length
  ASSERT_EQ(encode(info).size(), 1u);
  EXPECT_EQ(message_bytes(encode(info)[0]), kSingleMessageBytesMax);
  info.protocols.back() += 'y';
  EXPECT_EQ(encode(info).size(), 2u);
}

TEST(IdentifyCodec, NeverSendsAMessageThatRustRefusesOrMoreThanGoReads) {
  for (const std::size_t size : {100u, 1000u, 5000u}) {
    const auto frames = encode(sample(size, size));
    EXPECT_LE(frames.size(), kSentMessagesMax);
    for (const auto& frame : frames) EXPECT_LT(message_bytes(frame), 4096u);
    const auto info = collect(joined(frames));
    ASSERT_TRUE(info.has_value());
    EXPECT_TRUE(info->public_key.has_value());
    EXPECT_FALSE(info->protocols.empty());
  }
}

TEST(IdentifyCodec, KeepsTheRecordWhenListsFillAllOtherMessages) {
  Info info = sample(5000, 5000);
  const auto key = identity(1);
  info.signed_peer_record = seal_record({PeerId::of(key.public_key()), 7, {numbered_addr(1)}}, key);
  const auto frames = encode(info);
  EXPECT_EQ(frames.size(), kSentMessagesMax);
  const auto read = collect(joined(frames));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->signed_peer_record, info.signed_peer_record);
}

Bytes message(const std::function<void(pb::Writer&)>& write) {
  Bytes out;
  pb::Writer writer(out);
  write(writer);
  return out;
}
Result<Info> read_message(const Bytes& bytes) { return collect(format::make_frame(bytes)); }

TEST(IdentifyCodec, SkipsWhatItDoesNotKnow) {
  const auto info = read_message(message([](pb::Writer& writer) {
    writer.bytes(7, Bytes(3));  // delta, dead
    writer.varint(9, 1);
    writer.fixed64(1000, 5);
    writer.bytes(2, testkit::hex("ffffff"));          // no multiaddr
    writer.bytes(2, testkit::hex("04010203040600"));  // cut
    writer.bytes(2, {});
    writer.bytes(2, numbered_addr(1).bytes());
    writer.bytes(4, testkit::hex("ff"));
    writer.bytes(3, {});
    writer.bytes(3, as_bytes("/a"));
  }));
  ASSERT_TRUE(info.has_value());
  EXPECT_EQ(info->listen_addrs, std::vector{numbered_addr(1)});
  EXPECT_EQ(info->observed_addr, std::nullopt);
  EXPECT_EQ(info->protocols, std::vector<std::string>{"/a"});
}

TEST(IdentifyCodec, RefusesMalformedMessages) {
  for (const auto* bytes :
       {"08", "0801", "1001", "ff", "0b", "03", "00", "2a02", "ffffffffffffffffffff01", "3201613201 62"}) {
    std::string text(bytes);
    std::erase(text, ' ');
    const auto info = read_message(testkit::hex(text));
    ASSERT_FALSE(info.has_value()) << bytes;
    EXPECT_TRUE(info.error().is(Errc::malformed)) << bytes;
  }
}

// py's bug of the key that nobody looked at (E.3 #26).
TEST(IdentifyCodec, RefusesAKeyThatIsNone) {
  for (const auto* bytes : {"", "08011201ff", "0804120100"}) {
    const auto info =
        read_message(message([&](pb::Writer& writer) { writer.bytes(1, testkit::hex(bytes)); }));
    ASSERT_FALSE(info.has_value());
    EXPECT_TRUE(info.error().is(Errc::bad_public_key));
  }
}

TEST(IdentifyCodec, DropsVersionsThatAreTooLongOrNoText) {
  const auto versions = [](const Bytes& value) {
    return read_message(message([&](pb::Writer& writer) {
      writer.bytes(5, value);
      writer.bytes(6, value);
    }));
  };
  EXPECT_EQ(versions(Bytes(kVersionBytesMax, 'v'))->agent_version.size(), kVersionBytesMax);
  EXPECT_EQ(versions(Bytes(kVersionBytesMax + 1, 'v'))->agent_version, "");
  EXPECT_EQ(versions(Bytes(kVersionBytesMax + 1, 'v'))->protocol_version, "");
  EXPECT_EQ(versions(testkit::hex("fffe"))->agent_version, "");
}

TEST(IdentifyCollector, RefusesAMessageAbove8KiBAtItsPrefix) {
  Collector collector(kStart);
  const auto result = collector.receive(testkit::hex("8140"));  // 8,193
  ASSERT_FALSE(result.has_value());
  EXPECT_TRUE(result.error().is(Errc::message_too_large));
  EXPECT_TRUE(collector.receive(Bytes(1)).error().is(Errc::message_too_large)) << "stays failed";
  EXPECT_TRUE(collector.finish().error().is(Errc::message_too_large));
  EXPECT_TRUE(collector.deadline().is_never());
  EXPECT_TRUE(
      Collector(kStart).receive(testkit::hex("ffffffffffffffff7f")).error().is(Errc::message_too_large));
}

TEST(IdentifyCollector, TakesAMessageOf8KiB) {
  Bytes body;
  pb::Writer(body).bytes(100, Bytes(kMessageBytesMax - 4));
  ASSERT_EQ(body.size(), kMessageBytesMax);
  EXPECT_TRUE(collect(format::make_frame(body)).has_value());
}

TEST(IdentifyCollector, TakesTenMessagesAndRefusesTheEleventh) {
  const Bytes one = format::make_frame(message([](pb::Writer& writer) { writer.bytes(3, as_bytes("/a")); }));
  Bytes stream;
  for (std::size_t i = 0; i < kMessagesMax; ++i) append(stream, one);
  EXPECT_TRUE(collect(stream).has_value());
  append(stream, one);
  const auto result = collect(stream);
  ASSERT_FALSE(result.has_value());
  EXPECT_TRUE(result.error().is(Errc::too_many_messages));
  EXPECT_EQ(result.error().kind(), Kind::limit);
}

TEST(IdentifyCollector, RefusesAStreamThatEndsInsideAMessage) {
  const Bytes stream = joined(encode(sample(10, 90)));
  for (const std::size_t size : {std::size_t{1}, std::size_t{5}, stream.size() / 2, stream.size() - 1}) {
    const auto result = collect(ByteView(stream).first(size));
    ASSERT_FALSE(result.has_value());
    EXPECT_TRUE(result.error().is(Errc::truncated));
  }
  EXPECT_TRUE(collect({}).has_value()) << "nothing at all is an empty answer";
}

TEST(IdentifyCollector, KeepsOneDeadlineForTheWholeExchange) {
  Collector collector(kStart);
  ASSERT_TRUE(collector.receive(testkit::hex("05")));
  EXPECT_EQ(collector.deadline(), kStart + kExchangeTimeMax);
  EXPECT_TRUE(collector.on_deadline(kStart + kExchangeTimeMax - 1ns).has_value());
  const auto result = collector.on_deadline(kStart + kExchangeTimeMax);
  ASSERT_FALSE(result.has_value());
  EXPECT_TRUE(result.error().is(Errc::timed_out));
  EXPECT_TRUE(collector.receive(Bytes(1)).error().is(Errc::timed_out));
}

// E.2 #7: 1,800 protocols through chunked messages; 10,000 addresses.
TEST(IdentifyCollector, KeepsNoMoreProtocolsAndAddressesThanItsLimits) {
  Bytes protocols_stream;
  Bytes addrs_stream;
  std::size_t n = 0;
  for (std::size_t part = 0; part < kMessagesMax; ++part) {
    append(protocols_stream, format::make_frame(message([&](pb::Writer& writer) {
             for (int i = 0; i < 180; ++i) writer.string(3, "/p/" + std::to_string(n++));
           })));
    append(addrs_stream, format::make_frame(message([&](pb::Writer& writer) {
             for (int i = 0; i < 800; ++i) writer.bytes(2, numbered_addr(n++).bytes());
           })));
  }
  const auto with_protocols = collect(protocols_stream);
  ASSERT_TRUE(with_protocols.has_value());
  EXPECT_EQ(with_protocols->protocols.size(), kProtocolsMax);
  const auto with_addrs = collect(addrs_stream);
  ASSERT_TRUE(with_addrs.has_value());
  EXPECT_EQ(with_addrs->listen_addrs.size(), kAddressesMax);
}

TEST(IdentifyCollector, DropsOverlongProtocolsAndRepetitions) {
  const auto info = read_message(message([&](pb::Writer& writer) {
    writer.string(3, "/b");
    writer.string(3, std::string(kProtocolBytesMax, 'x'));
    writer.string(3, std::string(kProtocolBytesMax + 1, 'x'));
    writer.string(3, "/a");
    writer.string(3, "/b");
    writer.string(3, "/b");
    for (const std::size_t i : {5u, 4u, 5u}) writer.bytes(2, numbered_addr(i).bytes());
  }));
  ASSERT_TRUE(info.has_value());
  EXPECT_EQ(info->protocols, (std::vector<std::string>{"/b", std::string(kProtocolBytesMax, 'x'), "/a"}));
  EXPECT_EQ(info->listen_addrs, (std::vector{numbered_addr(5), numbered_addr(4)}));
}

TEST(IdentifyCollector, LaterMessagesReplaceSingleFieldsAndExtendLists) {
  Bytes stream = format::make_frame(message([](pb::Writer& writer) {
    writer.string(6, "old");
    writer.string(3, "/a");
  }));
  append(stream, format::make_frame(message([](pb::Writer& writer) {
           writer.string(6, "new");
           writer.string(3, "/b");
         })));
  const auto info = collect(stream);
  ASSERT_TRUE(info.has_value());
  EXPECT_EQ(info->agent_version, "new");
  EXPECT_EQ(info->protocols, (std::vector<std::string>{"/a", "/b"}));
}

TEST(IdentifyInfo, RefusesAnotherPeersKey) {
  const Info info = sample();
  EXPECT_TRUE(verify(info, PeerId::of(identity(1).public_key())).has_value());
  const auto result = verify(info, PeerId::of(identity(2).public_key()));
  ASSERT_FALSE(result.has_value());
  EXPECT_TRUE(result.error().is(Errc::wrong_public_key));
  EXPECT_EQ(result.error().kind(), Kind::misbehaviour);
  EXPECT_TRUE(verify(Info(), PeerId::of(identity(2).public_key())).has_value()) << "the key is optional";
}

TEST(IdentifyInfo, PushReplacesWhatItCarriesAndLeavesTheRest) {
  Info known = sample();
  const Info before = known;
  merge_push(known, Info());
  expect_same(known, before);

  Info update;
  update.protocols = {"/new"};
  merge_push(known, update);
  EXPECT_EQ(known.protocols, update.protocols);
  known.protocols = before.protocols;
  expect_same(known, before);

  Info all = sample(1, 1);
  all.agent_version = "another";
  all.protocol_version = "2";
  all.observed_addr = numbered_addr(77);
  merge_push(known, all);
  expect_same(known, all);
}

// E.3 #26: addresses that accumulate.
TEST(IdentifyInfo, RepeatedPushesDoNotAccumulate) {
  Info known;
  for (std::size_t i = 0; i < 100; ++i) {
    Info update;
    for (std::size_t j = 0; j < kAddressesMax; ++j)
      update.listen_addrs.push_back(numbered_addr(i * 1000 + j));
    for (std::size_t j = 0; j < 10; ++j) update.protocols.push_back("/p/" + std::to_string(i * 1000 + j));
    merge_push(known, update);
    ASSERT_EQ(known.listen_addrs.size(), kAddressesMax);
    ASSERT_EQ(known.protocols.size(), 10u);
  }
}

TEST(IdentifyErrors, HaveATextEach) {
  for (std::uint16_t code = 1; code <= static_cast<std::uint16_t>(Errc::foreign_record); ++code)
    EXPECT_NE(make_error(static_cast<Errc>(code)).message(), "unknown error");
}

}  // namespace
}  // namespace starling::identify
