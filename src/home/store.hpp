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
  std::string key;
  Bytes value;
};

/// What an agent node must not forget, in one SQLite database: kept values of the brain, and the inbox.
///
/// Crash-safe: write-ahead log, every call is one transaction that survives `kill -9` once it has returned.
/// Schema version in the file; an older one is migrated at open, a newer one refused. Single-threaded: one
/// owner, the brain's thread. Limits: the inbox keeps kInboxRowsMax messages, the oldest go.
class Store {
 public:
  static constexpr std::size_t kInboxRowsMax = 100'000;

  /// Creates the file when missing, mode 0600. Errc::database_failed, damaged, newer_schema.
  static Result<Store> open(const std::filesystem::path& file);
  Store(Store&&) noexcept;
  Store& operator=(Store&&) noexcept;
  ~Store();

  /// An empty value erases.
  Result<void> keep(node::Kept what, std::string_view key, ByteView value);
  Result<std::vector<KeptEntry>> kept();
  /// Drops delivery memory that has ended. `value` starts with its end in Unix ms, big-endian.
  Result<void> forget_ended(WallTime now);
  /// A message that is in the inbox already, by (from, id), is left as it is.
  Result<std::uint64_t> add_to_inbox(const node::Received& message);
  /// At most `count` messages after `after`, oldest first; with `after` 0 the latest `count`.
  Result<std::vector<InboxEntry>> inbox(std::uint64_t after, std::size_t count);

 private:
  struct Database;
  explicit Store(std::unique_ptr<Database> database);
  std::unique_ptr<Database> database_;
};

}  // namespace starling::home
