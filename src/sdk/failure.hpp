#pragma once
// From the core's Result to the public Outcome, and callbacks that cannot be forgotten.
#include <functional>
#include <utility>

#include "base/result.hpp"
#include "starling/outcome.hpp"

namespace starling::sdk {

Failure to_failure(const Error& error);
Failure stopped_failure();

/// Owes one call to an application's callback: whoever lets go of it without an answer says that the node has
/// stopped.
template <class T>
class Owed {
 public:
  using Function = std::function<void(Outcome<T>)>;
  Owed() noexcept = default;
  explicit Owed(Function function) : function_(std::move(function)) {}
  Owed(Owed&& other) noexcept : function_(std::exchange(other.function_, nullptr)) {}
  Owed& operator=(Owed&& other) noexcept {
    if (this != &other) {
      give_up();
      function_ = std::exchange(other.function_, nullptr);
    }
    return *this;
  }
  ~Owed() { give_up(); }

  explicit operator bool() const noexcept { return static_cast<bool>(function_); }
  /// Nothing happens a second time.
  void operator()(Outcome<T> outcome) {
    if (!function_) return;
    const Function function = std::exchange(function_, nullptr);
    function(std::move(outcome));
  }
  void fail(const Error& error) { (*this)(to_failure(error)); }

 private:
  void give_up() noexcept {
    if (function_) (*this)(stopped_failure());
  }
  Function function_;
};

}  // namespace starling::sdk
