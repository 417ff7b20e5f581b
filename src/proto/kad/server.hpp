#pragma once
// The answering half of the brain.
#include <memory>

#include "base/node_map.hpp"
#include "base/rng.hpp"
#include "format/packed_addrs.hpp"
#include "proto/kad/message.hpp"
#include "proto/kad/peer_rates.hpp"
#include "proto/kad/provider_store.hpp"
#include "proto/kad/record_store.hpp"
#include "proto/kad/routing_table.hpp"
#include "proto/kad/validator.hpp"

namespace starling::kad {

/// Answers requests from the routing table and the two stores. Asking does not make anybody a member of the
/// table.
/// Rules (libp2p/specs kad-dht, PROTOCOL.md §3, wire notes §4): closer_peers never hold the asker or
/// ourselves; the exact target comes first, even when it is a client that we merely know. Records are checked
/// on put, on get and against the store; a PUT that loses is answered with the winner, one that wins with its
/// echo. ADD_PROVIDER is never answered, and only the sender can be the provider.
class Server {
 public:
  Server(const Config& config, const PeerId& self, const Validators& validators,
         std::unique_ptr<RecordStore> records, Rng& rng);

  /// The answer, nothing when there is none to give; an error means: reset the stream. Errors: key_missing,
  /// key_too_long, record_missing, record_key_mismatch, bad_namespace, value_too_long, invalid_record,
  /// over_rate, provider_not_sender, store_full.
  Result<std::optional<Message>> answer(const PeerId& from, const Message& request, const RoutingTable& table,
                                        Now now);

  enum class Offers : std::uint8_t { nothing, dht };
  /// A connected peer and the addresses that it names, replacing what was known of it. Beyond
  /// kConnectedPeersMax nothing happens.
  void know(const PeerId& peer, std::span<const Multiaddr> addrs, Offers offers);
  void forget(const PeerId& peer) { connected_.erase(peer); }
  /// Connected, and no server.
  bool knows_client(const PeerId& peer) const;
  /// A connected peer. Nothing for one without addresses, too.
  std::optional<PeerInfo> connected(const PeerId& peer) const;

  /// Our own use of the stores: validated like a peer's PUT. The same errors; Errc::invalid_record also when
  /// a better one is stored.
  Result<void> put_own(ByteView key, ByteView value, Now now);
  /// A valid record of the store; what has ended or no longer validates is dropped.
  std::optional<StoredRecord> valid_record(ByteView key, Now now);
  std::vector<PeerInfo> providers(ByteView key, std::size_t count, Now now);
  void provide_own(ByteView key, PeerInfo self, Now now);
  void stop_providing_own(ByteView key) { providers_.remove(key, self_); }

  void sweep(Now now);
  RecordStore& records() noexcept { return *records_; }
  const RecordStore& records() const noexcept { return *records_; }
  ProviderStore& provider_store() noexcept { return providers_; }
  const ProviderStore& provider_store() const noexcept { return providers_; }
  /// Puts back what was stored before a restart: valid, not ended, within the quotas, and no longer than it
  /// would live if it had come now. Errors of put_own(), Errc::bad_entry, store_full.
  Result<void> restore_record(ByteView key, StoredRecord record, Now now);
  Result<void> restore_provider(ByteView key, PeerInfo provider, Instant expires, Now now);

 private:
  Result<std::optional<Message>> put_value(const PeerId& from, const Message& request, Now now);
  Result<std::optional<Message>> get_value(const PeerId& from, const Message& request,
                                           const RoutingTable& table, Now now);
  Result<std::optional<Message>> add_provider(const PeerId& from, const Message& request, Now now);
  Result<std::optional<Message>> get_providers(const PeerId& from, const Message& request,
                                               const RoutingTable& table, Now now);
  Result<std::optional<Message>> find_node(const PeerId& from, const Message& request,
                                           const RoutingTable& table);
  std::vector<PeerInfo> closer(const PeerId& from, ByteView key, const RoutingTable& table) const;
  WallTime end_of(ByteView key, ByteView value, WallTime now) const;

  const Config& config_;
  PeerId self_;
  const Validators& validators_;
  Rng& rng_;
  std::unique_ptr<RecordStore> records_;
  ProviderStore providers_;
  PeerRates rates_;
  struct Connected {
    PackedAddrs addrs;
    Offers offers = Offers::nothing;
  };
  NodeMap<PeerId, Connected> connected_;
};

}  // namespace starling::kad
