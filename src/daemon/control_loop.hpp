#pragma once
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
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
  ~ControlLoop() { stop(); }

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

 private:
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
