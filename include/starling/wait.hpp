#pragma once
/// For programs that would rather wait than be called back.
#include <chrono>
#include <future>
#include <memory>
#include <utility>

#include "starling/event_loops.hpp"
#include "starling/outcome.hpp"

namespace starling {

/// Calls `start` with a callback and blocks until that is called, at most `limit`:
///
///     auto peer = starling::wait<std::string>([&](auto done) { host.connect(address, done); });
///
/// Not in a callback: on the thread of a host or node it fails at once, for waiting would stop that from
/// working.
template <class T, class Start>
Outcome<T> wait(Start&& start, std::chrono::milliseconds limit = std::chrono::minutes(5)) {
  if (sdk::on_event_loop())
    return Failure{"refused", "sdk/wait", "wait() in a callback would keep the node from working"};
  auto promise = std::make_shared<std::promise<Outcome<T>>>();
  auto future = promise->get_future();
  std::forward<Start>(start)([promise](Outcome<T> outcome) { promise->set_value(std::move(outcome)); });
  promise.reset();
  if (future.wait_for(limit) != std::future_status::ready)
    return Failure{"timeout", "sdk/wait", "no answer in time"};
  return future.get();
}

}  // namespace starling
