#include "runtime/loop.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "runtime/options.hpp"

namespace starling::runtime {

namespace {
thread_local bool runs_a_loop = false;
}  // namespace

bool on_loop_thread() noexcept { return runs_a_loop; }

Loop::Loop() : work_(boost::asio::make_work_guard(context_)) {}

void Loop::start() {
  thread_ = std::thread([this] {
    runs_a_loop = true;
    context_.run();
  });
}

void Loop::join() {
  work_.reset();
  if (!thread_.joinable()) return;
  STARLING_ASSERT(thread_.get_id() != std::this_thread::get_id());
  thread_.join();
}

MutableByteView Loop::read_buffer() {
  if (!read_buffer_) read_buffer_ = std::make_unique_for_overwrite<std::uint8_t[]>(kReadBufferBytes);
  return {read_buffer_.get(), kReadBufferBytes};
}

Bytes Loop::take_buffer() {
  if (spare_.empty()) {
    Bytes fresh;
    fresh.reserve(2 * kWriteBytesMax);
    return fresh;
  }
  Bytes buffer = std::move(spare_.back());
  spare_.pop_back();
  return buffer;
}

void Loop::give_buffer(Bytes buffer) {
  if (spare_.size() >= kSpareBuffersMax || buffer.capacity() < kWriteBytesMax ||
      buffer.capacity() > 4 * kWriteBytesMax)
    return;
  buffer.clear();
  spare_.push_back(std::move(buffer));
}

LoopPool::LoopPool(std::size_t threads) {
  if (threads == 0) threads = std::max(1U, std::thread::hardware_concurrency());
  threads = std::min(threads, kThreadsMax);
  for (std::size_t i = 0; i < threads; ++i) loops_.push_back(std::make_unique<Loop>());
  for (const auto& loop : loops_) loop->start();
}

LoopPool::~LoopPool() {
  for (const auto& loop : loops_) loop->join();
}

std::shared_ptr<LoopPool> make_loops(std::size_t threads) { return std::make_shared<LoopPool>(threads); }

}  // namespace starling::runtime
