#include "runtime/resolver.hpp"

#include <gtest/gtest.h>

#include <future>

#include "runtime/errors.hpp"
#include "runtime/limits.hpp"

namespace starling::runtime {
namespace {

constexpr const char* kPeer = "12D3KooWNnceBi4N3EBGm9UHvcBtVTRV4FGa9AMhfMJDXnZNECan";
constexpr const char* kOther = "12D3KooWDpp7U7W9Q8feMZPPEpPP5FKXTUakLgnVLbavfjb9mzrT";

IpPort v4(std::uint8_t last) {
  IpPort address;
  address.ip = {192, 0, 2, last};
  return address;
}

IpPort v6() {
  IpPort address;
  address.v6 = true;
  address.ip = {0x20, 0x01, 0x0d, 0xb8};
  return address;
}

Multiaddr parse(const std::string& text) { return Multiaddr::parse(text).value(); }

NameSource none() {
  return {[](const std::string&) { return std::vector<IpPort>(); },
          [](const std::string&) { return std::vector<std::string>(); }};
}

TEST(Resolver, HostNamesGiveTheFamiliesThatWereAskedFor) {
  NameSource names = none();
  names.addresses = [](const std::string&) { return std::vector<IpPort>{v4(1), v6()}; };
  EXPECT_EQ(resolve(parse("/dns4/a.example/tcp/4001"), names).value(),
            std::vector<Multiaddr>{parse("/ip4/192.0.2.1/tcp/4001")});
  EXPECT_EQ(resolve(parse("/dns6/a.example/tcp/4001"), names).value(),
            std::vector<Multiaddr>{parse("/ip6/2001:db8::/tcp/4001")});
  EXPECT_EQ(resolve(parse("/dns/a.example/tcp/4001"), names).value().size(), 2u);
}

TEST(Resolver, ThePeerIdOfANameStaysWithItsAddresses) {
  NameSource names = none();
  names.addresses = [](const std::string&) { return std::vector<IpPort>{v4(1)}; };
  const auto found = resolve(parse(std::string("/dns4/a.example/tcp/1/p2p/") + kPeer), names);
  EXPECT_EQ(found.value().front().peer_id(), PeerId::parse(kPeer).value());
}

TEST(Resolver, DnsaddrTakesOnlyEntriesOfThePeerThatIsLookedFor) {
  NameSource names = none();
  names.texts = [](const std::string& name) {
    EXPECT_EQ(name, "_dnsaddr.a.example");
    return std::vector<std::string>{std::string("dnsaddr=/ip4/192.0.2.1/tcp/1/p2p/") + kPeer,
                                    std::string("dnsaddr=/ip4/192.0.2.2/tcp/1/p2p/") + kOther, "v=spf1 -all",
                                    "dnsaddr=nonsense"};
  };
  const auto found = resolve(parse(std::string("/dnsaddr/a.example/p2p/") + kPeer), names);
  ASSERT_EQ(found.value().size(), 1u);
  EXPECT_EQ(found.value().front().peer_id(), PeerId::parse(kPeer).value());
  EXPECT_EQ(resolve(parse("/dnsaddr/a.example"), names).value().size(), 2u);
}

TEST(Resolver, ANameThatLeadsToItselfEnds) {
  NameSource names = none();
  std::size_t lookups = 0;
  names.texts = [&](const std::string&) {
    ++lookups;
    return std::vector<std::string>(8, "dnsaddr=/dnsaddr/a.example");
  };
  EXPECT_TRUE(resolve(parse("/dnsaddr/a.example"), names).error().is(Errc::resolve_failed));
  EXPECT_LE(lookups, kDnsaddrLookupsMax);
}

TEST(Resolver, AnAnswerOfManyAddressesIsCut) {
  NameSource names = none();
  names.texts = [](const std::string&) {
    std::vector<std::string> texts;
    for (int i = 0; i < 1000; ++i) texts.push_back("dnsaddr=/ip4/192.0.2.1/tcp/" + std::to_string(i + 1));
    return texts;
  };
  EXPECT_EQ(resolve(parse("/dnsaddr/a.example"), names).value().size(), kResolvedAddressesMax);
}

TEST(Resolver, ANameWithoutAddressesIsToldSo) {
  EXPECT_TRUE(resolve(parse("/dns4/a.example/tcp/1"), none()).error().is(Errc::resolve_failed));
}

TEST(Resolver, AnswersComeFromItsThreadsAndStuckOnesDoNotHoldTheEnd) {
  const auto release = std::make_shared<std::promise<void>>();
  const auto released = release->get_future().share();
  NameSource names = none();
  names.addresses = [released](const std::string& name) {
    if (name == "stuck.example") released.wait();
    return std::vector<IpPort>{v4(1)};
  };
  const auto answered = std::make_shared<std::promise<std::size_t>>();
  {
    Resolver resolver(names);
    resolver.resolve(parse("/dns4/stuck.example/tcp/1"), [](const auto&) {});
    resolver.resolve(parse("/dns4/a.example/tcp/1"),
                     [answered](const auto& found) { answered->set_value(found->size()); });
    EXPECT_EQ(answered->get_future().get(), 1u);
  }
  release->set_value();
}

TEST(Resolver, BeyondItsQueueNamesFailAtOnce) {
  const auto release = std::make_shared<std::promise<void>>();
  const auto released = release->get_future().share();
  NameSource names = none();
  names.addresses = [released](const std::string&) {
    released.wait();
    return std::vector<IpPort>();
  };
  Resolver resolver(names);
  bool refused = false;
  for (std::size_t i = 0; i < kResolvesMax + kResolverThreads + 1 && !refused; ++i) {
    const auto here = std::this_thread::get_id();
    resolver.resolve(parse("/dns4/a.example/tcp/1"), [&refused, here](const auto& found) {
      if (std::this_thread::get_id() == here) refused = found.error().is(Errc::too_many_resolves);
    });
  }
  EXPECT_TRUE(refused);
  release->set_value();
}

}  // namespace
}  // namespace starling::runtime
