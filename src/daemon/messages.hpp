#pragma once
// What a client and the daemon say to each other, decoded. Field by field as in go-libp2p-daemon's
// pb/p2pd.proto.
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"

namespace starling::daemon {

enum class RequestType : std::uint8_t {
  identify = 0,
  connect = 1,
  stream_open = 2,
  stream_handler = 3,
  dht = 4,
  list_peers = 5,
  conn_manager = 6,
  disconnect = 7,
  pubsub = 8,
};

/// Times are in seconds; 0 stands for the daemon's own choice.
struct ConnectRequest {
  Bytes peer;
  std::vector<Bytes> addrs;
  std::int64_t timeout_s = 0;
  friend bool operator==(const ConnectRequest&, const ConnectRequest&) = default;
};
struct StreamOpenRequest {
  Bytes peer;
  std::vector<std::string> protocols;
  std::int64_t timeout_s = 0;
  friend bool operator==(const StreamOpenRequest&, const StreamOpenRequest&) = default;
};
struct StreamHandlerRequest {
  Bytes addr;
  std::vector<std::string> protocols;
  friend bool operator==(const StreamHandlerRequest&, const StreamHandlerRequest&) = default;
};

enum class DhtRequestType : std::uint8_t {
  find_peer = 0,
  find_peers_connected_to_peer = 1,
  find_providers = 2,
  get_closest_peers = 3,
  get_public_key = 4,
  get_value = 5,
  search_value = 6,
  put_value = 7,
  provide = 8,
};
struct DhtRequest {
  DhtRequestType type = DhtRequestType::find_peer;
  std::optional<Bytes> peer;
  std::optional<Bytes> cid;
  std::optional<Bytes> key;
  std::optional<Bytes> value;
  std::int32_t count = 0;
  std::int64_t timeout_s = 0;
  friend bool operator==(const DhtRequest&, const DhtRequest&) = default;
};

enum class ConnManagerRequestType : std::uint8_t { tag_peer = 0, untag_peer = 1, trim = 2 };
struct ConnManagerRequest {
  ConnManagerRequestType type = ConnManagerRequestType::tag_peer;
  Bytes peer;
  std::string tag;
  std::int64_t weight = 0;
  friend bool operator==(const ConnManagerRequest&, const ConnManagerRequest&) = default;
};
struct DisconnectRequest {
  Bytes peer;
  friend bool operator==(const DisconnectRequest&, const DisconnectRequest&) = default;
};

enum class PubsubRequestType : std::uint8_t { get_topics = 0, list_peers = 1, publish = 2, subscribe = 3 };
struct PubsubRequest {
  PubsubRequestType type = PubsubRequestType::get_topics;
  std::optional<std::string> topic;
  Bytes data;
  friend bool operator==(const PubsubRequest&, const PubsubRequest&) = default;
};

struct Request {
  RequestType type = RequestType::identify;
  std::optional<ConnectRequest> connect;
  std::optional<StreamOpenRequest> stream_open;
  std::optional<StreamHandlerRequest> stream_handler;
  std::optional<DhtRequest> dht;
  std::optional<ConnManagerRequest> conn_manager;
  std::optional<DisconnectRequest> disconnect;
  std::optional<PubsubRequest> pubsub;
  friend bool operator==(const Request&, const Request&) = default;
};

/// PeerInfo, and IdentifyResponse, which looks the same.
struct PeerEntry {
  Bytes id;
  std::vector<Bytes> addrs;
  friend bool operator==(const PeerEntry&, const PeerEntry&) = default;
};
/// In the answer to STREAM_OPEN, and alone in front of each stream that a handler gets.
struct StreamInfo {
  Bytes peer;
  Bytes addr;
  std::string protocol;
  friend bool operator==(const StreamInfo&, const StreamInfo&) = default;
};

enum class DhtResponseType : std::uint8_t { begin = 0, value = 1, end = 2 };
struct DhtResponse {
  DhtResponseType type = DhtResponseType::begin;
  std::optional<PeerEntry> peer;
  std::optional<Bytes> value;
  friend bool operator==(const DhtResponse&, const DhtResponse&) = default;
};
struct PubsubResponse {
  std::vector<std::string> topics;
  std::vector<Bytes> peer_ids;
  friend bool operator==(const PubsubResponse&, const PubsubResponse&) = default;
};

/// OK unless there is an error.
struct Response {
  std::optional<std::string> error;
  std::optional<StreamInfo> stream_info;
  std::optional<PeerEntry> identify;
  std::optional<DhtResponse> dht;
  std::vector<PeerEntry> peers;
  std::optional<PubsubResponse> pubsub;
  friend bool operator==(const Response&, const Response&) = default;
};

/// A gossip message as a subscriber gets it.
struct PubsubMessage {
  Bytes from;
  Bytes data;
  Bytes seqno;
  std::vector<std::string> topics;
  Bytes signature;
  Bytes key;
  friend bool operator==(const PubsubMessage&, const PubsubMessage&) = default;
};

}  // namespace starling::daemon
