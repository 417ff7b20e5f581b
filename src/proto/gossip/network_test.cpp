// Many routers in virtual time: what the protocol promises as a whole.
#include <gmock/gmock.h>

#include "proto/gossip/network_fixtures.hpp"

namespace starling::gossip {
namespace {

constexpr auto kTopic = "agent-messages";

/// No flood publishing: the mesh and gossip have to do it.
Config mesh_only() {
  Config config;
  config.mesh.flood_publish = false;
  return config;
}

void expect_everybody_once(TestNet& net, const MessageId& id, std::size_t publisher) {
  EXPECT_EQ(net.reached(id), net.nodes.size() - 1);
  EXPECT_FALSE(net.at(publisher).delivered.contains(id));
  EXPECT_FALSE(net.anybody_twice());
}

TEST(GossipNetwork, TwoHundredRoutersReceiveEveryMessageExactlyOnce) {
  TestNet net(testkit::seed(20));
  net.add(200, mesh_only());
  net.connect_randomly(10);
  net.subscribe_all(kTopic);
  net.run(10s);
  std::vector<std::pair<std::size_t, MessageId>> published;
  for (int i = 0; i < 40; ++i) {
    const std::size_t publisher = net.rng.below(net.nodes.size());
    published.emplace_back(publisher, net.publish(publisher, kTopic));
    net.run(100ms);
  }
  net.run(5s);
  std::size_t copies = 0;
  for (const auto& [publisher, id] : published) expect_everybody_once(net, id, publisher);
  for (const auto& node : net.nodes) copies += node->copies_received;
  // A mesh of degree D brings about D copies to each; flooding 20 links would bring 20.
  EXPECT_LT(copies, published.size() * net.nodes.size() * 10);
}

TEST(GossipNetwork, MeshDegreesStayWithinTheirBounds) {
  TestNet net(testkit::seed(21));
  net.add(60, mesh_only());
  net.connect_all();
  net.subscribe_all(kTopic);
  net.run(30s);
  const MeshParams params;
  for (std::size_t i = 0; i < net.nodes.size(); ++i) {
    const auto mesh = net.at(i).router.mesh_peers(kTopic);
    EXPECT_GE(mesh.size(), params.d_lo);
    EXPECT_LE(mesh.size(), params.d_hi + params.d_out);
    // A link is a link on both sides once control messages have arrived.
    for (const PeerId& peer : mesh)
      for (const auto& other : net.nodes)
        if (other->id == peer) {
          const auto back = other->router.mesh_peers(kTopic);
          EXPECT_THAT(back, ::testing::Contains(net.at(i).id));
        }
  }
}

TEST(GossipNetwork, AMessageCrossesTheWireFormUnchanged) {
  TestNet net(testkit::seed(22), Wire::bytes);
  net.add(25, mesh_only());
  net.connect_randomly(6);
  net.subscribe_all(kTopic);
  net.run(5s);
  const std::string payload(30000, 'p');
  std::size_t right = 0;
  for (auto& node : net.nodes)
    node->judge = [&](const Message& message) {
      right += message.topic == kTopic && as_text(message.data) == payload ? 1 : 0;
      return Outcome::accept();
    };
  const MessageId id = net.publish(3, kTopic, payload);
  net.run(5s);
  expect_everybody_once(net, id, 3);
  EXPECT_EQ(right, 24U);
}

TEST(GossipNetwork, APublisherWithoutSubscriptionReachesEverybodyThroughItsFanout) {
  TestNet net(testkit::seed(23));
  net.add(30, mesh_only());
  net.connect_randomly(8);
  for (std::size_t i = 1; i < net.nodes.size(); ++i) net.subscribe(i, kTopic);
  net.run(5s);
  for (int i = 0; i < 5; ++i) {
    const MessageId id = net.publish(0, kTopic);
    net.run(3s);
    EXPECT_EQ(net.reached(id), 29U);
  }
  EXPECT_EQ(net.mesh_size(0, kTopic), 0U);
}

TEST(GossipNetwork, WhatTheMeshLosesGossipRepairs) {
  TestNet net(testkit::seed(24));
  net.add(40, mesh_only());
  net.connect_randomly(10);
  net.subscribe_all(kTopic);
  net.run(5s);
  // 40 % of all pushed copies vanish; answers to IWANT are a lane of their own and get through.
  net.meddler = [&](std::size_t, std::size_t, Rpc& rpc) {
    return rpc.messages.empty() || net.rng.unit() > 0.4 || rpc.messages.size() > 1;
  };
  std::vector<MessageId> ids;
  for (int i = 0; i < 20; ++i) {
    ids.push_back(net.publish(net.rng.below(40), kTopic));
    net.run(500ms);
  }
  net.run(10s);
  for (const MessageId& id : ids) EXPECT_EQ(net.reached(id), 39U);
}

TEST(GossipNetwork, GossipAloneDeliversAcrossNodesThatNeverPush) {
  TestNet net(testkit::seed(25));
  Config config = mesh_only();
  config.mesh.d = 3;
  config.mesh.d_lo = 2;
  config.mesh.d_hi = 4;
  config.mesh.d_score = 2;
  config.mesh.d_out = 1;
  net.add(12, config);
  net.connect_all();
  net.subscribe_all(kTopic);
  net.run(5s);
  // Nobody pushes: a message travels only in answer to an IWANT.
  std::set<std::pair<std::size_t, std::size_t>> asked;
  net.meddler = [&](std::size_t from, std::size_t to, Rpc& rpc) {
    if (!rpc.control.iwant.empty()) asked.insert({to, from});
    return rpc.messages.empty() || asked.contains({from, to});
  };
  const MessageId id = net.publish(0, kTopic);
  net.run(8s);
  // Members of the publisher's mesh hear no IHAVE from it, but from others who learned of it.
  EXPECT_EQ(net.reached(id), 11U);
  EXPECT_FALSE(net.anybody_twice());
}

TEST(GossipNetwork, FloodsubPeersAndGossipPeersReachEachOther) {
  TestNet net(testkit::seed(26));
  net.add(20, mesh_only());
  // Node 0 is spoken to as a floodsub peer by everybody, and sees everybody as one.
  for (std::size_t i = 1; i <= 3; ++i) net.connect(0, i, Protocol::floodsub_1_0);
  for (std::size_t i = 1; i < 20; ++i)
    for (std::size_t k = i + 1; k < 20; k += 2) net.connect(i, k);
  net.subscribe_all(kTopic);
  net.run(5s);
  const MessageId from_gossip = net.publish(12, kTopic);
  const MessageId from_flood = net.publish(0, kTopic);
  net.run(5s);
  EXPECT_EQ(net.reached(from_gossip), 19U);
  EXPECT_EQ(net.reached(from_flood), 19U);
  EXPECT_EQ(net.mesh_size(0, kTopic), 0U);
}

TEST(GossipNetwork, APartitionHealsAndRecentMessagesCross) {
  TestNet net(testkit::seed(27));
  Config config = mesh_only();
  config.mesh.history_length = 20;
  config.mesh.history_gossip = 15;
  net.add(30, config);
  net.connect_all();
  net.subscribe_all(kTopic);
  net.run(5s);
  for (std::size_t a = 0; a < 15; ++a)
    for (std::size_t b = 15; b < 30; ++b) net.disconnect(a, b);
  net.run(2s);
  const MessageId id = net.publish(2, kTopic);
  net.run(3s);
  EXPECT_EQ(net.reached(id), 14U);
  for (std::size_t a = 0; a < 15; ++a)
    for (std::size_t b = 15; b < 30; ++b) net.connect(a, b);
  net.run(12s);
  EXPECT_EQ(net.reached(id), 29U);
  const MessageId later = net.publish(20, kTopic);
  net.run(3s);
  EXPECT_EQ(net.reached(later), 29U);
}

TEST(GossipNetwork, ChurnDoesNotCostAStableNodeItsMessages) {
  TestNet net(testkit::seed(28));
  net.add(50, mesh_only());
  net.connect_randomly(8);
  net.subscribe_all(kTopic);
  net.run(5s);
  std::vector<MessageId> ids;
  for (int round = 0; round < 30; ++round) {
    // Nodes 25 to 49 lose and regain links all the time; 0 to 24 keep theirs.
    for (int i = 0; i < 3; ++i) {
      const std::size_t a = 25 + net.rng.below(25);
      if (!net.at(a).linked.empty() && net.rng.below(2) == 0) {
        net.disconnect(a, *net.at(a).linked.begin());
      } else {
        net.connect(a, net.rng.below(50));
      }
    }
    ids.push_back(net.publish(net.rng.below(25), kTopic));
    net.run(400ms);
  }
  net.run(6s);
  for (const MessageId& id : ids)
    for (std::size_t i = 0; i < 25; ++i)
      EXPECT_TRUE(net.is_author(i, id) || net.at(i).delivered.contains(id));
  EXPECT_FALSE(net.anybody_twice());
}

TEST(GossipNetwork, InvalidMessagesStopAtTheFirstHopAndCostTheirSender) {
  TestNet net(testkit::seed(29));
  net.add(20, mesh_only());
  net.connect_all();
  net.subscribe_all(kTopic);
  for (auto& node : net.nodes)
    node->judge = [](const Message& message) {
      return as_text(message.data) == "bad" ? Outcome::reject() : Outcome::accept();
    };
  net.run(5s);
  for (std::uint64_t i = 0; i < 8; ++i)
    for (std::size_t to = 1; to < 20; ++to)
      net.send(0, to, rpc_message(test_message(net.at(0).id, 1000 + i, kTopic, "bad")));
  net.run(3s);
  for (std::size_t i = 1; i < 20; ++i) {
    EXPECT_LT(net.at(i).router.score(net.at(0).id), Config{}.thresholds.graylist);
    EXPECT_THAT(net.at(i).router.mesh_peers(kTopic), ::testing::Not(::testing::Contains(net.at(0).id)));
    EXPECT_TRUE(net.at(i).delivered.empty());
    for (std::size_t k = 1; k < 20; ++k)
      if (k != i) {
        EXPECT_GE(net.at(i).router.score(net.at(k).id), 0.0);
      }
  }
  const MessageId id = net.publish(5, kTopic);
  net.run(3s);
  EXPECT_GE(net.reached(id), 18U);  // everybody but the outcast, who may hear of it by luck only
}

TEST(GossipNetwork, TheSameSeedGivesTheSameRun) {
  const auto run = [](std::uint64_t seed) {
    TestNet net(seed);
    net.add(30, mesh_only());
    net.connect_randomly(6);
    net.subscribe_all(kTopic);
    net.run(3s);
    for (int i = 0; i < 10; ++i) {
      net.publish(net.rng.below(30), kTopic);
      net.run(300ms);
    }
    net.run(3s);
    std::vector<std::size_t> trace;
    for (std::size_t i = 0; i < 30; ++i) {
      trace.push_back(net.at(i).copies_received);
      trace.push_back(net.at(i).ihaves_sent);
      for (const PeerId& peer : net.at(i).router.mesh_peers(kTopic)) trace.push_back(peer.bytes().back());
    }
    return trace;
  };
  EXPECT_EQ(run(77), run(77));
  EXPECT_NE(run(77), run(78));
}

}  // namespace
}  // namespace starling::gossip
