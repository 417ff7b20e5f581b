// What the libp2p daemon refuses or drops when it holds as much as it may.
#include <gtest/gtest.h>

#include "net/daemons.hpp"

namespace starling::net {
namespace {

template <class Value>
std::unique_ptr<Daemon> start_limited(Value daemon::Limits::*limit, std::type_identity_t<Value> value) {
  auto options = with_everything();
  options.limits.*limit = value;
  return start_daemon(std::move(options));
}

TEST(NetDaemon, ControlConnectionsBeyondTheLimitAreClosedAtOnce) {
  const auto a = start_limited(&daemon::Limits::control_connections, 2);
  auto first = control(*a);
  auto second = control(*a);
  ASSERT_TRUE(first.ask(Request())->identify.has_value());
  ASSERT_TRUE(second.ask(Request())->identify.has_value());
  EXPECT_TRUE(control(*a).receive_all().empty());
  EXPECT_TRUE(first.ask(Request())->identify.has_value());  // who is in does not notice
  second.close();
  EXPECT_TRUE(eventually([&] { return control(*a).ask(Request()).has_value(); }));
}

TEST(NetDaemon, StreamsForHandlersBeyondTheLimitAreReset) {
  const auto a = start_daemon();
  const auto b = start_limited(&daemon::Limits::handler_streams, 1);
  connect_daemons(*a, *b);
  HandlerSocket listener;
  ASSERT_FALSE(ask(*b, handle(listener, {"/test/1"})).error);
  auto opener = open_stream(*a, *b, "/test/1");
  auto handler = listener.accept();
  ASSERT_TRUE(handler.receive_frame());
  // The reset comes right behind the peer's consent: the opener may see the one, or both as an error.
  auto refused = control(*a);
  const auto consent = refused.ask(open_to(*b, {"/test/1"}));
  ASSERT_TRUE(consent);
  if (!consent->error) {
    EXPECT_TRUE(refused.receive_all().empty());
    EXPECT_FALSE(refused.ended_cleanly());
  }
  EXPECT_FALSE(listener.wait(std::chrono::milliseconds(0)));
  ASSERT_TRUE(opener.send(as_bytes("still")));
  EXPECT_EQ(as_text(handler.receive_some()), "still");
  opener.close();
  handler.close();
  // The place is free when both directions have ended: then a stream is there to stay.
  EXPECT_TRUE(eventually([&] {
    auto next = control(*a);
    const auto opened = next.ask(open_to(*b, {"/test/1"}));
    return opened && !opened->error && listener.wait(std::chrono::milliseconds(200));
  }));
}

TEST(NetDaemon, SubscriptionsBeyondTheLimitAreRefused) {
  const auto a = start_limited(&daemon::Limits::subscriptions, 1);
  auto first = control(*a);
  ASSERT_FALSE(first.ask(pubsub(PubsubRequestType::subscribe))->error);
  auto second = control(*a);
  const auto refused = second.ask(pubsub(PubsubRequestType::subscribe, "weather"));
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->error, "as many clients are subscribed as may be");
  EXPECT_TRUE(second.ask(Request())->identify.has_value());
  first.close();
  EXPECT_TRUE(
      eventually([&] { return !second.ask(pubsub(PubsubRequestType::subscribe, "weather"))->error; }));
}

TEST(NetDaemon, MessagesWithoutRoomOnTheWayAreDroppedAndCounted) {
  const auto a = start_limited(&daemon::Limits::messages_on_the_way, 0);
  auto subscriber = control(*a);
  ASSERT_FALSE(subscriber.ask(pubsub(PubsubRequestType::subscribe))->error);
  ASSERT_FALSE(ask(*a, pubsub(PubsubRequestType::publish, "news", "lost")).error);
  EXPECT_TRUE(eventually([&] { return a->drops().on_the_way == 1; }));
  EXPECT_TRUE(a->drops().unread.empty());
}

TEST(NetDaemon, ARequestWithoutATimeOfItsOwnEndsAfterTheDaemons) {
  const auto a = start_limited(&daemon::Limits::request_time, std::chrono::milliseconds(100));
  const auto b = start_daemon();
  const HandlerSocket silent;  // takes connections and says nothing
  Request request = connect_to(*b);
  request.connect->addrs = {addr_bytes(silent.address())};
  request.connect->timeout_s = 0;
  auto client = control(*a);
  const auto answer = client.ask(request);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->error, "the request took longer than its time");
  EXPECT_TRUE(client.ask(Request())->identify.has_value());
}

}  // namespace
}  // namespace starling::net
