#include "runtime/loop.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>

#include "base/assert.hpp"
#include "runtime/errors.hpp"
#include "runtime/options.hpp"
#include "runtime/system.hpp"

namespace starling::runtime {

namespace {

thread_local const Loop* running = nullptr;

/// The waker's; no watch has it, for a generation never comes that far.
constexpr Loop::WatchId kWaker = std::numeric_limits<Loop::WatchId>::max();

constexpr std::uint32_t kReadable = EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR;
constexpr std::uint32_t kWritable = EPOLLOUT | EPOLLHUP | EPOLLERR;
constexpr std::uint32_t kEnded = EPOLLRDHUP | EPOLLHUP | EPOLLERR;

}  // namespace

bool on_loop_thread() noexcept { return running != nullptr; }

Loop::Loop() : epoll_(::epoll_create1(EPOLL_CLOEXEC)), waker_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  STARLING_ASSERT(epoll_ && waker_);
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;  // every write is a new edge: the counter is never read
  event.data.u64 = kWaker;
  STARLING_ASSERT(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, waker_.get(), &event) == 0);
}

void Loop::start() {
  thread_ = std::thread([this] {
    running = this;
    run();
  });
}

void Loop::join() {
  if (!thread_.joinable()) return;
  STARLING_ASSERT(thread_.get_id() != std::this_thread::get_id());
  post([this] { ending_ = true; });
  thread_.join();
}

bool Loop::in_this_thread() const noexcept { return running == this; }

void Loop::post(std::move_only_function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    posted_.push_back(std::move(work));
  }
  if (!asleep_.exchange(false)) return;
  constexpr std::uint64_t kOne = 1;
  // It fails when the counter is full, after 2^64 wake-ups that nobody has slept through.
  static_cast<void>(!::write(waker_.get(), &kOne, sizeof kOne));
}

Result<Loop::WatchId> Loop::watch(int fd, LoopClient& client, std::uint64_t id) {
  if (free_.empty()) {
    free_.push_back(static_cast<std::uint32_t>(watches_.size()));
    watches_.emplace_back();
  }
  const std::uint32_t index = free_.back();
  const WatchId name = (static_cast<WatchId>(watches_[index].generation) << 32U) | index;
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.u64 = name;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) return fail(connection_error(errno));
  free_.pop_back();
  watches_[index].client = &client;
  watches_[index].id = id;
  return name;
}

void Loop::unwatch(WatchId watch) noexcept {
  const auto index = static_cast<std::uint32_t>(watch);
  if (find(watch) == nullptr) return;
  watches_[index] = {nullptr, 0, watches_[index].generation + 1};
  free_.push_back(index);
}

const Loop::Watch* Loop::find(WatchId watch) const noexcept {
  const auto index = static_cast<std::uint32_t>(watch);
  if (index >= watches_.size() || watches_[index].client == nullptr) return nullptr;
  return watches_[index].generation == watch >> 32U ? &watches_[index] : nullptr;
}

void Loop::wake_at(LoopClient& client, Instant when) {
  if (client.wake_at_ == when) return;
  if (!client.wake_at_.is_never()) timers_.erase({client.wake_at_, &client});
  client.wake_at_ = when;
  if (!when.is_never()) timers_.emplace(when, &client);
}

/// Rounded up: no timer is early.
int Loop::wait_ms() const {
  if (timers_.empty()) return -1;
  const Instant now = read_clock().mono;
  const Instant due = timers_.begin()->first;
  if (due <= now) return 0;
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(due - now).count();
  return static_cast<int>(std::min<std::int64_t>(ms, std::chrono::milliseconds(1h).count()));
}

void Loop::run() {
  std::array<epoll_event, kEventsPerTurnMax> events;
  while (!ending_) {
    int wait = wait_ms();
    if (wait != 0) {
      asleep_.store(true);
      const std::lock_guard lock(mutex_);
      if (!posted_.empty()) wait = 0;
    }
    const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), wait);
    asleep_.store(false, std::memory_order_relaxed);
    STARLING_ASSERT(count >= 0 || errno == EINTR);
    tell_ready({events.data(), static_cast<std::size_t>(std::max(count, 0))});
    run_timers();
    run_posted();
  }
}

/// Neighbours in what the kernel told that are the same client's are told together.
void Loop::tell_ready(std::span<const epoll_event> events) {
  while (!events.empty()) {
    LoopClient* client = nullptr;
    ready_.clear();
    for (; !events.empty(); events = events.subspan(1)) {
      const Watch* watch = find(events.front().data.u64);
      if (watch == nullptr) continue;  // the waker's, or let go of in this turn
      if (client != nullptr && watch->client != client) break;
      client = watch->client;
      const std::uint32_t mask = events.front().events;
      ready_.push_back({watch->id, (mask & kReadable) != 0, (mask & kWritable) != 0, (mask & kEnded) != 0});
    }
    if (client != nullptr) client->on_ready(ready_);
  }
}

void Loop::run_timers() {
  if (timers_.empty()) return;
  const Instant now = read_clock().mono;
  // Who wants to be woken at once again has to wait for the others: only what was there before counts.
  std::size_t due = 0;
  for (auto it = timers_.begin(); it != timers_.end() && it->first <= now; ++it) ++due;
  for (; due > 0 && !timers_.empty() && timers_.begin()->first <= now; --due) {
    LoopClient* client = timers_.begin()->second;
    timers_.erase(timers_.begin());
    client->wake_at_ = Instant::never();
    client->on_timer();
  }
}

void Loop::run_posted() {
  std::vector<std::move_only_function<void()>> work;
  {
    const std::lock_guard lock(mutex_);
    work.swap(posted_);
  }
  for (auto& one : work) one();
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
