#include "sim/link_model.hpp"

#include <gtest/gtest.h>

#include <set>

#include "kad/rpc_codec.hpp"
#include "sim/liar.hpp"
#include "sim/lookup_trace.hpp"
#include "testkit/testkit.hpp"

namespace starling::sim {
namespace {

TEST(LinkModel, ALatencyIsFixedForAPairTheSameBothWaysAndInItsRange) {
  LinkModel links;
  std::set<std::int64_t> seen;
  for (std::uint32_t a = 0; a < 40; ++a)
    for (std::uint32_t b = 0; b < a; ++b) {
      const Duration one_way = links.latency(1, a, b, 0, 0);
      EXPECT_EQ(one_way, links.latency(1, b, a, 0, 0));
      EXPECT_GE(one_way, links.latency_min);
      EXPECT_LE(one_way, links.latency_max);
      seen.insert(one_way.count());
    }
  EXPECT_GT(seen.size(), 700u);  // of 780 pairs
}

TEST(LinkModel, RegionsGiveTheirLatencyAndUpToATenthMore) {
  LinkModel links;
  links.regions = {{10ms, 80ms}, {80ms, 20ms}};
  for (std::uint32_t b = 1; b < 50; ++b) {
    EXPECT_GE(links.latency(1, 0, b, 0, 1), Duration(80ms));
    EXPECT_LE(links.latency(1, 0, b, 0, 1), Duration(88ms));
    EXPECT_LE(links.latency(1, 0, b, 1, 1), Duration(22ms));
  }
}

TEST(LinkModel, ALostPacketComesARetransmissionLater) {
  LinkModel links;
  links.jitter_max = 0ms;
  SeededRng rng(1);
  EXPECT_EQ(links.trouble(rng, 30ms), Duration(0));
  links.packet_loss = 1.0;
  EXPECT_EQ(links.trouble(rng, 30ms), Duration(200ms));
  EXPECT_EQ(links.trouble(rng, 300ms), Duration(600ms));
  links.packet_loss = 0;
  links.jitter_max = 4ms;
  Duration most{};
  for (int i = 0; i < 1000; ++i) most = std::max(most, links.trouble(rng, 30ms));
  EXPECT_GT(most, Duration(3900us));
  EXPECT_LE(most, Duration(4ms));
}

TEST(LinkModel, TheSizeOfADhtMessageIsThatOfItsBytesWithinATenth) {
  SeededRng rng(testkit::seed(3));
  kad::Message message;
  message.type = kad::MessageType::get_value;
  message.key = Bytes(47, 1);
  message.record = kad::Record{message.key, Bytes(600, 2), "2027-01-15T08:00:00Z"};
  for (int i = 0; i < 20; ++i) {
    IpPort ip;
    ip.ip[0] = 50;
    ip.port = 4001;
    message.closer_peers.push_back(
        {Gang::random_id(rng), {Multiaddr::tcp(ip)}, kad::ConnectionType::connected});
  }
  const auto real = static_cast<double>(kad::encode(message).size());
  EXPECT_NEAR(static_cast<double>(wire_size(message)), real, real / 10);
}

TEST(LookupTrace, CountsRequestsAndTheServersThatStoodOneBehindTheOther) {
  SeededRng rng(1);
  const PeerId near = Gang::random_id(rng), middle = Gang::random_id(rng), far = Gang::random_id(rng);
  LookupTrace trace({Bytes{1}, Bytes{2}});
  EXPECT_TRUE(trace.about(Bytes{2}));
  EXPECT_FALSE(trace.about(Bytes{3}));
  kad::Message ask, answer;
  ask.type = answer.type = kad::MessageType::get_value;
  trace.on_request(near, ask);
  answer.closer_peers = {{middle, {}, kad::ConnectionType::connected}};
  trace.on_answer(near, answer);
  trace.on_request(middle, ask);
  answer.closer_peers = {{far, {}, kad::ConnectionType::connected}};
  trace.on_answer(middle, answer);
  EXPECT_EQ(trace.hops(), 2u);  // nobody had anything: as far as it went
  trace.on_request(far, ask);
  answer.record = kad::Record{};
  trace.on_answer(far, answer);
  trace.on_answer(near, answer);
  EXPECT_EQ(trace.hops(), 3u);  // to the first that had it
  ask.type = kad::MessageType::put_value;
  trace.on_request(near, ask);
  EXPECT_EQ(trace.requests(), 3u);
  EXPECT_EQ(trace.corrections(), 1u);
}

TEST(Gang, NamesTheNearestAndFindsIdsNextToATarget) {
  SeededRng rng(1);
  Gang gang(1);
  for (int i = 0; i < 100; ++i) gang.know_member(Gang::random_id(rng), Multiaddr());
  const auto target = kad::KadId::of(Bytes{1, 2, 3});
  const auto named = gang.nearest(gang.members(), target, 20);
  ASSERT_EQ(named.size(), 20u);
  for (std::size_t i = 1; i < named.size(); ++i)
    EXPECT_TRUE(kad::nearer(target, kad::KadId::of(named[i - 1].id), kad::KadId::of(named[i].id)));
  const auto nearest = Gang::id_near(target, 8, rng);
  EXPECT_GE(kad::common_prefix_bits(kad::KadId::of(nearest), target), 8u);
  const auto invented = gang.invented(target);
  ASSERT_EQ(invented.size(), 20u);
  EXPECT_TRUE(kad::nearer(target, kad::KadId::of(invented[0].id), kad::KadId::of(named[0].id)));
}

}  // namespace
}  // namespace starling::sim
