#include "daemon/codec.hpp"

#include <gmock/gmock.h>

#include "daemon/limits.hpp"
#include "format/protobuf.hpp"

namespace starling::daemon {
namespace {

Bytes bytes(std::string_view text) { return to_bytes(text); }

std::vector<Request> every_request() {
  std::vector<Request> all(1);
  const auto add = [&all](RequestType type) -> Request& {
    all.emplace_back().type = type;
    return all.back();
  };
  add(RequestType::connect).connect = {bytes("peer"), {bytes("a"), bytes("b")}, 7};
  add(RequestType::stream_open).stream_open = {bytes("peer"), {"/a/1", "/b/1"}, 3};
  add(RequestType::stream_handler).stream_handler = {bytes("addr"), {"/a/1"}};
  add(RequestType::list_peers);
  for (int type = 0; type <= static_cast<int>(DhtRequestType::provide); ++type) {
    DhtRequest dht;
    dht.type = static_cast<DhtRequestType>(type);
    dht.peer = bytes("peer");
    dht.cid = bytes("cid");
    dht.key = Bytes();
    dht.value = bytes("value");
    dht.count = type - 3;
    dht.timeout_s = 60;
    add(RequestType::dht).dht = dht;
  }
  add(RequestType::dht).dht.emplace();
  for (int type = 0; type <= 2; ++type)
    add(RequestType::conn_manager).conn_manager = {static_cast<ConnManagerRequestType>(type), bytes("peer"),
                                                   "tag", -type};
  add(RequestType::disconnect).disconnect = {bytes("peer")};
  for (int type = 0; type <= 3; ++type)
    add(RequestType::pubsub).pubsub = {static_cast<PubsubRequestType>(type), "topic", bytes("data")};
  add(RequestType::pubsub).pubsub.emplace();
  return all;
}

TEST(DaemonCodec, EveryRequestSurvivesARoundTrip) {
  for (const Request& request : every_request()) {
    const auto again = decode_request(encode(request));
    ASSERT_TRUE(again.has_value()) << again.error().message();
    EXPECT_EQ(*again, request);
  }
}

TEST(DaemonCodec, EveryAnswerSurvivesARoundTrip) {
  std::vector<Response> all(6);
  all[1].error = "why";
  all[2].stream_info = {bytes("peer"), bytes("addr"), "/a/1"};
  all[3].identify = {bytes("peer"), {bytes("a"), bytes("b")}};
  all[4].dht = {DhtResponseType::value, PeerEntry{bytes("peer"), {bytes("a")}}, bytes("value")};
  all[4].peers = {{bytes("p"), {bytes("a")}}, {bytes("q"), {}}};
  all[5].pubsub = {{"t", "u"}, {bytes("p")}};
  for (const Response& response : all) {
    const auto again = decode_response(encode(response));
    ASSERT_TRUE(again.has_value()) << again.error().message();
    EXPECT_EQ(*again, response);
  }
  for (const auto type : {DhtResponseType::begin, DhtResponseType::value, DhtResponseType::end}) {
    const DhtResponse response{type, std::nullopt, std::nullopt};
    EXPECT_EQ(decode_dht_response(encode(response)), response);
  }
  const StreamInfo info{bytes("peer"), bytes("addr"), "/a/1"};
  EXPECT_EQ(decode_stream_info(encode(info)), info);
  const PubsubMessage message{bytes("from"), bytes("data"), bytes("seq"), {"t"}, bytes("sig"), bytes("key")};
  EXPECT_EQ(decode_pubsub_message(encode(message)), message);
}

// As protoc's output for go-libp2p-daemon's pb/p2pd.proto writes them: the type first, even when it is 0.
TEST(DaemonCodec, TheBytesAreThoseOfTheProtoFile) {
  EXPECT_EQ(encode(Request()), *from_hex("0800"));
  EXPECT_EQ(encode(Response()), *from_hex("0800"));
  Request connect;
  connect.type = RequestType::connect;
  connect.connect = {*from_hex("0102"), {*from_hex("03"), *from_hex("04")}, 5};
  EXPECT_EQ(encode(connect), *from_hex("0801120c0a020102120103120104"
                                       "1805"));
  Response failed;
  failed.error = "no";
  EXPECT_EQ(encode(failed), *from_hex("080112040a026e6f"));
  Request subscribe;
  subscribe.type = RequestType::pubsub;
  subscribe.pubsub = {PubsubRequestType::subscribe, "t", {}};
  EXPECT_EQ(encode(subscribe), *from_hex("0808"
                                         "42050803120174"));
}

TEST(DaemonCodec, ARequestWithoutItsTypeIsMalformed) {
  EXPECT_TRUE(decode_request({}).error().is(Errc::bad_message));
  EXPECT_TRUE(decode_request(*from_hex("08042a00")).error().is(Errc::bad_message)) << "the DHT's type";
  EXPECT_TRUE(decode_request(*from_hex("08063200")).error().is(Errc::bad_message)) << "the manager's type";
  EXPECT_TRUE(decode_request(*from_hex("08084200")).error().is(Errc::bad_message)) << "the gossip type";
}

TEST(DaemonCodec, AnUnknownKindOfRequestIsToldApartFromAMalformedOne) {
  EXPECT_TRUE(decode_request(*from_hex("0809")).error().is(Errc::unknown_type));
  EXPECT_TRUE(decode_request(*from_hex("08042a020809")).error().is(Errc::unknown_type));
  EXPECT_FALSE(decode_request(*from_hex("0804ff")).error().is(Errc::unknown_type));
}

TEST(DaemonCodec, AFieldThatMayStandOnceMayNotStandTwice) {
  EXPECT_FALSE(decode_request(*from_hex("08000800")).has_value());
  EXPECT_FALSE(decode_request(*from_hex("0807"
                                        "3a030a0101"
                                        "3a030a0102"))
                   .has_value());
}

TEST(DaemonCodec, UnknownFieldsAreSkipped) {
  // PEERSTORE's field 9 of js-libp2p-daemon, and one that nobody has.
  EXPECT_EQ(decode_request(*from_hex("0800"
                                     "4a0100"
                                     "f80101")),
            Request());
}

TEST(DaemonCodec, ListsOfARequestAreBounded) {
  Request connect;
  connect.type = RequestType::connect;
  connect.connect.emplace();
  connect.connect->addrs.resize(kAddrsPerRequestMax, bytes("a"));
  EXPECT_TRUE(decode_request(encode(connect)).has_value());
  connect.connect->addrs.push_back(bytes("a"));
  EXPECT_TRUE(decode_request(encode(connect)).error().is(Errc::too_many_entries));

  Request handler;
  handler.type = RequestType::stream_handler;
  handler.stream_handler.emplace();
  handler.stream_handler->protocols.resize(kProtocolsPerRequestMax + 1, "/a/1");
  EXPECT_TRUE(decode_request(encode(handler)).error().is(Errc::too_many_entries));
  Request open;
  open.type = RequestType::stream_open;
  open.stream_open.emplace();
  open.stream_open->protocols.resize(kProtocolsPerRequestMax + 1, "/a/1");
  EXPECT_TRUE(decode_request(encode(open)).error().is(Errc::too_many_entries));

  Response many;
  many.peers.resize(kListEntriesMax + 1);
  EXPECT_TRUE(decode_response(encode(many)).error().is(Errc::too_many_entries));
}

TEST(DaemonCodec, ARequestLongerThanAnyIsRefused) {
  Request publish;
  publish.type = RequestType::pubsub;
  publish.pubsub = {PubsubRequestType::publish, "t", Bytes(kRequestBytesMax)};
  EXPECT_TRUE(decode_request(encode(publish)).error().is(Errc::bad_message));
}

TEST(DaemonCodec, AnAnswerThatFailedWithoutAReasonIsStillAFailure) {
  const auto failed = decode_response(*from_hex("0801"));
  ASSERT_TRUE(failed.has_value());
  EXPECT_TRUE(failed->error.has_value());
  EXPECT_FALSE(decode_response(*from_hex("0802")).has_value());
}

}  // namespace
}  // namespace starling::daemon
