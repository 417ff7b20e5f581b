#include "proto/kad/query.hpp"

#include <algorithm>
#include <cmath>

#include "base/assert.hpp"
#include "proto/kad/address.hpp"

namespace starling::kad {
namespace {

KadId target_of(const QuerySpec& spec) {
  return spec.goal == Goal::find_peer ? KadId::of(spec.peer) : KadId::of(ByteView(spec.key));
}

void add_addrs(PeerInfo& known, std::vector<Multiaddr> addrs) {
  for (Multiaddr& addr : addrs) {
    if (known.addrs.size() >= kAddrsPerPeerMax) return;
    if (std::find(known.addrs.begin(), known.addrs.end(), addr) == known.addrs.end())
      known.addrs.push_back(std::move(addr));
  }
}

/// An estimate this wrong is as good as none.
constexpr double kErrorMax = 0.35;
/// A server at least this likely to be one of the k nearest is stored at without waiting for the others:
/// about k of them stand within that distance, nearly all of them with much better odds.
constexpr double kNearOdds = 0.5;
/// Fewer servers so near happen by chance this often: of the k nearest, and of the quorum of a get.
constexpr double kCrowdedOdds = 1e-5;
constexpr double kQuorumCrowdedOdds = 1e-3;
/// Servers to be expected in the cells of a crowded neighbourhood, as a multiple of k.
constexpr double kCrowdedReach = 1.25;

/// The distance within which `servers_there` of `servers` are expected.
std::uint64_t distance_of(double servers_there, double servers) {
  const double share = std::min(servers_there / servers, 1.0);
  constexpr double kLargest = 18'446'744'073'709'549'568.0;  // the last double below 2^64
  return static_cast<std::uint64_t>(std::max(1.0, share * kLargest));
}

}  // namespace

Query::Query(QuerySpec spec, const PeerId& self, const Settings& settings, Instant started, Instant ends)
    : spec_(std::move(spec)),
      settings_(settings),
      walk_(target_of(spec_), self, Walk::Tuning{settings.k, settings.alpha, settings.paths}),
      started_(started),
      ends_(ends) {
  found_.id = spec_.peer;
  if (settings_.size && settings_.size->relative_error > kErrorMax) settings_.size.reset();
  if (spec_.goal == Goal::correct) {
    storing_ = true;
    for (PeerInfo& peer : std::exchange(spec_.targets, {})) target(std::move(peer));
  } else if (stores() && settings_.publish == Publish::optimistic && settings_.size) {
    near_ = distance_of(poisson_mean_below(settings_.k, kNearOdds), settings_.size->servers);
  }
}

void Query::target(PeerInfo peer) {
  if (!targeted_.insert(peer.id).second) return;
  unsettled_.insert(peer.id);
  targets_.push_back(std::move(peer));
}

bool Query::is_store(MessageType type) noexcept {
  return type == MessageType::put_value || type == MessageType::add_provider;
}

bool Query::stores() const noexcept {
  return spec_.goal == Goal::put_value || spec_.goal == Goal::provide || spec_.goal == Goal::correct ||
         spec_.goal == Goal::replicate;
}

// --- requests ---

Message Query::walk_message() const {
  Message out;
  out.key = spec_.goal == Goal::find_peer ? to_bytes(spec_.peer.bytes()) : spec_.key;
  switch (spec_.goal) {
    case Goal::get_value: out.type = MessageType::get_value; break;
    case Goal::find_providers: out.type = MessageType::get_providers; break;
    default: out.type = MessageType::find_node; break;
  }
  return out;
}

Message Query::store_message() const {
  Message out;
  out.key = spec_.key;
  if (spec_.goal == Goal::provide) {
    out.type = MessageType::add_provider;
    out.provider_peers.push_back(spec_.provider);
  } else {
    out.type = MessageType::put_value;
    out.record = Record{spec_.key, spec_.value, {}};
  }
  return out;
}

std::optional<Query::Request> Query::next() {
  if (next_target_ < targets_.size()) {
    ++stats_.requests;
    return Request{targets_[next_target_++], store_message(), spec_.goal != Goal::provide};
  }
  if (storing_ || walk_finished()) return std::nullopt;
  auto peer = walk_.next();
  if (!peer) return std::nullopt;
  ++stats_.requests;
  return Request{std::move(*peer), walk_message(), true};
}

// --- answers ---

Query::Heard Query::on_response(const PeerInfo& peer, Message message, WallTime now,
                                const Validators& validators) {
  const PeerId& from = peer.id;
  ++stats_.answers;
  if (is_store(message.type)) {
    settle_target(from);
    const bool stored = take_echo(message, now, validators);
    return {stored ? QueryHop::Verdict::stored : QueryHop::Verdict::refused, 0, {}};
  }
  if (spec_.goal == Goal::get_value && !take_value(from, message, now, validators)) {
    return {QueryHop::Verdict::invalid, 0, walk_.on_failure(from)};
  }
  if (spec_.goal == Goal::find_providers) take_providers(std::move(message.provider_peers));
  if (spec_.goal == Goal::find_peer) take_peer(from, message);

  std::vector<PeerInfo> named;
  named.reserve(std::min(message.closer_peers.size(), kPeersPerListMax));
  for (PeerInfo& closer : message.closer_peers) {
    if (named.size() == kPeersPerListMax) break;
    keep_usable(closer.addrs, settings_.scope, kAddrsPerPeerSentMax);
    if (!closer.addrs.empty()) named.push_back(std::move(closer));
  }
  const Heard out{QueryHop::Verdict::answered, named.size(), {}};
  (void)walk_.on_answer(from, std::move(named));
  // Never more than k on trust: with a wrong estimate the walk decides who gets the rest.
  if (near_ > 0 && targets_.size() < settings_.k && distance_prefix(walk_.target(), KadId::of(from)) <= near_)
    target(peer);
  return out;
}

std::optional<Lookup::Discarded> Query::on_failure(const PeerId& from, MessageType request) {
  ++stats_.failures;
  if (!is_store(request)) return walk_.on_failure(from);
  settle_target(from);
  return std::nullopt;
}

std::optional<Lookup::Discarded> Query::on_stall(const PeerId& from) {
  if (storing_) return std::nullopt;
  return walk_.on_stall(from);
}

bool Query::tells_hop() noexcept {
  if (spec_.options.trace == QueryOptions::Trace::off) return false;
  if (hops_told_ == kHopsPerQueryMax) {
    ++stats_.hops_untold;
    return false;
  }
  ++hops_told_;
  return true;
}

void Query::on_sent(const PeerId& to) {
  if (unsettled_.erase(to) > 0) ++stored_;
}

// --- values ---

std::size_t Query::remember(ByteView value, const Validators& validators) {
  for (std::size_t i = 0; i < values_.size(); ++i)
    if (equal(values_[i], value)) return i;
  const bool best = best_ == kNone || validators.better(spec_.key, value, values_[best_]);
  if (values_.size() < kValuesPerQueryMax) {
    values_.push_back(to_bytes(value));
    if (best) best_ = values_.size() - 1;
    return values_.size() - 1;
  }
  if (!best) return kNone;
  // Sixteen different valid values and a seventeenth that beats them all: it takes the place of the best so
  // far, whose holders now merely hold something else.
  for (Held& held : held_)
    if (held.value == best_) held.value = kNone;
  if (own_value_ == best_) own_value_ = kNone;
  values_[best_] = to_bytes(value);
  return best_;
}

void Query::offer_own_value(ByteView value, const Validators& validators) {
  own_value_ = remember(value, validators);
}

bool Query::take_value(const PeerId& from, const Message& message, WallTime now,
                       const Validators& validators) {
  if (!message.record || message.record->value.empty()) {
    held_.push_back({from, kNone});
    return true;
  }
  const Record& record = *message.record;
  if (record.key != spec_.key || !validators.validate(spec_.key, record.value, now)) return false;
  differ_ = differ_ || (best_ != kNone && !equal(values_[best_], record.value));
  const std::size_t index = remember(record.value, validators);
  held_.push_back({from, index});
  return true;
}

bool Query::holds_best(const PeerId& peer) const {
  return std::any_of(held_.begin(), held_.end(),
                     [&](const Held& held) { return held.value == best_ && held.peer == peer; });
}

bool Query::agreed(std::size_t quorum) const {
  if (best_ == kNone) return spec_.get.absence == GetOptions::Absence::believe_quorum;
  if (differ_ || implausible(quorum, kQuorumCrowdedOdds)) return false;
  for (std::size_t path = 0; path < walk_.path_count(); ++path)
    for (const PeerInfo& peer : walk_.answered_on(path, quorum))
      if (!holds_best(peer.id)) return false;
  return true;
}

bool Query::take_echo(const Message& message, WallTime now, const Validators& validators) {
  if (!message.record || message.record->key != spec_.key) return false;
  const ByteView value = message.record->value;
  if (equal(value, spec_.value)) {
    ++stored_;
    return true;
  }
  if (!validators.validate(spec_.key, value, now)) return false;
  const ByteView current = better_ ? ByteView(*better_) : ByteView(spec_.value);
  if (validators.better(spec_.key, value, current)) better_ = to_bytes(value);
  return false;
}

// --- providers and peers ---

void Query::offer_providers(std::vector<PeerInfo> providers) { take_providers(std::move(providers)); }

/// One answer gives kProvidersPerAnswerMax at most, and the result takes turns among the answers: a liar's
/// inventions stand beside what honest servers know, they do not replace it.
void Query::take_providers(std::vector<PeerInfo> providers) {
  std::size_t turn = 0;
  for (PeerInfo& provider : providers) {
    if (turn == kProvidersPerAnswerMax || providers_.size() >= kProvidersPerQueryMax) return;
    keep_usable(provider.addrs, settings_.scope, kAddrsPerPeerMax);
    if (!provider_ids_.insert(provider.id).second) continue;
    new_providers_.push_back(provider);
    providers_.push_back({std::move(provider), turn++});
  }
}

std::vector<PeerInfo> Query::chosen_providers() const {
  auto order = providers_;
  std::stable_sort(order.begin(), order.end(),
                   [](const Provider& a, const Provider& b) { return a.turn < b.turn; });
  if (order.size() > spec_.count) order.resize(spec_.count);
  std::vector<PeerInfo> out;
  out.reserve(order.size());
  for (Provider& provider : order) out.push_back(std::move(provider.peer));
  return out;
}

void Query::take_peer(const PeerId& from, const Message& message) {
  if (from == spec_.peer) peer_answered_ = true;
  for (const PeerInfo& peer : message.closer_peers)
    if (peer.id == spec_.peer)
      add_addrs(found_, usable_addrs(peer.addrs, settings_.scope, kAddrsPerPeerSentMax));
}

// --- the end ---

bool Query::walk_finished() const {
  switch (spec_.goal) {
    case Goal::refresh: return walk_.converged(settings_.beta);
    case Goal::find_peer:
      return peer_answered_ || walk_.converged(found_.addrs.empty() ? settings_.k : settings_.beta);
    case Goal::find_providers:
      return walk_.converged(providers_.size() >= spec_.count ? settings_.beta : settings_.k);
    case Goal::get_value: {
      const std::size_t quorum = std::clamp<std::size_t>(spec_.get.quorum, 1, settings_.k);
      if (!walk_.converged(quorum)) return false;
      return agreed(quorum) || walk_.converged(settings_.k);
    }
    default: return walk_.converged(settings_.k);
  }
}

bool Query::implausible(std::size_t count, double odds) const {
  if (!settings_.size) return false;
  const auto nearest = walk_.answered(count);
  if (nearest.size() < count) return false;
  const double share =
      static_cast<double>(distance_prefix(walk_.target(), KadId::of(nearest[count - 1].id))) /
      18'446'744'073'709'551'616.0;
  const double servers = settings_.size->servers * (1 + 3 * settings_.size->relative_error);
  return poisson_tail(count, servers * share) < odds;
}

bool Query::widen() {
  const bool matters = stores() || spec_.goal == Goal::get_value || spec_.goal == Goal::find_providers;
  if (crowded_ || !matters || !implausible(settings_.k, kCrowdedOdds)) return false;
  crowded_ = wants_seeds_ = true;
  nearest_ = walk_.answered(settings_.k);
  const double reach = kCrowdedReach * static_cast<double>(settings_.k);
  walk_.spread({std::max<std::uint64_t>(1, distance_of(reach, settings_.size->servers) / kCrowdedCells),
                kCrowdedCells, kCrowdedPerCell});
  return true;
}

bool Query::finished() {
  if (!storing_) {
    if (!walk_finished()) return false;
    if (walk_.converged(settings_.k) && widen()) return false;
    if (!stores()) return true;
    storing_ = true;
    for (PeerInfo& peer : std::exchange(nearest_, {})) target(std::move(peer));
    for (PeerInfo& peer : walk_.answered(settings_.k)) target(std::move(peer));
  }
  return unsettled_.empty();
}

bool Query::may_report() const {
  if (near_ == 0 || spec_.audience == QuerySpec::Audience::nobody || crowded_) return false;
  if (4 * stored_ < 3 * settings_.k || !walk_.converged(settings_.beta)) return false;
  const auto nearest = walk_.answered(settings_.beta);
  return std::all_of(nearest.begin(), nearest.end(), [this](const PeerInfo& peer) {
    return targeted_.contains(peer.id) && !unsettled_.contains(peer.id);
  });
}

void Query::note_reported() noexcept {
  spec_.audience = QuerySpec::Audience::nobody;
  spec_.options.trace = QueryOptions::Trace::off;
}

Result<QueryResult> Query::nothing_known(bool timed_out) const {
  return fail(timed_out ? Errc::query_timeout : Errc::no_peers);
}

Result<QueryResult> Query::result(bool timed_out) const {
  const bool silence = walk_.answer_count() == 0;
  switch (spec_.goal) {
    case Goal::closest:
    case Goal::refresh:
      if (silence) return nothing_known(timed_out);
      return ClosestDone{walk_.answered(settings_.k)};
    case Goal::bootstrap:
      if (silence) return nothing_known(timed_out);
      return BootstrapDone{};
    case Goal::find_peer: {
      if (!peer_answered_ && found_.addrs.empty()) {
        if (silence || timed_out) return nothing_known(timed_out);
        return fail(Errc::not_found);
      }
      PeerDone out{found_, peer_answered_};
      for (PeerInfo& peer : walk_.answered(1))
        if (peer.id == spec_.peer) add_addrs(out.peer, std::move(peer.addrs));
      return out;
    }
    case Goal::get_value: {
      if (silence && best_ == kNone) return nothing_known(timed_out);
      ValueDone out;
      if (best_ != kNone) out.value = values_[best_];
      out.answers = held_.size();
      if (best_ != kNone)
        out.holders = static_cast<std::size_t>(std::count_if(
            held_.begin(), held_.end(), [this](const Held& held) { return held.value == best_; }));
      if (const auto spec = correction()) out.corrected = spec->targets.size();
      return out;
    }
    case Goal::put_value:
    case Goal::correct:
    case Goal::replicate:
      if (stored_ == 0 && !better_)
        return fail(timed_out          ? Errc::query_timeout
                    : targets_.empty() ? Errc::no_peers
                                       : Errc::nobody_stored);
      return PutDone{next_target_, stored_, better_, finished_storing() ? Rest::none : Rest::in_background};
    case Goal::provide:
      if (stored_ == 0)
        return fail(timed_out          ? Errc::query_timeout
                    : targets_.empty() ? Errc::no_peers
                                       : Errc::nobody_stored);
      return ProvideDone{next_target_, stored_, finished_storing() ? Rest::none : Rest::in_background};
    case Goal::find_providers:
      if (silence && providers_.empty()) return nothing_known(timed_out);
      return ProvidersDone{chosen_providers()};
  }
  return nothing_known(timed_out);
}

std::optional<QuerySpec> Query::correction() const {
  if (spec_.goal != Goal::get_value || best_ == kNone || spec_.get.correction == GetOptions::Correction::off)
    return std::nullopt;
  const std::size_t quorum = std::clamp<std::size_t>(spec_.get.quorum, 1, settings_.k);
  if (agreed(quorum)) return std::nullopt;
  QuerySpec out;
  out.goal = Goal::correct;
  out.audience = QuerySpec::Audience::nobody;
  out.key = spec_.key;
  out.value = values_[best_];
  for (PeerInfo& peer : walk_.answered(settings_.k))
    if (!holds_best(peer.id)) out.targets.push_back(std::move(peer));
  if (out.targets.empty()) return std::nullopt;
  return out;
}

}  // namespace starling::kad
