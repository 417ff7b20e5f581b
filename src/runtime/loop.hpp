#pragma once
// Event loops and the threads that run them.
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <thread>
#include <vector>

#include "base/bytes.hpp"
#include "runtime/limits.hpp"

namespace starling::runtime {

/// One thread with one io_context, and the buffers that its connections share: a connection that is idle has
/// none.
class Loop {
 public:
  Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop() { join(); }

  void start();
  /// Lets the thread end once nothing is left to do, and waits for it. Not from the thread itself.
  void join();
  boost::asio::io_context& context() noexcept { return context_; }
  bool in_this_thread() noexcept { return context_.get_executor().running_in_this_thread(); }

  /// Only from the loop's thread, and only until the next read.
  MutableByteView read_buffer();
  /// An empty buffer with the capacity of a write. Give it back.
  Bytes take_buffer();
  void give_buffer(Bytes buffer);

 private:
  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::thread thread_;
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
