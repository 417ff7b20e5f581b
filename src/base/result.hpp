#pragma once
// One way to fail: Result<T> holds a value or an Error. No exceptions below the purity line.
#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace starling {

/// What a failure means to whoever must react: scoring, retry, log level, HTTP status and exit code switch on
/// it.
enum class Kind : std::uint8_t {
  malformed,     ///< bytes that no honest peer or user would have produced
  misbehaviour,  ///< well-formed, but against the protocol
  limit,         ///< a bound of ours was reached
  unreachable,   ///< nobody there, or no way to them
  timeout,       ///< no answer within the deadline
  refused,       ///< the other side, or a policy, said no
  not_found,     ///< truthfully not there
  cancelled,     ///< we gave it up ourselves
  unsupported,   ///< a protocol, key type or version that one side lacks
  storage,       ///< disk or database
  internal,      ///< a mistake of ours
};

/// The kind's name as it stands in JSON output and metrics.
std::string_view to_string(Kind kind) noexcept;

/// One per module: its name and the text of each code. Instances are constants with static storage.
struct ErrorCategory {
  std::string_view name;
  std::string_view (*message)(std::uint16_t code) noexcept;
};

/// Trivially copyable: a code of a category, plus the Kind that policy switches on.
class Error {
 public:
  constexpr Error(const ErrorCategory& category, std::uint16_t code, Kind kind) noexcept
      : category_(&category), code_(code), kind_(kind) {}
  constexpr Kind kind() const noexcept { return kind_; }
  constexpr std::uint16_t code() const noexcept { return code_; }
  constexpr const ErrorCategory& category() const noexcept { return *category_; }
  std::string_view message() const noexcept { return category_->message(code_); }
  /// `category: message`, for logs.
  std::string to_string() const;
  template <class Code>
  bool is(Code code) const noexcept {
    return *this == make_error(code);
  }
  friend constexpr bool operator==(const Error& a, const Error& b) noexcept {
    return a.category_ == b.category_ && a.code_ == b.code_;
  }

 private:
  const ErrorCategory* category_;
  std::uint16_t code_;
  Kind kind_;
};

template <class T = void>
using Result = tl::expected<T, Error>;

/// `return fail(Errc::x);` for any error enum with a `make_error` beside it.
template <class Code>
[[nodiscard]] tl::unexpected<Error> fail(Code code) {
  return tl::unexpected<Error>(make_error(code));
}
[[nodiscard]] inline tl::unexpected<Error> fail(Error error) { return tl::unexpected<Error>(error); }

}  // namespace starling

/// Returns the error of a Result<void>-like expression to the caller.
#define STARLING_TRY(expression)                                       \
  do {                                                                 \
    if (auto starling_try_result = (expression); !starling_try_result) \
      return ::starling::fail(starling_try_result.error());            \
  } while (false)

#define STARLING_CONCAT_INNER(a, b) a##b
#define STARLING_CONCAT(a, b) STARLING_CONCAT_INNER(a, b)
/// `STARLING_ASSIGN(auto x, f());` declares x with the value of f(), or returns its error to the caller.
#define STARLING_ASSIGN(declaration, expression)                                  \
  auto STARLING_CONCAT(starling_assign_, __LINE__) = (expression);                \
  if (!STARLING_CONCAT(starling_assign_, __LINE__))                               \
    return ::starling::fail(STARLING_CONCAT(starling_assign_, __LINE__).error()); \
  declaration = std::move(*STARLING_CONCAT(starling_assign_, __LINE__))  // NOLINT(bugprone-macro-parentheses)
