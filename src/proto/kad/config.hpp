#pragma once
// What a user may set of the DHT. Defaults are those of ipfs/specs kad-dht unless a line says otherwise.
#include <cstddef>
#include <optional>

#include "base/time.hpp"
#include "proto/kad/limits.hpp"

namespace starling::kad {

/// A client asks; a server also answers and stores. Only servers offer the protocol in identify.
enum class Mode : std::uint8_t { client, server };

/// Which addresses are worth keeping and passing on. `any` is for private networks, tests and simulations.
enum class AddressScope : std::uint8_t { public_only, any };

/// How many peers of one address group (IPv4 /16, IPv6 /32) may stand in one bucket and in the whole table.
/// Loopback and private addresses are not counted unless `private_too`. go's Amino table has 2 and 3; ours is
/// 2 and 8, because a young network whose servers stand at one hosting company must still be able to find
/// itself.
struct Diversity {
  std::size_t bucket_max = 2;
  std::size_t table_max = 8;
  bool private_too = false;
};

/// When a PUT or ADD_PROVIDER goes out, and when its query ends. `classic`: to the k nearest once the walk
/// has found them, and the end when all have answered. `optimistic`: to every server that is more likely than
/// not one of the k nearest as soon as it has answered, k of them at most, and the end once three quarters of
/// k have stored; the rest of the k nearest get theirs afterwards all the same. Needs an estimate of the
/// network's size, and is `classic` as long as there is none.
enum class Publish : std::uint8_t { classic, optimistic };

/// Tokens a second and at once, for each asking peer.
struct ServerRates {
  double requests_per_s = 50;
  double request_burst = 500;
  double puts_per_s = 5;  ///< PUT_VALUE and ADD_PROVIDER, which cost a check and memory
  double put_burst = 200;
};

struct StoreLimits {
  std::size_t records_max = kRecordsMax;
  std::size_t record_bytes_max = kRecordBytesMax;
  std::size_t records_per_peer_max = kRecordsPerPeerMax;
  std::size_t providers_max = kProvidersMax;
  std::size_t providers_per_key_max = kProvidersPerKeyMax;
  std::size_t provided_keys_per_peer_max = kProvidedKeysPerPeerMax;
  std::size_t providers_per_group_max = kProvidersPerGroupMax;
};

/// Whether what a restart should find again is told as Persist actions.
enum class Keep : std::uint8_t { nothing, everything };

struct Config {
  Mode mode = Mode::client;
  Keep keep = Keep::nothing;
  std::size_t k = 20;      ///< replication and bucket size, at most kPeersPerListMax
  std::size_t alpha = 10;  ///< requests of one query under way
  std::size_t beta = 3;    ///< nearest answers that end a refresh or a search for a peer
  std::size_t paths = 1;   ///< disjoint paths of a query that share alpha, at most kPathsMax
  Publish publish = Publish::optimistic;
  Duration request_timeout = 10s;  ///< dialling included
  Duration stall_after =
      3s;  ///< at the latest, an unanswered request no longer takes an alpha place; AnswerTime
  Duration query_timeout = 60s;
  Duration refresh_interval = 10min;
  Duration refresh_timeout = 30s;   ///< for the queries of a refresh
  Duration liveness_after = 20min;  ///< a silent entry is asked again
  Duration record_validity = 48h;   ///< where the validator gives no end
  Duration provider_validity = 48h;
  Duration provider_republish = 22h;
  Duration record_republish = 22h;   ///< of records put with QueryOptions::Upkeep::publish_again
  Duration replicate_interval = 1h;  ///< a server puts records at their k nearest anew; zero = never
  Duration sweep_interval = 10min;   ///< expired records and providers go
  AddressScope scope = AddressScope::public_only;
  Diversity diversity;
  ServerRates rates;
  StoreLimits stores;

  /// Servers that have to have stored before an optimistic query ends: three quarters of k.
  constexpr std::size_t enough_stored() const noexcept { return (3 * k + 3) / 4; }
};

/// How a GET decides (PROTOCOL.md §3, Look up).
struct GetOptions {
  std::size_t quorum = 3;  ///< nearest servers that must have answered
  /// When the quorum knows no record, ask the other k nearest too before saying so: three withholding servers
  /// then do not hide a record.
  enum class Absence : std::uint8_t { ask_all, believe_quorum } absence = Absence::ask_all;
  /// PUT the best record to those of the k nearest that lack it or hold a worse one.
  enum class Correction : std::uint8_t { on, off } correction = Correction::on;
};

/// What one query is to do otherwise than usual.
struct QueryOptions {
  /// Of a put: again every Config::record_republish, until Kad::stop_publishing(), or a better record is met.
  enum class Upkeep : std::uint8_t { once, publish_again } upkeep = Upkeep::once;
  std::size_t paths = 0;           ///< disjoint paths, at most kPathsMax; 0 = Config::paths
  std::optional<Publish> publish;  ///< nothing = Config::publish
  /// A QueryHop for every request of the query, for people who want to see a lookup at work.
  enum class Trace : std::uint8_t { off, on } trace = Trace::off;
};

}  // namespace starling::kad
