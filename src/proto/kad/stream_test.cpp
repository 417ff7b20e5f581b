#include <gtest/gtest.h>

#include "format/protobuf.hpp"
#include "proto/kad/client_stream.hpp"
#include "proto/kad/kad_testing.hpp"
#include "proto/kad/rpc_codec.hpp"
#include "proto/kad/server_stream.hpp"

namespace starling::kad {
namespace {

using testing::info;
using testing::peer;
using testkit::hex;

Instant t(Duration since_start) { return Instant{} + since_start; }

Message find_node(std::uint64_t n) { return {MessageType::find_node, to_bytes(peer(n).bytes()), {}, {}, {}}; }
Message answer_of(std::uint64_t n) { return {MessageType::find_node, {}, {}, {info(n)}, {}}; }
SendRequest request(std::uint64_t id, Message message, bool expects = true) {
  return {RequestId(id), peer(1), {}, std::move(message), expects};
}

Bytes take(ServerStream& stream) {
  Bytes out = to_bytes(stream.to_send());
  stream.sent(out.size());
  return out;
}
Bytes take(ClientStream& stream) {
  Bytes out = to_bytes(stream.to_send());
  stream.sent(out.size());
  return out;
}

TEST(KadStreams, CarryManyRequestsWhateverTheCuts) {
  SeededRng rng(testkit::seed(41));
  ServerStream server(t(0s));
  ClientStream client;
  for (std::uint64_t n = 1; n <= 200; ++n) {
    ASSERT_TRUE(client.ready());
    const bool provides = rng.below(4) == 0;
    Message asked = find_node(n);
    if (provides) asked = {MessageType::add_provider, to_bytes("key"), {}, {}, {info(n)}};
    client.send(request(n, asked, !provides), t(0s));
    EXPECT_EQ(client.pending().has_value(), !provides);
    std::optional<Message> got;
    testkit::in_random_pieces(rng, take(client), 20, [&](ByteView piece) {
      ASSERT_TRUE(server.receive(piece, t(0s)));
      const auto polled = server.poll();
      ASSERT_TRUE(polled);
      if (*polled) got = **polled;
    });
    ASSERT_TRUE(got);
    EXPECT_EQ(*got, asked);
    if (provides) {
      server.no_response(t(0s));
      EXPECT_TRUE(server.to_send().empty());
      continue;
    }
    server.respond(answer_of(n), t(0s));
    testkit::in_random_pieces(rng, take(server), 20,
                              [&](ByteView piece) { ASSERT_TRUE(client.receive(piece, t(0s))); });
    const auto answer = client.poll();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->id, RequestId(n));
    EXPECT_EQ(answer->message, answer_of(n));
    EXPECT_FALSE(client.poll());
  }
}

TEST(KadServerStream, HandsOutOneRequestAtATimeInOrder) {
  ServerStream server(t(0s));
  Bytes wire;
  for (std::uint64_t n = 1; n <= 3; ++n) format::put_frame(wire, encode(find_node(n)));
  ASSERT_TRUE(server.receive(wire, t(0s)));
  for (std::uint64_t n = 1; n <= 3; ++n) {
    EXPECT_EQ(**server.poll(), find_node(n));
    EXPECT_FALSE(*server.poll());
    server.respond(answer_of(n), t(0s));
  }
  EXPECT_FALSE(*server.poll());
}

TEST(KadServerStream, StopsReadingFromAPeerThatNeverReads) {
  ServerStream server(t(0s));
  Message big{MessageType::get_value,
              to_bytes("/a/b"),
              Record{to_bytes("/a/b"), Bytes(kValueBytesMax, 'v'), {}},
              {},
              {}};
  std::size_t answered = 0;
  for (;; ++answered) {
    if (!server.wants_bytes()) break;
    ASSERT_TRUE(server.receive(format::make_frame(encode(find_node(1))), t(0s)));
    if (!*server.poll()) break;
    server.respond(big, t(0s));
  }
  EXPECT_LE(answered, 5u);
  EXPECT_LE(server.to_send().size(), kStreamBacklogBytesMax + kMessageBytesSentMax);
  EXPECT_FALSE(*server.poll());
  (void)take(server);
  EXPECT_TRUE(server.wants_bytes());
}

TEST(KadServerStream, BoundsWhatWaitsToBeRead) {
  ServerStream server(t(0s));
  Bytes wire;
  while (wire.size() <= kStreamInputBytesMax) format::put_frame(wire, encode(find_node(1)));
  EXPECT_TRUE(server.receive(ByteView(wire).first(kStreamInputBytesMax), t(0s)));
  EXPECT_FALSE(server.wants_bytes());
  EXPECT_EQ(server.receive(ByteView(wire).last(1), t(0s)).error(), make_error(Errc::backlog));
}

TEST(KadServerStream, EndsWhenIdle) {
  ServerStream server(t(0s));
  EXPECT_EQ(server.deadline(), t(kStreamIdle));
  ASSERT_TRUE(server.receive(format::make_frame(encode(find_node(1))), t(50s)));
  EXPECT_TRUE(server.on_deadline(t(109s)));
  (void)server.poll();
  server.respond(answer_of(1), t(100s));
  EXPECT_TRUE(server.on_deadline(t(159s)));
  EXPECT_EQ(server.on_deadline(t(160s)).error(), make_error(Errc::idle));
}

TEST(KadServerStream, FinishesWhatItHasWhenThePeerCloses) {
  ServerStream server(t(0s));
  Bytes wire = format::make_frame(encode(find_node(1)));
  format::put_frame(wire, encode(find_node(2)));
  ASSERT_TRUE(server.receive(wire, t(0s)));
  server.on_remote_closed();
  EXPECT_FALSE(server.wants_bytes());
  for (std::uint64_t n = 1; n <= 2; ++n) {
    EXPECT_FALSE(server.finished());
    ASSERT_TRUE(*server.poll());
    server.respond(answer_of(n), t(0s));
  }
  EXPECT_FALSE(*server.poll());
  EXPECT_FALSE(server.finished());
  (void)take(server);
  EXPECT_TRUE(server.finished());
}

TEST(KadServerStream, NoticesACutFrame) {
  ServerStream server(t(0s));
  const Bytes wire = format::make_frame(encode(find_node(1)));
  ASSERT_TRUE(server.receive(ByteView(wire).first(wire.size() - 1), t(0s)));
  EXPECT_FALSE(*server.poll());
  server.on_remote_closed();
  EXPECT_EQ(server.poll().error(), make_error(Errc::stream_broken));
}

// E.3 #29 (GHSA-xqvc-92cf-94j4): lengths unchecked, in responses too.
TEST(KadStreams, RefuseLengthBombsOnBothEnds) {
  for (const std::uint64_t length : {std::uint64_t{kMessageBytesMax} + 1, std::uint64_t{1} << 31,
                                     std::uint64_t{1} << 63, ~std::uint64_t{0}}) {
    Bytes bomb;
    format::put_varint(bomb, length);
    ServerStream server(t(0s));
    ASSERT_TRUE(server.receive(bomb, t(0s)));
    EXPECT_EQ(server.poll().error().kind(), Kind::malformed);
    ClientStream client;
    client.send(request(1, find_node(1)), t(0s));
    (void)take(client);
    const auto received = client.receive(bomb, t(0s));
    ASSERT_FALSE(received);
    EXPECT_EQ(received.error().kind(), Kind::malformed);
  }
  const Bytes endless(20, 0xff);  // a varint that never ends
  ServerStream server(t(0s));
  ASSERT_TRUE(server.receive(endless, t(0s)));
  EXPECT_FALSE(server.poll());
  ClientStream client;
  client.send(request(1, find_node(1)), t(0s));
  EXPECT_FALSE(client.receive(endless, t(0s)));
}

// E.3 #28: endless messages on one stream. Each is dealt with before the next is looked at; nothing piles up.
TEST(KadServerStream, HoldsNothingAfterManyMessages) {
  ServerStream server(t(0s));
  for (std::uint64_t n = 0; n < 10'000; ++n) {
    ASSERT_TRUE(server.receive(format::make_frame(encode(find_node(n % 7))), t(0s)));
    ASSERT_TRUE(*server.poll());
    server.no_response(t(0s));
    ASSERT_TRUE(server.wants_bytes());
  }
  EXPECT_TRUE(server.to_send().empty());
}

TEST(KadStreams, RefuseWhatIsNoMessage) {
  ServerStream server(t(0s));
  ASSERT_TRUE(server.receive(format::make_frame(hex("0809")), t(0s)));
  EXPECT_EQ(server.poll().error(), make_error(Errc::bad_message));
  ClientStream client;
  client.send(request(1, find_node(1)), t(0s));
  EXPECT_EQ(client.receive(format::make_frame(hex("0809")), t(0s)).error(), make_error(Errc::bad_message));
}

TEST(KadClientStream, RefusesAnswersToWhatWasNotAsked) {
  ClientStream unasked;
  EXPECT_EQ(unasked.receive(format::make_frame(encode(answer_of(1))), t(0s)).error(),
            make_error(Errc::unexpected_response));
  ClientStream client;
  client.send(request(1, find_node(1)), t(0s));
  Message wrong = answer_of(1);
  wrong.type = MessageType::get_value;
  EXPECT_EQ(client.receive(format::make_frame(encode(wrong)), t(0s)).error(),
            make_error(Errc::unexpected_response));
  ClientStream twice;
  twice.send(request(1, find_node(1)), t(0s));
  Bytes wire = format::make_frame(encode(answer_of(1)));
  format::put_frame(wire, encode(answer_of(2)));
  EXPECT_EQ(twice.receive(wire, t(0s)).error(), make_error(Errc::unexpected_response));
}

// Wire notes §3.11 trap 3: ipfs/specs servers echo ADD_PROVIDER, libp2p ones do not.
TEST(KadClientStream, SkipsAnswersToAddProviderWheneverTheyCome) {
  const Message provide{MessageType::add_provider, to_bytes("key"), {}, {}, {info(1)}};
  ClientStream client;
  client.send(request(1, provide, false), t(0s));
  EXPECT_FALSE(client.ready());
  (void)take(client);
  EXPECT_TRUE(client.ready());
  EXPECT_TRUE(client.deadline().is_never());
  client.send(request(2, find_node(1)), t(0s));
  (void)take(client);
  ASSERT_TRUE(client.receive(format::make_frame(encode(provide)), t(1s)));  // late, and in the way
  EXPECT_FALSE(client.poll());
  ASSERT_TRUE(client.receive(format::make_frame(encode(answer_of(1))), t(1s)));
  EXPECT_EQ(client.poll()->id, RequestId(2));
  ASSERT_TRUE(client.receive(format::make_frame(encode(provide)), t(1s)));
  EXPECT_TRUE(client.ready());
}

TEST(KadClientStream, GivesUpAfterTenSeconds) {
  ClientStream client;
  EXPECT_TRUE(client.deadline().is_never());
  client.send(request(1, find_node(1)), t(5s));
  EXPECT_EQ(client.deadline(), t(15s));
  EXPECT_TRUE(client.on_deadline(t(14s)));
  EXPECT_EQ(client.on_deadline(t(15s)).error(), make_error(Errc::response_timeout));
  EXPECT_EQ(client.pending(), RequestId(1));
}

TEST(KadClientStream, KnowsWhetherACloseCostsAnAnswer) {
  ClientStream client;
  EXPECT_TRUE(client.on_remote_closed());
  client.send(request(1, find_node(1)), t(0s));
  EXPECT_EQ(client.on_remote_closed().error(), make_error(Errc::stream_broken));
  const Bytes wire = format::make_frame(encode(answer_of(1)));
  ASSERT_TRUE(client.receive(wire, t(0s)));
  EXPECT_TRUE(client.on_remote_closed());
  ASSERT_TRUE(client.receive(ByteView(wire).first(3), t(0s)));
  EXPECT_EQ(client.on_remote_closed().error(), make_error(Errc::stream_broken));
}

TEST(KadClientStream, TakesMoreAtOnceThanItBuffers) {
  ClientStream client;
  const Message provide{MessageType::add_provider, to_bytes("key"), {}, {}, {info(1)}};
  Bytes wire;
  while (wire.size() < 2 * kStreamInputBytesMax) format::put_frame(wire, encode(provide));
  client.send(request(1, find_node(1)), t(0s));
  format::put_frame(wire, encode(answer_of(1)));
  ASSERT_TRUE(client.receive(wire, t(0s)));
  EXPECT_EQ(client.poll()->message, answer_of(1));
}

}  // namespace
}  // namespace starling::kad
