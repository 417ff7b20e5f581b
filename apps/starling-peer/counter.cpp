#include <algorithm>
#include <bit>

#include "peer.hpp"

namespace peer {

bool Counter::take(const starling::Message& message) {
  const std::lock_guard lock(mutex_);
  if (!on_) return false;
  const double now = epoch_ms();
  if (count_ == 0) first_ms_ = now;
  last_ms_ = now;
  ++count_;
  bytes_ += message.data.size();
  std::string id(message.author_bytes.begin(), message.author_bytes.end());
  id.append(message.seqno.begin(), message.seqno.end());
  distinct_.insert(std::move(id));
  if (message.data.size() >= 8) {
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < 8; ++i) bits = bits << 8U | message.data[i];
    latencies_.push_back(now - std::bit_cast<double>(bits));
  }
  return true;
}

void Counter::begin() {
  const std::lock_guard lock(mutex_);
  on_ = true;
  count_ = bytes_ = 0;
  first_ms_ = last_ms_ = 0;
  distinct_.clear();
  latencies_.clear();
}

Fields Counter::end() {
  const std::lock_guard lock(mutex_);
  on_ = false;
  std::sort(latencies_.begin(), latencies_.end());
  return {{"count", count_},
          {"distinct", distinct_.size()},
          {"bytes", bytes_},
          {"firstMs", static_cast<std::int64_t>(first_ms_)},
          {"lastMs", static_cast<std::int64_t>(last_ms_)},
          {"p50ms", quantile(latencies_, 0.5)},
          {"p99ms", quantile(latencies_, 0.99)}};
}

}  // namespace peer
