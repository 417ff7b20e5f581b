#pragma once
// Event loops and the threads that run them.
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/time.hpp"
#include "runtime/limits.hpp"
#include "runtime/sockets.hpp"

struct epoll_event;

namespace starling::runtime {

/// What happened to one watched descriptor since it was last told.
struct Ready {
  std::uint64_t id;  ///< the client's own name for it
  bool readable;
  bool writable;
  bool ended;  ///< an error, or the peer's end, stands behind what can be read
};

/// Something that lives on one loop and hears from it. All calls come on the loop's thread.
class LoopClient {
 public:
  LoopClient() = default;
  LoopClient(const LoopClient&) = delete;
  LoopClient& operator=(const LoopClient&) = delete;
  virtual ~LoopClient() = default;
  /// Told once for every change, not again while it stays: who leaves bytes unread, or room unused, has to
  /// remember it. A descriptor may be let go of meanwhile; what is behind it in `ready` still comes.
  virtual void on_ready(std::span<const Ready> ready) = 0;
  /// The time of Loop::wake_at() has come, or has long been past.
  virtual void on_timer() = 0;

 private:
  friend class Loop;
  Instant wake_at_ = Instant::never();
};

/// One thread that waits for descriptors, timers and work from other threads; and the buffers that its
/// connections share: a connection that is idle has none.
///
/// Any thread: post(), in_this_thread(). Before start() and after join(), any one thread; else the loop's
/// thread: everything else. A turn: what became ready (kEventsPerTurnMax at most), timers that are due, work
/// posted before. Readiness is edge-triggered: a descriptor costs one system call when it is watched and none
/// while it lives (docs/adr/0011).
class Loop {
 public:
  /// Names one watch of one descriptor, never reused while a message of the kernel about it may be under way.
  using WatchId = std::uint64_t;

  Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop() { join(); }

  void start();
  /// Lets the thread end behind the work posted so far, and waits for it. Not from the thread itself.
  void join();
  bool in_this_thread() const noexcept;
  /// Later, on the loop's thread. Destroyed without being run when the loop has ended.
  void post(std::move_only_function<void()> work);

  /// Tells `client` of `fd` under the name `id` from now on, beginning with what it is ready for already. The
  /// system's out_of_memory or the like when it refuses (connection_error()).
  Result<WatchId> watch(int fd, LoopClient& client, std::uint64_t id);
  /// No word of it comes any more. The descriptor has to be closed next.
  void unwatch(WatchId watch) noexcept;
  /// on_timer() comes once at `when`, or within this turn's successor when that is past; replaces an earlier
  /// wish. `never` takes it back.
  void wake_at(LoopClient& client, Instant when);

  /// Only until the next read.
  MutableByteView read_buffer();
  /// An empty buffer with the capacity of a write. Give it back.
  Bytes take_buffer();
  void give_buffer(Bytes buffer);

 private:
  struct Watch {
    LoopClient* client = nullptr;
    std::uint64_t id = 0;
    std::uint32_t generation = 0;
  };

  void run();
  int wait_ms() const;
  const Watch* find(WatchId watch) const noexcept;
  void tell_ready(std::span<const epoll_event> events);
  void run_timers();
  void run_posted();

  Descriptor epoll_;
  Descriptor waker_;
  std::thread thread_;
  std::vector<Watch> watches_;
  std::vector<std::uint32_t> free_;
  std::set<std::pair<Instant, LoopClient*>> timers_;
  std::vector<Ready> ready_;

  std::mutex mutex_;
  std::vector<std::move_only_function<void()>> posted_;
  bool ending_ = false;
  /// Set before the thread looks at posted_ for the last time and sleeps.
  std::atomic<bool> asleep_ = false;

  std::unique_ptr<std::uint8_t[]> read_buffer_;
  std::vector<Bytes> spare_;
};

/// The loops of one node, or of several that share them. Ends its threads when the last owner lets go, which
/// must not be one of those threads.
class LoopPool {
 public:
  explicit LoopPool(std::size_t threads);
  ~LoopPool();
  std::size_t size() const noexcept { return loops_.size(); }
  Loop& at(std::size_t index) noexcept { return *loops_[index]; }

 private:
  std::vector<std::unique_ptr<Loop>> loops_;
};

}  // namespace starling::runtime
