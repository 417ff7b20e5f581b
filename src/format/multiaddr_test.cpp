#include "format/multiaddr.hpp"

#include <gtest/gtest.h>

#include "testkit/json.hpp"

namespace starling {
namespace {

using format::Errc;
using testkit::array_at;
using testkit::hex_at;
using testkit::text_at;

constexpr const char* kEd25519Id = "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA";
constexpr const char* kSha256Id = "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N";

testkit::json::value vectors() {
  return testkit::read_json("tests/conformance/vectors/format/multiaddr.json");
}
Multiaddr addr(std::string_view text) {
  const auto parsed = Multiaddr::parse(text);
  EXPECT_TRUE(parsed.has_value()) << text;
  return parsed.value_or(Multiaddr());
}

TEST(Multiaddr, ConvertsBetweenTextAndBytesWithoutLoss) {
  const auto file = vectors();
  const auto& pairs = array_at(file, "pairs");
  ASSERT_GE(pairs.size(), 30u);
  for (const auto& item : pairs) {
    const std::string text = text_at(item, "text");
    const auto from_text = Multiaddr::parse(text);
    ASSERT_TRUE(from_text.has_value()) << text;
    EXPECT_EQ(to_hex(from_text->bytes()), text_at(item, "bytes")) << text;
    const auto from_bytes = Multiaddr::from_bytes(hex_at(item, "bytes"));
    ASSERT_TRUE(from_bytes.has_value()) << text;
    EXPECT_EQ(from_bytes->to_string(), text);
    EXPECT_EQ(*from_bytes, *from_text);
  }
}

TEST(Multiaddr, OtherTextsOfTheSameAddressPrintInTheCanonicalForm) {
  const auto file = vectors();
  for (const auto& item : array_at(file, "other_texts"))
    EXPECT_EQ(addr(text_at(item, "text")).to_string(), text_at(item, "canonical"));
}

TEST(Multiaddr, TextsThatAreNoneAreRefused) {
  const auto file = vectors();
  for (const auto& item : array_at(file, "bad_texts")) {
    const std::string text(item.as_string().data(), item.as_string().size());
    const auto parsed = Multiaddr::parse(text);
    ASSERT_FALSE(parsed.has_value()) << text;
    EXPECT_TRUE(parsed.error().is(Errc::bad_multiaddr)) << text;
  }
  for (const auto& item : array_at(file, "unknown_texts")) {
    const std::string text(item.as_string().data(), item.as_string().size());
    const auto parsed = Multiaddr::parse(text);
    ASSERT_FALSE(parsed.has_value()) << text;
    EXPECT_TRUE(parsed.error().is(Errc::unknown_protocol)) << text;
    EXPECT_EQ(parsed.error().kind(), Kind::unsupported);
  }
}

TEST(Multiaddr, BytesThatAreNoneAreRefused) {
  const auto file = vectors();
  for (const auto& item : array_at(file, "bad_bytes")) {
    const auto parsed = Multiaddr::from_bytes(hex_at(item, "bytes"));
    ASSERT_FALSE(parsed.has_value()) << text_at(item, "name");
    EXPECT_TRUE(parsed.error().is(Errc::bad_multiaddr)) << text_at(item, "name");
  }
  for (const auto& item : array_at(file, "unknown_bytes")) {
    const auto parsed = Multiaddr::from_bytes(hex_at(item, "bytes"));
    ASSERT_FALSE(parsed.has_value()) << text_at(item, "name");
    EXPECT_TRUE(parsed.error().is(Errc::unknown_protocol)) << text_at(item, "name");
  }
}

TEST(Multiaddr, EveryTruncationIsRefusedOrAShorterAddress) {
  const auto file = vectors();
  for (const auto& item : array_at(file, "pairs")) {
    const Bytes bytes = hex_at(item, "bytes");
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const auto parsed = Multiaddr::from_bytes(ByteView(bytes).first(size));
      if (parsed) {
        ASSERT_EQ(Multiaddr::parse(parsed->to_string()), *parsed);
      }
    }
  }
}

// Whatever random change still parses has one text and one binary form.
TEST(Multiaddr, MutatedAddressesConvertWithoutLossOrAreRefused) {
  SeededRng rng(testkit::seed(90));
  const auto file = vectors();
  const auto& pairs = array_at(file, "pairs");
  int accepted = 0;
  for (int round = 0; round < 20'000; ++round) {
    Bytes bytes = hex_at(pairs[rng.below(pairs.size())], "bytes");
    for (std::uint64_t i = 1 + rng.below(3); i > 0; --i)
      bytes[rng.below(bytes.size())] = static_cast<std::uint8_t>(rng.below(256));
    const auto parsed = Multiaddr::from_bytes(bytes);
    if (!parsed) continue;
    ++accepted;
    ASSERT_EQ(to_bytes(parsed->bytes()), bytes);
    const auto again = Multiaddr::parse(parsed->to_string());
    ASSERT_TRUE(again.has_value()) << parsed->to_string();
    ASSERT_EQ(*again, *parsed) << parsed->to_string();
  }
  EXPECT_GT(accepted, 1'000);
}

TEST(Multiaddr, LimitsOfBytesAndPartsAreReached) {
  std::string text;
  for (std::size_t i = 0; i < kMultiaddrPartsMax; ++i) text += "/ws";
  EXPECT_EQ(addr(text).parts().size(), kMultiaddrPartsMax);
  EXPECT_TRUE(Multiaddr::parse(text + "/ws").error().is(Errc::bad_multiaddr));
  // Four names of 250 bytes with three of prefix, and one that fills up.
  text.clear();
  for (int i = 0; i < 4; ++i) text += "/dns/" + std::string(250, 'a');
  EXPECT_EQ(addr(text + "/dns/" + std::string(10, 'a')).bytes().size(), kMultiaddrBytesMax);
  EXPECT_TRUE(Multiaddr::parse(text + "/dns/" + std::string(11, 'a')).error().is(Errc::bad_multiaddr));
  EXPECT_EQ(addr("/dns/" + std::string(kMultiaddrNameBytesMax, 'a')).parts().size(), 1u);
  EXPECT_TRUE(
      Multiaddr::parse("/unix/" + std::string(kMultiaddrTextMax, 'a')).error().is(Errc::bad_multiaddr));
}

TEST(Multiaddr, TheLongestTextFitsItsLimit) {
  Bytes bytes;
  for (std::size_t i = 0; i < kMultiaddrPartsMax; ++i) {
    bytes.push_back(41);
    bytes.insert(bytes.end(), 16, 0xff);
  }
  const auto longest = Multiaddr::from_bytes(bytes).value();
  EXPECT_LT(longest.to_string().size(), kMultiaddrTextMax);
  EXPECT_EQ(addr(longest.to_string()), longest);
}

TEST(Multiaddr, AsTcpIsWhatTheTransportDials) {
  const auto plain = addr("/ip4/1.2.3.4/tcp/4001").as_tcp();
  ASSERT_TRUE(plain.has_value());
  EXPECT_EQ(plain->ip_string(), "1.2.3.4");
  EXPECT_EQ(plain->port, 4001);
  EXPECT_FALSE(plain->v6);
  const auto six = addr(std::string("/ip6/2001:db8::1/tcp/65535/p2p/") + kEd25519Id).as_tcp();
  ASSERT_TRUE(six.has_value());
  EXPECT_EQ(six->ip_string(), "2001:db8::1");
  EXPECT_EQ(six->port, 65535);
  EXPECT_TRUE(six->v6);
  for (const char* text :
       {"/ip4/1.2.3.4", "/ip4/1.2.3.4/udp/1", "/ip4/1.2.3.4/tcp/1/ws", "/ip4/1.2.3.4/tcp/1/tls/ws",
        "/dns/a/tcp/1", "/tcp/1", "/ip6zone/x/ip6/fe80::1/tcp/1", "/ip4/1.2.3.4/tcp/1/p2p-circuit"})
    EXPECT_FALSE(addr(text).as_tcp().has_value()) << text;
  EXPECT_FALSE(
      addr(std::string("/ip4/1.2.3.4/tcp/1/p2p/") + kEd25519Id + "/p2p-circuit").as_tcp().has_value());
  EXPECT_FALSE(Multiaddr().as_tcp().has_value());
}

TEST(Multiaddr, IpPortIsTheFirstHopWhateverFollows) {
  EXPECT_EQ(addr("/ip4/1.2.3.4/tcp/1/ws").ip_port()->port, 1);
  EXPECT_EQ(addr("/ip6/::1/udp/2/quic-v1").ip_port()->port, 2);
  EXPECT_FALSE(addr("/ip4/1.2.3.4").ip_port().has_value());
  EXPECT_FALSE(addr("/dns/a/tcp/1").ip_port().has_value());
  EXPECT_FALSE(addr("/ip4/1.2.3.4/ws").ip_port().has_value());
}

TEST(Multiaddr, DnsNamesAreFound) {
  const auto dns = addr(std::string("/dns4/example.com/tcp/443/p2p/") + kEd25519Id).as_dns_tcp();
  ASSERT_TRUE(dns.has_value());
  EXPECT_EQ(dns->kind, AddrProtocol::dns4);
  EXPECT_EQ(dns->name, "example.com");
  EXPECT_EQ(dns->port, 443);
  EXPECT_TRUE(addr("/dns/a/tcp/1").as_dns_tcp().has_value());
  EXPECT_TRUE(addr("/dns6/a/tcp/1").as_dns_tcp().has_value());
  for (const char* text :
       {"/dnsaddr/a/tcp/1", "/dns/a/udp/1", "/dns/a", "/dns/a/tcp/1/ws", "/ip4/1.2.3.4/tcp/1"})
    EXPECT_FALSE(addr(text).as_dns_tcp().has_value()) << text;
  EXPECT_EQ(addr("/dnsaddr/example.com").as_dnsaddr(), "example.com");
  EXPECT_EQ(addr(std::string("/dnsaddr/example.com/p2p/") + kSha256Id).as_dnsaddr(), "example.com");
  for (const char* text : {"/dns/a", "/dnsaddr/a/tcp/1", "/ws"})
    EXPECT_FALSE(addr(text).as_dnsaddr().has_value()) << text;
}

TEST(Multiaddr, PeerIdIsThatOfTheDestination) {
  const auto id = PeerId::parse(kEd25519Id).value();
  EXPECT_EQ(addr(std::string("/ip4/1.2.3.4/tcp/1/p2p/") + kEd25519Id).peer_id(), id);
  EXPECT_FALSE(addr("/ip4/1.2.3.4/tcp/1").peer_id().has_value());
  const std::string relay = std::string("/ip4/1.2.3.4/tcp/1/p2p/") + kSha256Id + "/p2p-circuit";
  EXPECT_FALSE(addr(relay).peer_id().has_value()) << "the relay is not the destination";
  EXPECT_EQ(addr(relay + "/p2p/" + kEd25519Id).peer_id(), id);
}

TEST(Multiaddr, PeerIdsArePutBehindAndTakenAway) {
  const auto first = PeerId::parse(kEd25519Id).value();
  const auto second = PeerId::parse(kSha256Id).value();
  const auto bare = addr("/ip4/1.2.3.4/tcp/1");
  const auto with = bare.with_peer_id(first);
  EXPECT_EQ(with.to_string(), std::string("/ip4/1.2.3.4/tcp/1/p2p/") + kEd25519Id);
  EXPECT_EQ(with.with_peer_id(first), with);
  EXPECT_EQ(with.with_peer_id(second).peer_id(), second);
  EXPECT_EQ(with.with_peer_id(second).parts().size(), 3u);
  EXPECT_EQ(with.without_peer_id(), bare);
  EXPECT_EQ(bare.without_peer_id(), bare);
  EXPECT_TRUE(addr(std::string("/p2p/") + kEd25519Id).without_peer_id().empty());
  EXPECT_EQ(Multiaddr().with_peer_id(first).to_string(), std::string("/p2p/") + kEd25519Id);
  const std::string relay = std::string("/p2p/") + kSha256Id + "/p2p-circuit";
  EXPECT_EQ(addr(relay).with_peer_id(first).without_peer_id(), addr(relay));
}

TEST(Multiaddr, APeerIdThatWouldPassTheLimitsIsNotAdded) {
  const auto id = PeerId::parse(kEd25519Id).value();
  std::string text;
  for (std::size_t i = 0; i < kMultiaddrPartsMax; ++i) text += "/ws";
  EXPECT_EQ(addr(text).with_peer_id(id), addr(text));
}

TEST(Multiaddr, TcpIsBuiltFromAnIpAndAPort) {
  IpPort four;
  four.ip = {127, 0, 0, 1};
  four.port = 4001;
  EXPECT_EQ(Multiaddr::tcp(four).to_string(), "/ip4/127.0.0.1/tcp/4001");
  EXPECT_EQ(Multiaddr::tcp(four).as_tcp(), four);
  IpPort six;
  six.v6 = true;
  six.ip[15] = 1;
  EXPECT_EQ(Multiaddr::tcp(six).to_string(), "/ip6/::1/tcp/0");
  EXPECT_EQ(Multiaddr::tcp(six).as_tcp(), six);
}

TEST(Multiaddr, PartsAndValues) {
  const auto address = addr("/ip4/1.2.3.4/udp/9/quic-v1");
  const auto parts = address.parts();
  ASSERT_EQ(parts.size(), 3u);
  EXPECT_EQ(parts[0].protocol, AddrProtocol::ip4);
  EXPECT_EQ(to_hex(parts[0].value), "01020304");
  EXPECT_EQ(parts[2].protocol, AddrProtocol::quic_v1);
  EXPECT_TRUE(parts[2].value.empty());
  EXPECT_TRUE(address.has(AddrProtocol::quic_v1));
  EXPECT_FALSE(address.has(AddrProtocol::tcp));
  EXPECT_EQ(to_hex(*address.value_of(AddrProtocol::udp)), "0009");
  EXPECT_TRUE(Multiaddr().parts().empty());
  EXPECT_EQ(Multiaddr().to_string(), "");
}

TEST(Multiaddr, OrderAndHashFollowTheBytes) {
  EXPECT_LT(addr("/ip4/1.2.3.4/tcp/1"), addr("/ip4/1.2.3.4/tcp/2"));
  EXPECT_LT(addr("/ip4/1.2.3.4"), addr("/ip4/1.2.3.4/tcp/1"));
  EXPECT_NE(std::hash<Multiaddr>()(addr("/tcp/1")), std::hash<Multiaddr>()(addr("/tcp/2")));
}

AddrClass class_of(std::string_view ip) {
  const std::string kind = ip.find(':') == std::string_view::npos ? "/ip4/" : "/ip6/";
  return classify(addr(kind + std::string(ip) + "/tcp/1").as_tcp().value());
}

TEST(AddrClass, FollowsTheRangesOfTheProtocol) {
  const std::pair<const char*, AddrClass> cases[] = {
      {"127.0.0.1", AddrClass::loopback},
      {"127.255.255.255", AddrClass::loopback},
      {"0.0.0.0", AddrClass::loopback},
      {"0.1.2.3", AddrClass::loopback},
      {"169.254.0.1", AddrClass::link_local},
      {"169.253.255.255", AddrClass::public_net},
      {"10.0.0.1", AddrClass::private_net},
      {"10.255.255.255", AddrClass::private_net},
      {"11.0.0.1", AddrClass::public_net},
      {"172.15.255.255", AddrClass::public_net},
      {"172.16.0.0", AddrClass::private_net},
      {"172.31.255.255", AddrClass::private_net},
      {"172.32.0.0", AddrClass::public_net},
      {"192.168.1.1", AddrClass::private_net},
      {"192.167.1.1", AddrClass::public_net},
      {"192.169.0.0", AddrClass::public_net},
      {"100.63.255.255", AddrClass::public_net},
      {"100.64.0.0", AddrClass::private_net},
      {"100.127.255.255", AddrClass::private_net},
      {"100.128.0.0", AddrClass::public_net},
      {"8.8.8.8", AddrClass::public_net},
      {"128.0.0.1", AddrClass::public_net},
      {"::", AddrClass::loopback},
      {"::1", AddrClass::loopback},
      {"fe80::1", AddrClass::link_local},
      {"febf::1", AddrClass::link_local},
      {"fec0::1", AddrClass::private_net},
      {"fc00::1", AddrClass::private_net},
      {"fdff::1", AddrClass::private_net},
      {"fe00::1", AddrClass::public_net},
      {"2606:2800:220:1::1", AddrClass::public_net},
  };
  for (const auto& [ip, expected] : cases) EXPECT_EQ(class_of(ip), expected) << ip;
}

TEST(AddrClass, AnIpv4AddressInIpv6IsJudgedAsTheIpv4) {
  for (const char* prefix : {"::ffff:", "::", "64:ff9b::"}) {
    EXPECT_EQ(class_of(std::string(prefix) + "127.0.0.1"), AddrClass::loopback) << prefix;
    EXPECT_EQ(class_of(std::string(prefix) + "10.1.2.3"), AddrClass::private_net) << prefix;
    EXPECT_EQ(class_of(std::string(prefix) + "169.254.169.254"), AddrClass::link_local) << prefix;
    EXPECT_EQ(class_of(std::string(prefix) + "93.184.216.34"), AddrClass::public_net) << prefix;
  }
  EXPECT_EQ(class_of("2002:7f00:1::"), AddrClass::loopback);
  EXPECT_EQ(class_of("2002:a01:203::1"), AddrClass::private_net);
  EXPECT_EQ(class_of("2002:5db8:d822::1"), AddrClass::public_net);
}

}  // namespace
}  // namespace starling
