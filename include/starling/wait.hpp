#pragma once
/// For programs that would rather wait than be called back.
#include <chrono>
#include <future>
#include <memory>
#include <utility>

#include "starling/outcome.hpp"

namespace starling {

/// Calls `start` with a callback and blocks until that is called, at most `limit`:
///
///     auto peer = starling::wait<std::string>([&](auto done) { host.connect(address, done); });
///
/// Never on a thread of the node.
template <class T, class Start>
Outcome<T> wait(Start&& start, std::chrono::milliseconds limit = std::chrono::minutes(5)) {
  auto promise = std::make_shared<std::promise<Outcome<T>>>();
  auto future = promise->get_future();
  std::forward<Start>(start)([promise](Outcome<T> outcome) { promise->set_value(std::move(outcome)); });
  promise.reset();
  if (future.wait_for(limit) != std::future_status::ready)
    return Failure{"timeout", "sdk/wait", "no answer in time"};
  return future.get();
}

}  // namespace starling
