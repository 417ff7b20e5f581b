#include "node/reachability.hpp"

#include <gtest/gtest.h>

#include "format/multihash.hpp"
#include "node/host.hpp"
#include "testkit/testkit.hpp"

namespace starling::node {
namespace {

using Scope = kad::AddressScope;

Instant t(Duration since_start) { return Instant{} + since_start; }
Multiaddr addr(const std::string& ip, int port = 4001) {
  return *Multiaddr::parse("/ip4/" + ip + "/tcp/" + std::to_string(port));
}
PeerId peer(std::uint8_t number) {
  return *PeerId::from_bytes(format::make_multihash(format::kHashSha256, FixedBytes<32>{number}));
}

const Multiaddr& own() {
  static const Multiaddr kOwn = addr("5.6.7.8");
  return kOwn;
}
std::vector<Multiaddr> advertised() { return {addr("192.168.1.5"), own()}; }
/// A dialler of its own address group.
Multiaddr far(std::uint8_t n) { return addr("20." + std::to_string(n) + ".0.1", 50000); }

TEST(Reachability, IsProvenByDiallersOfDifferentAddressGroups) {
  Reachability reach(Scope::public_only);
  for (std::uint8_t i = 0; i < kReachabilityProofsNeeded; ++i) {
    EXPECT_FALSE(reach.reachable(advertised(), t(0s)));
    reach.on_inbound(peer(i), far(i), own());
  }
  EXPECT_TRUE(reach.reachable(advertised(), t(0s)));
}

TEST(Reachability, ASingleLiarProvesNothingHoweverManyIdsItHas) {
  Reachability reach(Scope::public_only);
  for (std::uint8_t i = 0; i < 50; ++i)
    reach.on_inbound(peer(i), addr("20.1." + std::to_string(i) + ".1", 50000), own());
  EXPECT_EQ(reach.proof_count(), 1u);
  EXPECT_FALSE(reach.reachable(advertised(), t(0s)));
}

TEST(Reachability, DiallersMustAgreeOnAnAddressThatWeAdvertise) {
  Reachability reach(Scope::public_only);
  for (std::uint8_t i = 0; i < 5; ++i) reach.on_inbound(peer(i), far(i), addr("9.9.9." + std::to_string(i)));
  EXPECT_FALSE(reach.reachable(advertised(), t(0s)));
  EXPECT_FALSE(reach.reachable(std::vector{addr("9.9.9.1"), addr("9.9.9.2"), addr("9.9.9.3")}, t(0s)));
}

TEST(Reachability, NeighboursProveNothingAboutTheInternetButCountInAPrivateNetwork) {
  Reachability reach(Scope::public_only);
  for (std::uint8_t i = 0; i < 5; ++i) {
    reach.on_inbound(peer(i), addr("192.168.1." + std::to_string(10 + i)), addr("192.168.1.5"));
    reach.on_inbound(peer(i), addr("192.168.1." + std::to_string(10 + i)), own());
  }
  EXPECT_EQ(reach.proof_count(), 0u);
  Reachability inside(Scope::any);
  inside.on_inbound(peer(1), addr("192.168.1.10"), addr("192.168.1.5"));
  EXPECT_TRUE(inside.reachable(advertised(), t(0s)));
}

TEST(Reachability, EndsSomeTimeAfterTheLastConnections) {
  Reachability reach(Scope::public_only);
  for (std::uint8_t i = 0; i < 3; ++i) reach.on_inbound(peer(i), far(i), own());
  EXPECT_EQ(reach.deadline(), Instant::never());
  reach.on_gone(peer(0), t(1h));
  EXPECT_EQ(reach.deadline(), t(1h) + kReachabilityProofAge);
  EXPECT_TRUE(reach.reachable(advertised(), t(2h - 1s)));
  EXPECT_FALSE(reach.reachable(advertised(), t(2h)));
  reach.on_inbound(peer(7), far(0), own());
  EXPECT_TRUE(reach.reachable(advertised(), t(2h)));
}

TEST(Reachability, RemembersABoundedNumberOfDiallersAndPrefersThoseStillConnected) {
  Reachability reach(Scope::public_only);
  for (std::uint8_t i = 0; i < 100; ++i) reach.on_inbound(peer(i), far(i), addr("6.6.6.6"));
  EXPECT_EQ(reach.proof_count(), kReachabilityProofsMax);
  for (std::uint8_t i = 0; i < 3; ++i)
    reach.on_inbound(peer(200), far(static_cast<std::uint8_t>(200 + i)), own());
  EXPECT_FALSE(reach.reachable(advertised(), t(0s)));  // all are connected: nobody gives way
  for (std::uint8_t i = 0; i < 3; ++i) reach.on_gone(peer(i), t(0s));
  for (std::uint8_t i = 200; i < 203; ++i) reach.on_inbound(peer(i), far(i), own());
  EXPECT_EQ(reach.proof_count(), kReachabilityProofsMax);
  EXPECT_TRUE(reach.reachable(advertised(), t(0s)));
}

/// A host of which the test plays the edge.
class AutomaticDht : public ::testing::Test {
 protected:
  AutomaticDht() {
    HostConfig config;
    config.kad.emplace();
    config.kad_protocol = "/starling/kad/1.0.0";
    config.dht_mode = DhtMode::automatic;
    host = std::make_unique<Host>(std::move(config),
                                  crypto::PrivateKey::generate(crypto::KeyType::ed25519, env.env.rng),
                                  validators, env.env, now);
    host->set_listening({own()}, now);
    drain();
  }
  void drain() {
    while (auto action = host->poll(now)) {
      const auto* command = std::get_if<EdgeCommand>(&*action);
      const auto* local = command == nullptr ? nullptr : std::get_if<down::SetLocal>(command);
      if (local != nullptr && local->push) ++pushes;
    }
  }
  void meet(std::uint8_t n, Direction direction) {
    const ConnId conn(n);
    up::Connected connected{conn, {}, peer(n), direction, far(n)};
    host->on(std::move(connected), now);
    auto info = std::make_shared<identify::Info>();
    info->observed_addr = own();
    host->on(up::Identified{conn, std::move(info)}, now);
    drain();
  }
  bool offers_kad() const { return host->local().serves("/starling/kad/1.0.0"); }

  testkit::TestEnv env{1};
  kad::Validators validators;
  Now now{t(1h), WallTime::from_ms(1'750'000'000'000)};
  std::unique_ptr<Host> host;
  std::size_t pushes = 0;
};

TEST_F(AutomaticDht, ServesOnceReachedAndIsAClientAgainWhenNobodyReachesIt) {
  for (std::uint8_t n = 50; n < 60; ++n) meet(n, Direction::outbound);
  EXPECT_FALSE(offers_kad());  // whom we dialled proves nothing
  for (std::uint8_t n = 10; n < 12; ++n) meet(n, Direction::inbound);
  EXPECT_FALSE(offers_kad());
  const std::size_t before = pushes;
  meet(12, Direction::inbound);
  EXPECT_TRUE(offers_kad());
  EXPECT_EQ(host->dht()->mode(), kad::Mode::server);
  EXPECT_EQ(pushes, before + 1);  // the connected hear of it
  host->on(up::Disconnected{ConnId(10), make_error(Errc::connection_closed)}, now);
  drain();
  EXPECT_TRUE(offers_kad());
  now = {now.mono + kReachabilityProofAge, now.wall + kReachabilityProofAge};
  EXPECT_LE(host->deadline(), now.mono);
  host->on_deadline(now);
  drain();
  EXPECT_FALSE(offers_kad());
  EXPECT_EQ(host->dht()->mode(), kad::Mode::client);
}

TEST_F(AutomaticDht, AnAddressThatIsNoLongerOursProvesNothing) {
  for (std::uint8_t n = 10; n < 13; ++n) meet(n, Direction::inbound);
  ASSERT_TRUE(offers_kad());
  host->set_listening({addr("5.6.7.9")}, now);
  drain();
  EXPECT_FALSE(offers_kad());
}

// E.2 #10: no peer can make the peer book grow, and what it says last is what counts.
TEST_F(AutomaticDht, RemembersABoundedNumberOfAddressesOfEachPeerTheLatest) {
  meet(10, Direction::inbound);
  const auto tell = [this](std::uint8_t from, int count) {
    auto info = std::make_shared<identify::Info>();
    for (int i = 0; i < count; ++i)
      info->listen_addrs.push_back(addr("30.0." + std::to_string(from) + ".1", 1000 + i));
    host->on(up::Identified{ConnId(10), std::move(info)}, now);
    drain();
  };
  tell(1, 500);
  EXPECT_EQ(host->addresses_of(peer(10)).size(), kAddressesPerPeerMax);
  tell(2, 3);
  ASSERT_EQ(host->addresses_of(peer(10)).size(), 3u);
  EXPECT_EQ(host->addresses_of(peer(10))[0], addr("30.0.2.1", 1000));
}

// E.2 #10: unbounded peers.
TEST_F(AutomaticDht, RemembersABoundedNumberOfPeersTheLatest) {
  const auto stranger = [](std::uint64_t n) {
    Bytes digest(32);
    for (std::size_t i = 0; i < 8; ++i) digest[i] = static_cast<std::uint8_t>(n >> (8 * i));
    return *PeerId::from_bytes(format::make_multihash(format::kHashSha256, digest));
  };
  for (std::uint64_t n = 1; n <= kPeerBookPeersMax + 10; ++n) {
    up::Connected connected{ConnId(n), {}, stranger(n), Direction::outbound, addr("20.0.0.1")};
    host->on(std::move(connected), now);
    auto info = std::make_shared<identify::Info>();
    info->listen_addrs.push_back(addr("20.0.0.1"));
    host->on(up::Identified{ConnId(n), std::move(info)}, now);
    host->on(up::Disconnected{ConnId(n), make_error(Errc::connection_closed)}, now);
    drain();
  }
  for (std::uint64_t n = 1; n <= 10; ++n) EXPECT_TRUE(host->addresses_of(stranger(n)).empty()) << n;
  EXPECT_EQ(host->addresses_of(stranger(11)).size(), 1u);
  EXPECT_EQ(host->addresses_of(stranger(kPeerBookPeersMax + 10)).size(), 1u);
}

}  // namespace
}  // namespace starling::node
