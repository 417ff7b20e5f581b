#include "agent/dial_policy.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/agent_fixtures.hpp"

namespace starling::agent {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::size_t> dialable(std::initializer_list<std::string_view> texts,
                                  const DialClasses& classes = {}) {
  std::vector<Bytes> addrs;
  for (const std::string_view text : texts) {
    const auto addr = Multiaddr::parse(text);
    addrs.push_back(addr ? to_bytes(addr->bytes()) : to_bytes(text));
  }
  return select_dialable(addrs, classes);
}

TEST(DialPolicy, OnlyPublicAddressesWithoutMore) {
  EXPECT_THAT(dialable({"/ip4/127.0.0.1/tcp/1", "/ip4/0.0.0.0/tcp/1", "/ip4/10.1.2.3/tcp/1",
                        "/ip4/100.64.0.1/tcp/1", "/ip4/169.254.1.1/tcp/1", "/ip6/::1/tcp/1", "/ip6/::/tcp/1",
                        "/ip6/fe80::1/tcp/1", "/ip6/fd00::1/tcp/1", "/ip6/::ffff:10.0.0.1/tcp/1"}),
              IsEmpty());
  EXPECT_THAT(dialable({"/ip4/1.2.3.4/tcp/1", "/ip6/2606:2800::1/tcp/1"}), ElementsAre(0, 1));
}

TEST(DialPolicy, AClassOpensWithAnAddressOfOurOwn) {
  DialClasses classes;
  classes.add(Multiaddr::parse("/ip4/127.0.0.1/tcp/4001").value());
  EXPECT_THAT(dialable({"/ip6/::1/tcp/1", "/ip4/10.0.0.1/tcp/1", "/ip6/fe80::1/tcp/1"}, classes),
              ElementsAre(0));
  classes.add(Multiaddr::parse("/ip4/192.168.1.1/tcp/4001").value());
  classes.add(Multiaddr::parse("/ip6/fe80::1/tcp/4001").value());
  classes.add(Multiaddr::parse("/ip4/8.8.8.8/tcp/4001").value());
  classes.add(Multiaddr::parse("/dns4/example.org/tcp/4001").value());
  EXPECT_THAT(dialable({"/ip6/::1/tcp/1", "/ip4/10.0.0.1/tcp/1", "/ip6/fe80::1/tcp/1"}, classes),
              ElementsAre(0, 1, 2));
}

TEST(DialPolicy, WhatCannotBeDialledIsSkippedAndDoesNotCount) {
  EXPECT_THAT(dialable({"nonsense", "", "/ip4/1.2.3.4/udp/1/quic-v1", "/ip4/224.0.0.1/tcp/1",
                        "/ip4/255.255.255.255/tcp/1", "/ip6/ff02::1/tcp/1", "/ip4/1.2.3.4/tcp/0",
                        "/ip4/1.1.1.1/tcp/1", "/ip4/1.1.1.2/tcp/1", "/ip4/1.1.1.3/tcp/1",
                        "/ip4/1.1.1.4/tcp/1", "/ip4/1.1.1.5/tcp/1"}),
              ElementsAre(7, 8, 9, 10));
}

TEST(DialPolicy, TheSamePlaceIsDialledOncePerRecord) {
  EXPECT_THAT(dialable({"/ip4/1.2.3.4/tcp/1", "/ip4/1.2.3.4/tcp/1", "/ip4/1.2.3.4/tcp/2",
                        "/dns4/a.example/tcp/1", "/dns4/a.example/tcp/1"}),
              ElementsAre(0, 2, 3));
}

TEST(DialPolicy, ResolvedAddressesMeetTheSameRule) {
  const auto loopback = Multiaddr::parse("/ip4/127.0.0.1/tcp/1").value().as_tcp().value();
  EXPECT_FALSE(may_dial(loopback, {}));
  DialClasses classes;
  classes.loopback = true;
  EXPECT_TRUE(may_dial(loopback, classes));
}

TEST(DialMemory, OneDialPerPlaceMinuteAndRecord) {
  DialMemory memory(100);
  const auto place = Multiaddr::parse("/ip4/1.2.3.4/tcp/1").value().as_tcp().value();
  auto other_port = place;
  other_port.port = 2;
  const crypto::Hash256 record{1};
  const crypto::Hash256 other_record{2};
  EXPECT_TRUE(memory.take(record, place, fixtures::kStart));
  EXPECT_FALSE(memory.take(record, place, fixtures::kStart + 59s));
  EXPECT_TRUE(memory.take(record, other_port, fixtures::kStart));
  EXPECT_TRUE(memory.take(other_record, place, fixtures::kStart));
  EXPECT_TRUE(memory.take(record, place, fixtures::kStart + 60s));
}

}  // namespace
}  // namespace starling::agent
