#include "agent/known_presences.hpp"

namespace starling::agent {

bool KnownPresences::learn(const CheckedPresence& presence, ByteView value) {
  Known* known = known_.find(presence.fields.wallet);
  if (known != nullptr &&
      (presence.rank < known->rank || (presence.rank == known->rank && !known->value.empty())))
    return false;
  const bool better = known == nullptr || known->rank < presence.rank;
  known_.put(presence.fields.wallet,
             Known{presence.rank, Slice::copy(value), presence.peer_id(), presence.fields.expires_at,
                   presence.fields.role, presence.fields.withdrawn, presence.fields.name});
  return better;
}

void KnownPresences::learn_rank(const EthAddress& wallet, const PresenceRank& rank) {
  if (const Known* known = known_.find(wallet); known != nullptr && rank <= known->rank) return;
  known_.put(wallet, Known{rank, {}, {}, {}, Role::agent, false, {}});
}

}  // namespace starling::agent
