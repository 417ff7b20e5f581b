#pragma once
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <thread>
#include <utility>

namespace starling::daemon {

namespace asio = boost::asio;
/// Unix or TCP; nobody behind the listener needs to know which.
using Socket = asio::generic::stream_protocol::socket;
using Endpoint = asio::generic::stream_protocol::endpoint;

/// The one thread on which all control sockets live. Connections of the host have threads of their own, and
/// what they have to tell comes here by post().
class ControlLoop {
 public:
  ControlLoop() = default;
  ControlLoop(const ControlLoop&) = delete;
  ControlLoop& operator=(const ControlLoop&) = delete;
  /// No other thread refers to the loop any more.
  ~ControlLoop() {
    stop();
    over_ = true;
  }

  asio::io_context& context() noexcept { return context_; }
  void start() {
    thread_ = std::thread([this] { context_.run(); });
  }
  /// Blocks until the thread has ended; what is posted from then on is never done, and dropped with the loop.
  void stop() {
    context_.stop();
    if (thread_.joinable()) thread_.join();
  }
  /// From any thread, also this one. Work is done in the order in which it was posted, whoever posts it.
  template <class Work>
  void post(Work work) {
    asio::post(context_, std::move(work));
  }
  /// Something that lives on this thread and that callbacks of the host own too: whoever lets go of it last,
  /// it is destroyed here.
  template <class T, class... Args>
  std::shared_ptr<T> make(Args&&... args) {
    return std::shared_ptr<T>(new T(std::forward<Args>(args)...), [this](T* gone) {
      std::unique_ptr<T> owned(gone);
      if (!over_ && !context_.get_executor().running_in_this_thread()) post([last = std::move(owned)] {});
    });
  }

 private:
  bool over_ = false;
  // Without a concurrency hint of 1: with it, what another thread posts overtakes what a handler of this one
  // has posted.
  asio::io_context context_;
  asio::executor_work_guard<asio::io_context::executor_type> busy_ = asio::make_work_guard(context_);
  std::thread thread_;
};

/// One of a bounded number of places; given back when it goes.
class Seat {
 public:
  Seat() noexcept = default;
  explicit Seat(std::size_t& taken) noexcept : taken_(&taken) { ++taken; }
  Seat(Seat&& other) noexcept : taken_(std::exchange(other.taken_, nullptr)) {}
  Seat& operator=(Seat&& other) noexcept {
    std::swap(taken_, other.taken_);
    return *this;
  }
  ~Seat() {
    if (taken_ != nullptr) --*taken_;
  }

 private:
  std::size_t* taken_ = nullptr;
};

}  // namespace starling::daemon
