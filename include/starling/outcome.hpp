#pragma once
/// What an operation came to: a value, or why there is none.
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace starling {

/// Why an operation failed. `kind` is one of malformed, misbehaviour, limit, unreachable, timeout, refused,
/// not_found, cancelled, unsupported, storage, internal: what a program should switch on. `code` is stable,
/// `message` is for people.
struct Failure {
  std::string kind;
  std::string code;
  std::string message;
};

/// A value or a Failure. Ask before you take: the value of a failure, and the failure of a value, do not
/// exist.
template <class T>
class [[nodiscard]] Outcome {
 public:
  Outcome(T value) : content_(std::in_place_index<1>, std::move(value)) {}            // NOLINT
  Outcome(Failure failure) : content_(std::in_place_index<0>, std::move(failure)) {}  // NOLINT
  bool ok() const noexcept { return content_.index() == 1; }
  explicit operator bool() const noexcept { return ok(); }
  T& value() & noexcept { return *std::get_if<1>(&content_); }
  const T& value() const& noexcept { return *std::get_if<1>(&content_); }
  T&& value() && noexcept { return std::move(*std::get_if<1>(&content_)); }
  T& operator*() & noexcept { return value(); }
  const T& operator*() const& noexcept { return value(); }
  T&& operator*() && noexcept { return std::move(*this).value(); }
  T* operator->() noexcept { return &value(); }
  const T* operator->() const noexcept { return &value(); }
  const Failure& failure() const noexcept { return *std::get_if<0>(&content_); }

 private:
  std::variant<Failure, T> content_;
};

/// Success, or a Failure.
template <>
class [[nodiscard]] Outcome<void> {
 public:
  Outcome() noexcept = default;
  Outcome(Failure failure) : failure_(std::move(failure)) {}  // NOLINT
  bool ok() const noexcept { return !failure_.has_value(); }
  explicit operator bool() const noexcept { return ok(); }
  const Failure& failure() const noexcept { return *failure_; }

 private:
  std::optional<Failure> failure_;
};

}  // namespace starling
