#pragma once
// Decoded DHT messages as values. The brain speaks these; bytes exist only in rpc_codec and the streams.
// Spec: libp2p/specs kad-dht/README.md, "RPC messages".
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "format/multiaddr.hpp"
#include "format/peer_id.hpp"

namespace starling::kad {

/// Values are those of the protobuf.
enum class MessageType : std::uint8_t {
  put_value = 0,
  get_value = 1,
  add_provider = 2,
  get_providers = 3,
  find_node = 4,
  ping = 5,
};
std::string_view to_string(MessageType type) noexcept;

/// What a server says about its own relation to a peer it names. Only a hint.
enum class ConnectionType : std::uint8_t {
  not_connected = 0,
  connected = 1,
  can_connect = 2,
  cannot_connect = 3
};

struct PeerInfo {
  PeerId id;
  std::vector<Multiaddr> addrs;
  ConnectionType connection = ConnectionType::not_connected;
  friend bool operator==(const PeerInfo&, const PeerInfo&) = default;
};

struct Record {
  Bytes key;
  Bytes value;
  /// Set by whoever stored it, RFC 3339 from most, a decimal number from py: text, never interpreted.
  std::string time_received;
  friend bool operator==(const Record&, const Record&) = default;
};

/// A request or an answer; which fields mean something depends on the type.
struct Message {
  MessageType type = MessageType::ping;
  Bytes key;
  std::optional<Record> record;
  std::vector<PeerInfo> closer_peers;
  std::vector<PeerInfo> provider_peers;
  friend bool operator==(const Message&, const Message&) = default;
};

}  // namespace starling::kad
