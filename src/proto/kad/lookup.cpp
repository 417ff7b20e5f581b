#include "proto/kad/lookup.hpp"

#include <algorithm>
#include <utility>

#include "base/assert.hpp"

namespace starling::kad {

bool Lookup::Source::discredited() const noexcept {
  return failures >= kSourceFailuresMax && failures > 2 * answers;
}
bool Lookup::Source::saturated() const noexcept { return asked >= kPerSourceInFlight + answers; }

std::size_t Lookup::position(const KadId& place) const {
  const auto it = std::lower_bound(
      candidates_.begin(), candidates_.end(), place,
      [this](const Candidate& candidate, const KadId& at) { return nearer(target_, candidate.place, at); });
  return static_cast<std::size_t>(it - candidates_.begin());
}

const Lookup::Candidate* Lookup::find(const PeerId& peer) const {
  const KadId place = KadId::of(peer);
  const std::size_t at = position(place);
  return at < candidates_.size() && candidates_[at].place == place ? &candidates_[at] : nullptr;
}

Lookup::Candidate* Lookup::find(const PeerId& peer) {
  return const_cast<Candidate*>(std::as_const(*this).find(peer));
}

void Lookup::seed(std::vector<PeerInfo> peers) {
  for (PeerInfo& peer : peers) insert(std::move(peer), kNobody);
}

void Lookup::insert(PeerInfo peer, std::uint16_t source) {
  if (peer.id == self_) return;
  const KadId place = KadId::of(peer.id);
  std::size_t at = position(place);
  if (at < candidates_.size() && candidates_[at].place == place) {
    merge(candidates_[at], std::move(peer), source);
    return;
  }
  if (candidates_.size() >= kCandidatesPerQueryMax) {
    std::size_t last = candidates_.size();
    while (last > 0 && candidates_[last - 1].state != State::heard) --last;
    if (last == 0 || last - 1 < at) return;  // nobody unasked is farther than the newcomer
    candidates_.erase(candidates_.begin() + static_cast<std::ptrdiff_t>(last - 1));
  }
  Candidate candidate{place, std::move(peer), State::heard, source};
  if (source != kNobody) candidate.depth = static_cast<std::uint16_t>(sources_[source].depth + 1);
  candidates_.insert(candidates_.begin() + static_cast<std::ptrdiff_t>(at), std::move(candidate));
}

/// Named again: more addresses to try, and one more who answers for it.
void Lookup::merge(Candidate& known, PeerInfo peer, std::uint16_t source) {
  if (known.state != State::heard) return;
  for (Multiaddr& addr : peer.addrs) {
    if (known.peer.addrs.size() >= kAddrsPerPeerMax) break;
    if (std::find(known.peer.addrs.begin(), known.peer.addrs.end(), addr) == known.peer.addrs.end())
      known.peer.addrs.push_back(std::move(addr));
  }
  if (source == kNobody) known.source = kNobody;
  if (known.source == kNobody || known.source == source) return;
  if (known.backup == kNobody || sources_[known.backup].failures > 0) known.backup = source;
}

bool Lookup::book(Candidate& candidate) {
  if (candidate.source == kNobody) return true;
  if (sources_[candidate.source].saturated()) {
    if (candidate.backup == kNobody || sources_[candidate.backup].saturated()) return false;
    std::swap(candidate.source, candidate.backup);
  }
  ++sources_[candidate.source].asked;
  return true;
}

Lookup::Census::Census(const Lookup& lookup, std::size_t count) noexcept
    : lookup_(lookup), count_(count), limited_(lookup.spread_ && count >= lookup.tuning_.k) {
  if (limited_) per_cell_ = lookup.spread_->per_cell;
}

bool Lookup::Census::complete(const Candidate& candidate) noexcept {
  if (!limited_) return counted_ >= count_;
  const std::uint64_t cell = distance_prefix(lookup_.target_, candidate.place) / lookup_.spread_->cell_width;
  if (cell != cell_) in_cell_ = 0;
  cell_ = cell;
  return cell_ >= lookup_.spread_->cells && counted_ >= count_;
}

void Lookup::Census::add() noexcept {
  ++counted_;
  ++in_cell_;
}

std::optional<PeerInfo> Lookup::next() {
  if (asked_ >= tuning_.alpha || asked_ + stalled_ >= tuning_.alpha * kInFlightPerAlpha) return std::nullopt;
  Census census(*this, tuning_.k);
  for (Candidate& candidate : candidates_) {
    if (census.complete(candidate)) return std::nullopt;
    switch (candidate.state) {
      case State::failed:
      case State::stalled: break;
      case State::asked:
      case State::answered: census.add(); break;
      case State::heard:
        if (census.crowded() || !book(candidate)) break;
        candidate.state = State::asked;
        ++asked_;
        return candidate.peer;
    }
  }
  return std::nullopt;
}

/// Books the outcome of a request on the candidate and on whoever named it.
void Lookup::settle(Candidate& candidate, State state) {
  Source* source = candidate.source == kNobody ? nullptr : &sources_[candidate.source];
  const bool was_stalled = candidate.state == State::stalled;
  STARLING_ASSERT(was_stalled || candidate.state == State::asked);
  --(was_stalled ? stalled_ : asked_);
  if (source != nullptr && !was_stalled) --source->asked;
  candidate.state = state;
  if (state == State::stalled) ++stalled_;
  if (state == State::answered) ++answers_;
  if (source == nullptr) return;
  if (state == State::answered) {
    ++source->answers;
    if (was_stalled) --source->failures;  // it was slow, not invented
  } else if (!was_stalled) {
    ++source->failures;
  }
}

std::optional<Lookup::Discarded> Lookup::forget_suggestions(std::uint16_t source) {
  if (source == kNobody || !sources_[source].discredited()) return std::nullopt;
  const std::size_t forgotten = std::erase_if(candidates_, [this, source](Candidate& candidate) {
    if (candidate.source != source || candidate.state != State::heard) return false;
    if (candidate.backup == kNobody || sources_[candidate.backup].discredited()) return true;
    candidate.source = std::exchange(candidate.backup, kNobody);
    return false;
  });
  if (forgotten == 0) return std::nullopt;
  return Discarded{sources_[source].server, forgotten};
}

bool Lookup::on_answer(const PeerId& from, std::vector<PeerInfo> named) {
  Candidate* candidate = find(from);
  if (candidate == nullptr || (candidate->state != State::asked && candidate->state != State::stalled))
    return false;
  settle(*candidate, State::answered);
  if (named.empty() || sources_.size() >= kNobody) return true;
  const auto source = static_cast<std::uint16_t>(sources_.size());
  sources_.push_back({from, candidate->depth});

  if (named.size() > kCandidatesPerAnswerMax) {
    std::vector<std::pair<KadId, std::size_t>> order;
    order.reserve(named.size());
    for (std::size_t i = 0; i < named.size(); ++i) order.emplace_back(KadId::of(named[i].id), i);
    std::sort(order.begin(), order.end(), [this](const auto& a, const auto& b) {
      return a.first == b.first ? a.second < b.second : nearer(target_, a.first, b.first);
    });
    for (std::size_t i = 0; i < kCandidatesPerAnswerMax; ++i)
      insert(std::move(named[order[i].second]), source);
    return true;
  }
  for (PeerInfo& peer : named) insert(std::move(peer), source);
  return true;
}

std::optional<Lookup::Discarded> Lookup::on_failure(const PeerId& peer) {
  Candidate* candidate = find(peer);
  if (candidate == nullptr || (candidate->state != State::asked && candidate->state != State::stalled))
    return std::nullopt;
  const std::uint16_t source = candidate->source;
  settle(*candidate, State::failed);
  return forget_suggestions(source);
}

std::optional<Lookup::Discarded> Lookup::on_stall(const PeerId& peer) {
  Candidate* candidate = find(peer);
  if (candidate == nullptr || candidate->state != State::asked) return std::nullopt;
  const std::uint16_t source = candidate->source;
  settle(*candidate, State::stalled);
  return forget_suggestions(source);
}

std::optional<Lookup::Origin> Lookup::origin(const PeerId& peer) const {
  const Candidate* candidate = find(peer);
  if (candidate == nullptr) return std::nullopt;
  Origin out;
  out.depth = candidate->depth;
  if (candidate->source != kNobody) out.suggested_by = sources_[candidate->source].server;
  return out;
}

bool Lookup::converged(std::size_t count) const {
  if (answers_ == 0) return exhausted();
  Census census(*this, count);
  for (const Candidate& candidate : candidates_) {
    if (candidate.state == State::failed || candidate.state == State::stalled) continue;
    if (census.complete(candidate)) return true;
    if (candidate.state == State::answered) {
      census.add();
    } else if (!census.crowded()) {
      return false;
    }
  }
  return true;
}

bool Lookup::exhausted() const {
  return asked_ == 0 && stalled_ == 0 &&
         std::none_of(candidates_.begin(), candidates_.end(),
                      [](const Candidate& candidate) { return candidate.state == State::heard; });
}

std::vector<PeerInfo> Lookup::answered(std::size_t count) const {
  std::vector<PeerInfo> out;
  Census census(*this, count);
  for (const Candidate& candidate : candidates_) {
    if (census.complete(candidate)) break;
    if (candidate.state != State::answered) continue;
    if (!census.crowded()) out.push_back(candidate.peer);
    census.add();
  }
  return out;
}

}  // namespace starling::kad
