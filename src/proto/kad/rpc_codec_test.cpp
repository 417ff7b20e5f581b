#include "proto/kad/rpc_codec.hpp"

#include <gtest/gtest.h>

#include "format/protobuf.hpp"
#include "format/varint.hpp"
#include "proto/kad/kad_testing.hpp"

namespace starling::kad {
namespace {

using testing::info;
using testing::peer;
using testing::public_addr;
using testkit::hex;

// Made with @libp2p/kad-dht 16.4.5 (js): its own encoder, from the id of ipfs/specs' example,
// /ip4/203.0.113.7/tcp/4001 and /dns4/node.example/tcp/4001.
constexpr std::string_view kId =
    "0024080112209e3b433cbd31c2b8a6ebbdca998bd0f4c2141c9c9af5422e976051b1e63af14d";
constexpr std::string_view kJsFindNode =
    "080412260024080112209e3b433cbd31c2b8a6ebbdca998bd0f4c2141c9c9af5422e976051b1e63af14d";
constexpr std::string_view kJsFindNodeAnswer =
    "080442470a260024080112209e3b433cbd31c2b8a6ebbdca998bd0f4c2141c9c9af5422e976051b1e63af14d120804cb00710706"
    "0fa1121136"
    "0c6e6f64652e6578616d706c65060fa11801";
constexpr std::string_view kJsAddProvider =
    "080212221220abababababababababababababababababababababababababababababababab4a320a260024080112209e3b433c"
    "bd31c2b8a6"
    "ebbdca998bd0f4c2141c9c9af5422e976051b1e63af14d120804cb007107060fa1";
constexpr std::string_view kJsPutValue =
    "122a2f706b2f0024080112209e3b433cbd31c2b8a6ebbdca998bd0f4c2141c9c9af5422e976051b1e63af14d1a6c0a2a2f706b2f"
    "0024080112"
    "209e3b433cbd31c2b8a6ebbdca998bd0f4c2141c9c9af5422e976051b1e63af14d1224080112209e3b433cbd31c2b8a6ebbdca99"
    "8bd0f4c214"
    "1c9c9af5422e976051b1e63af14d2a18323032352d30332d30345430353a30363a30372e3038395a";
constexpr std::string_view kJsGetValueAnswer =
    "0801122a2f706b2f0024080112209e3b433cbd31c2b8a6ebbdca998bd0f4c2141c9c9af5422e976051b1e63af14d1a6c0a2a2f70"
    "6b2f002408"
    "0112209e3b433cbd31c2b8a6ebbdca998bd0f4c2141c9c9af5422e976051b1e63af14d1224080112209e3b433cbd31c2b8a6ebbd"
    "ca998bd0f4"
    "c2141c9c9af5422e976051b1e63af14d2a18323032352d30332d30345430353a30363a30372e3038395a423b0a26002408011220"
    "9e3b433cbd"
    "31c2b8a6ebbdca998bd0f4c2141c9c9af5422e976051b1e63af14d1211360c6e6f64652e6578616d706c65060fa1";

constexpr std::string_view kProviderKey =
    "1220abababababababababababababababababababababababababababababababab";

Bytes pk_key() {
  Bytes out = to_bytes("/pk/");
  append(out, hex(kId));
  return out;
}

TEST(KadCodec, ReadsAndWritesWhatJsWrites) {
  const PeerId id = *PeerId::from_bytes(hex(kId));
  const Multiaddr ip = *Multiaddr::parse("/ip4/203.0.113.7/tcp/4001");
  const Multiaddr dns = *Multiaddr::parse("/dns4/node.example/tcp/4001");
  const Record record{pk_key(),
                      hex("080112209e3b433cbd31c2b8a6ebbdca998bd0f4c2141c9c9af5422e976051b1e63af14d"),
                      "2025-03-04T05:06:07.089Z"};
  const std::vector<std::pair<std::string_view, Message>> cases{
      {"0805", {MessageType::ping, {}, {}, {}, {}}},
      {kJsFindNode, {MessageType::find_node, hex(kId), {}, {}, {}}},
      {kJsFindNodeAnswer, {MessageType::find_node, {}, {}, {{id, {ip, dns}, ConnectionType::connected}}, {}}},
      {kJsAddProvider,
       {MessageType::add_provider, hex(kProviderKey), {}, {}, {{id, {ip}, ConnectionType::not_connected}}}},
      {kJsPutValue, {MessageType::put_value, pk_key(), record, {}, {}}},
      {kJsGetValueAnswer,
       {MessageType::get_value, pk_key(), record, {{id, {dns}, ConnectionType::not_connected}}, {}}},
  };
  for (const auto& [wire, message] : cases) {
    const auto decoded = decode(hex(wire));
    ASSERT_TRUE(decoded) << wire << ' ' << decoded.error().to_string();
    EXPECT_EQ(*decoded, message) << wire;
    EXPECT_EQ(to_hex(encode(message)), wire);
  }
}

TEST(KadCodec, ReturnsRandomMessagesUnchanged) {
  SeededRng rng(testkit::seed(7));
  for (int round = 0; round < 300; ++round) {
    Message message;
    message.type = static_cast<MessageType>(rng.below(6));
    message.key.resize(rng.below(kKeyBytesMax + 1));
    rng.fill(message.key);
    if (rng.below(2) == 0) {
      Record record{message.key, Bytes(rng.below(2000) + 1), rng.below(2) == 0 ? "" : "1741064767.089"};
      rng.fill(record.value);
      message.record = record;
    }
    for (auto* list : {&message.closer_peers, &message.provider_peers})
      for (std::size_t i = rng.below(21); i > 0; --i) {
        PeerInfo entry{peer(rng.u64()), {}, static_cast<ConnectionType>(rng.below(4))};
        for (std::size_t a = rng.below(kAddrsPerPeerSentMax + 1); a > 0; --a)
          entry.addrs.push_back(public_addr(rng.below(9999)));
        list->push_back(entry);
      }
    const auto decoded = decode(encode(message));
    ASSERT_TRUE(decoded) << decoded.error().to_string();
    EXPECT_EQ(*decoded, message);
  }
}

Bytes peer_field(ByteView id, std::size_t addrs) {
  Bytes out;
  pb::Writer writer(out);
  writer.bytes(1, id);
  for (std::size_t i = 0; i < addrs; ++i) writer.bytes(2, public_addr(i).bytes());
  return out;
}

// E.2 #9, go-kad PR 1270: 10,000 peers in one answer.
TEST(KadCodec, TakesTwiceKPeersOfAnAnswerThatNamesTenThousand) {
  Bytes wire;
  pb::Writer writer(wire);
  writer.varint(1, 4);
  std::size_t count = 0;
  for (; wire.size() + 48 < kMessageBytesMax; ++count) writer.bytes(8, peer_field(peer(count).bytes(), 0));
  ASSERT_GT(count, 1000u);
  const auto decoded = decode(wire);
  ASSERT_TRUE(decoded);
  ASSERT_EQ(decoded->closer_peers.size(), kPeersPerListMax);
  EXPECT_EQ(decoded->closer_peers.back().id, peer(kPeersPerListMax - 1));
}

TEST(KadCodec, CountsUnreadablePeersToo) {
  Bytes wire;
  pb::Writer writer(wire);
  writer.varint(1, 4);
  for (std::size_t i = 0; i < kPeersPerListMax; ++i) writer.bytes(8, peer_field(to_bytes("no id"), 0));
  writer.bytes(8, peer_field(peer(1).bytes(), 1));
  const auto decoded = decode(wire);
  ASSERT_TRUE(decoded);
  EXPECT_TRUE(decoded->closer_peers.empty());
}

// E.2 #9: frames full of addresses.
TEST(KadCodec, TakesAFewAddressesOfEachPeer) {
  Bytes wire;
  pb::Writer writer(wire);
  writer.varint(1, 4);
  writer.bytes(8, peer_field(peer(1).bytes(), 5000));
  ASSERT_LT(wire.size(), kMessageBytesMax);
  const auto decoded = decode(wire);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->closer_peers.at(0).addrs.size(), kAddrsPerPeerMax);
}

TEST(KadCodec, SkipsPeersAndAddressesItCannotRead) {
  Bytes strange = peer_field(peer(1).bytes(), 1);
  pb::Writer in_peer(strange);
  in_peer.bytes(2, hex("ffffff7f01"));            // a protocol of the future
  in_peer.bytes(2, Bytes(kAddrBytesMax + 1, 4));  // too long
  in_peer.bytes(2, {});
  in_peer.varint(3, 77);  // a connection type of the future
  Bytes wire;
  pb::Writer writer(wire);
  writer.varint(1, 4);
  writer.bytes(8, peer_field(hex("deadbeef"), 1));
  writer.bytes(8, strange);
  const auto decoded = decode(wire);
  ASSERT_TRUE(decoded) << decoded.error().to_string();
  ASSERT_EQ(decoded->closer_peers.size(), 1u);
  EXPECT_EQ(decoded->closer_peers[0], (PeerInfo{peer(1), {public_addr(0)}, ConnectionType::not_connected}));
}

// rust's record fields 666 (publisher) and 777 (ttl), clusterLevelRaw, py's senderRecord.
TEST(KadCodec, SkipsUnknownFields) {
  Bytes record;
  pb::Writer in_record(record);
  in_record.bytes(1, to_bytes("/pk/x"));
  in_record.bytes(2, to_bytes("value"));
  in_record.bytes(666, peer(1).bytes());
  in_record.varint(777, 3600);
  Bytes wire;
  pb::Writer writer(wire);
  writer.varint(1, 1);
  writer.varint(10, 1);
  writer.bytes(3, record);
  writer.bytes(11, to_bytes("senderRecord"));
  const auto decoded = decode(wire);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(as_text(decoded->record->value), "value");
}

// py issue 1425.
TEST(KadCodec, DoesNotCareHowPyWritesTimeReceived) {
  for (const int form : {0, 1, 2}) {
    Bytes record;
    pb::Writer in_record(record);
    in_record.bytes(1, to_bytes("k"));
    if (form == 0) in_record.string(5, "1741064767.089");
    if (form == 1) in_record.fixed64(5, 0x4059f1d5c1a3d70a);
    if (form == 2) in_record.bytes(5, Bytes(kTimeReceivedBytesMax + 1, 'x'));
    Bytes wire;
    pb::Writer(wire).bytes(3, record);
    const auto decoded = decode(wire);
    ASSERT_TRUE(decoded) << form;
    EXPECT_EQ(decoded->record->time_received, form == 0 ? "1741064767.089" : "");
  }
}

TEST(KadCodec, TakesTypeZeroForAbsent) {
  Bytes wire;
  pb::Writer(wire).bytes(2, to_bytes("/a/b"));
  EXPECT_EQ(decode(wire)->type, MessageType::put_value);
}

TEST(KadCodec, RefusesEachMalformedField) {
  const auto error_of = [](auto write) -> std::optional<Error> {
    Bytes wire;
    pb::Writer writer(wire);
    write(writer);
    const auto decoded = decode(wire);
    if (decoded) return std::nullopt;
    return decoded.error();
  };
  using W = pb::Writer&;
  const auto record_of = [](std::size_t key, std::size_t value) {
    Bytes out;
    pb::Writer writer(out);
    writer.bytes(1, Bytes(key, 'k'));
    writer.bytes(2, Bytes(value, 'v'));
    return out;
  };
  EXPECT_EQ(error_of([](W w) { w.varint(1, 6); }), make_error(Errc::bad_message));
  EXPECT_EQ(error_of([](W w) { w.int32(1, -1); }), make_error(Errc::bad_message));
  EXPECT_EQ(error_of([](W w) { w.bytes(1, {}); }), make_error(format::Errc::wrong_wire_type));
  EXPECT_EQ(error_of([](W w) { w.varint(2, 1); }), make_error(format::Errc::wrong_wire_type));
  EXPECT_EQ(error_of([](W w) { w.varint(8, 1); }), make_error(format::Errc::wrong_wire_type));
  EXPECT_EQ(error_of([](W w) { w.varint(1, 4), w.varint(1, 4); }), make_error(format::Errc::duplicate_field));
  EXPECT_EQ(error_of([](W w) { w.bytes(2, to_bytes("a")), w.bytes(2, to_bytes("b")); }),
            make_error(format::Errc::duplicate_field));
  // E.2 #9: GET with an unbounded key.
  EXPECT_EQ(error_of([](W w) { w.bytes(2, Bytes(kKeyBytesMax + 1)); }), make_error(Errc::key_too_long));
  EXPECT_FALSE(error_of([](W w) { w.bytes(2, Bytes(kKeyBytesMax)); }));
  EXPECT_EQ(error_of([&](W w) { w.bytes(3, record_of(kKeyBytesMax + 1, 1)); }),
            make_error(Errc::key_too_long));
  // E.2 #9: a value over 8 KiB.
  EXPECT_EQ(error_of([&](W w) { w.bytes(3, record_of(5, kValueBytesMax + 1)); }),
            make_error(Errc::value_too_long));
  EXPECT_FALSE(error_of([&](W w) { w.bytes(3, record_of(kKeyBytesMax, kValueBytesMax)); }));
  EXPECT_EQ(error_of([](W w) { w.bytes(9, hex("0a")); }), make_error(format::Errc::truncated));
  EXPECT_EQ(decode(hex("1205aa")).error().kind(), Kind::malformed);
}

TEST(KadCodec, RefusesMessagesOverTheLimit) {
  Bytes wire;
  pb::Writer(wire).bytes(100, Bytes(kMessageBytesMax));
  EXPECT_EQ(decode(wire).error(), make_error(Errc::bad_message));
  wire.clear();
  pb::Writer(wire).bytes(100, Bytes(kMessageBytesMax - 6));
  ASSERT_LE(wire.size(), kMessageBytesMax);
  EXPECT_TRUE(decode(wire));
}

TEST(KadCodec, KeepsWhatItSendsUnderRustsLimit) {
  Message message;
  message.type = MessageType::get_providers;
  message.key = Bytes(kKeyBytesMax, 'k');
  message.record = Record{message.key, Bytes(kValueBytesMax, 'v'), "2025-03-04T05:06:07.089Z"};
  const Multiaddr longest = *Multiaddr::parse("/dns4/" + std::string(200, 'n') + "/tcp/4001");
  for (std::uint64_t i = 0; i < 100; ++i) {
    const PeerInfo entry{peer(i), std::vector<Multiaddr>(100, longest), ConnectionType::connected};
    message.closer_peers.push_back(entry);
    message.provider_peers.push_back(entry);
  }
  const Bytes wire = encode(message);
  EXPECT_LE(wire.size(), kMessageBytesSentMax);
  EXPECT_GT(wire.size(), kMessageBytesSentMax - 2200);
  const auto decoded = decode(wire);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->record, message.record);
  // Providers leave room for those without whom a lookup cannot go on.
  EXPECT_GE(decoded->closer_peers.size(), 1u);
  EXPECT_GE(decoded->provider_peers.size(), 1u);
  EXPECT_EQ(decoded->closer_peers[0].addrs.size(), kAddrsPerPeerSentMax);
  EXPECT_EQ(decoded->closer_peers[0].id, peer(0));
}

TEST(KadCodec, SendsTwentyPeersWithEightAddressesAndAPresenceRecord) {
  Message message;
  message.type = MessageType::get_value;
  message.key = to_bytes("/eth/0x" + std::string(40, 'a'));
  message.record = Record{message.key, Bytes(3072, 'v'), "2025-03-04T05:06:07.089Z"};
  for (std::uint64_t i = 0; i < 20; ++i) {
    PeerInfo entry = info(i);
    for (std::uint64_t a = 1; a < 8; ++a) entry.addrs.push_back(public_addr(1000 + a));
    message.closer_peers.push_back(entry);
  }
  EXPECT_EQ(*decode(encode(message)), message);
}

TEST(KadCodec, SurvivesEveryTruncationAndFlippedBit) {
  for (const std::string_view sample : {kJsFindNodeAnswer, kJsPutValue, kJsAddProvider}) {
    const Bytes whole = hex(sample);
    for (std::size_t n = 0; n < whole.size(); ++n) (void)decode(ByteView(whole).first(n));
    for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
      Bytes changed = whole;
      changed[bit / 8] = static_cast<std::uint8_t>(changed[bit / 8] ^ (1u << (bit % 8)));
      if (const auto decoded = decode(changed)) {
        EXPECT_LE(encode(*decoded).size(), kMessageBytesSentMax);
      }
    }
  }
}

}  // namespace
}  // namespace starling::kad
