#pragma once
// What the brain asks of its driver and tells it.
#include <optional>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "base/strong_id.hpp"
#include "base/time.hpp"
#include "proto/kad/message.hpp"

namespace starling::kad {

struct RequestTag;
struct QueryTag;
using RequestId = StrongId<RequestTag>;
using QueryId = StrongId<QueryTag>;

/// Send `message` to `peer` over its connection, or dial one with the addresses that are known besides.
/// Answer with on_response() or on_request_failed(); with on_request_sent() when no response is expected
/// (ADD_PROVIDER). The brain times every request out by itself (Config::request_timeout, dialling included)
/// and ignores what comes later.
struct SendRequest {
  RequestId id;
  PeerId peer;
  std::vector<Multiaddr> addrs;
  Message message;
  bool expects_response = true;
};

/// A provider, as soon as it is known; each id once per query. There may be more of them than were asked for.
struct ProviderFound {
  QueryId query;
  PeerInfo provider;
};

/// The routing table gained or lost a peer: connections to the nearest are worth keeping.
struct TableChanged {
  PeerId peer;
  enum class What : std::uint8_t { added, removed } what;
};

/// The nearest servers that answered, nearest first, at most k.
struct ClosestDone {
  std::vector<PeerInfo> peers;
};
struct ValueDone {
  std::optional<Bytes> value;  ///< the best valid record's value; nothing when nobody has one
  std::size_t answers = 0;     ///< servers that answered, with or without a record
  std::size_t holders = 0;     ///< servers that held exactly this value
  std::size_t corrected = 0;   ///< servers to which it is being put because they lacked it
};
struct PutDone {
  std::size_t tried = 0;
  std::size_t stored = 0;       ///< servers that echoed the record (our own store included when it took it)
  std::optional<Bytes> better;  ///< a valid record that wins over ours, when a server answered with one
};
struct ProvideDone {
  std::size_t tried = 0;
  std::size_t sent = 0;
};
struct ProvidersDone {
  /// At most as many as asked for, taking turns among the servers that named them.
  std::vector<PeerInfo> providers;
};
struct PeerDone {
  PeerInfo peer;
  bool answered = false;  ///< the peer itself answered us, so that its addresses are not hearsay
};
struct BootstrapDone {
  std::size_t table_size = 0;
};
using QueryResult =
    std::variant<ClosestDone, ValueDone, PutDone, ProvideDone, ProvidersDone, PeerDone, BootstrapDone>;

struct QueryStats {
  std::size_t requests = 0;
  std::size_t answers = 0;
  std::size_t failures = 0;
  Duration took{};
};

/// The one end of every query, cancelled ones included.
struct QueryDone {
  QueryId id;
  Result<QueryResult> result;
  QueryStats stats;
};

using Action = std::variant<SendRequest, ProviderFound, TableChanged, QueryDone>;

}  // namespace starling::kad
