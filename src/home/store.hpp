#pragma once
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "home/errors.hpp"
#include "node/agent_events.hpp"

namespace starling::home {

/// A row of the inbox.
struct InboxEntry {
  std::uint64_t number = 0;  ///< rising; for paging
  node::Received message;
};

struct KeptEntry {
  node::Kept what;
  Bytes key;
  Bytes value;
};

/// What an agent node must not forget, in one SQLite database: kept values of the brain, and the inbox.
///
/// Transactions: a call is one of its own, but from begin() to commit() all calls are one together.
/// Crash-safe: a write-ahead log that the kernel has when a transaction ends, so `kill -9` at any moment
/// loses nothing that was committed. A power cut may take what was committed in the last seconds (never the
/// file): the disk is waited for only when a transaction holds what nobody can give back, the node's last
/// record number, its delegation and its seal keys; that wait also saves everything before it. Records,
/// providers and the routing table stand on other servers too. Schema version in the file; an older one is
/// migrated at open, in one transaction, a newer one refused. Single-threaded: one owner. Limits: the inbox
/// keeps kInboxRowsMax messages, the oldest go.
class Store {
 public:
  static constexpr std::size_t kInboxRowsMax = 100'000;

  /// Creates the file when missing, mode 0600. Errc::database_failed, damaged, newer_schema.
  static Result<Store> open(const std::filesystem::path& file);
  Store(Store&&) noexcept;
  Store& operator=(Store&&) noexcept;
  ~Store();

  /// Opens a transaction, unless one is open.
  Result<void> begin();
  /// Ends it; no-op when none is open. After an error nothing of it is in the file.
  Result<void> commit();
  /// An empty value erases.
  Result<void> keep(node::Kept what, ByteView key, ByteView value);
  /// In the order of node::Kept.
  Result<std::vector<KeptEntry>> kept();
  /// Drops delivery memory, DHT records and providers that have ended. Their values start with the end in
  /// Unix ms, big-endian.
  Result<void> forget_ended(WallTime now);
  /// A message that is in the inbox already, by (from, id), is left as it is.
  Result<std::uint64_t> add_to_inbox(const node::Received& message);
  /// At most `count` messages after `after`, oldest first; with `after` 0 the latest `count`.
  Result<std::vector<InboxEntry>> inbox(std::uint64_t after, std::size_t count);

 private:
  struct Database;
  explicit Store(std::unique_ptr<Database> database);
  Result<void> settle();
  std::unique_ptr<Database> database_;
};

}  // namespace starling::home
