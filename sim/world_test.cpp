// The whole node in virtual time: what ARCHITECTURE asks of every protocol, asked of all of them together.
#include "sim/world.hpp"

#include <gtest/gtest.h>

#include <set>

#include "testkit/testkit.hpp"

namespace starling::sim {
namespace {

/// `servers` bootstrap nodes, then agents that join one after the other, then time to settle.
void grow(World& world, std::size_t servers, std::size_t agents, Duration between = 100ms) {
  std::vector<std::size_t> bootstrap;
  for (std::size_t i = 0; i < servers; ++i) {
    const auto known = bootstrap;
    bootstrap.push_back(world.add({agent::Role::bootstrap, "bootstrap", known, {}}));
    world.run(200ms);
  }
  for (std::size_t i = 0; i < agents; ++i) {
    world.add({agent::Role::agent, "agent", bootstrap, {}});
    world.run(between);
  }
  world.run(30s);
}

node::SendOptions text_to(std::optional<EthAddress> to, std::string_view text) {
  node::SendOptions options;
  options.to = to;
  options.body = to_bytes(text);
  return options;
}

TEST(World, TwoHundredNodesFindEachOtherAndEveryMessageArrivesExactlyOnce) {
  World world(testkit::seed(1));
  constexpr std::size_t kServers = 5, kAgents = 195;
  grow(world, kServers, kAgents);
  SeededRng pick(7);
  struct Sent {
    std::size_t from, to;
    node::AskId find, send;
    std::string text;
  };
  std::vector<Sent> sent;
  for (int i = 0; i < 60; ++i) {
    Sent s;
    s.from = kServers + pick.below(kAgents);
    do s.to = kServers + pick.below(kAgents);
    while (s.to == s.from);
    s.text = "message " + std::to_string(i);
    s.find = world.find(s.from, world.wallet(s.to));
    s.send = world.send(s.from, text_to(world.wallet(s.to), s.text));
    sent.push_back(s);
    world.run(300ms);
  }
  for (int i = 0; i < 3; ++i) {
    world.send(kServers + static_cast<std::size_t>(i), text_to(std::nullopt, "to all " + std::to_string(i)));
    world.run(2s);
  }
  world.run(60s);
  for (const Sent& s : sent) {
    const auto found = world.observed(s.from).found.find(s.find);
    ASSERT_NE(found, world.observed(s.from).found.end());
    ASSERT_TRUE(found->second.has_value()) << found->second.error().to_string();
    EXPECT_EQ(found->second->presence.fields.wallet, world.wallet(s.to));
    EXPECT_EQ(found->second->source, node::PresenceSource::dht);
    std::size_t copies = 0;
    for (const auto& message : world.observed(s.to).messages)
      copies += to_text(message.body) == s.text && message.from == world.wallet(s.from) && message.sealed;
    EXPECT_EQ(copies, 1u) << s.text << " from " << s.from << " to " << s.to;
  }
  for (std::size_t n = 0; n < world.size(); ++n) {
    std::multiset<std::string> broadcasts;
    for (const auto& message : world.observed(n).messages)
      if (!message.to) broadcasts.insert(to_text(message.body));
    for (std::size_t i = 0; i < 3; ++i)
      EXPECT_EQ(broadcasts.count("to all " + std::to_string(i)), n == kServers + i ? 0u : 1u) << "node " << n;
  }
  EXPECT_GT(world.events_count(), 10'000u);
}

TEST(World, TheSameSeedGivesTheSameStateHashAndAnotherSeedAnother) {
  const auto run = [](std::uint64_t seed) {
    World world(seed);
    grow(world, 2, 20);
    world.send(5, text_to(world.wallet(9), "hello"));
    world.run(20s);
    return world.state_hash();
  };
  const auto first = run(42);
  EXPECT_EQ(first, run(42));
  EXPECT_NE(first, run(43));
}

TEST(World, AnAgentIsFoundAfterHalfOfTheServersCrashed) {
  World world(testkit::seed(3));
  grow(world, 6, 24);
  for (const std::size_t dead : {0, 2, 4}) world.crash(dead);
  world.run(5s);
  const auto ask = world.find(10, world.wallet(20));
  const auto send = world.send(10, text_to(world.wallet(20), "still here"));
  world.run(40s);
  ASSERT_TRUE(world.observed(10).found.at(ask).has_value());
  EXPECT_EQ(world.observed(10).sends.at(send).back(), agent::DeliveryState::sent);
  ASSERT_EQ(world.observed(20).messages.size(), 1u);
  EXPECT_EQ(to_text(world.observed(20).messages[0].body), "still here");
}

TEST(World, APresenceThatEnoughServersHoldIsPublishedOnce) {
  World world(testkit::seed(1));
  constexpr std::size_t kServers = 25, kAgents = 15;
  grow(world, kServers, kAgents);
  for (std::size_t agent = kServers; agent < kServers + kAgents; ++agent)
    EXPECT_EQ(world.observed(agent).published, 1u) << "agent " << agent;
}

TEST(World, APresenceThatFewServersHoldIsPublishedAgainWhenAnotherAppears) {
  World world(testkit::seed(1));
  grow(world, 3, 1);
  const std::size_t before = world.observed(3).published;
  world.add({agent::Role::bootstrap, "bootstrap", {0}, {}});
  world.run(30s);
  EXPECT_EQ(before, 1u);
  EXPECT_EQ(world.observed(3).published, 2u);
}

TEST(World, AWithdrawnAgentIsReportedAsSuchAtOnce) {
  World world(testkit::seed(4));
  grow(world, 3, 10);
  const auto before = world.find(5, world.wallet(8));
  world.run(5s);
  ASSERT_TRUE(world.observed(5).found.at(before).has_value());
  world.leave(8);
  world.run(10s);
  EXPECT_FALSE(world.online(8));
  const auto ask = world.find(5, world.wallet(8));
  const auto send = world.send(5, text_to(world.wallet(8), "too late"));
  world.run(10s);
  const auto& found = world.observed(5).found.at(ask);
  ASSERT_TRUE(found.has_value());
  EXPECT_TRUE(found->presence.fields.withdrawn);
  EXPECT_EQ(world.observed(5).sends.at(send).back(), agent::DeliveryState::failed);
}

TEST(World, AnUnknownAddressIsTruthfullyNotFound) {
  World world(testkit::seed(5));
  grow(world, 3, 6);
  const auto ask = world.find(4, EthAddress(FixedBytes<20>{1, 2, 3}));
  world.run(30s);
  const auto& found = world.observed(4).found.at(ask);
  ASSERT_FALSE(found.has_value());
  EXPECT_EQ(found.error().kind(), Kind::not_found);
}

TEST(World, ARestartedAgentPublishesAboveItsOldRecordAndKeepsItsDeliveryMemory) {
  World world(testkit::seed(6));
  grow(world, 3, 8);
  world.send(5, text_to(world.wallet(7), "once"));
  world.run(10s);
  ASSERT_EQ(world.observed(7).messages.size(), 1u);
  const auto first = world.find(4, world.wallet(7));
  world.run(5s);
  const auto old_seq = world.observed(4).found.at(first)->presence.fields.seq;
  world.crash(7);
  world.run(20s);
  world.restart(7);
  world.run(90s);  // the sender publishes the same envelope again after a minute
  EXPECT_EQ(world.observed(7).messages.size(), 1u);
  const auto second = world.find(4, world.wallet(7));
  world.run(5s);
  EXPECT_GT(world.observed(4).found.at(second)->presence.fields.seq, old_seq);
}

TEST(World, ARecordIsFoundAgainAfterAllOfItsServersRestartedAndItsOwnerIsGone) {
  World world(testkit::seed(9));
  grow(world, 4, 12);
  const std::size_t owner = 9, asker = 6;
  world.crash(owner);
  for (std::size_t server = 0; server < 4; ++server) world.crash(server);
  world.run(10s);
  for (std::size_t server = 0; server < 4; ++server) world.restart(server);
  world.run(90s);
  const auto ask = world.find(asker, world.wallet(owner));
  world.run(30s);
  const auto& found = world.observed(asker).found.at(ask);
  ASSERT_TRUE(found.has_value()) << found.error().to_string();
  EXPECT_EQ(found->source, node::PresenceSource::dht);
  EXPECT_EQ(found->presence.fields.wallet, world.wallet(owner));
}

TEST(World, ANodeFindsTheNetworkByItsSavedTableWhenAllBootstrapNodesAreDead) {
  World world(testkit::seed(10));
  world.add({agent::Role::bootstrap, "bootstrap", {}, {}});
  for (int i = 0; i < 5; ++i) world.add({agent::Role::server, "server", {0}, {}});
  const std::size_t keeper = world.add({agent::Role::agent, "keeper", {0}, {}});
  const std::size_t forgetter =
      world.add({agent::Role::agent, "forgetter", {0}, [](node::AgentConfig&, node::HostConfig& host) {
                   host.kad->keep = kad::Keep::nothing;
                 }});
  const std::size_t asker = world.add({agent::Role::agent, "asker", {0}, {}});
  world.run(30s);
  for (const std::size_t gone : {std::size_t{0}, keeper, forgetter}) world.crash(gone);
  world.run(30s);
  world.restart(keeper);
  world.restart(forgetter);
  world.run(30s);
  EXPECT_GT(world.node(keeper).host().dht()->table().size(), 0u);
  EXPECT_EQ(world.node(forgetter).host().dht()->table().size(), 0u);
  const auto there = world.find(keeper, world.wallet(asker));
  const auto back = world.find(asker, world.wallet(keeper));
  world.run(30s);
  EXPECT_TRUE(world.observed(keeper).found.at(there).has_value());
  ASSERT_TRUE(world.observed(asker).found.at(back).has_value());
  EXPECT_EQ(world.observed(asker).found.at(back)->presence.fields.seq,
            world.node(keeper).identity().issued().last_issued);
}

/// Three servers and three agents, bytes between them.
void grow_bytes(World& world) {
  world.add({agent::Role::bootstrap, "bootstrap", {}, {}});
  for (int i = 0; i < 2; ++i) world.add({agent::Role::bootstrap, "bootstrap", {0}, {}});
  for (int i = 0; i < 3; ++i) world.add({agent::Role::agent, "agent", {0, 1, 2}, {}});
  world.run(20s);
}

TEST(WorldOfBytes, AgentsFindAndMessageEachOtherThroughNoiseAndYamux) {
  World world(testkit::seed(11), {}, Level::bytes);
  grow_bytes(world);
  const auto ask = world.find(3, world.wallet(5));
  node::SendOptions options;
  options.to = world.wallet(5);
  options.body = to_bytes("through bytes");
  world.send(4, std::move(options));
  world.run(10s);
  const auto& found = world.observed(3).found.at(ask);
  ASSERT_TRUE(found.has_value()) << found.error().to_string();
  EXPECT_EQ(found->presence.fields.wallet, world.wallet(5));
  ASSERT_EQ(world.observed(5).messages.size(), 1u);
  EXPECT_EQ(world.observed(5).messages[0].body, to_bytes("through bytes"));
}

TEST(WorldOfBytes, TheSameSeedGivesTheSameStateHash) {
  const auto hash_of = [](std::uint64_t seed) {
    World world(seed, {}, Level::bytes);
    grow_bytes(world);
    return world.state_hash();
  };
  EXPECT_EQ(hash_of(12), hash_of(12));
  EXPECT_NE(hash_of(12), hash_of(13));
}

TEST(WorldOfBytes, WhoFallsSilentIsNoticedByKeepAliveAndWhoDiesAtOnce) {
  World world(testkit::seed(14), {}, Level::bytes);
  grow_bytes(world);
  const auto connected = [&](std::size_t index, std::size_t to) {
    return world.node(index).host().connections().connected(world.peer(to));
  };
  ASSERT_TRUE(connected(3, 0));
  ASSERT_TRUE(connected(3, 1));
  world.crash(0, World::Absence::silent);
  world.crash(1);
  world.run(1s);
  EXPECT_TRUE(connected(3, 0));
  EXPECT_FALSE(connected(3, 1));
  world.run(60s);
  EXPECT_FALSE(connected(3, 0));
}

TEST(WorldOfBytes, WhatAOneWayCutHeldBackArrivesAfterIt) {
  World world(testkit::seed(15), {}, Level::bytes);
  grow_bytes(world);
  world.cut({Cut::How::one_way, [](std::size_t from, std::size_t to) { return from == 3 && to < 3; }});
  const auto ask = world.find(3, world.wallet(5));
  world.run(300ms);
  EXPECT_FALSE(world.observed(3).found.contains(ask));
  world.heal();
  world.run(5s);
  ASSERT_TRUE(world.observed(3).found.contains(ask));
  EXPECT_TRUE(world.observed(3).found.at(ask).has_value());
  EXPECT_TRUE(world.node(3).host().connections().connected(world.peer(0)));
}

TEST(WorldOfBytes, WhoFindsEveryMeshFullMeetsOthersThroughTheBootstrapNodes) {
  World world(testkit::seed(1), {}, Level::bytes);   // offered peers come with signed records
  constexpr std::size_t kServers = 2, kAgents = 60;  // 24 places at the servers
  grow(world, kServers, kAgents, 1ms);
  for (int late = 0; late < 3; ++late) {
    const auto n = world.add({agent::Role::agent, "late", {0, 1}, {}});
    world.run(5s);  // no time to see what the bootstrap nodes are worth
    EXPECT_GE(world.node(n).host().pubsub()->mesh_peers("agent-messages").size(), 4u) << "agent " << n;
  }
  std::size_t gossip_peers = 0;
  for (std::size_t n = kServers; n < world.size(); ++n) {
    const auto* pubsub = world.node(n).host().pubsub();
    ASSERT_NE(pubsub, nullptr);
    EXPECT_FALSE(pubsub->mesh_peers("agent-messages").empty()) << "agent " << n;
    gossip_peers += pubsub->topic_peers("agent-messages").size();
  }
  EXPECT_LE(gossip_peers / (world.size() - kServers), kServers + 2 * node::kPxPeersWanted)
      << "nobody has to be connected with everybody";
  world.send(kServers, text_to(std::nullopt, "to all"));
  world.run(2s);
  for (std::size_t n = 0; n < world.size(); ++n)
    EXPECT_EQ(world.observed(n).messages.size(), n == kServers ? 0u : 1u) << "node " << n;
}

TEST(World, APartitionHealsAndMessagesArriveByRetry) {
  World world(testkit::seed(8));
  grow(world, 4, 16);
  world.partition([](std::size_t a, std::size_t b) { return (a % 2) != (b % 2); });
  world.run(20s);
  const auto send = world.send(10, text_to(std::nullopt, "across"));
  world.run(10s);
  EXPECT_TRUE(world.observed(11).messages.empty());
  world.heal();
  world.run(150s);
  static_cast<void>(send);
  ASSERT_EQ(world.observed(11).messages.size(), 1u);
  EXPECT_EQ(to_text(world.observed(11).messages[0].body), "across");
}

bool connected(World& world, std::size_t a, std::size_t b) {
  return world.node(a).host().connections().connected(world.peer(b));
}

void dial(World& world, std::size_t from, std::size_t to) {
  world.input(from, [&](node::AgentNode& node, Now now) {
    node.host().connect(world.peer(to), {world.address(to)}, node::DialPlanner::Insist::yes, now);
  });
}

TEST(World, AMachineThatVanishedIsMissedOnlyWhenItsConnectionsTimeOut) {
  World world(testkit::seed(9));
  grow(world, 2, 4);
  ASSERT_TRUE(connected(world, 3, 0));
  world.crash(0, World::Absence::silent);
  world.run(20s);
  EXPECT_TRUE(connected(world, 3, 0));
  world.run(30s);
  EXPECT_FALSE(connected(world, 3, 0));
  world.crash(1);  // a process that dies is missed at once
  world.run(1s);
  EXPECT_FALSE(connected(world, 3, 1));
}

TEST(World, BehindANatNobodyGetsInButItsOwnDialsDo) {
  World world(testkit::seed(10));
  grow(world, 1, 2);
  NodeSpec spec{agent::Role::agent, "home", {0}, {}};
  spec.behind_nat = true;
  const std::size_t home = world.add(spec);
  world.run(1s);
  EXPECT_TRUE(connected(world, home, 0));
  world.crash(0);
  world.run(1s);
  dial(world, 1, home);
  world.run(30s);
  EXPECT_FALSE(connected(world, 1, home));
  dial(world, home, 1);
  world.run(2s);
  EXPECT_TRUE(connected(world, 1, home));
}

TEST(World, AOneWayCutSwallowsMessagesOneWayAndForbidsNewConnections) {
  World world(testkit::seed(11));
  grow(world, 1, 3);
  const auto lookup = [&](std::size_t from) {
    const auto ask = world.find(from, world.wallet(2));
    world.run(40s);
    const auto& found = world.observed(from).found;
    return found.contains(ask) && found.at(ask).has_value();
  };
  EXPECT_TRUE(lookup(1));
  world.cut({Cut::How::one_way, [](std::size_t from, std::size_t to) { return from == 1 && to == 0; }});
  EXPECT_TRUE(connected(world, 1, 0));
  EXPECT_FALSE(lookup(1));
  EXPECT_TRUE(lookup(3));  // others are not concerned
  world.heal();
  EXPECT_TRUE(lookup(1));
}

TEST(World, ACutOfDialsIsOneSidedAndLeavesConnectionsAlone) {
  World world(testkit::seed(14));
  for (const auto* name : {"a", "b", "c"}) world.add({agent::Role::server, name, {}, {}});
  dial(world, 0, 2);
  world.run(2s);
  ASSERT_TRUE(connected(world, 0, 2));
  world.cut({Cut::How::dials, [](std::size_t from, std::size_t to) { return from == 0 && to > 0; }});
  dial(world, 0, 1);
  world.run(30s);
  EXPECT_FALSE(connected(world, 0, 1));
  EXPECT_TRUE(connected(world, 0, 2));
  dial(world, 1, 0);
  world.run(2s);
  EXPECT_TRUE(connected(world, 0, 1));
}

TEST(World, ANarrowUplinkMakesMessagesWaitForEachOther) {
  World world(testkit::seed(12));
  grow(world, 2, 6);
  const auto time_of = [&](std::size_t of) {
    const auto ask = world.find(3, world.wallet(of));
    world.run(30s);
    const auto& found = world.observed(3).found.at(ask);
    return found ? found->took : Duration::max();
  };
  EXPECT_LT(time_of(5), Duration(500ms));
  world.links().bandwidth_bytes_per_s = 1'000;  // a record alone takes most of a second
  EXPECT_GT(time_of(6), Duration(500ms));
}

TEST(World, AClockThatIsOffShowsInWhatItsNodePublishes) {
  World world(testkit::seed(13));
  grow(world, 1, 1);
  NodeSpec spec{agent::Role::agent, "late", {0}, {}};
  spec.clock_skew = -60s;
  const std::size_t late = world.add(spec);
  world.run(5s);
  const auto ask = world.find(1, world.wallet(late));
  world.run(5s);
  const auto& found = world.observed(1).found.at(ask);
  ASSERT_TRUE(found.has_value());
  EXPECT_LT(found->presence.fields.issued_at + 54s, world.now().wall);
}

}  // namespace
}  // namespace starling::sim
