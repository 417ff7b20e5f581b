#include "proto/gossip/score.hpp"

#include <algorithm>
#include <cmath>

#include "base/assert.hpp"

namespace starling::gossip {
namespace {

float capped_add(float counter, double cap) noexcept {
  return static_cast<float>(std::min(static_cast<double>(counter) + 1.0, cap));
}

double deficit_squared(float deliveries, const TopicScoreParams& params) noexcept {
  const double deficit = params.mesh_deliveries_threshold - static_cast<double>(deliveries);
  return deficit > 0 ? deficit * deficit : 0.0;
}

/// Weight 0 switches a term off even when its counter is infinite.
double weighted(double weight, double counter) noexcept { return weight == 0 ? 0.0 : weight * counter; }

}  // namespace

const TopicScoreParams* Score::params_of(TopicIndex topic) const noexcept {
  const auto it = std::ranges::lower_bound(tracked_, topic, {}, &Tracked::topic);
  return it != tracked_.end() && it->topic == topic ? it->params : nullptr;
}

void Score::track(TopicIndex topic, std::string_view name) {
  const TopicScoreParams* params = params_.find(name);
  if (params == nullptr || params_of(topic) != nullptr) return;
  tracked_.insert(std::ranges::lower_bound(tracked_, topic, {}, &Tracked::topic), {topic, params});
}

void Score::untrack(TopicIndex topic) {
  std::erase_if(tracked_, [topic](const Tracked& tracked) { return tracked.topic == topic; });
  const auto forget = [topic](Counters& counters) {
    return std::erase_if(counters.topics, [topic](const TopicCounters& c) { return c.topic == topic; }) > 0;
  };
  for (Entry& entry : entries_)
    if (forget(entry.counters)) entry.stale = true;
  std::vector<PeerId> touched;
  for (const auto& [id, retained] : retained_)
    if (std::ranges::any_of(retained.counters.topics, [topic](const auto& c) { return c.topic == topic; }))
      touched.push_back(id);
  for (auto it = touched.rbegin(); it != touched.rend(); ++it) {
    Retained& retained = *retained_.find(*it);
    forget(retained.counters);
    retained.value = compute(retained.counters, std::nullopt);
  }
}

void Score::add(PeerSlot slot, const PeerId& id, Instant now) {
  if (slot >= entries_.size()) entries_.resize(slot + 1);
  Entry& entry = entries_[slot];
  STARLING_ASSERT(!entry.used);
  entry = Entry{};
  entry.used = true;
  if (Retained* retained = retained_.find(id)) {
    if (now < retained->until) entry.counters = std::move(retained->counters);
    retained_.erase(id);
  }
}

void Score::set_address(PeerSlot slot, const std::optional<IpPort>& address) {
  Entry& entry = entries_[slot];
  leave_group(entry);
  entry.group = group_of(address);
  entry.stale = true;
  if (!entry.group) return;
  ++groups_[*entry.group];
  touch_group(*entry.group);
}

void Score::remove(PeerSlot slot, const PeerId& id, Instant now) {
  Entry& entry = entries_[slot];
  STARLING_ASSERT(entry.used);
  for (TopicCounters& counters : entry.counters.topics) {
    if (const TopicScoreParams* params = params_of(counters.topic)) end_mesh(counters, *params);
    counters.first = 0;
    counters.mesh = 0;
  }
  // P5 is the application's to set again and P6 belongs to the address: neither is kept.
  entry.counters.app = 0;
  // What it earned is gone by now, so a bad record cannot hide behind a good one.
  const double kept = compute(entry.counters, std::nullopt);
  if (kept < 0) retained_.put(id, Retained{std::move(entry.counters), kept, now + params_.retain_score});
  leave_group(entry);
  entry = Entry{};
  if (std::ranges::none_of(entries_, &Entry::used)) std::vector<Entry>().swap(entries_);
}

std::optional<Score::Group> Score::group_of(const std::optional<IpPort>& address) const {
  if (!address || params_.ip_colocation_weight == 0) return std::nullopt;
  if (params_.ip_colocation_exempts_local && classify(*address) != AddrClass::public_net) return std::nullopt;
  Group group{};
  group[0] = address->v6 ? 6 : 4;
  std::copy_n(address->ip.begin(), address->v6 ? 8 : 4, group.begin() + 1);
  return group;
}

void Score::leave_group(Entry& entry) {
  if (!entry.group) return;
  const auto it = groups_.find(*entry.group);
  STARLING_ASSERT(it != groups_.end() && it->second > 0);
  if (--it->second == 0) groups_.erase(it);
  touch_group(*entry.group);
  entry.group.reset();
}

void Score::touch_group(const Group& group) {
  for (Entry& entry : entries_)
    if (entry.group == group) entry.stale = true;
}

Score::TopicCounters* Score::counters_of(PeerSlot slot, TopicIndex topic) {
  if (params_of(topic) == nullptr) return nullptr;
  Entry& entry = entries_[slot];
  STARLING_ASSERT(entry.used);
  entry.stale = true;
  auto& topics = entry.counters.topics;
  const auto it = std::ranges::find(topics, topic, &TopicCounters::topic);
  if (it != topics.end()) return &*it;
  topics.push_back(TopicCounters{});
  topics.back().topic = topic;
  return &topics.back();
}

void Score::end_mesh(TopicCounters& counters, const TopicScoreParams& params) {
  if (!counters.in_mesh) return;
  if (counters.deliveries_active && params.mesh_failure_weight != 0)
    counters.failure += static_cast<float>(deficit_squared(counters.mesh, params));
  counters.in_mesh = false;
  counters.deliveries_active = false;
  counters.mesh_time = Duration{0};
}

void Score::graft(PeerSlot slot, TopicIndex topic, Instant now) {
  TopicCounters* counters = counters_of(slot, topic);
  if (counters == nullptr) return;
  counters->in_mesh = true;
  counters->deliveries_active = false;
  counters->grafted_at = now;
  counters->mesh_time = Duration{0};
}

void Score::prune(PeerSlot slot, TopicIndex topic) {
  if (TopicCounters* counters = counters_of(slot, topic)) end_mesh(*counters, *params_of(topic));
}

void Score::first_delivery(PeerSlot slot, TopicIndex topic) {
  TopicCounters* counters = counters_of(slot, topic);
  if (counters == nullptr) return;
  counters->first = capped_add(counters->first, params_of(topic)->first_deliveries_cap);
  near_first_delivery(slot, topic);
}

void Score::near_first_delivery(PeerSlot slot, TopicIndex topic) {
  const TopicScoreParams* params = params_of(topic);
  if (params == nullptr || params->mesh_deliveries_weight == 0) return;
  TopicCounters* counters = counters_of(slot, topic);
  if (counters->in_mesh) counters->mesh = capped_add(counters->mesh, params->mesh_deliveries_cap);
}

void Score::invalid_delivery(PeerSlot slot, TopicIndex topic) {
  if (TopicCounters* counters = counters_of(slot, topic)) counters->invalid += 1;
}

void Score::set_app_score(PeerSlot slot, double score) {
  entries_[slot].counters.app = std::isfinite(score) ? score : 0.0;
  entries_[slot].stale = true;
}

void Score::misbehaved(PeerSlot slot, double count) {
  entries_[slot].counters.behaviour += static_cast<float>(count);
  entries_[slot].stale = true;
}

void Score::decay_counters(Counters& counters, Instant now) const {
  const auto decayed = [this](float value, double factor) {
    const double out = static_cast<double>(value) * factor;
    return out < params_.decay_to_zero ? 0.0F : static_cast<float>(out);
  };
  for (TopicCounters& c : counters.topics) {
    const TopicScoreParams* params = params_of(c.topic);
    if (params == nullptr) continue;
    c.first = decayed(c.first, params->first_deliveries_decay);
    c.mesh = decayed(c.mesh, params->mesh_deliveries_decay);
    c.failure = decayed(c.failure, params->mesh_failure_decay);
    c.invalid = decayed(c.invalid, params->invalid_deliveries_decay);
    if (!c.in_mesh) continue;
    c.mesh_time = now - c.grafted_at;
    if (c.mesh_time > params->mesh_deliveries_activation) c.deliveries_active = true;
  }
  counters.behaviour = decayed(counters.behaviour, params_.behaviour_decay);
}

void Score::decay(Instant now) {
  for (Entry& entry : entries_) {
    if (!entry.used) continue;
    decay_counters(entry.counters, now);
    entry.stale = true;
  }
  // As in go, what is retained does not decay: it ends. Least recent last, and all are retained equally long.
  while (const auto* oldest = retained_.oldest()) {
    if (now < oldest->second.until) break;
    retained_.erase(PeerId(oldest->first));
  }
}

double Score::topic_value(const TopicCounters& c) const {
  const TopicScoreParams* params = params_of(c.topic);
  if (params == nullptr) return 0;
  double value = 0;
  if (c.in_mesh) {
    const double quanta =
        static_cast<double>(c.mesh_time.count()) / static_cast<double>(params->time_in_mesh_quantum.count());
    value += weighted(params->time_in_mesh_weight, std::min(quanta, params->time_in_mesh_cap));
  }
  value += weighted(params->first_deliveries_weight, static_cast<double>(c.first));
  if (c.in_mesh && c.deliveries_active)
    value += weighted(params->mesh_deliveries_weight, deficit_squared(c.mesh, *params));
  value += weighted(params->mesh_failure_weight, static_cast<double>(c.failure));
  const double invalid = static_cast<double>(c.invalid);
  value += weighted(params->invalid_deliveries_weight, invalid * invalid);
  return weighted(params->topic_weight, value);
}

double Score::compute(const Counters& counters, const std::optional<Group>& group) const {
  double value = 0;
  for (const TopicCounters& topic : counters.topics) value += topic_value(topic);
  if (params_.topic_score_cap > 0) value = std::min(value, params_.topic_score_cap);
  value += weighted(params_.app_weight, counters.app);
  if (group) {
    const auto it = groups_.find(*group);
    const double peers = it == groups_.end() ? 0.0 : static_cast<double>(it->second);
    const double surplus = peers - static_cast<double>(params_.ip_colocation_threshold);
    if (surplus > 0) value += weighted(params_.ip_colocation_weight, surplus * surplus);
  }
  const double excess = static_cast<double>(counters.behaviour) - params_.behaviour_threshold;
  if (excess > 0) value += weighted(params_.behaviour_weight, excess * excess);
  return value;
}

double Score::value(PeerSlot slot) const {
  const Entry& entry = entries_[slot];
  if (entry.stale) {
    entry.value = compute(entry.counters, entry.group);
    entry.stale = false;
  }
  return entry.value;
}

double Score::retained_value(const PeerId& id) const {
  const Retained* retained = retained_.peek(id);
  return retained == nullptr ? 0.0 : retained->value;
}

std::optional<Duration> Score::delivery_window(TopicIndex topic) const {
  const TopicScoreParams* params = params_of(topic);
  if (params == nullptr || params->mesh_deliveries_weight == 0) return std::nullopt;
  return params->mesh_deliveries_window;
}

std::size_t Score::memory_bytes() const noexcept {
  std::size_t total = entries_.capacity() * sizeof(Entry) + tracked_.capacity() * sizeof(Tracked) +
                      groups_.size() * (sizeof(Group) + 6 * sizeof(void*)) +
                      retained_.size() * (2 * sizeof(PeerId) + sizeof(Retained) + 8 * sizeof(void*));
  for (const Entry& entry : entries_) total += entry.counters.topics.capacity() * sizeof(TopicCounters);
  return total;
}

}  // namespace starling::gossip
