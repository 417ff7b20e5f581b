// Agents by Ethereum address over real sockets: the driver under the agent brain.
#include <gtest/gtest.h>

#include <future>
#include <mutex>

#include "agent/names.hpp"
#include "net/hosts.hpp"
#include "runtime/agent_runtime.hpp"
#include "runtime/system.hpp"

namespace starling::net {
namespace {

using namespace std::chrono_literals;

/// One agent node with what its callbacks told.
class Agent {
 public:
  explicit Agent(std::vector<Multiaddr> bootstrap, std::vector<runtime::AgentRuntime::KeptValue> kept = {}) {
    runtime::SystemRng rng;
    auto wallet = crypto::PrivateKey::generate(crypto::KeyType::secp256k1, rng);
    auto node_key = crypto::PrivateKey::generate(crypto::KeyType::ed25519, rng);
    auto identity =
        agent::Identity::hot(std::move(wallet), std::move(node_key), agent::NetworkName(), std::nullopt, {},
                             runtime::read_clock().wall, agent::real_signatures());
    if (!identity) throw std::runtime_error(identity.error().to_string());
    wallet_ = identity->wallet();
    runtime::AgentRuntime::Setup setup(std::move(*identity));
    setup.options.listen = {Multiaddr::parse(kLoopback).value()};
    setup.options.threads = 2;
    setup.options.log_level = LogLevel::error;
    setup.host.kad.emplace();
    setup.host.kad->mode = bootstrap.empty() ? kad::Mode::server : kad::Mode::client;
    setup.host.kad->scope = kad::AddressScope::any;
    setup.host.kad_protocol = agent::NetworkName().kad_protocol();
    setup.host.gossip = gossip::make_config({}).value();
    setup.host.bootstrap = std::move(bootstrap);
    setup.kept = std::move(kept);
    setup.events.persist = [this](const node::agent_event::Persist& event) {
      const std::lock_guard lock(mutex_);
      persisted_.push_back({event.what, event.key, event.value});
    };
    setup.events.agent = [this](node::agent_event::Event& event, Now) {
      const std::lock_guard lock(mutex_);
      if (auto* found = std::get_if<node::agent_event::Found>(&event)) {
        if (asking_ == found->ask) found_.set_value(std::move(found->outcome));
      } else if (auto* message = std::get_if<node::agent_event::Message>(&event)) {
        messages_.push_back(std::move(message->message));
      }
    };
    runtime_ = std::make_unique<runtime::AgentRuntime>(std::move(setup));
    if (const auto started = runtime_->start(); !started)
      throw std::runtime_error(started.error().to_string());
  }

  Multiaddr address() const { return runtime_->listening().front().with_peer_id(runtime_->peer_id()); }
  const EthAddress& wallet() const { return wallet_; }
  runtime::AgentRuntime& runtime() { return *runtime_; }

  Result<node::FoundPresence> find(const EthAddress& wallet) {
    std::future<Result<node::FoundPresence>> future;
    {
      const std::lock_guard lock(mutex_);
      found_ = {};
      future = found_.get_future();
    }
    runtime_->ask([&](node::AgentNode& node, Now now) {
      const std::lock_guard lock(mutex_);
      asking_ = node.find(wallet, Duration::zero(), now);
      return 0;
    });
    return future.get();
  }
  void send(node::SendOptions options) {
    runtime_->ask([&](node::AgentNode& node, Now now) {
      node.send(std::move(options), now);
      return 0;
    });
  }
  std::vector<node::Received> messages() {
    const std::lock_guard lock(mutex_);
    return messages_;
  }
  std::size_t persisted(node::Kept what) {
    const std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(std::count_if(persisted_.begin(), persisted_.end(),
                                                  [&](const auto& kept) { return kept.what == what; }));
  }

 private:
  EthAddress wallet_;
  std::mutex mutex_;
  node::AskId asking_;
  std::promise<Result<node::FoundPresence>> found_;
  std::vector<node::Received> messages_;
  std::vector<runtime::AgentRuntime::KeptValue> persisted_;
  std::unique_ptr<runtime::AgentRuntime> runtime_;
};

TEST(NetAgents, FindEachOtherByWalletAndSendSealedMessages) {
  Agent directory({});
  Agent alice({directory.address()});
  Agent bob({directory.address()});
  ASSERT_TRUE(eventually([&] {
    const auto found = alice.find(bob.wallet());
    return found && found->presence.fields.wallet == bob.wallet();
  }));
  node::SendOptions options;
  options.to = bob.wallet();
  options.body = to_bytes("hello bob");
  alice.send(std::move(options));
  ASSERT_TRUE(eventually([&] { return !bob.messages().empty(); }));
  const auto messages = bob.messages();
  EXPECT_EQ(as_text(messages.front().body), "hello bob");
  EXPECT_EQ(messages.front().from, alice.wallet());
  EXPECT_TRUE(messages.front().sealed);
  EXPECT_GE(bob.persisted(node::Kept::delivered), 1u);
  EXPECT_GE(bob.persisted(node::Kept::issued), 1u);
  EXPECT_TRUE(alice.messages().empty());
}

TEST(NetAgents, AnAgentThatStopsWithdrawsItsPresence) {
  Agent directory({});
  Agent alice({directory.address()});
  Agent bob({directory.address()});
  ASSERT_TRUE(eventually([&] { return alice.find(bob.wallet()).has_value(); }));
  bob.runtime().stop();
  ASSERT_TRUE(eventually([&] {
    const auto found = alice.find(bob.wallet());
    return found && found->presence.fields.withdrawn;
  }));
}

TEST(NetAgents, DamagedKeptValuesAreRefusedAtTheStart) {
  EXPECT_THROW(Agent({}, {{node::Kept::floors, "", to_bytes("nonsense")}}), std::runtime_error);
}

}  // namespace
}  // namespace starling::net
