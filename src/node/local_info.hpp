#pragma once
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "crypto/keys.hpp"
#include "format/multiaddr.hpp"
#include "format/peer_id.hpp"

namespace starling::node {

/// What this node is and offers, as every session needs to know it. Immutable: a change makes a new one,
/// which sessions on all shards then share.
struct LocalInfo {
  explicit LocalInfo(crypto::PrivateKey identity)
      : key(std::move(identity)), id(PeerId::of(key.public_key())) {}

  crypto::PrivateKey key;
  PeerId id;
  std::string protocol_version = "starling/1.0";
  std::string agent_version;
  std::vector<Multiaddr> listen_addrs;  ///< without `/p2p/…`
  /// A signed peer record of the same addresses.
  Bytes signed_record;
  /// Served to others: named in identify and accepted on inbound streams.
  std::vector<std::string> protocols;
  /// The DHT's protocol id; empty = no DHT. Served only when it is among `protocols`.
  std::string kad_protocol;
  /// Whether gossip streams are opened and accepted.
  bool gossip = false;

  bool serves(std::string_view protocol) const {
    return std::find(protocols.begin(), protocols.end(), protocol) != protocols.end();
  }
};

}  // namespace starling::node
