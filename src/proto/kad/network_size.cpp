#include "proto/kad/network_size.hpp"

#include <algorithm>
#include <cmath>

namespace starling::kad {
namespace {

constexpr double kKeySpace = 18'446'744'073'709'551'616.0;  // 2^64, as distance_prefix() counts

}  // namespace

double NetworkSize::Sample::servers() const noexcept {
  return static_cast<double>(count > 1 ? count - 1 : 1) / share;
}

void NetworkSize::track(const KadId& target, std::span<const PeerInfo> nearest, Reach reach, Instant now) {
  if (nearest.empty()) return;
  const double farthest =
      (static_cast<double>(distance_prefix(target, KadId::of(nearest.back().id))) + 1) / kKeySpace;
  std::erase_if(samples_, [&](const Sample& sample) {
    return sample.target == target || sample.at + kSizeSampleAge <= now;
  });
  if (samples_.size() >= kSizeSamplesMax) samples_.erase(samples_.begin());
  samples_.push_back({target, nearest.size(), reach == Reach::all ? 1.0 : farthest, now});
}

std::optional<SizeEstimate> NetworkSize::estimate(Instant now) const {
  std::vector<const Sample*> fresh;
  std::size_t weight = 0;
  for (const Sample& sample : samples_) {
    if (sample.at + kSizeSampleAge <= now) continue;
    fresh.push_back(&sample);
    weight += sample.count;
  }
  if (fresh.size() < kSizeSamplesMin) return std::nullopt;
  std::stable_sort(fresh.begin(), fresh.end(),
                   [](const Sample* a, const Sample* b) { return a->servers() < b->servers(); });
  std::size_t below = 0;
  double median = 0;
  for (const Sample* sample : fresh) {
    below += sample->count;
    median = sample->servers();
    if (2 * below >= weight) break;
  }
  std::size_t count = 0;
  std::size_t samples = 0;
  double share = 0;
  for (const Sample* sample : fresh) {
    const double allowed = 1 + 4 / std::sqrt(static_cast<double>(sample->count));
    if (sample->servers() > median * allowed || sample->servers() * allowed < median) continue;
    count += sample->count;
    share += sample->share;
    ++samples;
  }
  if (samples < kSizeSamplesMin || count < 2) return std::nullopt;
  SizeEstimate out;
  out.servers = std::max(1.0, static_cast<double>(count - 1) / share);
  out.relative_error = 1 / std::sqrt(static_cast<double>(count));
  out.samples = samples;
  return out;
}

double poisson_tail(std::size_t count, double mean) {
  double term = std::exp(-mean);
  double below = 0;
  for (std::size_t i = 0; i < count; ++i) {
    below += term;
    term *= mean / static_cast<double>(i + 1);
  }
  return std::max(0.0, 1 - below);
}

double poisson_mean_below(std::size_t count, double probability) {
  double low = 0;
  double high = 4 * static_cast<double>(count) + 10;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (1 - poisson_tail(count, middle) >= probability ? low : high) = middle;
  }
  return low;
}

}  // namespace starling::kad
