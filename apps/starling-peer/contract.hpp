#pragma once
// The peer contract: flags at the start, one JSON object a line in and out (tests/interop/README.md).
#include <boost/json/object.hpp>
#include <cstdint>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "starling/host.hpp"

namespace peer {

using Fields = boost::json::object;

/// What makes a command answer `ok: false`.
struct CommandError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Flags {
  std::vector<std::string> listen;
  starling::HostKey key;
  std::string kad;
  bool kad_client = false;
  std::string security = "noise";
  bool gossip = false;
  std::vector<std::string> topics;
  std::vector<std::string> bootstrap;
  std::size_t threads = 1;
};
/// Throws CommandError with what to say.
Flags parse_flags(const std::vector<std::string>& arguments);

/// Standard output, a JSON object a line, from any thread.
class Output {
 public:
  void emit(const Fields& fields);

 private:
  std::mutex mutex_;
};

/// The arguments of one command. The getters throw CommandError when something is missing or of the wrong
/// type.
class Request {
 public:
  explicit Request(Fields fields) : fields_(std::move(fields)) {}
  const boost::json::value* find(std::string_view name) const { return fields_.if_contains(name); }
  std::string text(std::string_view name) const;
  std::optional<std::string> optional_text(std::string_view name) const;
  double number(std::string_view name, double otherwise) const;
  std::uint64_t count(std::string_view name, std::uint64_t otherwise) const;
  bool flag(std::string_view name) const;
  std::vector<std::uint8_t> hex(std::string_view name) const;

 private:
  Fields fields_;
};

std::vector<std::uint8_t> from_hex(std::string_view text);
std::string to_hex(starling::ByteSpan bytes);

/// The value, or throws its failure.
template <class T>
T get(starling::Outcome<T> outcome) {
  if (!outcome) throw CommandError(outcome.failure().message);
  return std::move(outcome).value();
}
inline void get(const starling::Outcome<void>& outcome) {
  if (!outcome) throw CommandError(outcome.failure().message);
}

/// Of sorted values; 0 for none.
double quantile(const std::vector<double>& sorted, double q);
/// Of values in any order, which it changes; for millions of them, where sorting would be what is measured.
double quantile_of(std::vector<double>& values, double q);
/// Milliseconds on a clock that never goes back.
double now_ms();
/// Milliseconds since 1970.
double epoch_ms();

}  // namespace peer
