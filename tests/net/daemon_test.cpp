// The libp2p daemon, driven as a program in another language would drive it: over its control socket.
#include "daemon/daemon.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <future>
#include <thread>

#include "daemon/limits.hpp"
#include "format/multiaddr.hpp"
#include "format/multihash.hpp"
#include "format/varint.hpp"
#include "net/daemons.hpp"

namespace starling::net {
namespace {

// ---------------------------------------------------------------------------------------------- the socket

TEST(NetDaemon, IdentifyTellsPeerIdAndAddresses) {
  const auto a = start_daemon();
  const auto answer = ask(*a, Request());
  ASSERT_TRUE(answer.identify.has_value());
  EXPECT_EQ(answer.identify->id, id_bytes(*a));
  ASSERT_EQ(answer.identify->addrs.size(), 1u);
  EXPECT_EQ(answer.identify->addrs.front(), addr_bytes(a->addresses().front()));
}

TEST(NetDaemon, AUnixSocketIsForItsOwnerAloneAndGoneAfterwards) {
  const std::string path = "/tmp/starling-daemon-test-" + std::to_string(::getpid()) + ".sock";
  auto options = with_everything();
  options.control = "/unix" + path;
  {
    const auto a = start_daemon(options);
    struct stat status {};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u);
    EXPECT_TRUE(ask(*a, Request()).identify.has_value());
    const auto second = Daemon::start(options);
    EXPECT_FALSE(second) << "the socket is in use";
    EXPECT_TRUE(ask(*a, Request()).identify.has_value());
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(NetDaemon, AFileThatIsNoSocketIsNotReplaced) {
  const auto path =
      std::filesystem::temp_directory_path() / ("starling-no-socket-" + std::to_string(::getpid()));
  std::fclose(std::fopen(path.c_str(), "w"));
  auto options = with_everything();
  options.control = "/unix" + path.string();
  EXPECT_FALSE(Daemon::start(options));
  EXPECT_TRUE(std::filesystem::is_regular_file(path));
  std::filesystem::remove(path);
}

TEST(NetDaemon, RequestsOfOneConnectionAreAnsweredInOrder) {
  const auto a = start_daemon();
  auto socket = control(*a);
  Request list;
  list.type = RequestType::list_peers;
  Bytes both;
  for (int i = 0; i < 200; ++i) {
    format::put_frame(both, encode(Request()));
    format::put_frame(both, encode(list));
  }
  std::thread sending([&] { socket.send(both); });
  for (int i = 0; i < 200; ++i) {
    EXPECT_TRUE(daemon::decode_response(*socket.receive_frame())->identify.has_value());
    EXPECT_FALSE(daemon::decode_response(*socket.receive_frame())->identify.has_value());
  }
  sending.join();
}

TEST(NetDaemon, BytesThatAreNoRequestEndTheConnectionWithAReason) {
  const auto a = start_daemon();
  for (const auto* hex : {"0102", "02ffff", "ffffff7f", "8080808080808080808080"}) {
    auto socket = control(*a);
    ASSERT_TRUE(socket.send(*from_hex(hex)));
    const auto body = socket.receive_frame();
    ASSERT_TRUE(body.has_value()) << hex;
    EXPECT_TRUE(daemon::decode_response(*body)->error.has_value());
    EXPECT_TRUE(socket.receive_all().empty());
  }
  EXPECT_TRUE(ask(*a, Request()).identify.has_value());
}

TEST(NetDaemon, ARequestOfAnUnknownKindIsRefusedAndTheNextOneServed) {
  const auto a = start_daemon();
  auto socket = control(*a);
  ASSERT_TRUE(socket.send_frame(*from_hex("0809")));
  EXPECT_TRUE(daemon::decode_response(*socket.receive_frame())->error.has_value());
  EXPECT_TRUE(socket.ask(Request())->identify.has_value());
}

TEST(NetDaemon, ARequestWithoutItsParametersIsRefused) {
  const auto a = start_daemon();
  for (const auto type :
       {RequestType::connect, RequestType::stream_open, RequestType::stream_handler, RequestType::dht,
        RequestType::conn_manager, RequestType::disconnect, RequestType::pubsub}) {
    Request request;
    request.type = type;
    EXPECT_EQ(ask(*a, request).error, "Malformed request; missing parameters");
  }
  for (int type = 0; type <= static_cast<int>(DhtRequestType::provide); ++type)
    EXPECT_TRUE(ask(*a, dht(static_cast<DhtRequestType>(type))).error.has_value()) << type;
  auto publish = pubsub(PubsubRequestType::publish);
  publish.pubsub->topic.reset();
  EXPECT_EQ(ask(*a, publish).error, "Malformed request; missing topic parameter");
}

TEST(NetDaemon, WhatIsSwitchedOffIsSaidSo) {
  auto options = with_everything();
  options.host.dht.reset();
  options.host.gossip = false;
  const auto a = start_daemon(options);
  auto find = dht(DhtRequestType::get_value);
  find.dht->key = to_bytes("/pk/x");
  EXPECT_TRUE(ask(*a, find).error.has_value());
  EXPECT_TRUE(ask(*a, pubsub(PubsubRequestType::get_topics)).error.has_value());
  EXPECT_TRUE(ask(*a, pubsub(PubsubRequestType::subscribe)).error.has_value());
}

// ---------------------------------------------------------------------------------------------- connections

TEST(NetDaemon, ConnectListAndDisconnect) {
  auto options = with_everything();
  options.host.dht.reset();  // it would connect again
  const auto a = start_daemon(options);
  const auto b = start_daemon(options);
  EXPECT_EQ(peers_count(*a), 0u);
  connect_daemons(*a, *b);
  Request list;
  list.type = RequestType::list_peers;
  const auto peers = ask(*a, list).peers;
  ASSERT_EQ(peers.size(), 1u);
  EXPECT_EQ(peers.front().id, id_bytes(*b));
  EXPECT_EQ(peers.front().addrs, std::vector<Bytes>{addr_bytes(b->addresses().front())});
  EXPECT_FALSE(ask(*a, connect_to(*b)).error) << "to be connected already is no error";

  Request disconnect;
  disconnect.type = RequestType::disconnect;
  disconnect.disconnect = {id_bytes(*b)};
  EXPECT_FALSE(ask(*a, disconnect).error);
  EXPECT_EQ(peers_count(*a), 0u);
  EXPECT_TRUE(eventually([&] { return peers_count(*b) == 0; }));
  EXPECT_FALSE(ask(*a, disconnect).error) << "nor to be disconnected";
}

TEST(NetDaemon, ConnectFailsWithoutAddressesAndAtThoseOfAnotherPeer) {
  auto options = with_everything();
  options.host.dht.reset();
  const auto a = start_daemon(options);
  const auto b = start_daemon(options);
  const auto c = start_daemon(options);
  auto nowhere = connect_to(*b);
  nowhere.connect->addrs.clear();
  EXPECT_TRUE(ask(*a, nowhere).error.has_value());
  auto wrong = connect_to(*b);
  wrong.connect->peer = id_bytes(*c);
  EXPECT_TRUE(ask(*a, wrong).error.has_value());
  auto broken = connect_to(*b);
  broken.connect->addrs = {to_bytes("no address")};
  EXPECT_TRUE(ask(*a, broken).error.has_value());
  EXPECT_EQ(peers_count(*a), 0u);
}

TEST(NetDaemon, ATrimClosesThePeersThatAreWorthLeast) {
  auto options = with_everything();
  options.host.gossip = false;
  options.host.dht.reset();
  auto crowded = options;
  crowded.host.connections_low = 1;
  crowded.host.connections_high = 4;
  crowded.host.connections_grace = std::chrono::seconds(0);
  const auto a = start_daemon(crowded);
  std::vector<std::unique_ptr<Daemon>> others;
  for (int i = 0; i < 3; ++i) {
    others.push_back(start_daemon(options));
    connect_daemons(*a, *others.back());
    EXPECT_FALSE(ask(*a, tag(*others.back(), ConnManagerRequestType::tag_peer, i == 1 ? 5 : 7)).error);
  }
  // What was worth most is worth least without its tag, and the second tag of a name replaces the first.
  EXPECT_FALSE(ask(*a, tag(*others[0], ConnManagerRequestType::untag_peer, 0)).error);
  EXPECT_FALSE(ask(*a, tag(*others[2], ConnManagerRequestType::tag_peer, -1)).error);
  Request trim;
  trim.type = RequestType::conn_manager;
  trim.conn_manager.emplace().type = ConnManagerRequestType::trim;
  EXPECT_FALSE(ask(*a, trim).error);
  Request list;
  list.type = RequestType::list_peers;
  const auto left = ask(*a, list).peers;
  ASSERT_EQ(left.size(), 1u);
  EXPECT_EQ(left.front().id, id_bytes(*others[1]));
  EXPECT_FALSE(ask(*a, trim).error) << "nothing to trim is no error";
  auto nameless = tag(*others[1], ConnManagerRequestType::tag_peer, 1);
  nameless.conn_manager->tag.clear();
  EXPECT_EQ(ask(*a, nameless).error, "Malformed request; missing tag parameter");
}

// ---------------------------------------------------------------------------------------------- streams

TEST(NetDaemon, SixteenMebibytesGoThroughAHandlerAndComeBack) {
  const auto a = start_daemon();
  const auto b = start_daemon();
  connect_daemons(*a, *b);
  HandlerSocket handler;
  ASSERT_FALSE(ask(*b, handle(handler, {"/test/echo/1", "/test/other/1"})).error);
  auto stream = control(*a);
  const auto opened = stream.ask(open_to(*b, {"/nobody/1", "/test/echo/1"}));
  ASSERT_TRUE(opened && opened->stream_info);
  EXPECT_EQ(opened->stream_info->peer, id_bytes(*b));
  EXPECT_EQ(opened->stream_info->protocol, "/test/echo/1");
  EXPECT_EQ(opened->stream_info->addr, addr_bytes(b->addresses().front()));

  auto served = handler.accept();
  const auto info = daemon::decode_stream_info(*served.receive_frame());
  ASSERT_TRUE(info.has_value());
  EXPECT_EQ(info->peer, id_bytes(*a));
  EXPECT_EQ(info->protocol, "/test/echo/1");
  std::thread echo([&served] {
    while (true) {
      const Bytes some = served.receive_some();
      if (some.empty()) break;
      if (!served.send(some)) break;
    }
    served.finish();
  });
  const auto sent = pattern(16 << 20);
  std::thread sending([&] {
    EXPECT_TRUE(stream.send(sent));
    stream.finish();
  });
  EXPECT_TRUE(stream.receive_all() == sent);
  EXPECT_TRUE(stream.ended_cleanly());
  sending.join();
  echo.join();
}

TEST(NetDaemon, EachSideMayFinishWhileTheOtherGoesOn) {
  const auto a = start_daemon();
  const auto b = start_daemon();
  connect_daemons(*a, *b);
  auto ends = open_ends(*a, *b);
  ends.opener.send(to_bytes("question"));
  ends.opener.finish();
  EXPECT_EQ(as_text(ends.handler.receive_all()), "question");
  ends.handler.send(to_bytes("answer"));
  ends.handler.close();
  EXPECT_EQ(as_text(ends.opener.receive_all()), "answer");
  EXPECT_TRUE(ends.opener.ended_cleanly());
}

TEST(NetDaemon, BytesSentRightBehindTheRequestBelongToTheStream) {
  const auto a = start_daemon();
  const auto b = start_daemon();
  connect_daemons(*a, *b);
  auto stream = control(*a);
  Bytes all = format::make_frame(encode(open_to(*b, {"/echo/1.0.0"})));
  append(all, to_bytes("no waiting"));
  ASSERT_TRUE(stream.send(all));
  stream.finish();
  ASSERT_TRUE(stream.receive_frame().has_value());
  EXPECT_EQ(as_text(stream.receive_all()), "no waiting");
}

TEST(NetDaemon, AProtocolThatThePeerDoesNotSpeakIsAnErrorAndNoStream) {
  const auto a = start_daemon();
  const auto b = start_daemon();
  connect_daemons(*a, *b);
  auto socket = control(*a);
  for (const auto& protocols :
       {std::vector<std::string>{"/nobody/1"}, std::vector<std::string>{"/nobody/1", "123"},
        std::vector<std::string>{}, std::vector<std::string>{"with\nbreak"},
        std::vector<std::string>{std::string(daemon::kProtocolNameBytesMax + 1, 'x')}}) {
    const auto answer = socket.ask(open_to(*b, protocols));
    ASSERT_TRUE(answer.has_value());
    EXPECT_TRUE(answer->error.has_value());
  }
  EXPECT_TRUE(socket.ask(Request())->identify.has_value()) << "the connection is still one of requests";
}

TEST(NetDaemon, AStreamToAKnownPeerConnectsFirst) {
  const auto a = start_daemon();
  const auto b = start_daemon();
  connect_daemons(*a, *b);
  // Identify has told where b listens by the time a stream stands.
  ASSERT_FALSE(control(*a).ask(open_to(*b, {"/echo/1.0.0"}))->error);
  Request disconnect;
  disconnect.type = RequestType::disconnect;
  disconnect.disconnect = {id_bytes(*b)};
  ASSERT_TRUE(eventually(
      [&] { return answer<PeerInfo>([&](auto done) { a->host().peer_info(b->peer_id(), done); }).ok(); }));
  ASSERT_FALSE(ask(*a, disconnect).error);
  const auto opened = control(*a).ask(open_to(*b, {"/echo/1.0.0"}));
  ASSERT_TRUE(opened.has_value());
  EXPECT_FALSE(opened->error) << *opened->error;
}

TEST(NetDaemon, AResetOfThePeerResetsTheClientsSocket) {
  const auto a = start_daemon();
  const auto b = start_daemon();
  connect_daemons(*a, *b);
  ASSERT_TRUE(answer<void>([&](auto done) {
    b->host().set_stream_handler(
        "/test/reset/1",
        [](const Stream& stream) {
          Stream(stream).read([stream](const Outcome<ByteSpan>&) { Stream(stream).reset(); });
        },
        done);
  }));
  auto stream = open_stream(*a, *b, "/test/reset/1");
  ASSERT_TRUE(stream.send(to_bytes("x")));
  EXPECT_TRUE(stream.receive_all().empty());
  EXPECT_FALSE(stream.ended_cleanly());
}

TEST(NetDaemon, AClientThatGoesAwayResetsAStreamThatStillSends) {
  const auto a = start_daemon();
  const auto b = start_daemon();
  connect_daemons(*a, *b);
  auto ends = open_ends(*a, *b);
  ends.opener.close();
  const Bytes block(64 * 1024, 7);
  bool failed = false;
  for (int i = 0; i < 1000 && !failed; ++i) failed = !ends.handler.send(block);
  EXPECT_TRUE(failed);
}

TEST(NetDaemon, AHandlerThatIsNotThereResetsTheStream) {
  const auto a = start_daemon();
  const auto b = start_daemon();
  connect_daemons(*a, *b);
  {
    HandlerSocket handler;
    ASSERT_FALSE(ask(*b, handle(handler, {"/test/gone/1"})).error);
  }
  auto stream = control(*a);
  // The reset may overtake the answer: then opening has failed.
  if (stream.ask(open_to(*b, {"/test/gone/1"}))->error) return;
  EXPECT_TRUE(stream.receive_all().empty());
  EXPECT_FALSE(stream.ended_cleanly());
}

TEST(NetDaemon, TheLastHandlerOfAProtocolGetsItsStreams) {
  const auto a = start_daemon();
  const auto b = start_daemon();
  connect_daemons(*a, *b);
  HandlerSocket first;
  HandlerSocket second;
  ASSERT_FALSE(ask(*b, handle(first, {"/test/1"})).error);
  ASSERT_FALSE(ask(*b, handle(second, {"/test/1"})).error);
  auto stream = open_stream(*a, *b, "/test/1");
  EXPECT_TRUE(second.accept().receive_frame().has_value());
  auto unix_less = handle(second, {"/test/1"});
  unix_less.stream_handler->addr = addr_bytes("/ip4/127.0.0.1/udp/1");
  EXPECT_TRUE(ask(*b, unix_less).error.has_value());
}

TEST(NetDaemon, AClientThatDoesNotReadHoldsBackThePeer) {
  const auto a = start_daemon();
  const auto b = start_daemon();
  connect_daemons(*a, *b);
  auto ends = open_ends(*a, *b);
  const std::size_t total = 64 << 20;
  std::atomic<std::size_t> sent = 0;
  std::thread sending([&] {
    const Bytes block(64 * 1024, 7);
    while (sent < total && ends.handler.send(block)) sent += block.size();
    ends.handler.finish();
  });
  // Nobody reads: the sender comes to a halt, far from the end.
  std::size_t before = 1;
  EXPECT_TRUE(eventually([&] {
    const std::size_t now = sent;
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    return std::exchange(before, now) == now && now > 0;
  }));
  EXPECT_LT(sent, total / 2);
  EXPECT_EQ(ends.opener.receive_all().size(), total);
  sending.join();
}

TEST(NetDaemon, ManyStreamsAtOnceKeepTheirBytesApart) {
  const auto a = start_daemon();
  const auto b = start_daemon();
  connect_daemons(*a, *b);
  std::vector<std::future<bool>> echoes;
  for (int i = 0; i < 64; ++i)
    echoes.push_back(std::async(std::launch::async, [&, i] {
      auto stream = control(*a);
      const auto opened = stream.ask(open_to(*b, {"/echo/1.0.0"}));
      if (!opened || opened->error) return false;
      auto bytes = pattern(100'000);
      bytes[0] = static_cast<std::uint8_t>(i);
      std::thread sending([&] {
        stream.send(bytes);
        stream.finish();
      });
      const bool same = stream.receive_all() == bytes;
      sending.join();
      return same;
    }));
  for (auto& echo : echoes) EXPECT_TRUE(echo.get());
}

TEST(NetDaemon, ProtocolsWithAHandlerAreBounded) {
  const auto a = start_daemon();
  HandlerSocket handler;
  std::size_t registered = 0;
  while (registered < daemon::kHandlersMax) {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < 64; ++i) names.push_back("/test/" + std::to_string(registered++));
    ASSERT_FALSE(ask(*a, handle(handler, names)).error);
  }
  EXPECT_TRUE(ask(*a, handle(handler, {"/test/one-more"})).error.has_value());
  EXPECT_FALSE(ask(*a, handle(handler, {"/test/0"})).error) << "a known one may be claimed anew";
}

// ---------------------------------------------------------------------------------------------- DHT

class NetDaemonDht : public ::testing::Test {
 protected:
  void SetUp() override {
    connect_daemons(*a, *b);
    connect_daemons(*b, *c);
    ASSERT_TRUE(eventually([&] { return table(*a) >= 1 && table(*b) >= 2 && table(*c) >= 1; }));
  }
  static std::size_t table(Daemon& daemon) { return stats(daemon.host()).dht_table; }
  std::vector<daemon::DhtResponse> list(const Request& request) const {
    auto socket = control(*a);
    const auto begin = socket.ask(request);
    EXPECT_TRUE(begin && begin->dht && begin->dht->type == DhtResponseType::begin);
    std::vector<daemon::DhtResponse> all;
    while (auto next = socket.receive_dht()) {
      if (next->type == DhtResponseType::end) return all;
      all.push_back(*std::move(next));
    }
    ADD_FAILURE() << "a list without an end";
    return all;
  }
  const std::unique_ptr<Daemon> a = start_daemon();
  const std::unique_ptr<Daemon> b = start_daemon();
  const std::unique_ptr<Daemon> c = start_daemon();
};

TEST_F(NetDaemonDht, FindsAPeerThatItIsNotConnectedTo) {
  auto request = dht(DhtRequestType::find_peer);
  request.dht->peer = id_bytes(*c);
  const auto answer = ask(*a, request);
  ASSERT_TRUE(answer.dht && answer.dht->peer) << answer.error.value_or("");
  EXPECT_EQ(answer.dht->peer->id, id_bytes(*c));
  EXPECT_EQ(answer.dht->peer->addrs, std::vector<Bytes>{addr_bytes(c->addresses().front())});

  request.dht->peer = format::sha256_multihash(to_bytes("nobody"));
  EXPECT_TRUE(ask(*a, request).error.has_value());
}

TEST_F(NetDaemonDht, ConnectsToAPeerByItsIdAlone) {
  auto request = connect_to(*c);
  request.connect->addrs.clear();
  const auto answer = ask(*a, request);
  EXPECT_FALSE(answer.error) << *answer.error;
}

TEST_F(NetDaemonDht, WhatOneProvidesTheOtherFinds) {
  Bytes cid{1, 0x55};
  append(cid, format::sha256_multihash(to_bytes("content")));
  auto find = dht(DhtRequestType::find_providers);
  find.dht->cid = cid;
  EXPECT_TRUE(list(find).empty());
  auto provide = dht(DhtRequestType::provide);
  provide.dht->cid = cid;
  const auto provided = ask(*c, provide);
  ASSERT_FALSE(provided.error) << *provided.error;
  // ADD_PROVIDER is not answered, so nobody knows when it has arrived.
  std::vector<daemon::DhtResponse> found;
  ASSERT_TRUE(eventually([&] {
    found = list(find);
    return !found.empty();
  }));
  ASSERT_EQ(found.size(), 1u);
  ASSERT_TRUE(found.front().peer.has_value());
  EXPECT_EQ(found.front().peer->id, id_bytes(*c));
  EXPECT_EQ(found.front().peer->addrs, std::vector<Bytes>{addr_bytes(c->addresses().front())});
  find.dht->cid = to_bytes("no cid");
  EXPECT_TRUE(ask(*a, find).error.has_value());
}

TEST_F(NetDaemonDht, ValuesArePutGotAndSearched) {
  const auto key = PeerId::parse(c->peer_id())->inline_key();
  Bytes name = to_bytes("/pk/");
  append(name, id_bytes(*c));
  auto search = dht(DhtRequestType::search_value);
  search.dht->key = name;
  EXPECT_TRUE(list(search).empty());
  auto get = dht(DhtRequestType::get_value);
  get.dht->key = name;
  EXPECT_TRUE(ask(*a, get).error.has_value());

  auto put = dht(DhtRequestType::put_value);
  put.dht->key = name;
  put.dht->value = format::encode_public_key(*key);
  const auto stored = ask(*b, put);
  ASSERT_FALSE(stored.error) << *stored.error;
  const auto got = ask(*a, get);
  ASSERT_TRUE(got.dht && got.dht->value) << got.error.value_or("");
  EXPECT_EQ(got.dht->value, put.dht->value);
  const auto found = list(search);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found.front().value, put.dht->value);
  put.dht->value = to_bytes("another key");
  EXPECT_TRUE(ask(*b, put).error.has_value());
}

TEST_F(NetDaemonDht, TellsTheClosestPeersAndPublicKeys) {
  auto closest = dht(DhtRequestType::get_closest_peers);
  closest.dht->key = to_bytes("anything");
  std::vector<Bytes> ids;
  for (const auto& entry : list(closest)) ids.push_back(entry.value.value_or(Bytes()));
  EXPECT_EQ(ids.size(), 2u);
  EXPECT_TRUE(std::find(ids.begin(), ids.end(), id_bytes(*c)) != ids.end());

  auto public_key = dht(DhtRequestType::get_public_key);
  public_key.dht->peer = id_bytes(*b);
  EXPECT_EQ(ask(*a, public_key).dht->value,
            format::encode_public_key(*PeerId::parse(b->peer_id())->inline_key()));
  public_key.dht->peer = format::sha256_multihash(to_bytes("nobody"));
  EXPECT_TRUE(ask(*a, public_key).error.has_value());

  auto connected = dht(DhtRequestType::find_peers_connected_to_peer);
  connected.dht->peer = id_bytes(*b);
  EXPECT_EQ(ask(*a, connected).error, "not supported");
}

// ---------------------------------------------------------------------------------------------- gossip

TEST(NetDaemon, EverySubscriberGetsEachMessageOnce) {
  const auto a = start_daemon();
  const auto b = start_daemon();
  connect_daemons(*a, *b);
  std::vector<ControlSocket> subscribers;
  for (const auto* daemon : {&a, &b, &b}) {
    subscribers.push_back(control(**daemon));
    ASSERT_FALSE(subscribers.back().ask(pubsub(PubsubRequestType::subscribe))->error);
  }
  ASSERT_TRUE(eventually([&] {
    const auto peers = ask(*a, pubsub(PubsubRequestType::list_peers)).pubsub->peer_ids;
    return peers == std::vector<Bytes>{id_bytes(*b)};
  }));
  EXPECT_EQ(ask(*a, pubsub(PubsubRequestType::get_topics)).pubsub->topics, std::vector<std::string>{"news"});
  for (int i = 0; i < 20; ++i)
    ASSERT_FALSE(ask(*a, pubsub(PubsubRequestType::publish, "news", std::to_string(i))).error);
  for (auto& subscriber : subscribers) {
    std::set<std::string> heard;
    for (int i = 0; i < 20; ++i) {
      const auto message = subscriber.receive_message();
      ASSERT_TRUE(message.has_value());
      EXPECT_EQ(message->from, id_bytes(*a));
      EXPECT_EQ(message->topics, std::vector<std::string>{"news"});
      EXPECT_EQ(message->seqno.size(), 8u);
      EXPECT_FALSE(message->signature.empty());
      EXPECT_TRUE(heard.insert(to_text(message->data)).second) << "twice";
    }
    EXPECT_EQ(heard.size(), 20u);
  }
}

TEST(NetDaemon, ASubscriptionEndsWithItsConnection) {
  const auto a = start_daemon();
  auto first = control(*a);
  auto second = control(*a);
  ASSERT_FALSE(first.ask(pubsub(PubsubRequestType::subscribe))->error);
  ASSERT_FALSE(second.ask(pubsub(PubsubRequestType::subscribe))->error);
  const auto topics = [&] { return ask(*a, pubsub(PubsubRequestType::get_topics)).pubsub->topics.size(); };
  first.close();
  ASSERT_FALSE(ask(*a, pubsub(PubsubRequestType::publish, "news", "still")).error);
  EXPECT_EQ(as_text(second.receive_message()->data), "still");
  EXPECT_EQ(topics(), 1u);
  second.finish();
  EXPECT_TRUE(eventually([&] { return topics() == 0; }));
}

TEST(NetDaemon, ASubscriberThatDoesNotReadHoldsUpNobody) {
  const auto a = start_daemon();
  auto lazy = control(*a);
  auto busy = control(*a);
  ASSERT_FALSE(lazy.ask(pubsub(PubsubRequestType::subscribe))->error);
  ASSERT_FALSE(busy.ask(pubsub(PubsubRequestType::subscribe))->error);
  const std::string block(60'000, 'x');
  const std::size_t count = 2 * daemon::kSubscriberBytesMax / block.size();
  std::thread publishing([&] {
    auto socket = control(*a);
    for (std::size_t i = 0; i < count; ++i)
      EXPECT_FALSE(socket.ask(pubsub(PubsubRequestType::publish, "news", block))->error);
  });
  std::size_t heard = 0;
  while (heard < count && busy.receive_message()) ++heard;
  publishing.join();
  EXPECT_EQ(heard, count);
  // What was kept for the lazy one is bounded, and whole; the rest is counted.
  const auto dropped = a->drops().unread.at("news");
  ASSERT_FALSE(ask(*a, pubsub(PubsubRequestType::publish, "news", "the last")).error);
  std::size_t kept = 0;
  lazy.finish();
  while (lazy.receive_message()) ++kept;
  EXPECT_GT(kept, 0u);
  EXPECT_GT(dropped, 0u);
  EXPECT_LE(kept + dropped, count + 1);
  EXPECT_EQ(a->drops().unread.size(), 1u);
  EXPECT_EQ(a->drops().on_the_way, 0u);
}

// ---------------------------------------------------------------------------------------------- ends

TEST(NetDaemon, StoppingEndsEveryControlConnection) {
  const std::size_t files_before = open_files();
  {
    auto a = start_daemon();
    const auto b = start_daemon();
    connect_daemons(*a, *b);
    auto ends = open_ends(*a, *b);
    auto idle = control(*a);
    ASSERT_TRUE(idle.ask(Request())->identify.has_value());
    auto subscriber = control(*a);
    ASSERT_FALSE(subscriber.ask(pubsub(PubsubRequestType::subscribe))->error);
    a.reset();
    EXPECT_TRUE(idle.receive_all().empty());
    EXPECT_TRUE(subscriber.receive_all().empty());
    EXPECT_TRUE(ends.opener.receive_all().empty());
    EXPECT_TRUE(ends.handler.receive_all().empty());
  }
  EXPECT_TRUE(eventually([&] { return open_files() == files_before; }));
}

}  // namespace
}  // namespace starling::net
