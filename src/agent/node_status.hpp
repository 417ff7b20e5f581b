#pragma once
// Node status (PROTOCOL.md §7): what nodes tell about themselves on `node-status`.
#include <string>
#include <vector>

#include "agent/delegation.hpp"
#include "agent/roles.hpp"

namespace starling::agent {

struct TopicStat {
  std::string topic;
  std::uint32_t mesh = 0;
  std::uint32_t peers = 0;
  friend bool operator==(const TopicStat&, const TopicStat&) = default;
};

/// Data of a StrictSign message; the delegation inside says for which wallet the author speaks.
struct NodeStatus {
  SignedDelegation delegation;
  Role role = Role::agent;
  WallTime sent_at;
  std::uint64_t uptime_s = 0;
  std::string version;
  std::uint32_t connections = 0;
  std::uint32_t dht_table = 0;
  std::uint64_t dht_records = 0;
  std::vector<TopicStat> topics;
  std::uint64_t messages_sent = 0;
  std::uint64_t messages_delivered = 0;
  std::uint64_t messages_rejected = 0;
  std::uint64_t rss_bytes = 0;
  std::uint32_t cpu_permille = 0;
};
struct CheckedStatus {
  NodeStatus fields;
  CheckedDelegation delegation;
};

Bytes encode(const NodeStatus& status);
/// Row 3: size and strict decoding. Errc::too_large, format errors.
Result<NodeStatus> decode_status(ByteView data);
/// Row 5.
Result<CheckedStatus> check_fields(NodeStatus status, const NetworkName& network);
/// How long after the last status the next one goes: 60 s × max(1, agents known / 200).
Duration status_interval(std::size_t agents_known) noexcept;

}  // namespace starling::agent
