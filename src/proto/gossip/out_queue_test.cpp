#include "proto/gossip/out_queue.hpp"

#include <gmock/gmock.h>

#include "format/varint.hpp"
#include "proto/gossip/router_fixtures.hpp"

namespace starling::gossip {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Rpc decoded(const Frame& frame) {
  Bytes bytes;
  for (const Slice& part : frame.parts) append(bytes, part);
  const auto length = format::read_minimal_varint(bytes);
  auto rpc = decode(ByteView(bytes).subspan(length->size));
  EXPECT_TRUE(rpc.has_value());
  return *std::move(rpc);
}

std::vector<Rpc> all(OutQueue& queue) {
  std::vector<Rpc> out;
  while (const auto frame = queue.next_frame()) out.push_back(decoded(*frame));
  EXPECT_TRUE(queue.empty());
  return out;
}

Rpc with_message(std::uint64_t seqno, std::size_t bytes = 10) {
  return rpc_message(test_message(test_peer(1), seqno, "t", std::string(bytes, 'x')));
}

std::vector<std::uint64_t> seqnos(const std::vector<Rpc>& rpcs) {
  std::vector<std::uint64_t> out;
  for (const Rpc& rpc : rpcs)
    for (const MessagePtr& message : rpc.messages)
      out.push_back(get_u64_be(std::span<const std::uint8_t, 8>(message->seqno)));
  return out;
}

TEST(GossipOutQueue, ControlLeavesFirstThenOwnThenRelayed) {
  OutQueue queue;
  EXPECT_EQ(queue.push(with_message(1), Lane::relay), Pushed::queued);
  EXPECT_EQ(queue.push(with_message(2), Lane::own), Pushed::queued);
  EXPECT_EQ(queue.push(rpc_graft("t"), Lane::control), Pushed::queued);
  EXPECT_EQ(queue.waiting_messages(), 2U);
  const auto rpcs = all(queue);
  ASSERT_THAT(rpcs, SizeIs(2));
  EXPECT_THAT(rpcs[0].control.graft, SizeIs(1));
  EXPECT_THAT(seqnos(rpcs), ElementsAre(2, 1));
  EXPECT_EQ(queue.waiting_bytes(), 0U);
}

TEST(GossipOutQueue, WaitingControlMergesWhereTheOrderAllowsIt) {
  OutQueue queue;
  queue.push(rpc_subscribe({"t"}), Lane::control);
  queue.push(rpc_graft("t"), Lane::control);
  queue.push(rpc_ihave("t", {Bytes{1}}), Lane::control);
  queue.push(rpc_prune("u", 60), Lane::control);
  EXPECT_THAT(all(queue), SizeIs(1));
  // A GRAFT after a PRUNE must not overtake it, nor a subscription a GRAFT: a receiver takes them in the
  // other order.
  queue.push(rpc_prune("t", 60), Lane::control);
  queue.push(rpc_graft("t"), Lane::control);
  const auto rpcs = all(queue);
  ASSERT_THAT(rpcs, SizeIs(2));
  EXPECT_THAT(rpcs[0].control.prune, SizeIs(1));
  EXPECT_THAT(rpcs[1].control.graft, SizeIs(1));
  queue.push(rpc_graft("t"), Lane::control);
  queue.push(rpc_unsubscribe("t"), Lane::control);
  EXPECT_THAT(all(queue), SizeIs(2));
}

TEST(GossipOutQueue, RelayedMessagesLoseTheOldestAndCountIt) {
  OutQueueLimits limits;
  limits.relay_count_max = 3;
  OutQueue queue(limits);
  for (std::uint64_t i = 1; i <= 3; ++i) EXPECT_EQ(queue.push(with_message(i), Lane::relay), Pushed::queued);
  EXPECT_EQ(queue.push(with_message(4), Lane::relay), Pushed::trimmed);
  EXPECT_EQ(queue.counters().relay_dropped, 1U);
  EXPECT_THAT(seqnos(all(queue)), ElementsAre(2, 3, 4));
}

TEST(GossipOutQueue, RelayedMessagesAreBoundedByBytesButOneAlwaysFits) {
  OutQueueLimits limits;
  limits.relay_bytes_max = 10000;
  OutQueue queue(limits);
  for (std::uint64_t i = 1; i <= 20; ++i) {
    queue.push(with_message(i, 3000), Lane::relay);
    EXPECT_LE(queue.waiting_bytes(), 10000U);
  }
  EXPECT_GT(queue.counters().relay_dropped, 15U);
  EXPECT_EQ(queue.push(with_message(99, 50000), Lane::relay), Pushed::trimmed);
  EXPECT_THAT(seqnos(all(queue)), ElementsAre(99));
}

TEST(GossipOutQueue, OwnMessagesAreRefusedAloudAndNeverDropped) {
  OutQueueLimits limits;
  limits.own_count_max = 2;
  OutQueue queue(limits);
  EXPECT_EQ(queue.push(with_message(1), Lane::own), Pushed::queued);
  EXPECT_EQ(queue.push(with_message(2), Lane::own), Pushed::queued);
  EXPECT_EQ(queue.push(with_message(3), Lane::own), Pushed::refused);
  for (std::uint64_t i = 10; i < 3000; ++i) queue.push(with_message(i, 1000), Lane::relay);
  EXPECT_EQ(queue.counters().own_refused, 1U);
  const auto left = seqnos(all(queue));
  EXPECT_EQ(left[0], 1U);
  EXPECT_EQ(left[1], 2U);
  OutQueueLimits small;
  small.own_bytes_max = 100;
  OutQueue tight(small);
  EXPECT_EQ(tight.push(with_message(1, 5000), Lane::own), Pushed::queued);
  EXPECT_EQ(tight.push(with_message(2, 10), Lane::own), Pushed::refused);
}

TEST(GossipOutQueue, GossipIsLostBeforeLinksAre) {
  OutQueueLimits limits;
  limits.gossip_ids_max = 10;
  OutQueue queue(limits);
  const std::vector<MessageId> ids(8, Bytes{1, 2, 3});
  EXPECT_EQ(queue.push(rpc_ihave("t", ids), Lane::control), Pushed::queued);
  Rpc both = rpc_ihave("t", ids);
  both.control.graft.push_back({"t"});
  EXPECT_EQ(queue.push(std::move(both), Lane::control), Pushed::trimmed);
  EXPECT_EQ(queue.counters().gossip_dropped, 8U);
  const auto rpcs = all(queue);
  ASSERT_THAT(rpcs, SizeIs(1));
  EXPECT_THAT(rpcs[0].control.ihave, SizeIs(1));
  EXPECT_THAT(rpcs[0].control.graft, SizeIs(1));
  // Room comes back.
  EXPECT_EQ(queue.push(rpc_ihave("t", ids), Lane::control), Pushed::queued);
}

TEST(GossipOutQueue, APeerThatDoesNotReadIsReportedNotBufferedForEver) {
  OutQueueLimits limits;
  limits.control_entries_max = 100;
  OutQueue queue(limits);
  for (int i = 0; i < 100; ++i) ASSERT_EQ(queue.push(rpc_prune("t", 60), Lane::control), Pushed::queued);
  EXPECT_EQ(queue.push(rpc_prune("t", 60), Lane::control), Pushed::overflow);
  std::size_t prunes = 0;
  for (const Rpc& rpc : all(queue)) prunes += rpc.control.prune.size();
  EXPECT_EQ(prunes, 100U);
  EXPECT_EQ(queue.push(rpc_prune("t", 60), Lane::control), Pushed::queued);
}

TEST(GossipOutQueue, FramesKeepTheSizeThatRustAccepts) {
  OutQueue queue;
  SeededRng rng(testkit::seed(8));
  std::size_t pushed = 0;
  for (int i = 0; i < 400; ++i) {
    switch (rng.below(3)) {
      case 0: queue.push(with_message(++pushed, rng.below(4000)), Lane::own); break;
      case 1:
        queue.push(rpc_ihave("topic", std::vector<MessageId>(1 + rng.below(20), Bytes(47, 1))),
                   Lane::control);
        break;
      default: queue.push(rpc_graft("topic"), Lane::control);
    }
  }
  std::size_t left = 0;
  while (const auto frame = queue.next_frame()) {
    EXPECT_LE(frame->size_bytes, kRpcSentBytesMax + 3);
    left += decoded(*frame).messages.size();
  }
  EXPECT_EQ(left, pushed);
}

TEST(GossipOutQueue, AnEmptyPushAndAnEmptyQueueSayNothing) {
  OutQueue queue;
  EXPECT_EQ(queue.push({}, Lane::control), Pushed::queued);
  EXPECT_TRUE(queue.empty());
  EXPECT_FALSE(queue.next_frame());
}

}  // namespace
}  // namespace starling::gossip
