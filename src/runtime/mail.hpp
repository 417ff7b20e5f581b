#pragma once
// What shards send each other.
#include <atomic>
#include <memory>
#include <mutex>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "node/port.hpp"
#include "runtime/loop.hpp"

namespace starling::runtime {

class Shard;

/// A Shard&, complete before Shard is: GCC 12's std::move_only_function wants to know the size of what it
/// refers to.
class ShardRef {
 public:
  // NOLINTNEXTLINE(google-explicit-constructor): stands for Shard&
  ShardRef(Shard& shard) noexcept : shard_(&shard) {}
  operator Shard&() const noexcept { return *shard_; }  // NOLINT(google-explicit-constructor)

 private:
  Shard* shard_;
};
/// Work for a shard's thread. Destroyed without being run when the shard has retired.
using Job = std::move_only_function<void(ShardRef, Now)>;
using Mail = std::variant<Job, node::EdgeCommand, node::EdgeEvent>;

/// What of a mailbox's content may be dropped, and how much of it there is.
struct MailLoad {
  std::size_t data_count = 0;
  std::size_t data_bytes = 0;
  std::size_t control_count = 0;
};
/// Gossip payload and requests of peers are data; whatever changes a state on the other side is control.
MailLoad load_of(const Mail& mail) noexcept;

/// Where other threads leave mail for a shard. Outlives the shard for whoever still holds it: mail is then
/// dropped.
///
/// Any thread: post(), put(), the questions. The shard's thread: everything else. A batch costs one lock, and
/// one wake-up of the loop when the box was empty. Senders ask full() before they add data and decide what to
/// do without it; control and jobs are never refused.
class Inbox : public std::enable_shared_from_this<Inbox> {
 public:
  explicit Inbox(Loop& loop) : loop_(&loop) {}

  void post(Job job);
  /// Takes all of `batch` and leaves it empty.
  void put(std::vector<Mail>& batch);
  bool data_full() const noexcept;
  bool control_full() const noexcept {
    return control_count_.load(std::memory_order_relaxed) >= kMailControlMax;
  }

  void bind(Shard& shard) noexcept { shard_ = &shard; }
  /// The shard is going: mail that was posted and not taken is dropped.
  void unbind() noexcept { shard_ = nullptr; }
  /// The shard when the caller is its thread and it has not retired.
  Shard* shard_here() const noexcept;
  std::vector<Mail> take();
  /// Any thread, after unbind(): everything that comes, and came, is dropped.
  void close();

 private:
  void wake(std::unique_lock<std::mutex> lock, bool was_empty);

  mutable std::mutex mutex_;
  Loop* loop_;  // nothing after close()
  std::vector<Mail> mail_;
  std::atomic<std::size_t> data_count_ = 0;
  std::atomic<std::size_t> data_bytes_ = 0;
  std::atomic<std::size_t> control_count_ = 0;
  Shard* shard_ = nullptr;  // only on the loop's thread
};

}  // namespace starling::runtime
