#include "home/store.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace starling::home {
namespace {

constexpr int kSchemaVersion = 2;
constexpr const char* kSchema =
    "CREATE TABLE kept (what TEXT NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL, PRIMARY KEY (what, key)) "
    "WITHOUT ROWID;"
    "CREATE TABLE inbox (number INTEGER PRIMARY KEY AUTOINCREMENT, sender BLOB NOT NULL, id BLOB NOT NULL,"
    " recipient BLOB, content_type TEXT NOT NULL, body BLOB NOT NULL, conversation BLOB NOT NULL, "
    "in_reply_to BLOB,"
    " kind INTEGER NOT NULL, sent_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, received_at INTEGER NOT "
    "NULL,"
    " sealed INTEGER NOT NULL, UNIQUE (sender, id));"
    "PRAGMA user_version = 2;";
/// Version 1 had keys of text.
constexpr const char* kFromVersion1 =
    "ALTER TABLE kept RENAME TO kept_1;"
    "CREATE TABLE kept (what TEXT NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL, PRIMARY KEY (what, key)) "
    "WITHOUT ROWID;"
    "INSERT INTO kept SELECT what, CAST(key AS BLOB), value FROM kept_1;"
    "DROP TABLE kept_1;"
    "PRAGMA user_version = 2;";

/// A prepared statement, bound in order, finalised on destruction.
class Statement {
 public:
  /// For again().
  Statement() = default;
  Statement(sqlite3* database, const char* sql) {
    if (sqlite3_prepare_v2(database, sql, -1, &statement_, nullptr) != SQLITE_OK) statement_ = nullptr;
  }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  ~Statement() { sqlite3_finalize(statement_); }

  /// Prepares it at the first call; afterwards it is ready to be bound anew.
  Statement& again(sqlite3* database, const char* sql) {
    if (statement_ == nullptr)
      sqlite3_prepare_v3(database, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement_, nullptr);
    else
      sqlite3_reset(statement_);
    bound_ = 0;
    return *this;
  }

  Statement& text(std::string_view value) {
    sqlite3_bind_text(statement_, ++bound_, value.data(), static_cast<int>(value.size()), SQLITE_TRANSIENT);
    return *this;
  }
  Statement& blob(ByteView value) {
    // A null pointer would bind NULL instead of an empty blob.
    sqlite3_bind_blob(statement_, ++bound_, value.empty() ? "" : static_cast<const void*>(value.data()),
                      static_cast<int>(value.size()), SQLITE_TRANSIENT);
    return *this;
  }
  Statement& null() {
    sqlite3_bind_null(statement_, ++bound_);
    return *this;
  }
  Statement& number(std::uint64_t value) {
    sqlite3_bind_int64(statement_, ++bound_, static_cast<sqlite3_int64>(value));
    return *this;
  }
  /// True for a row, false at the end.
  Result<bool> step() {
    if (statement_ == nullptr) return fail(Errc::database_failed);
    const int code = sqlite3_step(statement_);
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    return fail(code == SQLITE_CORRUPT || code == SQLITE_NOTADB ? Errc::damaged : Errc::database_failed);
  }
  /// Runs what gives no rows, and lets go of what it holds.
  Result<void> finish() {
    const auto row = step();
    sqlite3_reset(statement_);
    if (!row) return fail(row.error());
    return {};
  }
  ByteView blob_at(int column) const {
    const auto* data = static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_, column));
    return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
  }
  std::string text_at(int column) const { return to_text(blob_at(column)); }
  std::uint64_t number_at(int column) const {
    return static_cast<std::uint64_t>(sqlite3_column_int64(statement_, column));
  }
  bool is_null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }

 private:
  sqlite3_stmt* statement_ = nullptr;
  int bound_ = 0;
};

/// What nobody can give back: a transaction that holds it waits for the disk.
bool is_irreplaceable(node::Kept what) noexcept {
  return what == node::Kept::issued || what == node::Kept::delegation || what == node::Kept::seal_keys;
}

Result<node::Received> read_message(const Statement& row) {
  node::Received message;
  const auto from = EthAddress::from_bytes(row.blob_at(1));
  const auto id = to_fixed<agent::kEnvelopeIdBytes>(row.blob_at(2));
  if (!from || !id) return fail(Errc::damaged);
  message.from = *from;
  message.id = *id;
  if (!row.is_null(3)) {
    const auto to = EthAddress::from_bytes(row.blob_at(3));
    if (!to) return fail(Errc::damaged);
    message.to = *to;
  }
  message.content_type = row.text_at(4);
  message.body = to_bytes(row.blob_at(5));
  message.conversation = to_bytes(row.blob_at(6));
  if (!row.is_null(7)) message.in_reply_to = to_fixed<agent::kEnvelopeIdBytes>(row.blob_at(7));
  message.kind = static_cast<agent::MessageKind>(row.number_at(8));
  message.sent_at = WallTime::from_ms(row.number_at(9));
  message.expires_at = WallTime::from_ms(row.number_at(10));
  message.received_at = WallTime::from_ms(row.number_at(11));
  message.sealed = row.number_at(12) != 0;
  return message;
}

}  // namespace

struct Store::Database {
  sqlite3* handle = nullptr;
  std::optional<Statement> insert{std::in_place};
  std::optional<Statement> erase{std::in_place};
  bool in_transaction = false;
  bool wait_for_disk = false;
  Database() = default;
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database() {
    insert.reset();
    erase.reset();
    sqlite3_close(handle);
  }
  Result<void> run(const char* sql) const {
    if (sqlite3_exec(handle, sql, nullptr, nullptr, nullptr) == SQLITE_OK) return {};
    const int code = sqlite3_errcode(handle);
    return fail(code == SQLITE_CORRUPT || code == SQLITE_NOTADB ? Errc::damaged : Errc::database_failed);
  }
};

Store::Store(std::unique_ptr<Database> database) : database_(std::move(database)) {}
Store::Store(Store&&) noexcept = default;
Store& Store::operator=(Store&&) noexcept = default;
Store::~Store() = default;

Result<Store> Store::open(const std::filesystem::path& file) {
  // Made with the right mode before SQLite writes a byte: the database holds seal keys.
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) return fail(Errc::cannot_write);
  ::close(descriptor);
  auto database = std::make_unique<Database>();
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  if (sqlite3_open_v2(file.c_str(), &database->handle, flags, nullptr) != SQLITE_OK)
    return fail(Errc::cannot_read);
  sqlite3_busy_timeout(database->handle, 2000);
  STARLING_TRY(
      database->run("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON;"));
  std::uint64_t version = 0;
  {
    Statement statement(database->handle, "PRAGMA user_version");
    STARLING_ASSIGN(const bool row, statement.step());
    if (row) version = statement.number_at(0);
  }
  if (version > kSchemaVersion) return fail(Errc::newer_schema);
  const char* const wanted = version == 0 ? kSchema : version == 1 ? kFromVersion1 : nullptr;
  if (wanted != nullptr)
    STARLING_TRY(database->run((std::string("BEGIN IMMEDIATE;") + wanted + "COMMIT;").c_str()));
  return Store(std::move(database));
}

Result<void> Store::begin() {
  if (database_->in_transaction) return {};
  STARLING_TRY(database_->run("BEGIN IMMEDIATE"));
  database_->in_transaction = true;
  return {};
}

Result<void> Store::commit() {
  if (!database_->in_transaction) return {};
  database_->in_transaction = false;
  if (auto committed = database_->run("COMMIT"); !committed) {
    static_cast<void>(database_->run("ROLLBACK"));
    return committed;
  }
  return settle();
}

/// With `synchronous = NORMAL` the disk is waited for by a checkpoint and by nothing else.
Result<void> Store::settle() {
  if (!std::exchange(database_->wait_for_disk, false)) return {};
  const int code =
      sqlite3_wal_checkpoint_v2(database_->handle, nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  if (code != SQLITE_OK && code != SQLITE_BUSY) return fail(Errc::database_failed);
  return {};
}

Result<void> Store::keep(node::Kept what, ByteView key, ByteView value) {
  Database& database = *database_;
  if (value.empty()) {
    database.erase->again(database.handle, "DELETE FROM kept WHERE what = ? AND key = ?");
    STARLING_TRY(database.erase->text(node::to_string(what)).blob(key).finish());
  } else {
    database.insert->again(database.handle,
                           "INSERT OR REPLACE INTO kept (what, key, value) VALUES (?, ?, ?)");
    STARLING_TRY(database.insert->text(node::to_string(what)).blob(key).blob(value).finish());
  }
  if (is_irreplaceable(what)) database.wait_for_disk = true;
  return database.in_transaction ? Result<void>() : settle();
}

Result<std::vector<KeptEntry>> Store::kept() {
  std::vector<KeptEntry> out;
  Statement statement(database_->handle, "SELECT what, key, value FROM kept ORDER BY what, key");
  while (true) {
    STARLING_ASSIGN(const bool row, statement.step());
    if (!row) break;
    if (const auto what = node::parse_kept(statement.text_at(0)))
      out.push_back({*what, to_bytes(statement.blob_at(1)), to_bytes(statement.blob_at(2))});
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const KeptEntry& a, const KeptEntry& b) { return a.what < b.what; });
  return out;
}

Result<void> Store::forget_ended(WallTime now) {
  Bytes limit;
  put_u64_be(limit, now.ms());
  Statement statement(database_->handle,
                      "DELETE FROM kept WHERE what IN ('delivered', 'dht_record', 'dht_provider')"
                      " AND substr(value, 1, 8) <= ?");
  STARLING_TRY(statement.blob(limit).step());
  return {};
}

Result<std::uint64_t> Store::add_to_inbox(const node::Received& message) {
  Statement statement(database_->handle,
                      "INSERT OR IGNORE INTO inbox (sender, id, recipient, content_type, body, conversation,"
                      " in_reply_to, kind, sent_at, expires_at, received_at, sealed)"
                      " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  statement.blob(message.from.bytes()).blob(message.id);
  message.to ? statement.blob(message.to->bytes()) : statement.null();
  statement.text(message.content_type).blob(message.body).blob(message.conversation);
  message.in_reply_to ? statement.blob(*message.in_reply_to) : statement.null();
  statement.number(static_cast<std::uint64_t>(message.kind)).number(message.sent_at.ms());
  statement.number(message.expires_at.ms()).number(message.received_at.ms()).number(message.sealed ? 1 : 0);
  STARLING_TRY(statement.step());
  const auto number = static_cast<std::uint64_t>(sqlite3_last_insert_rowid(database_->handle));
  if (number > kInboxRowsMax && number % 1000 == 0) {
    Statement trim(database_->handle, "DELETE FROM inbox WHERE number <= ?");
    STARLING_TRY(trim.number(number - kInboxRowsMax).step());
  }
  return number;
}

Result<std::vector<InboxEntry>> Store::inbox(std::uint64_t after, std::size_t count) {
  std::vector<InboxEntry> out;
  Statement statement(
      database_->handle,
      after > 0 ? "SELECT * FROM inbox WHERE number > ? ORDER BY number LIMIT ?"
                : "SELECT * FROM (SELECT * FROM inbox WHERE number > ? ORDER BY number DESC LIMIT ?)"
                  " ORDER BY number");
  statement.number(after).number(count);
  while (true) {
    STARLING_ASSIGN(const bool row, statement.step());
    if (!row) return out;
    STARLING_ASSIGN(auto message, read_message(statement));
    out.push_back({statement.number_at(0), std::move(message)});
  }
}

}  // namespace starling::home
