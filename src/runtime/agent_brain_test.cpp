#include "runtime/agent_brain.hpp"

#include <gtest/gtest.h>

#include "agent/agent_fixtures.hpp"
#include "testkit/testkit.hpp"

namespace starling::runtime {
namespace {

namespace fixtures = agent::fixtures;

/// A DHT server under a driver whose disk and wire write down what happens, in order.
class AgentBrainStorage : public ::testing::Test, private CommandSink {
 protected:
  AgentBrainStorage() {
    auto wallet = fixtures::key_of("wallet", crypto::KeyType::secp256k1);
    auto identity =
        agent::Identity::hot(std::move(wallet), fixtures::key_of("node", crypto::KeyType::ed25519),
                             agent::NetworkName(), std::nullopt, {}, now_.wall, agent::real_signatures());
    STARLING_ASSERT(identity.has_value());
    AgentRuntime::Setup setup(*std::move(identity));
    setup.host.kad.emplace();
    setup.host.kad->mode = kad::Mode::server;
    setup.host.kad->scope = kad::AddressScope::any;
    setup.host.kad->keep = kad::Keep::everything;
    setup.host.kad_protocol = agent::NetworkName().kad_protocol();
    setup.agent.publish = false;
    setup.events.persist = [this](const node::agent_event::Persist& persist) {
      log_.push_back("write " + std::string(to_string(persist.what)));
    };
    setup.events.commit = [this] { log_.emplace_back("commit"); };
    setup.events.host = [this](node::host_event::Event& event, Now) {
      if (std::holds_alternative<node::host_event::PeerConnected>(event)) log_.emplace_back("connected");
    };
    brain_ = std::make_unique<AgentBrain>(setup, env_.env, now_);
    brain_->start(now_);
    brain_->drain(now_, *this);
    log_.clear();
  }
  void connect(std::uint64_t conn, std::string_view name) {
    const auto peer = PeerId::of(fixtures::key_of(name, crypto::KeyType::ed25519).public_key());
    feed(node::up::Connected{node::ConnId(conn),
                             {},
                             peer,
                             node::Direction::inbound,
                             *Multiaddr::parse("/ip4/192.0.2.1/tcp/4001")});
  }
  /// A record of the peer named so, put by connection `conn`.
  void put(std::uint64_t conn, std::string_view name) {
    const auto key = fixtures::key_of(name, crypto::KeyType::ed25519).public_key();
    kad::Message message;
    message.type = kad::MessageType::put_value;
    message.key = to_bytes("/pk/");
    append(message.key, PeerId::of(key).bytes());
    message.record = kad::Record{message.key, format::encode_public_key(key), {}};
    feed(node::up::KadAsked{{node::ConnId(conn), 1}, std::move(message)});
  }
  void feed(node::EdgeEvent event) {
    brain_->on(std::move(event), now_);
    brain_->drain(now_, *this);
  }
  void command(node::EdgeCommand command) override {
    if (const auto* answer = std::get_if<node::down::AnswerKad>(&command))
      log_.push_back(answer->answer && *answer->answer ? "acknowledge" : "refuse");
  }
  void settle() { brain_->settle(now_, *this); }

  Now now_ = fixtures::now_at();
  testkit::TestEnv env_{1};
  std::vector<std::string> log_;
  std::unique_ptr<AgentBrain> brain_;
};

TEST_F(AgentBrainStorage, NothingIsAcknowledgedBeforeItIsCommittedAndOneCommitDoesForAll) {
  connect(1, "one");
  EXPECT_FALSE(brain_->unsettled());
  put(1, "a");
  put(1, "b");
  connect(2, "two");  // what comes behind waits too: order is kept
  put(2, "c");
  EXPECT_TRUE(brain_->unsettled());
  settle();
  EXPECT_FALSE(brain_->unsettled());
  EXPECT_EQ(log_,
            (std::vector<std::string>{"connected", "write dht_record", "write dht_record", "write dht_record",
                                      "commit", "acknowledge", "acknowledge", "connected", "acknowledge"}));
}

TEST_F(AgentBrainStorage, WithoutNewsForTheDiskNothingWaits) {
  connect(1, "one");
  kad::Message ask;
  ask.type = kad::MessageType::find_node;
  ask.key = to_bytes("anything");
  feed(node::up::KadAsked{{node::ConnId(1), 1}, std::move(ask)});
  EXPECT_FALSE(brain_->unsettled());
  EXPECT_EQ(log_, (std::vector<std::string>{"connected", "acknowledge"}));
}

}  // namespace
}  // namespace starling::runtime
