#pragma once
#include <deque>
#include <functional>
#include <map>
#include <optional>

#include "agent/dial_policy.hpp"
#include "agent/known_presences.hpp"
#include "agent/trust.hpp"
#include "node/agent_events.hpp"
#include "node/host.hpp"

namespace starling::node {

inline constexpr std::size_t kFindsMax = 1024;  ///< lookups under way at the same time

/// Looks up presences (PROTOCOL.md §3, Look up): GET_VALUE with a quorum; where nobody has a record,
/// providers over /starling/presence/1.0.0; optionally a young enough announcement instead of either.
///
/// Lives in the agent brain, single-threaded; what it refers to outlives it. Call order: start() and the
/// on_…() inputs, then drain poll(). Every start() ends in exactly one Found. Nothing that a server or
/// provider says is believed before the validator has accepted it for the wallet asked for, so the worst that
/// a liar can do is to withhold. Limits: kFindsMax, agent::kLookupProvidersMax providers,
/// agent::kLookupProvidersParallel at a time.
class Finder {
 public:
  Finder(Host& host, agent::Trust& trust, agent::KnownPresences& known)
      : host_(host), trust_(trust), known_(known) {}

  /// `cache_age` above zero lets a presence heard by announcement answer when it was issued that recently.
  void start(AskId ask, const EthAddress& wallet, Duration cache_age, const agent::DialClasses& classes,
             Now now);
  /// True when the query was one of ours.
  bool on_query(const kad::QueryDone& done, Now now);
  bool on_presence_answer(const host_event::PresenceAnswered& answer, Now now);
  std::optional<agent_event::Found> poll();
  std::size_t under_way() const noexcept { return finds_.size(); }

 private:
  struct Find {
    EthAddress wallet;
    Instant started;
    agent::DialClasses classes;
    std::deque<kad::PeerInfo> providers;
    std::size_t asking = 0;
    std::size_t answers = 0;
    std::optional<agent::CheckedPresence> best;
  };
  void ask_providers(AskId ask, Now now);
  void finish(AskId ask, Result<FoundPresence> outcome);
  void finish_with(AskId ask, agent::CheckedPresence presence, PresenceSource source, Now now);
  void not_found(AskId ask);

  Host& host_;
  agent::Trust& trust_;
  agent::KnownPresences& known_;
  std::map<AskId, Find> finds_;
  std::map<kad::QueryId, AskId> queries_;
  std::map<AskId, AskId> questions_;  // question to a provider → find
  Fifo<agent_event::Found> done_;
};

/// The addresses of a record that policy lets us dial now, and notes that they are being dialled.
std::vector<Multiaddr> dialable(const agent::CheckedPresence& presence, const agent::DialClasses& classes,
                                agent::DialMemory& memory, Instant now);

}  // namespace starling::node
