#pragma once
#include <map>
#include <optional>
#include <set>

#include "agent/identity.hpp"
#include "agent/outgoing.hpp"
#include "node/agent_events.hpp"
#include "node/host.hpp"

namespace starling::node {

inline constexpr std::size_t kSendsMax = 10'000;   ///< messages that are still published from time to time
inline constexpr Duration kNobodyThereRetry = 1s;  ///< while no peer takes a message

/// Sends envelopes over gossip (PROTOCOL.md §4): seals for the addressee's newest key, publishes, publishes
/// again under the same id after 1 min, then doubling to 1 h, until the message expires.
///
/// Lives in the agent brain, single-threaded. Call order: start(); when it returns a wallet, look that up and
/// hand the outcome to on_recipient(); deadline(); drain poll(). Every send tells `accepted` or `failed`
/// first; `sent` follows when a peer has taken it. There is no silent fallback to plaintext.
class Sender {
 public:
  Sender(Host& host, agent::Identity& identity, agent::Trust& trust, Env& env)
      : host_(host), identity_(identity), trust_(trust), env_(env) {}

  /// The wallet whose presence is needed first, if any.
  std::optional<EthAddress> start(AskId ask, SendOptions options, Now now);
  /// No-op for an id that is not waiting.
  void on_recipient(AskId ask, const Result<FoundPresence>& found, Now now);
  std::optional<agent_event::SendState> poll();
  Instant deadline() const;
  void on_deadline(Now now);
  std::size_t under_way() const noexcept { return sends_.size(); }
  std::uint64_t sent_count() const noexcept { return sent_count_; }

 private:
  struct Send {
    SendOptions options;
    agent::Envelope envelope;
    std::optional<agent::Outgoing> schedule;
    bool handed_over = false;
    Instant due = Instant::never();
  };
  Result<void> compose(Send& send, const std::optional<crypto::X25519Key>& seal_key);
  void launch(AskId ask, const std::optional<crypto::X25519Key>& seal_key, Now now);
  void publish_copy(AskId ask, Send& send, Now now);
  void arm(AskId ask, Send& send, Instant due);
  void end(AskId ask, agent::DeliveryState state, std::optional<Error> error);

  Host& host_;
  agent::Identity& identity_;
  agent::Trust& trust_;
  Env& env_;
  std::map<AskId, Send> sends_;
  std::set<std::pair<Instant, AskId>> due_;
  Fifo<agent_event::SendState> out_;
  std::uint64_t sent_count_ = 0;
};

}  // namespace starling::node
