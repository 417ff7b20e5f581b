#pragma once
// One RPC of the gossip stream as values: what a peer says in one frame, decoded, or what we are about to
// say.
#include <cstdint>
#include <string>
#include <vector>

#include "proto/gossip/message.hpp"

namespace starling::gossip {

enum class Subscription : std::uint8_t { unsubscribe, subscribe };

struct SubOpts {
  std::string topic;
  Subscription change = Subscription::subscribe;
};

/// "I have these": ids of recent messages of a topic.
struct IHave {
  std::string topic;
  std::vector<MessageId> ids;
};
/// "Send me these".
struct IWant {
  std::vector<MessageId> ids;
};
/// "You are in my mesh of this topic."
struct Graft {
  std::string topic;
};
/// A peer offered in place of the link that a PRUNE ends.
struct PxPeer {
  Bytes id;             ///< peer id bytes, unchecked
  Slice signed_record;  ///< a signed envelope with the peer's record, or empty
};
/// "You are no longer in my mesh of this topic."
struct Prune {
  std::string topic;
  std::vector<PxPeer> peers;
  std::uint64_t backoff_s = 0;  ///< as on the wire, unclamped; 0 = not said
};

struct Control {
  std::vector<IHave> ihave;
  std::vector<IWant> iwant;
  std::vector<Graft> graft;
  std::vector<Prune> prune;
  bool empty() const noexcept { return ihave.empty() && iwant.empty() && graft.empty() && prune.empty(); }
};

/// Passed by value; messages inside are shared. IDONTWANT and extension fields of newer peers are skipped in
/// decoding.
struct Rpc {
  std::vector<SubOpts> subscriptions;
  std::vector<MessagePtr> messages;
  Control control;
  /// Entries that the decoder left out because a limit was reached or they made no sense. An honest peer
  /// causes none.
  std::uint32_t skipped_count = 0;

  bool empty() const noexcept { return subscriptions.empty() && messages.empty() && control.empty(); }
};

/// What an RPC that we send carries, for the outbound queue. An RPC of the router is of exactly one lane.
enum class Lane : std::uint8_t {
  control,  ///< subscriptions, GRAFT, PRUNE (never lost), IHAVE, IWANT (lost first)
  own,      ///< messages published by this node: refused loudly, never dropped silently
  relay,    ///< messages of others, forwarded or asked for by IWANT: the oldest goes when there is no room
};

}  // namespace starling::gossip
