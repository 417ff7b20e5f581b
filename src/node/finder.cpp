#include "node/finder.hpp"

#include <algorithm>

#include "agent/presence_validator.hpp"

namespace starling::node {

std::vector<Multiaddr> dialable(const agent::CheckedPresence& presence, const agent::DialClasses& classes,
                                agent::DialMemory& memory, Instant now) {
  std::vector<Multiaddr> out;
  for (const std::size_t index : agent::select_dialable(presence.fields.addrs, classes)) {
    auto address = Multiaddr::from_bytes(presence.fields.addrs[index]);
    if (!address) continue;
    const auto ip = address->ip_port();
    if (ip && !memory.take(presence.rank.sha256, *ip, now)) continue;
    out.push_back(*std::move(address));
  }
  return out;
}

void Finder::start(AskId ask, const EthAddress& wallet, Duration cache_age, const agent::DialClasses& classes,
                   Now now) {
  if (finds_.size() >= kFindsMax) {
    done_.push({ask, wallet, fail(kad::Errc::too_many_queries)});
    return;
  }
  Find& find = finds_[ask];
  find.wallet = wallet;
  find.started = now.mono;
  find.classes = classes;
  if (cache_age > Duration::zero()) {
    const auto* known = known_.find(wallet);
    if (known != nullptr && !known->value.empty()) {
      auto judged = agent::validate_presence(known->value.view(), trust_, now.wall);
      if (judged.verdict.accepted() && now.wall <= judged.presence->fields.issued_at + cache_age) {
        finish_with(ask, *std::move(judged.presence), PresenceSource::cache, now);
        return;
      }
    }
  }
  if (host_.dht() == nullptr) {
    finish(ask, fail(Errc::dht_off));
    return;
  }
  kad::GetOptions options;
  options.quorum = agent::kLookupAnswersWanted;
  queries_.emplace(host_.dht()->get_value(agent::presence_key(wallet), options, now), ask);
}

bool Finder::on_query(const kad::QueryDone& done, Now now) {
  const auto it = queries_.find(done.id);
  if (it == queries_.end()) return false;
  const AskId ask = it->second;
  queries_.erase(it);
  const auto found = finds_.find(ask);
  if (found == finds_.end()) return true;
  Find& find = found->second;
  if (!done.result) {
    // Without a single server nothing truthful can be said about the address.
    finish(ask, fail(done.result.error()));
    return true;
  }
  if (const auto* value = std::get_if<kad::ValueDone>(&*done.result)) {
    find.answers = value->answers;
    if (value->value) {
      auto judged =
          agent::validate_presence(agent::presence_key(find.wallet), *value->value, trust_, now.wall);
      if (judged.verdict.accepted()) {
        finish_with(ask, *std::move(judged.presence), PresenceSource::dht, now);
        return true;
      }
    }
    queries_.emplace(
        host_.dht()->find_providers(agent::provider_key(find.wallet), agent::kLookupProvidersMax, now), ask);
    return true;
  }
  if (const auto* providers = std::get_if<kad::ProvidersDone>(&*done.result)) {
    for (const auto& provider : providers->providers)
      if (provider.id != host_.local().id && find.providers.size() < agent::kLookupProvidersMax)
        find.providers.push_back(provider);
    ask_providers(ask, now);
  }
  return true;
}

void Finder::ask_providers(AskId ask, Now now) {
  Find& find = finds_.at(ask);
  while (!find.providers.empty() && find.asking < agent::kLookupProvidersParallel) {
    const kad::PeerInfo provider = std::move(find.providers.front());
    find.providers.pop_front();
    std::vector<Multiaddr> addresses;
    for (const auto& address : provider.addrs) {
      const auto ip = address.ip_port();
      if (addresses.size() < agent::kDialAddrsMax && (!ip || agent::may_dial(*ip, find.classes)))
        addresses.push_back(address);
    }
    ++find.asking;
    questions_.emplace(host_.ask_presence(provider.id, std::move(addresses), find.wallet, now), ask);
  }
  if (find.asking > 0) return;
  if (find.best)
    finish_with(ask, *std::move(find.best), PresenceSource::provider, now);
  else
    not_found(ask);
}

bool Finder::on_presence_answer(const host_event::PresenceAnswered& answer, Now now) {
  const auto it = questions_.find(answer.ask);
  if (it == questions_.end()) return false;
  const AskId ask = it->second;
  questions_.erase(it);
  const auto found = finds_.find(ask);
  if (found == finds_.end()) return true;
  Find& find = found->second;
  --find.asking;
  if (answer.record && !answer.record->empty()) {
    auto judged =
        agent::validate_presence(agent::presence_key(find.wallet), *answer.record, trust_, now.wall);
    if (judged.verdict.accepted() && (!find.best || find.best->rank < judged.presence->rank))
      find.best = std::move(judged.presence);
  }
  ask_providers(ask, now);
  return true;
}

void Finder::finish(AskId ask, Result<FoundPresence> outcome) {
  auto node = finds_.extract(ask);
  if (!node.empty()) done_.push({ask, node.mapped().wallet, std::move(outcome)});
}

void Finder::finish_with(AskId ask, agent::CheckedPresence presence, PresenceSource source, Now now) {
  const Find& find = finds_.at(ask);
  FoundPresence found{std::move(presence), source, now.mono - find.started, find.answers};
  finish(ask, std::move(found));
}

void Finder::not_found(AskId ask) { finish(ask, fail(Errc::not_found)); }

std::optional<agent_event::Found> Finder::poll() {
  if (done_.empty()) return std::nullopt;
  std::optional<agent_event::Found> out(done_.pop());
  return out;
}

}  // namespace starling::node
