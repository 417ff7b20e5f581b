#pragma once
#include <optional>
#include <string>

#include "agent/identity.hpp"
#include "agent/seal_keys.hpp"
#include "base/fifo.hpp"
#include "node/agent_events.hpp"
#include "node/host.hpp"

namespace starling::node {

inline constexpr Duration kPutRetryFirst = 2s;    ///< after a PUT that nobody stored, doubled by each further
inline constexpr Duration kPutRetryMax = 5min;    ///< longest pause between PUTs that nobody stores
inline constexpr Duration kPutAgainAfter = 2s;    ///< a new server in the table gets our record after this
inline constexpr Duration kRecordPauseMin = 5s;   ///< between two records of changed addresses
inline constexpr Duration kAnnounceRetry = 1s;    ///< while no peer takes the announcement
inline constexpr Duration kWithdrawTimeMax = 3s;  ///< for the withdrawal at shutdown

/// Publishes our own presence (PROTOCOL.md §3, Publish): PUT_VALUE, ADD_PROVIDER, announcement; again every 8
/// h, when our addresses change, and to servers that appear while few hold it. Withdraws on shutdown.
///
/// Lives in the agent brain, single-threaded; what it refers to outlives it. Call order: start() once the own
/// wallet has been looked up (another node of it may be the active one), the on_…() inputs, deadline(); drain
/// poll(). What must survive a crash (seq, largest expiry, seal keys, delegation) is told as Persist before
/// the record that needs it leaves.
class OwnPresence {
 public:
  enum class Announce : std::uint8_t { no, yes };
  struct Content {
    std::string name;
    agent::Role role = agent::Role::agent;
    std::string version;
    Duration republish = agent::kPresenceRepublish;
    Announce announce = Announce::yes;
  };
  OwnPresence(Content content, Host& host, agent::Identity& identity, agent::SealKeys& seal_keys, Env& env)
      : content_(std::move(content)), host_(host), identity_(identity), seal_keys_(seal_keys), env_(env) {}

  void start(Now now);
  void on_addresses_changed(Now now);
  void on_server_added(Now now);
  /// True when the query was ours; then `better` holds what a server had in place of our record.
  bool on_query(const kad::QueryDone& done, Now now);
  std::optional<Bytes> take_better() { return std::exchange(better_, std::nullopt); }
  /// Another node is active for this wallet: nothing is published any more.
  void stop() noexcept;
  /// Withdraws; withdrawn() is true when that is done or hopeless.
  void withdraw(Now now);
  bool withdrawn() const noexcept { return withdrawn_; }

  std::optional<agent_event::Event> poll();
  Instant deadline() const noexcept;
  void on_deadline(Now now);

  /// Our SignedPresence; empty before the first.
  const Bytes& record() const noexcept { return record_; }
  std::size_t stored() const noexcept { return stored_; }

 private:
  void make_record(Now now);
  void put(Now now);
  /// Fewer servers than a PUT that found all of its own waits for.
  bool few_hold_it() const noexcept;
  void announce(Now now);
  void persist_identity();
  void persist_seal_keys();

  Content content_;
  Host& host_;
  agent::Identity& identity_;
  agent::SealKeys& seal_keys_;
  Env& env_;
  Bytes record_;
  std::uint64_t record_seq_ = 0;
  kad::QueryId put_query_;
  std::size_t stored_ = 0;
  bool server_met_ = false;  ///< the table got a server since the PUT under way began
  std::uint32_t failures_ = 0;
  bool started_ = false;
  bool withdrawing_ = false;
  bool withdrawn_ = false;
  Instant last_made_;
  Instant make_due_ = Instant::never();
  Instant put_due_ = Instant::never();
  Instant announce_due_ = Instant::never();
  Instant give_up_at_ = Instant::never();
  std::uint64_t seal_revision_ = 0;
  std::optional<Bytes> better_;
  Fifo<agent_event::Event> out_;
};

/// SealKeys as they are kept, and back. Errc of format when the bytes are damaged.
Bytes encode_seal_keys(const agent::SealKeys& keys);
Result<std::vector<agent::SealKeyEntry>> decode_seal_keys(ByteView bytes);
Bytes encode_issued(const agent::IssuedState& issued);
Result<agent::IssuedState> decode_issued(ByteView bytes);

}  // namespace starling::node
