#pragma once
// From the core's Result to the public Outcome, and callbacks that cannot be forgotten.
#include <functional>
#include <utility>

#include "base/result.hpp"
#include "starling/outcome.hpp"

namespace starling::sdk {

Failure to_failure(const Error& error);
/// The same with what it is about in front: the option, address or file that a person would look for.
Failure to_failure(const Error& error, std::string_view what);
/// What is told to whoever still waits when the node stops.
Error stopped_error() noexcept;

/// How a sort of answer says that there is none.
template <class Answer>
struct Failing;
template <class T>
struct Failing<Outcome<T>> {
  static Outcome<T> of(const Error& error) { return to_failure(error); }
};
template <class T>
struct Failing<Result<T>> {
  static Result<T> of(const Error& error) { return tl::unexpected<Error>(error); }
};

/// Owes one call to a callback: whoever lets go of it without an answer says that the node has stopped.
template <class Answer>
class OwedAnswer {
 public:
  using Function = std::function<void(Answer)>;
  OwedAnswer() noexcept = default;
  explicit OwedAnswer(Function function) : function_(std::move(function)) {}
  OwedAnswer(OwedAnswer&& other) noexcept : function_(std::exchange(other.function_, nullptr)) {}
  OwedAnswer& operator=(OwedAnswer&& other) noexcept {
    if (this != &other) {
      give_up();
      function_ = std::exchange(other.function_, nullptr);
    }
    return *this;
  }
  ~OwedAnswer() { give_up(); }

  explicit operator bool() const noexcept { return static_cast<bool>(function_); }
  /// Nothing happens a second time.
  void operator()(Answer answer) {
    if (!function_) return;
    const Function function = std::exchange(function_, nullptr);
    function(std::move(answer));
  }
  void fail(const Error& error) { (*this)(Failing<Answer>::of(error)); }

 private:
  void give_up() noexcept {
    if (function_) fail(stopped_error());
  }
  Function function_;
};

/// For the callbacks of the public API.
template <class T>
using Owed = OwedAnswer<Outcome<T>>;

}  // namespace starling::sdk
