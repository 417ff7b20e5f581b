#pragma once
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <variant>

#include "agent/judge.hpp"
#include "node/agent_events.hpp"
#include "node/finder.hpp"
#include "node/own_presence.hpp"
#include "node/presence_records.hpp"
#include "node/sender.hpp"

namespace starling::node {

inline constexpr std::size_t kStatusesMax = 10'000;    ///< latest status of as many wallets, LRU
inline constexpr Duration kCompanyInterval = 3s;       ///< between two looks for more gossip peers
inline constexpr std::size_t kCompanyDialsAtOnce = 2;  ///< agents dialled per look
inline constexpr Duration kFloorsKeepInterval = 60s;   ///< floors go to disk at most this often
inline constexpr Duration kOwnLookupTimeMax =
    5s;  ///< before the first record, for another node of our wallet

/// What the driver knows of the process, for node status.
struct ProcessFacts {
  std::uint64_t rss_bytes = 0;
  std::uint32_t cpu_permille = 0;
};

struct AgentConfig {
  agent::Role role = agent::Role::agent;
  std::string name;
  std::string version = "starling/0.1.0";
  bool status_messages = true;
  OwnPresence::Announce announce = OwnPresence::Announce::yes;
  /// Off for a node that only asks and sends, beside the running one of the same wallet.
  bool publish = true;
  Duration republish = agent::kPresenceRepublish;
  agent::RateLimits rates;
  agent::TableLimits tables;
  /// Classes of addresses that may be dialled besides those on which we listen or bootstrap.
  agent::DialClasses dial_classes;
  /// With fewer gossip peers than this, agents heard of by announcement are dialled.
  std::size_t gossip_peers_wanted = 6;
  /// Publish above another node of the same wallet instead of yielding to it.
  bool take_over = false;
};

/// The agent brain: presence, lookup, messages and status over a Host, in one sequential place.
///
/// Lifetime and threads: one per node, on the brain's shard; Env and `signatures` outlive it. Inputs and
/// outputs are Host's, whose events it takes on the way up. Call order: construct → restore() what was kept →
/// start() → inputs, drain poll(), re-arm deadline(); begin_shutdown() and wait for ShutdownReady to leave
/// cleanly. Specification: PROTOCOL.md §2 to §5 and §7. The durable outbox, direct streams and receipts of §6
/// will stand beside Sender, which is one rung of that ladder. Limits: kFindsMax, kSendsMax, kStatusesMax,
/// and those of the agent layer.
class AgentNode {
 public:
  using Action = std::variant<EdgeCommand, agent_event::Event, host_event::Event>;

  AgentNode(AgentConfig config, HostConfig host, agent::Identity identity,
            const agent::Signatures& signatures, Env& env, Now now);
  AgentNode(const AgentNode&) = delete;
  AgentNode& operator=(const AgentNode&) = delete;

  /// Before start(): what Persist had stored, in the order of Kept. Kept::issued and Kept::delegation are the
  /// driver's to give to Identity. Errors mean damaged data.
  Result<void> restore(Kept what, std::string_view key, ByteView value, Now now);
  void start(Now now);

  void on(EdgeEvent event, Now now) { host_.on(std::move(event), now); }
  std::optional<Action> poll(Now now);
  Instant deadline() const;
  void on_deadline(Now now);

  /// Found follows.
  AskId find(const EthAddress& wallet, Duration cache_age, Now now);
  /// SendState follows, at least once.
  AskId send(SendOptions options, Now now);
  /// Withdraws, then tells ShutdownReady, within kWithdrawTimeMax.
  void begin_shutdown(Now now);
  void set_process_facts(ProcessFacts facts) noexcept { facts_ = facts; }

  Host& host() noexcept { return host_; }
  const Host& host() const noexcept { return host_; }
  const agent::Identity& identity() const noexcept { return identity_; }
  agent::Judge& judge() noexcept { return judge_; }
  const OwnPresence& own_presence() const noexcept { return own_; }
  const LruMap<EthAddress, agent_event::Status>& statuses() const noexcept { return statuses_; }
  /// Our own status as it would be sent now.
  agent::NodeStatus own_status(Now now) const;
  agent::Role role() const noexcept { return config_.role; }
  Instant started_at() const noexcept { return started_; }

 private:
  void tell(agent_event::Event event) { out_.push(std::move(event)); }
  void on_host(host_event::Event& event, Now now);
  void on_judge(host_event::Judge& event, Now now);
  void on_accepted(const agent::GossipJudgement& judgement, Now now);
  void on_envelope(const agent::Envelope& envelope, Now now);
  void on_presence_asked(const host_event::PresenceAsked& event, Now now);
  void on_found(agent_event::Found found, Now now);
  void meet(const agent::CheckedPresence& presence, Now now);
  void start_publishing(Now now);
  bool drain_parts(Now now);
  void send_status(Now now);
  void keep_company(Now now);
  void keep_floors(Now now);
  agent::DialClasses dial_classes() const;

  AgentConfig config_;
  Env& env_;
  agent::Trust trust_;
  PresenceRecords records_;
  kad::PublicKeyValidator public_keys_;
  kad::Validators validators_;
  agent::Identity identity_;
  agent::Judge judge_;
  agent::SealKeys seal_keys_;
  agent::DialMemory dial_memory_;
  Host host_;
  Finder finder_;
  Sender sender_;
  OwnPresence own_;
  Fifo<std::variant<agent_event::Event, host_event::Event>> out_;
  std::set<AskId> company_asks_;    ///< dials of our own accord, of no interest above
  std::set<AskId> internal_finds_;  ///< for sends: the send's own id
  AskId own_lookup_;
  Instant own_lookup_due_ = Instant::never();
  LruMap<EthAddress, agent_event::Status> statuses_;
  Instant status_due_ = Instant::never();
  Instant company_due_ = Instant::never();
  Instant floors_due_ = Instant::never();
  Instant started_;
  std::uint64_t floors_revision_ = 0;
  std::uint64_t next_ask_ = std::uint64_t{1} << 32;  ///< apart from the host's own
  std::uint64_t delivered_count_ = 0;
  std::uint64_t rejected_count_ = 0;
  ProcessFacts facts_;
  bool publishing_ = false;
  bool shutting_down_ = false;
  bool shutdown_told_ = false;
  bool superseded_ = false;
};

/// Kept::floors and Kept::delivered as bytes, and back.
Bytes encode_floors(const std::vector<agent::FloorEntry>& entries);
Result<std::vector<agent::FloorEntry>> decode_floors(ByteView bytes);
std::string delivered_key(const agent::MessageKey& key);
Bytes encode_delivered(WallTime until);
Result<agent::DeliveryEntry> decode_delivered(std::string_view key, ByteView value);

}  // namespace starling::node
