// What the brain counts of its queries.
#include <array>
#include <charconv>

#include "proto/kad/kad.hpp"

namespace starling::kad {
namespace {

std::string_view name_of(Goal goal) noexcept {
  switch (goal) {
    case Goal::closest: return "closest";
    case Goal::refresh: return "refresh";
    case Goal::bootstrap: return "bootstrap";
    case Goal::find_peer: return "find_peer";
    case Goal::get_value: return "get_value";
    case Goal::put_value: return "put_value";
    case Goal::provide: return "provide";
    case Goal::find_providers: return "find_providers";
    case Goal::correct: return "correct";
    case Goal::replicate: return "replicate";
  }
  return "?";
}

std::string_view outcome(const QueryDone& done) {
  if (!done.result) {
    const Error& error = done.result.error();
    if (error == make_error(Errc::not_found)) return "not_found";
    if (error == make_error(Errc::query_timeout)) return "timeout";
    if (error == make_error(Errc::cancelled)) return "cancelled";
    return "failed";
  }
  if (const auto* value = std::get_if<ValueDone>(&*done.result); value != nullptr && !value->value)
    return "not_found";
  if (const auto* found = std::get_if<ProvidersDone>(&*done.result);
      found != nullptr && found->providers.empty())
    return "not_found";
  return "ok";
}

/// `name_bucket{le="…"}`, `name_sum` and `name_count`, as Prometheus reads histograms.
void observe(Metrics& metrics, const std::string& name, std::span<const std::uint64_t> bounds,
             std::uint64_t value) {
  for (const std::uint64_t bound : bounds)
    metrics.add(name + "_bucket", "le=\"" + std::to_string(bound) + "\"", value <= bound ? 1 : 0);
  metrics.add(name + "_bucket", "le=\"+Inf\"");
  metrics.add(name + "_sum", value);
  metrics.add(name + "_count");
}

constexpr std::array<std::uint64_t, 6> kHopBounds{1, 2, 3, 4, 6, 8};
constexpr std::array<std::uint64_t, 8> kMessageBounds{5, 10, 20, 30, 40, 60, 80, 160};

}  // namespace

void Kad::count_query(const Query& query, const QueryDone& done) {
  std::string label = "goal=\"";
  label += name_of(query.goal());
  label += "\",result=\"";
  label += outcome(done);
  label += '"';
  env_.metrics.add("kad_lookups_count", label);
  if (query.crowded()) env_.metrics.add("kad_lookups_crowded_count");
  if (query.goal() == Goal::correct) return;
  observe(env_.metrics, "kad_lookup_hops", kHopBounds, done.stats.hops);
  observe(env_.metrics, "kad_lookup_messages", kMessageBounds, done.stats.requests);
}

}  // namespace starling::kad
