#include "agent/node_status.hpp"

#include <gtest/gtest.h>

#include "agent/agent_fixtures.hpp"
#include "agent/limits.hpp"
#include "format/protobuf.hpp"

namespace starling::agent {
namespace {

NodeStatus full_status(const SignedDelegation& delegation) {
  NodeStatus out;
  out.delegation = delegation;
  out.role = Role::bootstrap;
  out.sent_at = fixtures::kNow;
  out.uptime_s = 3;
  out.version = "starling/1";
  out.connections = UINT32_MAX;
  out.dht_table = 5;
  out.dht_records = 6;
  out.topics = {{"agent-messages", 1, 2}, {"", 0, 0}};
  out.messages_sent = 7;
  out.messages_delivered = 8;
  out.messages_rejected = 9;
  out.rss_bytes = UINT64_MAX;
  out.cpu_permille = 10;
  return out;
}

TEST(NodeStatusCodec, EveryFieldComesBack) {
  const fixtures::Actor alice("alice", real_signatures());
  const NodeStatus status = full_status(alice.delegation.wire);
  const auto back = decode_status(encode(status)).value();
  EXPECT_EQ(encode(back), encode(status));
  EXPECT_EQ(back.role, Role::bootstrap);
  EXPECT_EQ(back.topics, status.topics);
  EXPECT_EQ(back.rss_bytes, UINT64_MAX);
  EXPECT_EQ(back.connections, UINT32_MAX);
  EXPECT_EQ(back.delegation, alice.delegation.wire);
  EXPECT_TRUE(check_fields(back, NetworkName()));
}

TEST(NodeStatusCodec, LimitsAreRowFiveAndSizeIsRowThree) {
  const fixtures::Actor alice("alice", real_signatures());
  NodeStatus status = full_status(alice.delegation.wire);
  status.topics.assign(16, {"t", 1, 1});
  EXPECT_TRUE(check_fields(status, NetworkName()));
  status.topics.push_back({});
  EXPECT_EQ(check_fields(status, NetworkName()).error(), make_error(Errc::too_many_topics));
  EXPECT_TRUE(decode_status(encode(status)));
  status = full_status(alice.delegation.wire);
  status.version.assign(65, 'v');
  EXPECT_EQ(check_fields(status, NetworkName()).error(), make_error(Errc::text_too_long));
  status.delegation = {};
  status.version.clear();
  EXPECT_EQ(check_fields(status, NetworkName()).error(), make_error(Errc::no_delegation));
  EXPECT_EQ(decode_status(Bytes(kStatusBytesMax + 1, 0)).error(), make_error(Errc::too_large));
}

TEST(NodeStatusCodec, NumbersOver32BitsAndRepeatedFieldsAreMalformed) {
  Bytes bytes;
  pb::Writer(bytes).varint(6, std::uint64_t{1} << 32);
  EXPECT_EQ(decode_status(bytes).error(), format::make_error(format::Errc::out_of_range));
  bytes.clear();
  pb::Writer(bytes).varint(4, 1);
  pb::Writer(bytes).varint(4, 1);
  EXPECT_EQ(decode_status(bytes).error(), format::make_error(format::Errc::duplicate_field));
  Bytes topic;
  pb::Writer(topic).varint(2, 1);
  pb::Writer(topic).varint(2, 1);
  bytes.clear();
  pb::Writer(bytes).bytes(9, topic);
  EXPECT_EQ(decode_status(bytes).error(), format::make_error(format::Errc::duplicate_field));
}

TEST(NodeStatusPace, GrowsWithTheNumberOfAgentsKnown) {
  EXPECT_EQ(status_interval(0), 60s);
  EXPECT_EQ(status_interval(200), 60s);
  EXPECT_EQ(status_interval(400), 120s);
  EXPECT_EQ(status_interval(10'000), 50min);
}

TEST(Roles, AreThePresetsOfThePage) {
  EXPECT_EQ(preset_of(Role::bootstrap).connections, 1000U);
  EXPECT_EQ(preset_of(Role::agent).dht, DhtMode::client);
  EXPECT_EQ(preset_of(Role::server).dht, DhtMode::server_if_reachable);
  EXPECT_FALSE(preset_of(Role::light).gossip);
  EXPECT_EQ(preset_of(static_cast<Role>(99)).role, Role::agent);
  EXPECT_EQ(to_string(static_cast<Role>(99)), "other");
  for (const RolePreset& preset : kRolePresets) EXPECT_EQ(parse_role(preset.name), preset.role);
  EXPECT_EQ(parse_role("Agent"), std::nullopt);
}

}  // namespace
}  // namespace starling::agent
