#include "proto/yamux/byte_queue.hpp"

#include "base/assert.hpp"
#include "proto/yamux/limits.hpp"

namespace starling::yamux {

void ByteQueue::append(ByteView bytes) {
  STARLING_ASSERT(bytes.size() < (std::size_t{1} << 31) - size_);
  if (bytes.empty()) return;
  if (size_ > 0 && runs_.back().owned) {
    Run& tail = runs_.back();
    const std::size_t fits = std::min<std::size_t>(bytes.size(), tail.capacity - tail.end);
    if (fits > 0) {
      std::memcpy(tail.owned.get() + tail.end, bytes.data(), fits);
      tail.end += static_cast<std::uint32_t>(fits);
      size_ += static_cast<std::uint32_t>(fits);
      bytes = bytes.subspan(fits);
      if (bytes.empty()) return;
    }
  }
  const std::size_t spare = std::clamp<std::size_t>(size_, kBufferBytesMin, kBufferBytesMax);
  const std::size_t capacity = std::max(bytes.size(), spare);
  Run run;
  run.owned = std::make_unique_for_overwrite<std::uint8_t[]>(capacity);
  std::memcpy(run.owned.get(), bytes.data(), bytes.size());
  run.end = static_cast<std::uint32_t>(bytes.size());
  run.capacity = static_cast<std::uint32_t>(capacity);
  runs_.push_back(std::move(run));
  size_ += static_cast<std::uint32_t>(bytes.size());
}

void ByteQueue::append(Slice slice) {
  STARLING_ASSERT(slice.size() < (std::size_t{1} << 31) - size_);
  if (slice.empty()) return;
  Run run;
  run.end = static_cast<std::uint32_t>(slice.size());
  run.shared = std::move(slice);
  size_ += run.end;
  runs_.push_back(std::move(run));
}

void ByteQueue::append_lent(ByteView bytes) {
  STARLING_ASSERT(bytes.size() < (std::size_t{1} << 31) - size_);
  if (bytes.empty()) return;
  Run run;
  run.lent = bytes.data();
  run.end = static_cast<std::uint32_t>(bytes.size());
  size_ += run.end;
  runs_.push_back(std::move(run));
}

void ByteQueue::keep() {
  for (std::size_t i = head_; i < runs_.size(); ++i) {
    Run& run = runs_[i];
    if (run.lent == nullptr) continue;
    const ByteView bytes = run.view();
    auto owned = std::make_unique_for_overwrite<std::uint8_t[]>(bytes.size());
    std::memcpy(owned.get(), bytes.data(), bytes.size());
    run.owned = std::move(owned);
    run.lent = nullptr;
    run.begin = 0;
    run.end = run.capacity = static_cast<std::uint32_t>(bytes.size());
  }
}

void ByteQueue::take(std::size_t count, std::vector<ByteView>* parts, std::vector<Run>* retired) {
  STARLING_ASSERT(count <= size_);
  size_ -= static_cast<std::uint32_t>(count);
  while (count > 0) {
    Run& run = runs_[head_];
    const std::size_t here = std::min<std::size_t>(count, run.end - run.begin);
    if (parts != nullptr) parts->push_back(run.view().first(here));
    run.begin += static_cast<std::uint32_t>(here);
    count -= here;
    if (run.begin == run.end) pop_front_run(retired);
  }
}

void ByteQueue::pop_front_run(std::vector<Run>* retired) {
  if (retired != nullptr)
    retired->push_back(std::move(runs_[head_]));
  else
    runs_[head_] = Run{};
  ++head_;
  if (head_ == runs_.size()) {
    std::vector<Run>().swap(runs_);
    head_ = 0;
  } else if (head_ >= 16 && head_ * 2 >= runs_.size()) {
    runs_.erase(runs_.begin(), runs_.begin() + head_);
    head_ = 0;
  }
}

void ByteQueue::clear(std::vector<Run>* retired) {
  if (retired != nullptr)
    for (; head_ < runs_.size(); ++head_) retired->push_back(std::move(runs_[head_]));
  std::vector<Run>().swap(runs_);
  head_ = 0;
  size_ = 0;
}

}  // namespace starling::yamux
