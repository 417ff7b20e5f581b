// The public agent API over real sockets: what it promises, and what it says to those who misuse it.
#include "net/nodes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

namespace starling::net {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::StartsWith;

/// An address that nobody has.
constexpr const char* kNobody = "0x00000000000000000000000000000000000000aa";

// ---------------------------------------------------------------------------------------------- finding and
// sending

TEST(NetNodes, FindAnAgentByItsAddressAlone) {
  auto town = make_town(0);
  NodeOptions options = agent_options(town.directory->addresses());
  options.name = "bob";
  const auto bob = run(std::move(options));
  const auto alice = run(agent_options(town.directory->addresses()));
  join(*bob);
  join(*alice);
  const auto found = find(*alice, bob->address());
  ASSERT_TRUE(found) << found.failure().message;
  EXPECT_EQ(found->address, bob->address());
  EXPECT_EQ(found->peer_id, bob->peer_id());
  ASSERT_THAT(found->addresses, SizeIs(1));
  EXPECT_EQ(found->addresses.front() + "/p2p/" + bob->peer_id(), bob->addresses().front());
  EXPECT_EQ(found->name, "bob");
  EXPECT_EQ(found->role, Role::agent);
  EXPECT_EQ(found->source, Found::Source::dht);
  EXPECT_GE(found->servers_answered, 1u);
  EXPECT_TRUE(found->takes_sealed);
  EXPECT_FALSE(found->withdrawn);
  EXPECT_GT(found->seq, 0u);
  EXPECT_GT(found->expires_at, found->issued_at + 1h);
}

TEST(NetNodes, FindsAreCaseBlindAndRefuseWhatIsNoAddress) {
  auto town = make_town(2);
  std::string lower = town.agents[1]->address();
  for (char& c : lower) c = static_cast<char>(std::tolower(c));
  EXPECT_TRUE(find(*town.agents[0], lower));
  const auto bad = find(*town.agents[0], "bob");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.failure().kind, "malformed");
  EXPECT_THAT(bad.failure().message, HasSubstr("bob"));
  const auto nobody = find(*town.agents[0], kNobody);
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.failure().kind, "not_found");
}

TEST(NetNodes, ASealedMessageArrivesOnceAndIsAnsweredInItsConversation) {
  auto town = make_town(2);
  Node& alice = *town.agents[0];
  Node& bob = *town.agents[1];
  Collected<AgentMessage> at_alice;
  Collected<AgentMessage> at_bob;
  Collected<AgentMessage> at_directory;
  Collected<Outcome<Delivery>> replies;
  alice.on_message([&](const AgentMessage& message) { at_alice.add(message); });
  town.directory->on_message([&](const AgentMessage& message) { at_directory.add(message); });
  bob.on_message([&](const AgentMessage& message) {
    at_bob.add(message);
    bob.send(reply_to(message, "hello alice"), [&](auto outcome) { replies.add(std::move(outcome)); });
  });
  OutgoingMessage question = message_to(bob.address(), "hello bob");
  question.kind = MessageKind::request;
  question.content_type = "text/x-greeting";
  question.conversation = {1, 2, 3};
  const auto sent = send(alice, std::move(question));
  ASSERT_TRUE(sent) << sent.failure().message;
  EXPECT_EQ(sent->state, DeliveryState::sent);
  EXPECT_EQ(sent->path, "gossip");
  EXPECT_GE(sent->handed_to, 1u);
  EXPECT_THAT(sent->id, SizeIs(32));

  const auto received = at_bob.at_least(1);
  ASSERT_THAT(received, SizeIs(1));
  EXPECT_EQ(received[0].id, sent->id);
  EXPECT_EQ(received[0].from, alice.address());
  EXPECT_EQ(received[0].to, bob.address());
  EXPECT_EQ(received[0].text(), "hello bob");
  EXPECT_EQ(received[0].content_type, "text/x-greeting");
  EXPECT_EQ(received[0].kind, MessageKind::request);
  EXPECT_TRUE(received[0].sealed);
  EXPECT_GT(received[0].expires_at, received[0].sent_at);

  const auto answered = at_alice.at_least(1);
  ASSERT_THAT(answered, SizeIs(1));
  EXPECT_EQ(answered[0].text(), "hello alice");
  EXPECT_EQ(answered[0].kind, MessageKind::response);
  EXPECT_EQ(answered[0].in_reply_to, sent->id);
  EXPECT_THAT(answered[0].conversation, ElementsAre(1, 2, 3));
  EXPECT_TRUE(replies.at_least(1).front().ok());
  EXPECT_EQ(at_directory.size(), 0u);
}

TEST(NetNodes, ABroadcastReachesEveryAgentAndNotItsAuthor) {
  auto town = make_town(3);
  std::vector<Collected<AgentMessage>> heard(3);
  for (std::size_t i = 0; i < 3; ++i)
    town.agents[i]->on_message([&, i](const AgentMessage& message) { heard[i].add(message); });
  const auto sent = send(*town.agents[0], broadcast_of("good morning"));
  ASSERT_TRUE(sent) << sent.failure().message;
  for (std::size_t i = 1; i < 3; ++i) {
    const auto messages = heard[i].at_least(1);
    ASSERT_THAT(messages, SizeIs(1));
    EXPECT_EQ(messages[0].text(), "good morning");
    EXPECT_EQ(messages[0].to, std::nullopt);
    EXPECT_FALSE(messages[0].sealed);
  }
  EXPECT_EQ(heard[0].size(), 0u);
}

TEST(NetNodes, EveryStateOfAMessageIsToldUntilItEnds) {
  auto town = make_town(2);
  Collected<Delivery> states;
  OutgoingMessage message = message_to(town.agents[1]->address(), "short-lived");
  message.life = 300ms;
  message.until = DeliveryState::accepted;
  message.on_state = [&](const Delivery& delivery) { states.add(delivery); };
  const auto first = send(*town.agents[0], std::move(message));
  ASSERT_TRUE(first) << first.failure().message;
  EXPECT_EQ(first->state, DeliveryState::accepted);
  const auto all = states.at_least(3);
  ASSERT_THAT(all, SizeIs(3));
  EXPECT_EQ(all[0].state, DeliveryState::accepted);
  EXPECT_EQ(all[1].state, DeliveryState::sent);
  EXPECT_EQ(all[2].state, DeliveryState::expired);
  EXPECT_TRUE(is_final(all[2].state));
  for (const auto& delivery : all) EXPECT_EQ(delivery.id, first->id);
  EXPECT_GE(all[2].took, 250ms);
}

TEST(NetNodes, ASendThatWaitsForMoreThanItGetsAnswersWithWhatWasReached) {
  auto town = make_town(2);
  OutgoingMessage message = message_to(town.agents[1]->address(), "anybody there?");
  message.until = DeliveryState::acked;
  message.wait = 100ms;
  const auto sent = send(*town.agents[0], std::move(message));
  ASSERT_TRUE(sent) << sent.failure().message;
  EXPECT_EQ(sent->state, DeliveryState::sent);
  EXPECT_GE(sent->took, 100ms);
}

TEST(NetNodes, ASendThatExpiresBeforeItIsSentFails) {
  const auto alone = run(agent_options());
  OutgoingMessage message = broadcast_of("hello?");
  message.life = 50ms;
  const auto sent = send(*alone, std::move(message));
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.failure().kind, "timeout");
}

TEST(NetNodes, SendsSayWhyTheyFail) {
  auto town = make_town(1);
  Node& alice = *town.agents[0];
  const auto kind_of = [&](OutgoingMessage message) {
    const auto sent = send(alice, std::move(message));
    return sent ? std::string("sent") : sent.failure().kind;
  };
  EXPECT_EQ(kind_of(message_to(kNobody, "x")), "not_found");
  EXPECT_EQ(kind_of(message_to("", "an empty address is no broadcast")), "malformed");
  EXPECT_EQ(kind_of(message_to("0x12", "x")), "malformed");
  EXPECT_EQ(kind_of(broadcast_of(std::string(40'000, 'x'))), "limit");
  OutgoingMessage bad_id = broadcast_of("x");
  bad_id.in_reply_to = "12";
  EXPECT_EQ(kind_of(bad_id), "malformed");
  OutgoingMessage no_life = broadcast_of("x");
  no_life.life = 0ms;
  EXPECT_EQ(kind_of(no_life), "malformed");
}

TEST(NetNodes, ALightNodeFindsButSaysThatItHasNoGossip) {
  auto town = make_town(1);
  NodeOptions options = agent_options(town.directory->addresses());
  options.role = Role::light;
  const auto light = run(std::move(options));
  join(*light);
  EXPECT_TRUE(find(*light, town.agents[0]->address()));
  const auto sent = send(*light, broadcast_of("x"));
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.failure().kind, "unsupported");
}

TEST(NetNodes, AHiddenNodeFindsAndSendsButIsNotFound) {
  auto town = make_town(1);
  NodeOptions options = agent_options(town.directory->addresses());
  options.visibility = NodeOptions::Visibility::hidden;
  const auto hidden = run(std::move(options));
  join(*hidden);
  EXPECT_TRUE(find(*hidden, town.agents[0]->address()));
  EXPECT_TRUE(send(*hidden, broadcast_of("boo")));
  const auto found = find(*town.agents[0], hidden->address());
  ASSERT_FALSE(found);
  EXPECT_EQ(found.failure().kind, "not_found");
}

TEST(NetNodes, NodesOfDifferentNetworksDoNotMeet) {
  auto town = make_town(0);
  NodeOptions options = agent_options(town.directory->addresses());
  options.network = "elsewhere";
  const auto stranger = run(std::move(options));
  const auto joined = answer<void>([&](auto done) { stranger->joined(300ms, done); });
  ASSERT_FALSE(joined);
  EXPECT_EQ(joined.failure().kind, "timeout");
}

// ---------------------------------------------------------------------------------------------- what the
// network tells

TEST(NetNodes, StoppingWithdrawsThePresenceAndAnnouncesIt) {
  auto town = make_town(2);
  Collected<Presence> heard;
  const std::string bob = town.agents[1]->address();
  town.agents[0]->on_announcement([&](const Presence& presence) {
    if (presence.address == bob && presence.withdrawn) heard.add(presence);
  });
  town.agents[1]->stop();
  const auto goodbye = heard.at_least(1);
  ASSERT_THAT(goodbye, SizeIs(1));
  EXPECT_TRUE(goodbye[0].addresses.empty());
  ASSERT_TRUE(eventually([&] {
    const auto found = find(*town.agents[0], bob);
    return found && found->withdrawn;
  }));
  const auto sent = send(*town.agents[0], message_to(bob, "too late"));
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.failure().kind, "refused");
}

TEST(NetNodes, StatusAndPeersAndMetricsTellOfTheNetwork) {
  auto town = make_town(0);
  Collected<AgentStatus> heard;
  const auto alice = run(agent_options(town.directory->addresses()));
  alice->on_status([&](const AgentStatus& status) { heard.add(status); });
  join(*alice);
  const auto bob = run(agent_options(town.directory->addresses()));
  join(*bob);
  const auto statuses = heard.at_least(1);
  ASSERT_FALSE(statuses.empty());
  EXPECT_THAT(statuses[0].version, StartsWith("starling/"));

  const auto own = answer<NodeStatus>([&](auto done) { alice->status(done); });
  ASSERT_TRUE(own);
  EXPECT_EQ(own->address, alice->address());
  EXPECT_EQ(own->peer_id, alice->peer_id());
  EXPECT_EQ(own->addresses, alice->addresses());
  EXPECT_GE(own->presence_stored_by, 1u);
  EXPECT_GT(own->presence_seq, 0u);
  EXPECT_GE(own->connections, 1u);
  EXPECT_THAT(own->topics, SizeIs(3));
  EXPECT_EQ(own->superseded_by, std::nullopt);

  const auto peers = answer<std::vector<ConnectedPeer>>([&](auto done) { alice->peers(done); });
  ASSERT_TRUE(peers);
  EXPECT_GE(peers->size(), 1u);
  EXPECT_THAT(*peers,
              ::testing::Contains(::testing::Field(&ConnectedPeer::peer_id, town.directory->peer_id())));
  const auto metrics = answer<std::map<std::string, std::uint64_t>>([&](auto done) { alice->metrics(done); });
  ASSERT_TRUE(metrics);
  EXPECT_FALSE(metrics->empty());
  ASSERT_TRUE(eventually([&] {
    const auto all = answer<std::vector<Presence>>([&](auto done) { alice->announced(done); });
    return all && std::any_of(all->begin(), all->end(),
                              [&](const Presence& presence) { return presence.address == bob->address(); });
  }));
  ASSERT_TRUE(eventually([&] {
    const auto all = answer<std::vector<AgentStatus>>([&](auto done) { alice->network_status(done); });
    return all && !all->empty();
  }));
}

// ---------------------------------------------------------------------------------------------- data
// directories

TEST(NetNodes, ADataDirectoryKeepsAddressPeerIdAndInbox) {
  const TemporaryFolder folder;
  auto town = make_town(1);
  NodeOptions options = agent_options(town.directory->addresses());
  options.data_dir = folder.path("bob");
  std::string address;
  std::string peer_id;
  std::uint64_t first = 0;
  {
    const auto bob = run(options);
    join(*bob);
    address = bob->address();
    peer_id = bob->peer_id();
    Collected<AgentMessage> arrived;
    bob->on_message([&](const AgentMessage& message) { arrived.add(message); });
    for (const auto* text : {"one", "two"}) {
      ASSERT_TRUE(send(*town.agents[0], message_to(address, text)));
    }
    ASSERT_THAT(arrived.at_least(2), SizeIs(2));
    first = arrived.at_least(2).front().number;
  }
  const auto again = run(options);
  EXPECT_EQ(again->address(), address);
  EXPECT_EQ(again->peer_id(), peer_id);
  const auto inbox = again->inbox(0, 10);
  ASSERT_TRUE(inbox) << inbox.failure().message;
  ASSERT_THAT(*inbox, SizeIs(2));
  EXPECT_EQ((*inbox)[0].number, first);
  const auto rest = again->inbox(first, 10);
  ASSERT_TRUE(rest);
  ASSERT_THAT(*rest, SizeIs(1));
  EXPECT_EQ((*rest)[0].number, first + 1);
}

TEST(NetNodes, AWrongPasswordIsSaidAndTheRightOneOpens) {
  const TemporaryFolder folder;
  NodeOptions options = agent_options();
  options.data_dir = folder.path("bob");
  options.password = "correct horse";
  const std::string address = run(options)->address();
  NodeOptions wrong = options;
  wrong.password = "battery staple";
  Node node(wrong);
  const auto started = node.start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.failure().code, "home/3");
  EXPECT_THAT(started.failure().message, HasSubstr(options.data_dir));
  EXPECT_EQ(run(options)->address(), address);
}

TEST(NetNodes, TwoNodesCannotShareADataDirectory) {
  const TemporaryFolder folder;
  NodeOptions options = agent_options();
  options.data_dir = folder.path("bob");
  const auto first = run(options);
  Node second(options);
  const auto started = second.start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.failure().code, "home/8");
  first->stop();
  EXPECT_TRUE(second.start());
}

TEST(NetNodes, AWalletSecretNamesTheAgentAndIsNowhereOnDisk) {
  const TemporaryFolder folder;
  NodeOptions options = agent_options();
  options.wallet_secret = std::vector<std::uint8_t>(32, 1);
  // The address of the scalar 0x0101…01, as every Ethereum library computes it.
  const std::string expected = "0x1a642f0E3c3aF545E7AcBD38b07251B3990914F1";
  EXPECT_EQ(run(options)->address(), expected);
  options.data_dir = folder.path("bob");
  EXPECT_EQ(run(options)->address(), expected);
  EXPECT_FALSE(std::filesystem::exists(folder.path("bob/keystore")));
}

TEST(NetNodes, WithoutADataDirectoryThereIsNoInboxAndEveryNodeIsANewAgent) {
  const auto one = run(agent_options());
  const auto other = run(agent_options());
  EXPECT_NE(one->address(), other->address());
  const auto inbox = one->inbox(0, 10);
  ASSERT_FALSE(inbox);
  EXPECT_EQ(inbox.failure().kind, "unsupported");
}

// ---------------------------------------------------------------------------------------------- misuse

TEST(NetNodes, APortInUseIsSaidAndTheNodeStartsOnceItIsFree) {
  auto first = run(agent_options());
  NodeOptions options = agent_options();
  options.listen = {"/ip4/127.0.0.1/tcp/" + std::to_string(port_of(first->addresses().front()))};
  Node second(options);
  const auto started = second.start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.failure().code, "runtime/1");
  EXPECT_THAT(started.failure().message, HasSubstr(options.listen.front()));
  EXPECT_TRUE(second.addresses().empty());
  first->stop();
  const auto again = second.start();
  EXPECT_TRUE(again) << again.failure().message;
}

TEST(NetNodes, OptionsThatCannotBeReadAreNamed) {
  const auto message_of = [](auto change) {
    NodeOptions options = agent_options();
    change(options);
    Node node(options);
    const auto started = node.start();
    if (started) return std::string("started");
    EXPECT_EQ(started.failure().kind, "malformed") << started.failure().message;
    return started.failure().message;
  };
  EXPECT_THAT(message_of([](auto& o) { o.listen = {"localhost:4001"}; }), HasSubstr("localhost:4001"));
  EXPECT_THAT(message_of([](auto& o) { o.bootstrap = {"somewhere"}; }), HasSubstr("bootstrap"));
  EXPECT_THAT(message_of([](auto& o) { o.network = "No Spaces"; }), HasSubstr("No Spaces"));
  EXPECT_THAT(message_of([](auto& o) { o.wallet_secret = {1, 2, 3}; }), HasSubstr("wallet_secret"));
  EXPECT_THAT(message_of([](auto& o) { o.wallet = "bob"; }), HasSubstr("wallet"));
  EXPECT_THAT(message_of([](auto& o) { o.wallet = kNobody; }), HasSubstr("data_dir"));
  EXPECT_THAT(message_of([](auto& o) { o.name = std::string(65, 'x'); }), HasSubstr("name"));
  EXPECT_THAT(message_of([](auto& o) { o.log_level = "loud"; }), HasSubstr("loud"));
  EXPECT_THAT(message_of([](auto& o) { o.security = {"tls", "plaintext"}; }), HasSubstr("tls, plaintext"));
  EXPECT_THAT(message_of([](auto& o) { o.role = Role::other; }), HasSubstr("role"));
}

TEST(NetNodes, ANodeThatDoesNotRunAnswersEverythingAtOnce) {
  Node node(agent_options());
  const auto cancelled = [](const auto& outcome) {
    return !outcome && outcome.failure().kind == "cancelled";
  };
  const auto all = [&] {
    EXPECT_TRUE(cancelled(find(node, kNobody)));
    EXPECT_TRUE(cancelled(send(node, broadcast_of("x"))));
    EXPECT_TRUE(cancelled(answer<void>([&](auto done) { node.joined(1s, done); })));
    EXPECT_TRUE(cancelled(answer<NodeStatus>([&](auto done) { node.status(done); })));
    EXPECT_TRUE(cancelled(answer<std::vector<ConnectedPeer>>([&](auto done) { node.peers(done); })));
    EXPECT_TRUE(cancelled(answer<std::vector<Presence>>([&](auto done) { node.announced(done); })));
    EXPECT_TRUE(cancelled(node.inbox(0, 1)));
  };
  all();
  EXPECT_TRUE(node.address().empty());
  node.stop();
  ASSERT_TRUE(node.start());
  node.stop();
  all();
  node.stop();
}

TEST(NetNodes, StartingTwiceIsRefusedAndStartingAgainKeepsTheAgent) {
  Node node(agent_options());
  ASSERT_TRUE(node.start());
  const auto twice = node.start();
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.failure().code, "runtime/12");
  const std::string address = node.address();
  const std::string peer_id = node.peer_id();
  node.stop();
  ASSERT_TRUE(node.start());
  EXPECT_EQ(node.address(), address);
  EXPECT_EQ(node.peer_id(), peer_id);
}

TEST(NetNodes, StoppingAnswersWhatIsUnderWayExactlyOnce) {
  auto town = make_town(1);
  Node& alice = *town.agents[0];
  std::atomic<int> answers = 0;
  constexpr int kAsked = 200;
  for (int i = 0; i < kAsked / 4; ++i) {
    alice.find(kNobody, [&](const auto&) { ++answers; });
    alice.send(message_to(kNobody, "x"), [&](const auto&) { ++answers; });
    OutgoingMessage patient = broadcast_of("x");
    patient.until = DeliveryState::acked;
    alice.send(std::move(patient), [&](const auto& outcome) {
      EXPECT_FALSE(outcome);
      ++answers;
    });
    alice.status([&](const auto&) { ++answers; });
  }
  alice.stop();
  EXPECT_EQ(answers, kAsked);
}

TEST(NetNodes, NoCallbackComesAfterStop) {
  auto town = make_town(2);
  std::atomic<bool> stopped = false;
  std::atomic<int> late = 0;
  std::atomic<int> heard = 0;
  Node& bob = *town.agents[1];
  bob.on_message([&](const AgentMessage&) { stopped ? ++late : ++heard; });
  std::atomic<bool> enough = false;
  std::thread chatter([&] {
    while (!enough) static_cast<void>(send(*town.agents[0], broadcast_of("chatter")));
  });
  EXPECT_TRUE(eventually([&] { return heard > 3; }));
  bob.stop();
  stopped = true;
  for (int i = 0; i < 3; ++i) static_cast<void>(send(*town.agents[0], broadcast_of("more")));
  enough = true;
  chatter.join();
  EXPECT_EQ(late, 0);
}

TEST(NetNodes, QuestionsFromManyThreadsWhileItStopsAreAllAnswered) {
  auto town = make_town(1);
  Node& alice = *town.agents[0];
  std::atomic<int> asked = 0;
  std::atomic<int> answers = 0;
  std::atomic<bool> enough = false;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      while (!enough) {
        // A flood would only measure how fast the node answers.
        if (asked - answers > 100) {
          std::this_thread::yield();
          continue;
        }
        ++asked;
        alice.status([&](const auto&) { ++answers; });
        ++asked;
        alice.find(kNobody, [&](const auto&) { ++answers; });
        std::this_thread::yield();
      }
    });
  EXPECT_TRUE(eventually([&] { return answers > 20; }));
  alice.stop();
  enough = true;
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(answers, asked);
}

TEST(NetNodes, CallbacksMayBeReplacedAndMayAskInTheirTurn) {
  auto town = make_town(2);
  Collected<std::string> first;
  Collected<std::string> second;
  Node& bob = *town.agents[1];
  bob.on_message([&](const AgentMessage& message) {
    first.add(message.id);
    // Replaces itself while it runs, and asks the node that called it.
    bob.on_message([&](const AgentMessage& later) { second.add(later.id); });
    bob.status([&](const Outcome<NodeStatus>& status) { EXPECT_TRUE(status.ok()); });
  });
  ASSERT_TRUE(send(*town.agents[0], broadcast_of("one")));
  ASSERT_THAT(first.at_least(1), SizeIs(1));
  ASSERT_TRUE(send(*town.agents[0], broadcast_of("two")));
  ASSERT_THAT(second.at_least(1), SizeIs(1));
  EXPECT_EQ(first.size(), 1u);
}

TEST(NetNodes, WaitingInACallbackFailsInsteadOfStandingStill) {
  auto town = make_town(1);
  Node& alice = *town.agents[0];
  std::promise<Outcome<NodeStatus>> inner;
  alice.status(
      [&](const auto&) { inner.set_value(wait<NodeStatus>([&](auto done) { alice.status(done); })); });
  const auto outcome = inner.get_future().get();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.failure().kind, "refused");
  EXPECT_EQ(outcome.failure().code, "sdk/wait");
}

TEST(NetNodes, NodesThatShareLoopsWorkLikeNodesWithTheirOwn) {
  const EventLoops loops(2);
  NodeOptions directory = directory_options();
  directory.loops = loops;
  const auto first = run(std::move(directory));
  std::vector<std::unique_ptr<Node>> agents;
  for (int i = 0; i < 4; ++i) {
    NodeOptions options = agent_options(first->addresses());
    options.loops = loops;
    agents.push_back(run(std::move(options)));
  }
  for (const auto& agent : agents) join(*agent);
  Collected<AgentMessage> arrived;
  agents[3]->on_message([&](const AgentMessage& message) { arrived.add(message); });
  ASSERT_TRUE(send(*agents[0], message_to(agents[3]->address(), "hello")));
  EXPECT_THAT(arrived.at_least(1), SizeIs(1));
  agents[1]->stop();
  EXPECT_TRUE(find(*agents[0], agents[2]->address()));
}

TEST(NetNodes, LogLinesGoWhereTheyAreSent) {
  struct Line {
    std::string level;
    std::string module;
    std::string text;
  };
  Collected<Line> lines;
  NodeOptions options = agent_options();
  options.log_level = "info";
  options.log = [&](std::string_view level, std::string_view module, std::string_view text) {
    lines.add({std::string(level), std::string(module), std::string(text)});
  };
  const auto node = run(options);
  const auto some = lines.at_least(1);
  ASSERT_FALSE(some.empty());
  EXPECT_EQ(some[0].level, "info");
  EXPECT_EQ(some[0].module, "agent");
  EXPECT_THAT(some[0].text, HasSubstr(node->addresses().front()));
  node->stop();
}

TEST(NetNodesDeathTest, StoppingOrDestroyingInACallbackEndsTheProgramWithTheReason) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto misuse = [](auto what) {
    auto node = run(agent_options());
    std::promise<void> never;
    Node& running = *node;
    running.status([&](const auto&) { what(node); });
    never.get_future().wait_for(kPatience);
  };
  EXPECT_DEATH(misuse([](std::unique_ptr<Node>& node) { node->stop(); }), "stopped_in_its_own_callback");
  EXPECT_DEATH(misuse([](std::unique_ptr<Node>& node) { node.reset(); }), "stopped_in_its_own_callback");
}

}  // namespace
}  // namespace starling::net
