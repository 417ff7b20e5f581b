#include "sim/ledger.hpp"

#include <algorithm>

#include "node/errors.hpp"
#include "node/own_presence.hpp"

namespace starling::sim {

void Ledger::know(std::size_t node, const EthAddress& wallet, const PeerId& peer) {
  owners_[node].peer = peer;
  by_wallet_.emplace(wallet, node);
}

void Ledger::on_told(std::size_t node, const node::agent_event::Event& event, Now now) {
  Owner& owner = owners_[node];
  if (const auto* persist = std::get_if<node::agent_event::Persist>(&event)) {
    if (persist->what != node::Kept::issued) return;
    const auto issued = node::decode_issued(persist->value);
    if (!issued || (!owner.records.empty() && owner.records.back().seq == issued->last_issued)) return;
    owner.records.push_back({issued->last_issued, issued->largest_expiry, owner.leaving});
  } else if (const auto* published = std::get_if<node::agent_event::Published>(&event)) {
    for (Record& record : owner.records)
      if (record.seq == published->seq && published->stored > 0)
        record.stored = std::min(record.stored, now.mono);
  }
}

bool Ledger::published(std::size_t node) const {
  const auto it = owners_.find(node);
  return it != owners_.end() && std::any_of(it->second.records.begin(), it->second.records.end(),
                                            [](const Record& r) { return !r.stored.is_never(); });
}

Outcome Ledger::judge(const EthAddress& wallet, const Result<node::FoundPresence>& outcome, Instant began,
                      WallTime began_wall) const {
  const auto it = by_wallet_.find(wallet);
  static const Owner kNobody;
  const Owner& owner = it == by_wallet_.end() ? kNobody : owners_.at(it->second);
  const Record* newest = nullptr;  // that was in the directory when the lookup began
  for (const Record& record : owner.records)
    if (record.stored <= began) newest = &record;

  if (!outcome) {
    const bool live = newest != nullptr && !newest->withdrawal && newest->expires_at > began_wall;
    // Nobody to ask at all is not a truthful "not found", even where there is nothing.
    if (outcome.error().kind() != Kind::not_found) return Outcome::missed;
    return live ? Outcome::missed : Outcome::absent;
  }
  const auto& fields = outcome->presence.fields;
  const auto made = std::find_if(owner.records.begin(), owner.records.end(),
                                 [&](const Record& record) { return record.seq == fields.seq; });
  if (fields.wallet != wallet || made == owner.records.end() || made->withdrawal != fields.withdrawn ||
      outcome->presence.peer_id() != owner.peer)
    return Outcome::forged;
  const bool older = newest != nullptr && made->seq < newest->seq;
  if (!fields.withdrawn && (fields.expires_at <= began_wall || (older && newest->withdrawal)))
    return Outcome::resurrected;
  if (older) return Outcome::stale;
  return fields.withdrawn ? Outcome::withdrawn : Outcome::found;
}

}  // namespace starling::sim
