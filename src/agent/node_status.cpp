#include "agent/node_status.hpp"

#include <algorithm>

#include "agent/limits.hpp"
#include "format/protobuf.hpp"

namespace starling::agent {
namespace {

Result<TopicStat> decode_topic(ByteView payload) {
  TopicStat out;
  STARLING_TRY(pb::each_field(payload, pb::field_range(1, 3), 0, [&](const pb::Field& field) -> Result<void> {
    switch (field.id) {
      case 1: {
        STARLING_ASSIGN(out.topic, pb::as_string(field));
        return {};
      }
      case 2: {
        STARLING_ASSIGN(out.mesh, pb::as_u32(field));
        return {};
      }
      default: {
        STARLING_ASSIGN(out.peers, pb::as_u32(field));
        return {};
      }
    }
  }));
  return out;
}

Result<void> set_field(NodeStatus& out, const pb::Field& field) {
  switch (field.id) {
    case 1: {
      STARLING_ASSIGN(const ByteView payload, pb::as_bytes(field));
      STARLING_ASSIGN(out.delegation, decode_signed_delegation(payload));
      return {};
    }
    case 2: {
      STARLING_ASSIGN(const auto role, pb::as_i32(field));
      out.role = static_cast<Role>(role);
      return {};
    }
    case 3: {
      STARLING_ASSIGN(const auto ms, pb::as_u64(field));
      out.sent_at = WallTime::from_ms(ms);
      return {};
    }
    case 4: {
      STARLING_ASSIGN(out.uptime_s, pb::as_u64(field));
      return {};
    }
    case 5: {
      STARLING_ASSIGN(out.version, pb::as_string(field));
      return {};
    }
    case 6: {
      STARLING_ASSIGN(out.connections, pb::as_u32(field));
      return {};
    }
    case 7: {
      STARLING_ASSIGN(out.dht_table, pb::as_u32(field));
      return {};
    }
    case 8: {
      STARLING_ASSIGN(out.dht_records, pb::as_u64(field));
      return {};
    }
    case 9: {
      STARLING_ASSIGN(const ByteView payload, pb::as_bytes(field));
      STARLING_ASSIGN(TopicStat topic, decode_topic(payload));
      out.topics.push_back(std::move(topic));  // bounded by the message's size; their number is row 5's
      return {};
    }
    case 10: {
      STARLING_ASSIGN(out.messages_sent, pb::as_u64(field));
      return {};
    }
    case 11: {
      STARLING_ASSIGN(out.messages_delivered, pb::as_u64(field));
      return {};
    }
    case 12: {
      STARLING_ASSIGN(out.messages_rejected, pb::as_u64(field));
      return {};
    }
    case 13: {
      STARLING_ASSIGN(out.rss_bytes, pb::as_u64(field));
      return {};
    }
    default: {
      STARLING_ASSIGN(out.cpu_permille, pb::as_u32(field));
      return {};
    }
  }
}

Bytes encode(const TopicStat& topic) {
  Bytes out;
  pb::Writer writer(out);
  writer.string_if(1, topic.topic);
  writer.varint_if(2, topic.mesh);
  writer.varint_if(3, topic.peers);
  return out;
}

}  // namespace

Bytes encode(const NodeStatus& status) {
  Bytes out;
  pb::Writer writer(out);
  writer.bytes_if(1, encode(status.delegation));
  if (status.role != Role::agent) writer.int32(2, static_cast<std::int32_t>(status.role));
  writer.varint_if(3, status.sent_at.ms());
  writer.varint_if(4, status.uptime_s);
  writer.string_if(5, status.version);
  writer.varint_if(6, status.connections);
  writer.varint_if(7, status.dht_table);
  writer.varint_if(8, status.dht_records);
  for (const TopicStat& topic : status.topics) writer.bytes(9, encode(topic));
  writer.varint_if(10, status.messages_sent);
  writer.varint_if(11, status.messages_delivered);
  writer.varint_if(12, status.messages_rejected);
  writer.varint_if(13, status.rss_bytes);
  writer.varint_if(14, status.cpu_permille);
  return out;
}

Result<NodeStatus> decode_status(ByteView data) {
  if (data.size() > kStatusBytesMax) return fail(Errc::too_large);
  NodeStatus out;
  constexpr std::uint64_t kTopics = pb::field_bit(9);
  STARLING_TRY(pb::each_field(data, pb::field_range(1, 14) & ~kTopics, kTopics,
                              [&](const pb::Field& field) { return set_field(out, field); }));
  return out;
}

Result<CheckedStatus> check_fields(NodeStatus status, const NetworkName& network) {
  if (status.version.size() > kAgentVersionBytesMax) return fail(Errc::text_too_long);
  if (status.topics.size() > kStatusTopicsMax) return fail(Errc::too_many_topics);
  STARLING_ASSIGN(CheckedDelegation delegation, check_fields(status.delegation, network));
  return CheckedStatus{std::move(status), std::move(delegation)};
}

Duration status_interval(std::size_t agents_known) noexcept {
  const double factor = static_cast<double>(agents_known) / static_cast<double>(kStatusAgentsPerStep);
  return saturating_scale(kStatusInterval, std::max(1.0, factor));
}

}  // namespace starling::agent
